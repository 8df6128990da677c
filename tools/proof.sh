#!/usr/bin/env bash
# The long proofs: many mutants through the whole chain, every fuzz target, and the code for digests and near matches under a sanitizer.
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
  step "the crates for digests and near matches under AddressSanitizer" \
    env RUSTFLAGS=-Zsanitizer=address cargo +nightly test --locked -p avocet-digest -p avocet-near --lib --tests \
    --target x86_64-unknown-linux-gnu --target-dir target/asan
  step "the loops of pictures, compiled twice, under AddressSanitizer" \
    env RUSTFLAGS=-Zsanitizer=address cargo +nightly test --locked -p avocet-media --lib sys:: \
    --target x86_64-unknown-linux-gnu --target-dir target/asan
else
  echo "proof: SKIPPED the crates for digests and near matches under AddressSanitizer, the nightly toolchain is not installed"
fi
if [ -n "$(find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null)" ] && command -v psql >/dev/null; then
  step "the web app on PostgreSQL" env AVOCET_TEST_SERVER_ON=postgres tools/postgres.sh \
    cargo test --locked -p avocet-server --test it -- --test-threads 4
else
  echo "proof: SKIPPED the web app on PostgreSQL, its programs are not installed"
fi
# The web app in a browser: the whole path by keys, every page with axe, the review screen.
web=target/web-proof
browser() {
  rm -rf "$web" && mkdir -p "$web" \
    && cargo build --locked --bin avocet \
    && AVOCET=$PWD/target/debug/avocet tools/path-check.sh "$web/path" "${AVOCET_GRADINGS:-300}"
}
pages() {
  AVOCET=$PWD/target/debug/avocet tools/demo.sh "$web/demo" </dev/null >/dev/null \
    && AVOCET=$PWD/target/debug/avocet tools/screenshots.sh "$web/demo" "$web/pictures" \
    && AVOCET=$PWD/target/debug/avocet tools/review-check.sh "$web/demo"
}
if [ -x "${CHROMIUM:-/usr/bin/chromium}" ] && command -v node >/dev/null && command -v npm >/dev/null; then
  step "the path from a referral to figures by keyboard in a browser, with ${AVOCET_GRADINGS:-300} gradings" browser
  step "every page in a browser: axe, width, the review screen" pages
else
  echo "proof: SKIPPED the web app in a browser, chromium, node or npm is not installed"
fi
[ $failed -eq 0 ] && echo "proof: everything that was run holds"
exit $failed
