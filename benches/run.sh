#!/usr/bin/env bash
# The measurements, each beside a named peer in the same run. Raw results go to benches/results/.
# usage: benches/run.sh [SECTION...]   sections: limit files ewf containers scale (all but the first by default)
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"
images="${AVOCET_IMAGES:-$PWD/target/evidence-images/images}"
exec python3 benches/run.py --avocet target/release/avocet --images "$images" --work "${BENCH_WORK:-target/bench}" "$@"
