#!/usr/bin/env bash
# Serves the demo's record, and one in which nothing is yet, and writes screenshots of every page, with axe on each. Needs
# `make demo`, chromium, node and npm.
# With --year, the pages of a record in which a year of a team stands (`avocet demo --record-only`), at desktop and tablet, with how
# long each page took to come.
# usage: tools/screenshots.sh DEMO_FOLDER OUT     (OUT may be - for no pictures)
#        tools/screenshots.sh --year STORE OUT    (STORE is made where it is not there)
set -euo pipefail
usage="usage: tools/screenshots.sh DEMO_FOLDER OUT, or --year STORE OUT" year=
[ "${1:-}" != --year ] || { year=yes; shift; }
demo=${1:?$usage} out=${2:?$usage}
here=$(cd "$(dirname "$0")" && pwd)
avocet="${AVOCET:-$here/../target/release/avocet}"
[ -d "$here/pages/node_modules" ] || (cd "$here/pages" && npm ci --silent)
export AVOCET_PASSWORD="demo password" AVOCET_NEW_PASSWORD="demo password"
empty=$(mktemp -d)
pid= failed=0
trap 'kill $pid 2>/dev/null || true; rm -rf "$empty"' EXIT

# Serves a store with these options, and looks at pages: shoot FOLDER OPTION… -- LOGIN:PATHS…
shoot() {
  local folder=$1 options=()
  shift
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  coproc server { exec "$avocet" serve --listen 127.0.0.1:0 --quiet "${options[@]}"; }
  pid=$server_PID
  local address
  read -r address <&"${server[0]}"
  node "$here/pages/pages.mjs" "${address%/}" "$folder" "$@" || failed=1
  kill "$pid"
  wait "$pid" 2>/dev/null || true
}

if [ "$year" ]; then
  new=
  [ -e "$demo/store.key" ] || { new=yes; "$avocet" demo --record-only --store "$demo" --quiet >/dev/null; }
  export AVOCET_STORE="$demo" AVOCET_STORE_KEY="$demo/demo.store-key" AVOCET_PASSWORD="a fictional team" LOOKS="desktop tablet"
  export AVOCET_NEW_PASSWORD="$AVOCET_PASSWORD"
  # The year has nobody who reads the ledger and no orders that are monitored.
  if [ "$new" ]; then
    "$avocet" user add auditor --role auditor --quiet --as adm >/dev/null
    for n in $(seq 1 120); do
      made=$("$avocet" order made "I-$((n + 100))" --kind notification --court "conviction of O-$n" --at 2026-04-01T09:00Z --json --quiet --as sup |
        grep -o 'M-[0-9]*' | head -n 1)
      "$avocet" order level "$made" medium --quiet --as sup >/dev/null
    done
  fi
  # The investigation of the year in which most stands, and the longest lists.
  i=/investigations/I-227 span="from=2025-06-01&to=2026-05-31"
  shoot "$out" -- \
    "sup:/,/?whose=all,/investigations,/referrals,/orders,/orders?from=100,/identification,/figures?$span,/figures/referrals-received?$span,/figures/warrants-executed?$span,$i,$i/risk,$i/people,$i/referrals,$i/addresses,$i/warrants,$i/exhibits,$i/safeguarding,$i/identification,$i/orders,$i/outcome,$i/timeline" \
    "auditor:/,/ledger,/ledger?after=15300,/ledger?kind=safeguarding,/ledger/verify" \
    "adm:/,/access"
  exit $failed
fi
export AVOCET_STORE="$demo/demo-team" AVOCET_STORE_KEY="$demo/demo-team.store-key"
result=$("$avocet" summary "$demo/DEMO-1.examination" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["result_digest"])')
# A few grades, an extract of them and a backup, so that their pages have something to show.
backup=$demo/demo-backups/screens
made=$(mktemp -d)
trap 'kill $pid 2>/dev/null || true; rm -rf "$empty" "$made" "$backup"' EXIT
"$avocet" review next I-1 --limit 4 --json --quiet --as grader |
  python3 -c 'import json, sys; [print(item["sha256"]) for item in json.load(sys.stdin)["items"]]' |
  while read -r sha256; do "$avocet" review vote I-1 "$sha256" --category 2 --quiet --as grader >/dev/null; done
extract=$("$avocet" grading extract I-1 --out "$made/extract" --json --quiet --as supervisor | python3 -c 'import json, sys; print(json.load(sys.stdin)["digest"])')
"$avocet" record backup "$backup" --quiet --as admin >/dev/null
b=/backups/$(printf screens | sha256sum | cut -c1-32) r=/investigations/I-1/result
i=/investigations/I-1 x=/investigations/I-1/examinations c=/investigations/I-1/children/P-1
shoot "$out" --pictures "$demo" --picture-keys "$demo/store/picture-keys" --examinations "$demo" --evidence "$demo" \
  --set-files "$demo/demo-sets" --backups "$demo/demo-backups" -- \
  "detective:/,/investigations,$i,$i/risk,$i/risk/danger,$i/people,$i/people/new,$i/people/P-1,$i/referrals,$i/addresses,$i/addresses/N-1/answered,$i/warrants,$i/warrants/new,$i/exhibits,$i/exhibits/E-1,$i/exhibits/E-1/label,$i/exhibits/E-1/hand-over,$i/exhibits/new,$x,$x/X-1,$i/safeguarding,$i/safeguarding/sent,$i/identification,$c/lead,$c/seen,$c/measure,$c/statement,$i/orders,$i/outcome,$i/outcome/new,$i/conflicts,$i/timeline,/referrals,/referrals/new,/referrals/R-1,/search,/identification,/orders,/sets,/sets/of/demo-known@1,/account,/help" \
  "supervisor:/?whose=all,/investigations/new,/investigations/look,$i/members,$i/risk/overridden,$x/policy,$x/attach,$x/found/$result,$i/exhibits/E-1/examine,$i/orders/M-1/visited,$i/orders/M-1/device,$r,$r/$extract,$r/$extract/schedule,$r/$extract/page,$i/exhibits/E-1/camera,$i/votes/stated,$i/votes/import,/figures" \
  "grader:/,$i/exhibits,$i/review,$i/review/pause" \
  "admin:/,/access,/access/U-2,/sets,/sets/import,/sets/of/demo-known@1,/sets/of/demo-known/update,/sets/of/demo-known/remap,/sets/of/demo-known@1/remove,/sets/diff,/backups,$b"
[ "$out" = - ] || out="$out/empty"
export AVOCET_STORE="$empty/team" AVOCET_STORE_KEY="$empty/key"
"$avocet" init --new-key "$AVOCET_STORE_KEY" --admin admin --title "Empty" --quiet >/dev/null
"$avocet" user add supervisor --role supervisor --as admin >/dev/null
"$avocet" investigation open --title "Operation Knot" --received 2026-11-20T09:30Z --as supervisor >/dev/null
shoot "$out" -- \
  "supervisor:/,/investigations,$i,$i/risk,$i/people,$i/referrals,$i/addresses,$i/warrants,$i/exhibits,$x,$x/attach,$x/policy,$i/review,$i/result,$i/votes/stated,$i/safeguarding,$i/identification,$i/orders,$i/outcome,$i/conflicts,$i/timeline,/referrals,/search,/identification,/orders,/sets,/figures" \
  "admin:/,/access,/sets/import,/sets/diff,/backups"
exit $failed
