#!/usr/bin/env bash
# Runs every fuzz target one after the other. Needs the nightly toolchain and cargo-fuzz; says so where they are missing.
# usage: tools/fuzz.sh [SECONDS [TARGET ...]]
set -uo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:$HOME/.cargo/bin"
seconds=${1:-60}
[ $# -gt 0 ] && shift
if ! cargo +nightly --version >/dev/null 2>&1; then
  echo "fuzz: SKIPPED, the nightly toolchain is not installed (rustup toolchain install nightly)"
  exit 0
fi
if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
  echo "fuzz: SKIPPED, cargo-fuzz is not installed (cargo install --locked cargo-fuzz)"
  exit 0
fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(ewf disks volumes ntfs fat exfat ext zip aff4_files known known_vics known_table known_delta known_rds known_list known_parts examination recycle picture picture_meta sqlite plist tar intake archives android ufdr ios_keys iso hfs apfs xfs luks bitlocker lvm btrfs udf f2fs tcrypt corestorage)
tools/fuzz-seeds.sh fuzz/corpus-seeds
cargo +nightly fuzz build || exit 1
failed=0
for target in "${targets[@]}"; do
  mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
  log="fuzz/artifacts/$target.log"
  # What an input may cost: 10 seconds, 1 GiB of memory at once in one allocation, 2 GiB in all (with the sanitizer).
  cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/corpus-seeds/$target" -- \
    -max_total_time="$seconds" -timeout=10 -malloc_limit_mb=1024 -rss_limit_mb=2048 -max_len=1500000 \
    >"$log" 2>&1
  status=$?
  done=$(grep -Eo '^#[0-9]+' "$log" | tail -1)
  cover=$(grep -Eo 'cov: [0-9]+' "$log" | tail -1)
  if [ $status -eq 0 ]; then
    echo "fuzz: $target: ${done#\#} inputs in $seconds s, ${cover:-cov: ?}, nothing found"
  else
    echo "fuzz: $target: FAILED, see $log and fuzz/artifacts/$target"
    failed=1
  fi
done
exit $failed
