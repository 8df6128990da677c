#!/usr/bin/env bash
# Installs what a command needs and is not there, saying so first. Nothing is removed or changed.
# usage: tools/setup.sh demo|test|proof
set -euo pipefail
what=${1:?usage: tools/setup.sh demo|test|proof}
export PATH="$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin"

# program:package
programs=(cc:gcc mkfs.ext4:e2fsprogs)
if [ "$what" != demo ]; then
  programs+=(fls:sleuthkit fiwalk:sleuthkit ewfverify:ewf-tools mkntfs:ntfs-3g ntfs-3g:ntfs-3g mkfs.vfat:dosfstools
    mcopy:mtools mkfs.exfat:exfatprogs mount.exfat-fuse:exfat-fuse hashdeep:hashdeep qemu-img:qemu-utils cryptsetup:cryptsetup-bin dislocker-file:dislocker lvm:lvm2 grub-fstest:grub-common
    ffmpeg:ffmpeg setfattr:attr sfdisk:fdisk sgdisk:gdisk genisoimage:genisoimage xorriso:xorriso mkfs.xfs:xfsprogs mkfs.btrfs:btrfs-progs mkudffs:udftools sload.f2fs:f2fs-tools
    mkapfs:apfsprogs zstd:zstd bzip2:bzip2 pbzip2:pbzip2 7zz:7zip python3:python3)
fi
# The proofs of the web app; without them they say that they are skipped.
[ "$what" != proof ] || programs+=(chromium:chromium node:nodejs npm:npm)
missing=()
for entry in "${programs[@]}"; do
  command -v "${entry%%:*}" >/dev/null 2>&1 || missing+=("${entry##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: not installed and no apt-get here: ${missing[*]}; tests that need them will say that they skipped" >&2
  else
    echo "setup: installing with apt-get: ${missing[*]}"
    run=()
    [ "$(id -u)" = 0 ] || run=(sudo)
    "${run[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null \
      || echo "setup: could not install all of: ${missing[*]}; tests that need them will say that they skipped" >&2
  fi
fi
command -v cargo >/dev/null 2>&1 || { echo "setup: a Rust toolchain is needed; install rustup first" >&2; exit 1; }
if [ "$what" != demo ]; then
  if ! cargo deny --version >/dev/null 2>&1; then
    echo "setup: installing cargo-deny (licence and dependency check)"
    cargo install --locked --quiet cargo-deny
  fi
  if ! cargo nextest --version >/dev/null 2>&1; then
    echo "setup: cargo-nextest is not installed; using cargo test instead"
  fi
fi
