#!/usr/bin/env bash
# The long proofs: many mutants through the whole chain, every fuzz target, and the digest code under a sanitizer.
# What cannot be run here is said in a line that begins with "proof: SKIPPED".
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin"
failed=0
step() {
  echo "proof: $1"
  shift
  "$@" || { echo "proof: FAILED"; failed=1; }
}
step "1,000 mutants of every kind of image" \
  env AVOCET_MUTANTS="${AVOCET_MUTANTS:-1000}" cargo test --locked -p avocet-examine --test it -- --nocapture --test-threads 2
step "every fuzz target for ${AVOCET_FUZZ_SECONDS:-60} seconds" tools/fuzz.sh "${AVOCET_FUZZ_SECONDS:-60}"
step "the record's writer killed at ${AVOCET_TEST_KILL_POINTS:-200} moments" \
  env AVOCET_TEST_KILL_POINTS="${AVOCET_TEST_KILL_POINTS:-200}" cargo test --locked -p avocet-record --test it -- \
  killed::a_writer --nocapture
step "an examination killed at ${AVOCET_TEST_RESUME_POINTS:-50} seeded points" \
  env AVOCET_TEST_RESUME_POINTS="${AVOCET_TEST_RESUME_POINTS:-50}" cargo test --locked -p avocet --test it -- \
  resume::an_examination_killed --nocapture
large() {
  cargo build --release --locked -p avocet-known --example measure \
    && python3 benches/known.py --rows 100000000 --runs 1 --name known-large --work "$1" --peak-limit 953
}
work=${AVOCET_LARGE_WORK:-target/bench-large}
mkdir -p "$work"
if [ "$(df --output=avail -B 1G "$work" | tail -1)" -ge 30 ]; then
  step "a set of 100,000,000 keys compiled in less than 1 GB of memory" large "$work"
  rm -rf "$work"
else
  echo "proof: SKIPPED a set of 100,000,000 keys, $work has less than 30 GB free"
fi
if cargo +nightly --version >/dev/null 2>&1; then
  step "the digest crate under AddressSanitizer" \
    env RUSTFLAGS=-Zsanitizer=address cargo +nightly test --locked -p avocet-digest --lib --tests \
    --target x86_64-unknown-linux-gnu --target-dir target/asan
else
  echo "proof: SKIPPED the digest crate under AddressSanitizer, the nightly toolchain is not installed"
fi
[ $failed -eq 0 ] && echo "proof: everything that was run holds"
exit $failed
