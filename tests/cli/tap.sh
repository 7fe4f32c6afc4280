# tests/cli/tap.sh - read by the scripts of this folder as `. tap.sh NAME AUDIOMOOD SOURCE_ROOT`: a folder of their own,
# which is the current one, and the words of a test (TAP). A script ends with `plan`.
set -u
audiomood=$(realpath "$2") root=$(realpath "$3") # meson gives paths relative to the build folder
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-$1.XXXXXX")
trap '[ $BASHPID = $$ ] && rm -rf "$work"' EXIT # a helper that is killed before it is itself would run it, too
cd "$work" || exit 1
# fontconfig, beneath Cairo, keeps some 600 bytes until the process ends; the leak checker of a sanitizer build is told.
echo 'leak:libfontconfig' >lsan.txt
export LSAN_OPTIONS=suppressions=$work/lsan.txt:print_suppressions=0
cases=0
ok() { cases=$((cases + 1)); echo "ok $cases - $1"; }
not_ok() {
  cases=$((cases + 1)); echo "not ok $cases - $1"
  { [ -n "${2:-}" ] && echo "$2"; tail -n 12 out err 2>/dev/null; } | sed 's/^/#   /'
}
# Jobs in the background of a script begin with Ctrl-C ignored, and it stays so (of nohup, SIGHUP, too).  These hear them.
hearing=(env --default-signal=INT,HUP "$audiomood")
# run ARGUMENTS...: stdout in out, stderr in err, exit code in $code
run() { "$audiomood" "$@" >out 2>err; code=$?; }
# expect NAME CODE [PATTERN in err or out]...
expect() {
  local name=$1 want=$2; shift 2
  [ "$code" = "$want" ] || { not_ok "$name" "exit code $code, wanted $want"; return; }
  local p
  for p; do cat out err | grep -qE -- "$p" || { not_ok "$name" "nothing matches: $p"; return; }; done
  ok "$name"
}

# plan: says how many cases there were
plan() { echo "1..$cases"; }
