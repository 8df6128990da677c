#!/usr/bin/env bash
# Runs a command with a private PostgreSQL: a new server in a folder of its own, gone afterwards. The command finds its
# address in AVOCET_TEST_POSTGRES. Without PostgreSQL's programs the command runs all the same, and says what it skips.
# usage: tools/postgres.sh COMMAND...
set -euo pipefail
bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1 || true)
if [ -z "$bin" ] || [ -n "${AVOCET_TEST_POSTGRES:-}" ]; then exec "$@"; fi
dir=$(mktemp -d)
as=()
if [ "$(id -u)" = 0 ]; then
  # The server refuses to run as root.
  chown postgres: "$dir"
  as=(runuser -u postgres --)
fi
stop() {
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$dir"
}
trap stop EXIT
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(
  cd "$dir"
  "${as[@]}" "$bin/initdb" -D "$dir/data" -A trust -U avocet --no-sync -E UTF8 --locale=C >/dev/null
  "${as[@]}" "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" \
    -o "-p $port -k $dir -c listen_addresses=127.0.0.1 -c max_connections=200" start >/dev/null
) || { echo "tools/postgres.sh: the private server did not start; tests of PostgreSQL will say that they skipped" >&2; "$@"; exit; }
AVOCET_TEST_POSTGRES="postgres://avocet@127.0.0.1:$port" "$@"
