#!/usr/bin/env bash
# Lays down in .deps/ what the emulated tests stand on, and does nothing when it is there:
#   aarch64/         libraries for 64-bit Arm, to build against and to run with
#   emulated-linux/  a kernel, a boot loader, firmware and a shell, to boot inside an emulator
#   bochs/           that emulator, built from source: Debian 12's release saves AVX-512 registers wrongly
# All but the last are Debian packages, taken and checked by apt as this machine's own are, but unpacked and not installed.
# `tools/setup.sh --emulated` calls this after installing the programs that it needs.
set -euo pipefail
deps=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.deps

arm_packages=(libutf8proc-dev libutf8proc2 zlib1g-dev zlib1g libgtest-dev libgmock-dev libflatbuffers-dev libxxhash-dev
  nlohmann-json3-dev libcli11-dev)
linux_packages=(linux-image-cloud-amd64 busybox-static isolinux syslinux-common bochsbios vgabios)
# Of a later Debian release, in the pool of whatever mirror apt uses.
bochs_source=pool/main/b/bochs/bochs_3.0+dfsg.orig.tar.xz
bochs_sha256=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
# No window, no debugger, none of the devices that a kernel does without: a quarter of Debian's build, ten times as fast.
bochs_options=(--with-nogui --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-long-phy-address
  --enable-protection-keys --enable-cet --enable-memtype --enable-pci --enable-all-optimizations --disable-debugger
  --disable-readline --disable-docbook)

# Goes into every stamp: raise it when a lay_* function below changes what it keeps.
layout=1

say() { printf 'setup: %s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "$2"
  exit "$1"
}

work=
trap '[[ -z $work ]] || rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- packages of any architecture, without a change to this machine -------------------------------
apt_for() {  # apt_for ARCHITECTURE PROGRAM ARGUMENT...: apt with lists and a cache of its own
  local state=$work/apt-$1
  mkdir -p "$state"/{lists,archives}/partial
  touch "$state/status"
  "$2" -qq -o "APT::Architecture=$1" -o "APT::Architectures=$1" -o "Dir::State=$state" -o "Dir::State::lists=$state/lists" \
    -o "Dir::State::status=$state/status" -o "Dir::Cache=$state" -o "APT::Sandbox::User=$(id -un)" "${@:3}"
}

unpack_packages() {  # unpack_packages ARCHITECTURE FOLDER PACKAGE...
  local debs=$work/debs-$1 deb
  mkdir -p "$debs" "$2"
  (cd "$debs" && apt_for "$1" apt-get download "${@:3}" >&2) ||
    die 1 "apt found no package of architecture $1 among: ${*:3}; do the sources in /etc/apt serve it?"
  for deb in "$debs"/*.deb; do
    dpkg-deb -x "$deb" "$2" || die 1 "could not unpack ${deb##*/}; is the disk full?"
  done
}

# ---- each takes the folder to fill ----------------------------------------------------------------
lay_aarch64() {
  apt_for arm64 apt-get update >&2 || say "apt-get update failed for arm64; going on with what it got"
  unpack_packages arm64 "$1" "${arm_packages[@]}"
}

lay_emulated-linux() {
  local raw=$work/linux kernel
  apt_for amd64 apt-get update >&2 || say "apt-get update failed for amd64; going on with what it got"
  # linux-image-cloud-amd64 is empty and depends on the newest kernel of that flavour.
  kernel=$(apt_for amd64 apt-cache depends linux-image-cloud-amd64 | sed -nE 's/.*Depends: (linux-image-[0-9].*)/\1/p')
  [[ -n $kernel ]] || die 1 "apt knows no linux-image-cloud-amd64; do the sources in /etc/apt serve Debian 12?"
  unpack_packages amd64 "$raw" "${linux_packages[@]}" "$kernel"
  mkdir -p "$1"
  cp "$raw"/boot/vmlinuz-* "$1/vmlinuz"
  cp "$raw/bin/busybox" "$raw/usr/lib/ISOLINUX/isolinux.bin" "$raw/usr/lib/syslinux/modules/bios/ldlinux.c32" \
    "$raw/usr/share/bochs/BIOS-bochs-latest" "$raw/usr/share/vgabios/vgabios.bin" "$1/"
}

lay_bochs() {
  local source=$work/bochs log=$work/bochs.log compiler=g++ c_compiler=gcc mirror
  if command -v ccache >/dev/null; then compiler='ccache g++' c_compiler='ccache gcc'; fi
  mkdir -p "$source" "$1/bin"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 'Created-By: Packages' | grep -v security | head -n 1)
  [[ -n $mirror ]] || die 1 "apt knows no mirror of Debian; does /etc/apt name one?"
  /usr/lib/apt/apt-helper -qq -o "APT::Sandbox::User=$(id -un)" download-file "${mirror%/}/$bochs_source" "$work/bochs.tar.xz" "SHA256:$bochs_sha256" >&2 ||
    die 1 "could not fetch $bochs_source from apt's mirror with the pinned sha256; see the message above, then run this again"
  tar -xJf "$work/bochs.tar.xz" -C "$source" --strip-components=1
  say "building Bochs, which takes four minutes of processor time"
  if ! (cd "$source" &&
    ./configure "${bochs_options[@]}" CC="$c_compiler" CXX="$compiler" CFLAGS='-O2 -w' CXXFLAGS='-O2 -w' &&
    make -j "$(nproc)" bochs) >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    die 1 "Bochs did not build; see its message above"
  fi
  strip -o "$1/bin/bochs" "$source/bochs"
  cp "$source"/{COPYING,LICENSE} "$1/"
}

# ---- whole or nothing, by a rename at the end -----------------------------------------------------
lay() {  # lay NAME WORDS: WORDS say what it is made of; a folder made of others is made again
  local stamp
  stamp=$(printf 'layout %s\n%s' "$layout" "$2")
  if [[ -f $deps/$1/.stamp && $(<"$deps/$1/.stamp") == "$stamp" ]]; then return 0; fi
  [[ $(uname -sm) == 'Linux x86_64' ]] || die 6 "the emulated tests run on Linux on x86-64, this is $(uname -sm)"
  say "fetching $1"
  exec {lock}>"$deps/.lock"
  flock "$lock"
  if [[ -f $deps/$1/.stamp && $(<"$deps/$1/.stamp") == "$stamp" ]]; then exec {lock}>&-; return 0; fi  # another run did it
  rm -rf "$deps"/.emulated.??????  # left by a run that was killed
  work=$(mktemp -d "$deps/.emulated.XXXXXX")
  "lay_$1" "$work/tree"
  printf '%s\n' "$stamp" >"$work/tree/.stamp"
  rm -rf "${deps:?}/$1"
  mv -T "$work/tree" "$deps/$1"
  rm -rf "$work"
  work=
  exec {lock}>&-
}

lay aarch64 "${arm_packages[*]}"
lay emulated-linux "${linux_packages[*]}"
lay bochs "$bochs_sha256 ${bochs_options[*]}"
