#!/usr/bin/env bash
# Serves the demo's record and writes screenshots of its pages, with axe on each. Needs `make demo`, chromium, node and npm.
# usage: tools/screenshots.sh DEMO_FOLDER OUT
set -euo pipefail
demo=${1:?usage: tools/screenshots.sh DEMO_FOLDER OUT} out=${2:?usage: tools/screenshots.sh DEMO_FOLDER OUT}
here=$(cd "$(dirname "$0")" && pwd)
avocet="${AVOCET:-$here/../target/release/avocet}"
[ -d "$here/pages/node_modules" ] || (cd "$here/pages" && npm ci --silent)
export AVOCET_STORE="$demo/demo-team" AVOCET_STORE_KEY="$demo/demo-team.store-key" AVOCET_PASSWORD="demo password"
coproc server { exec "$avocet" serve --listen 127.0.0.1:0 --quiet; }
trap 'kill "$server_PID" 2>/dev/null || true' EXIT
read -r address <&"${server[0]}"
i=/investigations/I-1
node "$here/pages/pages.mjs" "${address%/}" "$out" \
  "detective:/,/investigations,$i,$i/risk,$i/risk/danger,$i/people,$i/people/new,$i/referrals,$i/addresses,$i/addresses/N-1/answered,$i/warrants,$i/warrants/new,$i/exhibits,$i/exhibits/E-1,$i/exhibits/E-1/label,$i/exhibits/E-1/hand-over,$i/exhibits/new,$i/examinations,$i/safeguarding,$i/safeguarding/sent,$i/orders,$i/outcome,$i/outcome/new,$i/conflicts,$i/timeline,/referrals,/referrals/new,/referrals/R-1,/account,/help" \
  "supervisor:/?whose=all,/investigations/new,/investigations/look,$i/members,$i/risk/overridden,/figures" \
  "grader:/,$i/exhibits" \
  "admin:/,/access,/access/U-2"
