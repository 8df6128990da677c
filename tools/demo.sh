#!/usr/bin/env bash
# Makes the demo device, examines it, writes its report, and follows it through a team's record: from the lead to the ledger.
# Needs a release build and no network.
# usage: tools/demo.sh FOLDER
set -uo pipefail
out=${1:?usage: tools/demo.sh FOLDER}
# Keys and logs of the demo stay in its folder.
export AVOCET_STORE="$out/store"
avocet="${AVOCET:-$(cd "$(dirname "$0")/.." && pwd)/target/release/avocet}"
if [ -e "$out/demo-device.dd" ]; then
  echo "demo: removing the demo of an earlier run in $out"
  rm -f "$out"/demo-device.dd "$out"/demo-known-pictures.json "$out"/demo-known-good.csv \
    "$out"/DEMO-1.examination "$out"/DEMO-1.examination.seal "$out"/DEMO-1.derivatives "$out"/DEMO-1.html \
    "$out"/demo-lead.xml "$out"/demo-team.store-key "$out"/demo-head.txt
  rm -rf "$out/demo-team" "$out/demo-backups" "$out/demo-sets" "$out"/E-*.examination "$out"/E-*.examination.seal "$out"/E-*.derivatives
fi
mkdir -p "$out/demo-backups" "$out/demo-sets"
"$avocet" demo "$out" --quiet || exit 1
# What is offered to be imported lies apart from everything else.
cp "$out"/demo-known-* "$out/demo-sets/"
"$avocet" examine "$out/demo-device.dd" --exhibit DEMO/1 --known "$out/demo-known-pictures.json=us-vics-2.0" \
  --known "$out/demo-known-good.csv=known-good" --out "$out/DEMO-1.examination"
status=$?
# 3 means finished with alerts, which is what the demo is made to show.
[ $status -eq 3 ] || { echo "demo: expected alerts (exit 3), got $status" >&2; exit 1; }
"$avocet" report "$out/DEMO-1.examination" --html "$out/DEMO-1.html" || exit 1
"$avocet" verify "$out/DEMO-1.examination" || exit 1
# The record of a team of four, in a store of its own. The passwords are the demo's and open nothing else.
export AVOCET_STORE="$out/demo-team" AVOCET_STORE_KEY="$out/demo-team.store-key"
export AVOCET_PASSWORD="demo password" AVOCET_NEW_PASSWORD="demo password"
cat > "$out/demo-lead.xml" <<'LEAD'
<report>
  <incidentSummary>
    <incidentType>Demo</incidentType>
    <escalateToHighPriority>a demo</escalateToHighPriority>
    <incidentDateTime>2026-11-20T07:00:00Z</incidentDateTime>
  </incidentSummary>
  <personOrUserReported>
    <espService>Example service</espService>
    <espIdentifier>example-17</espIdentifier>
    <ipCaptureEvent>
      <ipAddress>192.0.2.17</ipAddress>
      <dateTime>2026-11-19T21:15:00Z</dateTime>
      <port>40017</port>
    </ipCaptureEvent>
  </personOrUserReported>
</report>
LEAD
# Runs one step of the record as somebody, and shows it.
as() {
  local who=$1
  shift
  echo
  echo "$who: avocet$(printf " %q" "$@")"
  "$avocet" "$@" --as "$who" || { echo "demo: this step of the record failed" >&2; exit 1; }
}
echo
echo "The same examination in a team's record:"
"$avocet" init --new-key "$AVOCET_STORE_KEY" --admin admin --title "Demo team" || exit 1
for role in supervisor detective examiner grader; do
  "$avocet" user add "$role" --role "$role" --as admin || exit 1
done
as detective referral add "$out/demo-lead.xml" --source ncmec-cybertip --received 2026-11-20T09:30Z
as supervisor investigation open --title "Operation Heron" --referral R-1
for user in U-3 U-4 U-5; do
  "$avocet" investigation join I-1 $user --as supervisor || exit 1
done
as detective risk danger I-1 yes
as detective risk acted I-1 social-care-told --at 2026-11-20T10:05Z --body "Council 1"
as detective queue
as detective ip take R-1
as detective warrant draft I-1 --power pace-s8 --grounds "see the lead" --rests-on N-1 --premises "Street 1"
as detective warrant list I-1
as detective exhibit taken I-1 --reference DEMO/1 --kind "camera card" --description "demo device" --place "desk" \
  --source power:search-after-arrest --at 2026-11-20T16:00Z
as detective exhibit seal E-1 S-100 --at 2026-11-20T16:10Z
as detective exhibit hand-over E-1 --to U-4 --at 2026-11-20T17:00Z
as examiner grading attach I-1 E-1 "$out/DEMO-1.examination"
as supervisor grading policy I-1 --scheme us-vics-2.0@1 --unknown-only --reason "demo"
as grader review status I-1
as supervisor exhibit list I-1
as supervisor grading totals I-1
as detective person add I-1 --role child --unidentified
as detective child lead P-1 1 --kind series --strength weak --note "see the grading"
as supervisor order made I-1 --kind notification --court "a demo"
as supervisor order level M-1 medium
echo
echo "admin: the sets that a browser can examine with"
"$avocet" sets import "$out/demo-known-pictures.json" --name demo-known --scheme us-vics-2.0 || exit 1
"$avocet" sets import "$out/demo-known-good.csv" --name demo-good --scheme known-good || exit 1
echo
"$avocet" ledger checkpoint "$out/demo-head.txt" || exit 1
"$avocet" ledger verify --checkpoint "$out/demo-head.txt" || exit 1
echo
echo "The report is $out/DEMO-1.html: open it in a browser."
cat <<END

The team's record in a browser:
  AVOCET_STORE_KEY="$AVOCET_STORE_KEY" "$avocet" serve --store "$AVOCET_STORE" --pictures "$out" --picture-keys "$out/store/picture-keys" \
    --examinations "$out" --evidence "$out" --set-files "$out/demo-sets" --backups "$out/demo-backups"
then https://127.0.0.1:8443/, where a browser asks once about the server's own certificate. Sign in as supervisor, detective, examiner,
grader or admin, each with the password "$AVOCET_PASSWORD": it is the demo's, and nothing in it is worth protecting.
END
# Somebody at a terminal sees it at once; Ctrl-C ends it.
if [ -t 0 ] && [ -t 1 ]; then
  echo
  exec "$avocet" serve --store "$AVOCET_STORE" --pictures "$out" --picture-keys "$out/store/picture-keys" \
    --examinations "$out" --evidence "$out" --set-files "$out/demo-sets" --backups "$out/demo-backups"
fi
