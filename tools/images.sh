#!/usr/bin/env bash
# Builds the test images of the shared tools (NTFS, ext, FAT, exFAT and disks and containers made of them) into a
# folder, where those tools, the programs and the right to mount are there; otherwise says that their tests will skip.
# usage: tools/images.sh FOLDER [big]
set -uo pipefail
out=${1:?usage: tools/images.sh FOLDER [big]}
big=${2:-}
export PATH="$PATH:/usr/sbin:/sbin"
here=$(cd "$(dirname "$0")/.." && pwd)
scripts="$here/../shared/tools/evidence-images"
[ -n "${AVOCET_IMAGES:-}" ] && { echo "images: using the ones AVOCET_IMAGES names"; exit 0; }
[ -d "$scripts" ] || { echo "images: the shared image tools are not here; tests that need them will skip"; exit 0; }
if [ "$(id -u)" != 0 ] || [ ! -e /dev/fuse ] || [ ! -e /dev/loop-control ]; then
  echo "images: mounting is not possible here; tests that need mounted images will skip"
  exit 0
fi
mkdir -p "$out"
out=$(cd "$out" && pwd)
if [ ! -e "$out/images/.done" ]; then
  echo "images: building test images (once; about two minutes)"
  python3 "$scripts/make-corpus.py" "$out/corpus" >"$out/log" 2>&1 &&
    bash "$scripts/make-images.sh" "$out/corpus" "$out/images" ntfs ext fat exfat >>"$out/log" 2>&1 &&
    bash "$scripts/make-containers.sh" "$out/images" >>"$out/log" 2>&1 &&
    touch "$out/images/.done" || echo "images: building failed; tests that need them will skip (see the log there)"
fi
if [ "$big" = big ] && [ ! -e "$out/images/.done-big" ]; then
  echo "images: building the two images of 20,000 files"
  bash "$scripts/make-images.sh" "$out/corpus" "$out/images" big >>"$out/log" 2>&1 && touch "$out/images/.done-big"
fi
exit 0
