#!/usr/bin/env bash
# Runs every test of the workspace, with the real images where they are.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin"
images="$PWD/target/evidence-images/images"
if [ -z "${AVOCET_IMAGES:-}" ] && [ -e "$images/.done" ]; then export AVOCET_IMAGES="$images"; fi
if cargo nextest --version >/dev/null 2>&1; then
  # Documentation tests are not run by nextest; there are none to speak of, but one must not rot.
  cargo test --workspace --locked --doc --quiet
  tools/postgres.sh cargo nextest run --workspace --locked
else
  tools/postgres.sh cargo test --workspace --locked
fi
