#!/usr/bin/env bash
# Cross-builds for 64-bit Arm (preset `aarch64`) and runs the tests under qemu-user, on the back end `reference`: the
# kernels for x86-64 and oneDNN are not built for another processor, see src/runtime/CMakeLists.txt.
#   tests/emulated/aarch64.sh [ROOM]...
# A room is a folder of tests/ whose tests are GoogleTest programs; base, text, format, runtime and conformance if none is
# named. Tests on real data skip: they would take hours here. Needs what `tools/setup.sh --emulated` installs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

die() {  # die EXIT_CODE MESSAGE
  printf 'aarch64: %s\n' "$2" >&2
  exit "$1"
}

rooms=("$@")
((${#rooms[@]})) || rooms=(base text format runtime conformance)
targets=()
for room in "${rooms[@]}"; do
  [[ -f tests/$room/CMakeLists.txt ]] || die 2 "there is no room '$room' in tests/; name folders such as conformance"
  targets+=("tests/$room/all")
done
[[ -d .deps/aarch64 ]] || die 3 "there is no .deps/aarch64; run tools/setup.sh --emulated"

cmake --preset aarch64 ${CI:+-DESPALIER_WERROR=ON}
cmake --build --preset aarch64 -j "$(nproc)" --target "${targets[@]}"
file=$(printf '%s\n' build/aarch64/bin/test_* | head -n 1)
[[ $(od -An -tu2 -j18 -N2 "$file") -eq 183 ]] || die 3 "'$file' was not built for 64-bit Arm"  # EM_AARCH64 of its ELF header
pattern=$(IFS='|'; printf '%s' "${rooms[*]}")
# A host program in this list would prove nothing, so scripts such as format_read_with_python stay out.
env -u ESPALIER_DATA ctest --preset aarch64 -j "$(nproc)" --no-tests=error -R "^($pattern)_[a-z0-9_]*\\."
