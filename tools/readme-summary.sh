#!/usr/bin/env bash
# Puts the summary of a fresh run on the demo device into README.md. Needs a release build.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
target/release/avocet demo "$dir" --quiet
(cd "$dir" && "$OLDPWD/target/release/avocet" examine demo-device.dd --exhibit DEMO/1 --known demo-known-pictures.json=us-vics-2.0 \
  --known demo-known-good.csv=known-good --out DEMO-1.examination --quiet >summary.txt) || [ $? -eq 3 ]
python3 - "$dir/summary.txt" <<'PY'
import re, sys
summary = open(sys.argv[1]).read().rstrip()
readme = open("README.md").read()
block = "<!-- summary:begin (tools/readme-summary.sh) -->\n```\n" + summary + "\n```\n<!-- summary:end -->"
open("README.md", "w").write(re.sub(r"<!-- summary:begin.*?<!-- summary:end -->", lambda _: block, readme, flags=re.S))
PY
