#!/usr/bin/env bash
# Runs x86-64 programs on a processor this machine may not have: boots a Linux kernel in the emulator Bochs with the
# programs, their shared libraries and nothing else in memory, and passes on what they print.
#   tests/emulated/avx512.sh [--cpu MODEL] [--limit SECONDS] PROGRAM [ARGUMENT]... [-- PROGRAM [ARGUMENT]...]...
#   --cpu    tigerlake (the default: AVX-512 with VNNI) or arrow_lake (AVX2 with VNNI)
#   --limit  how long the whole run may take, 600 seconds if not given
# ESPALIER_MAX_ISA and variables named GTEST_... reach the programs; files do not. Expect a hundredth of a processor's
# speed, so choose small tests. Ends with 0 if every program did, 1 if one failed, 3 if the emulated processor or the
# emulator did not do as asked. Needs what `tools/setup.sh --emulated` installs.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deps=$(cd "$here/../.." && pwd)/.deps
linux=$deps/emulated-linux

usage() { sed -n '2,10s/^# \{0,1\}//p' "$here/avx512.sh"; }
say() { printf 'avx512: %s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "$2"
  exit "$1"
}

cpu=tigerlake
limit_s=600
while [[ ${1:-} == -* ]]; do
  case $1 in
    -h | --help) usage; exit 0 ;;
    --cpu) cpu=${2:-} ;;
    --limit) limit_s=${2:-} ;;
    *) usage >&2; die 2 "unknown option '$1'" ;;
  esac
  shift 2 || die 2 "option '$1' needs a value"
done
# The flag of /proc/cpuinfo that a run is for. No processor with AMX: Linux gives tiles only where it finds XFD, which
# Bochs 3.0 has not.
case $cpu in
  tigerlake) flag=avx512_vnni ;;
  arrow_lake) flag=avx_vnni ;;
  *) die 2 "unknown processor '$cpu'; it may be tigerlake or arrow_lake" ;;
esac
[[ $limit_s =~ ^[1-9][0-9]*$ ]] || die 2 "--limit is '$limit_s'; give it in whole seconds"
(($# > 0)) || { usage >&2; die 2 "name a program to run"; }
for needed in "$deps/bochs/bin/bochs" "$linux/vmlinuz"; do
  [[ -e $needed ]] || die 3 "there is no '$needed'; run tools/setup.sh --emulated"
done

work=$(mktemp -d)
emulator=
finish() {
  if [[ -n $emulator ]]; then
    kill -KILL "$emulator" 2>/dev/null || true
    wait "$emulator" 2>/dev/null || true
  fi
  rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
root=$work/root
mkdir -p "$root"/{bin,dev,lib,lib64,proc,sys,tests,tmp} "$work/disc"

# ---- what the guest runs --------------------------------------------------------------------------
add_program() {  # add_program PROGRAM: it and its libraries; stripped, for the disc is read at an emulated drive's pace
  local place name=${1##*/}
  [[ -x $1 && -f $1 ]] || die 2 "'$1' is no program; build it first"
  strip -o "$root/tests/$name" "$1"
  # The loader by its full name; libraries into one folder, whatever folder the program was linked to find them in.
  ldd "$1" >"$work/libraries" 2>/dev/null || return 0  # linked statically
  ! grep -q 'not found' "$work/libraries" || die 2 "'$1' lacks a library: $(grep 'not found' "$work/libraries")"
  while read -r place; do
    [[ -e $root/lib/${place##*/} ]] || strip -o "$root/lib/${place##*/}" "$place"
  done < <(sed -nE 's/.* => (\/[^ ]+) .*/\1/p' "$work/libraries")
  place=$(sed -nE 's/^[[:space:]]*(\/[^ ]+) \(.*/\1/p' "$work/libraries")
  [[ -e $root/lib64/${place##*/} ]] || cp -L "$place" "$root/lib64/"
}

write_init() {  # write_init PROGRAM [ARGUMENT]... [-- ...]
  local name word
  cat <<'TEXT'
#!/bin/busybox sh
export PATH=/bin HOME=/tmp LD_LIBRARY_PATH=/lib GTEST_COLOR=no
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
cd /tests
echo "@@ flags $(sed -n 's/^flags.*: //p' /proc/cpuinfo | head -n 1)"
TEXT
  for name in ESPALIER_MAX_ISA "${!GTEST_@}"; do
    [[ -z ${!name:-} ]] || printf 'export %s=%q\n' "$name" "${!name}"
  done
  while (($# > 0)); do
    name=${1##*/}
    add_program "$1"
    printf './%q' "$name"
    shift
    while (($# > 0)); do
      word=$1
      shift
      [[ $word != -- ]] || break
      printf ' %q' "$word"
    done
    printf ' 2>&1\necho "@@ exit $? %s"\n' "$name"
  done
  printf 'echo "@@ end"\nsleep 5\npoweroff -f\n'  # the serial port is slower than the processor
}

cp "$linux/busybox" "$root/bin/busybox"
write_init "$@" >"$root/init"
chmod +x "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$work/disc/initrd"
cp "$linux"/{vmlinuz,isolinux.bin,ldlinux.c32} "$work/disc"
# clearcpuid: Linux 6.1's memmove goes astray on a processor that has FSRM while its firmware left ERMS off, as here.
cat >"$work/disc/isolinux.cfg" <<'TEXT'
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL vmlinuz
  INITRD initrd
  APPEND console=ttyS0,115200 quiet loglevel=1 nokaslr mitigations=off clearcpuid=fsrm
TEXT
xorriso -as mkisofs -quiet -o "$work/boot.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
  -boot-info-table "$work/disc" 2>"$work/xorriso.log" || die 3 "no disc image: $(<"$work/xorriso.log")"

# ---- the machine ----------------------------------------------------------------------------------
# The initial file system is in memory twice for a moment, packed and unpacked.
memory_mb=$((256 + 2 * $(stat -c %s "$work/disc/initrd") / 1048576))
cat >"$work/bochsrc" <<TEXT
display_library: nogui
cpu: model=$cpu, count=1, ips=100000000, reset_on_triple_fault=0
memory: guest=$memory_mb, host=$memory_mb
romimage: file=$linux/BIOS-bochs-latest
vgaromimage: file=$linux/vgabios.bin
ata0-master: type=cdrom, path=$work/boot.iso, status=inserted
boot: cdrom
clock: sync=none
com1: enabled=1, mode=file, dev=$work/serial
log: $work/bochs.log
panic: action=fatal
error: action=ignore
info: action=ignore
TEXT
started=$SECONDS
"$deps/bochs/bin/bochs" -q -f "$work/bochsrc" </dev/null >"$work/bochs.out" 2>&1 &
emulator=$!
while kill -0 "$emulator" 2>/dev/null && ((SECONDS - started < limit_s)); do
  sleep 0.5
  ! grep -qE '^@@ end|Kernel panic' "$work/serial" 2>/dev/null || break
done
took_s=$((SECONDS - started))
touch "$work/serial"  # which the emulator makes at the first character

# ---- the verdict ----------------------------------------------------------------------------------
tr -d '\r' <"$work/serial" >"$work/console" || true
grep -v '^@@ flags' "$work/console" || true
if ! grep -q '^@@ flags' "$work/console"; then
  tail -n 20 "$work/bochs.log" >&2
  die 3 "the emulated $cpu did not start Linux within $took_s s of at most $limit_s s"
fi
grep '^@@ flags' "$work/console" | grep -qw "$flag" || die 3 "the emulated $cpu has no $flag in /proc/cpuinfo"
grep -q '^@@ end' "$work/console" || die 3 "the programs did not end within $limit_s s; give a longer --limit or less to do"
say "emulated $cpu with $flag, $took_s s in all"
failed=$(sed -nE 's/^@@ exit ([1-9][0-9]*) (.*)/\2 ended with \1/p' "$work/console")
[[ -z $failed ]] || die 1 "$failed"
