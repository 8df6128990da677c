#!/usr/bin/env bash
# Grades the demo on the review screen by keys in headless Chromium, and compares the counts with the record.
# Needs `make demo`, chromium, node and npm. The demo's grades stay in its record.
# usage: tools/review-check.sh DEMO_FOLDER [MOST]
set -euo pipefail
demo=${1:?usage: tools/review-check.sh DEMO_FOLDER [MOST]} most=${2:-300}
here=$(cd "$(dirname "$0")" && pwd)
avocet="${AVOCET:-$here/../target/release/avocet}"
[ -d "$here/pages/node_modules" ] || (cd "$here/pages" && npm ci --silent)
export AVOCET_STORE="$demo/demo-team" AVOCET_STORE_KEY="$demo/demo-team.store-key" AVOCET_PASSWORD="demo password"
day=$(date -u +%F)
account() { "$avocet" care own --from "$day" --to "$day" --as grader --json; }
before=$(account)
coproc server { exec "$avocet" serve --listen 127.0.0.1:0 --quiet --pictures "$demo" --picture-keys "$demo/store/picture-keys"; }
trap 'kill "$server_PID" 2>/dev/null || true' EXIT
read -r address <&"${server[0]}"
done=$(node "$here/pages/review.mjs" "${address%/}" grader "$most")
echo "$done"
"$avocet" ledger verify >/dev/null
python3 - "$done" "$before" "$(account)" <<'PYTHON'
import json, sys
done, before, after = (json.loads(text) for text in sys.argv[1:])
times = lambda lines, what: sum(line["times"] for line in lines if line["what"] == what)
grown = {what: times(after, what) - times(before, what) for what in ("graded", "clear", "veiled")}
assert grown["graded"] == done["graded"] + done["undone"], (grown, done)
assert grown["clear"] == done["clear"] == done["ended"], (grown, done)
assert grown["veiled"] > 0, grown
print("review: the record counts what was done by keys:", grown)
PYTHON
