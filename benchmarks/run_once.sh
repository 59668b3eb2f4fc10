# For scripts of long runs, which read it with `.`: runs that are done are left, broken ones go on. Uses $out,
# $THREADS and, where it is set, $OPTIONS.

# run NAME VERB ARGUMENTS...: writes OUT/NAME, once.
run() {
  name=$1
  verb=$2
  shift 2
  if [ -f "$out/$name/training.json" ]; then
    return
  fi
  if [ -f "$out/$name/training/state.safetensors" ]; then
    set -- "$@" --resume
  else
    set -- "$@" --force
  fi
  echo "== espalier $verb $* -o $out/$name"
  espalier "$verb" "$@" -o "$out/$name" -t "$THREADS" ${OPTIONS:-}
}
