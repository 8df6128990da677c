#!/usr/bin/env bash
# Makes the demo device, examines it and writes its report. Needs a release build and no network.
# usage: tools/demo.sh FOLDER
set -uo pipefail
out=${1:?usage: tools/demo.sh FOLDER}
# Keys and logs of the demo stay in its folder.
export AVOCET_STORE="$out/store"
avocet="$(cd "$(dirname "$0")/.." && pwd)/target/release/avocet"
if [ -e "$out/demo-device.dd" ]; then
  echo "demo: removing the demo of an earlier run in $out"
  rm -f "$out"/demo-device.dd "$out"/demo-known-pictures.json "$out"/demo-known-good.csv \
    "$out"/DEMO-1.examination "$out"/DEMO-1.examination.seal "$out"/DEMO-1.derivatives "$out"/DEMO-1.html
fi
"$avocet" demo "$out" --quiet || exit 1
"$avocet" examine "$out/demo-device.dd" --exhibit DEMO/1 --known "$out/demo-known-pictures.json=us-vics-2.0" \
  --known "$out/demo-known-good.csv=known-good" --out "$out/DEMO-1.examination"
status=$?
# 3 means finished with alerts, which is what the demo is made to show.
[ $status -eq 3 ] || { echo "demo: expected alerts (exit 3), got $status" >&2; exit 1; }
"$avocet" report "$out/DEMO-1.examination" --html "$out/DEMO-1.html" || exit 1
"$avocet" verify "$out/DEMO-1.examination" || exit 1
echo
echo "The report is $out/DEMO-1.html: open it in a browser."
