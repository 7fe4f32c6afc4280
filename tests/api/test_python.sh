#!/bin/bash
# tests/api/test_python.sh AUDIOMOOD SOURCE_ROOT BUILD CC - docs/python/audiomood.py (TAP): what it declares is what the headers
# declare and the library exports, as the compiler sees it; and where there is a Python, what it gives is what the command gives.
# Its examples run where their packages are.
# SPDX-License-Identifier: MIT
build=$(realpath "$3") cc=("$4")
case ${AM_SANITIZE:-none} in none) ;; *) cc+=("-fsanitize=$AM_SANITIZE") ;; esac
. "$(dirname "$0")/../cli/tap.sh" python "$1" "$2"
folder=$root/docs/python wrapper=$root/docs/python/audiomood.py
skip() { cases=$((cases + 1)); echo "ok $cases - $1 # SKIP $2"; }

# program WRAPPER: a C program that compiles if all that the file declares is so
program() {
  local headers structs
  headers=$(sed -n '/^HEADERS = """/,/^"""/p' "$1" | sed '1d; $d')
  structs=$(tr '\n' ' ' <<<"$headers" | grep -oE 'typedef struct am_[a-z_]+ \{[^}]*\} am_[a-z_]+;')
  echo '#include <audiomood/audiomood.h>'
  echo '#include <stdio.h>'
  # Functions, and types of functions, once more: another type of the same name is an error.
  tr '\n' ' ' <<<"$headers" | sed -E 's/typedef struct am_[a-z_]+ \{[^}]*\} am_[a-z_]+;//g'; echo
  # The layout of each struct beside that of the headers.
  sed -E 's/typedef struct am_([a-z_]+) \{/typedef struct py_\1 {/; s/\} am_([a-z_]+);$/} py_\1;/' <<<"$structs"
  while read -r struct; do
    name=$(sed -E 's/typedef struct am_([a-z_]+) .*/\1/' <<<"$struct")
    echo "_Static_assert(sizeof(py_$name) == sizeof(am_$name), \"size of am_$name\");"
    sed -E 's/^[^{]*\{(.*)\}.*/\1/' <<<"$struct" | tr ';' '\n' | sed -nE 's/.*\(\*([a-z_]+)\)\(.*/\1/p; t; s/.*[ *]([a-z_]+)(\[[0-9]+\])? *$/\1/p' |
      while read -r member; do
        echo "_Static_assert(offsetof(py_$name, $member) == offsetof(am_$name, $member) &&" \
          "sizeof ((py_$name *)0)->$member == sizeof ((am_$name *)0)->$member, \"$member of am_$name\");"
      done
  done <<<"$structs"
  sed -n '/^CONSTANTS = {/,/^}/p' "$1" | grep -oE '"AM_[A-Z0-9_]+": -?[0-9]+' | sed -E 's/"([^"]+)": (-?[0-9]+)/_Static_assert(\1 == \2, "\1");/'
  echo 'static void (*const all[])(void) = {'
  tr '\n' ' ' <<<"$headers" | grep -oE '[ *]am_[a-z_]+\(' | tr -d ' *(' | sed 's/.*/(void (*)(void))&,/'
  echo '};'
  echo 'int main(void) { size_t n = 0; for (size_t i = 0; i < sizeof all / sizeof *all; i++) n += all[i] != NULL; return printf("%zu\n", n) < 0; }'
}
compiles() { program "$1" >declared.c; "${cc[@]}" -std=c11 -Wall -Wextra -Werror -Wno-cast-function-type -I"$root/include" declared.c -L"$build" -laudiomood -o declared >out 2>&1; }

compiles "$wrapper" && ok "what the wrapper declares is what the headers declare" || not_ok "what the wrapper declares is what the headers declare"
declared=$(sed -n '/^HEADERS = """/,/^"""/p' "$wrapper" | grep -cE '^[a-z].*am_[a-z_]+\(.*[,;]$' )
linked=$(LD_LIBRARY_PATH=$build ./declared)
[ "$declared" -ge 35 ] && [ "$linked" = "$declared" ] && ok "and all of it is exported" || not_ok "and all of it is exported" "$declared declared, $linked found"
[ "$(grep -c _Static_assert declared.c)" -ge 70 ] && ok "its structs are compared member by member" || not_ok "its structs are compared member by member"
while IFS='|' read -r what edit; do
  sed -E "$edit" "$wrapper" >other.py; cmp -s other.py "$wrapper" && { not_ok "$what is found" "the edit changes nothing"; continue; }
  compiles other.py && not_ok "$what is found" "it compiles" || ok "$what is found"
done <<'EDITS'
a member of another type|s/size_t utterance; size_t index; double start;/int utterance; size_t index; double start;/
members that changed places|s/bool cut; double seconds;/double seconds; bool cut;/
a member that is missing|s/double rate; double file_rate;/double rate;/
an argument of another type|s/(am_checkpoint_threshold\(const am_checkpoint \*checkpoint, )int k/\1size_t k/
a result of another type|s/^double am_checkpoint_rate/float am_checkpoint_rate/
a constant of another value|s/"AM_E_STOPPED": -9/"AM_E_STOPPED": -8/
a callback of another type|s/(am_window_fn\)\(void \*user, )const am_window/\1const am_segment/
a function that is not there|s/am_stream_end\(/am_stream_finish(/
EDITS

python=$(command -v python3) || { skip "the wrapper gives what the command gives" "there is no python3"; plan; exit; }
[ "${AM_SANITIZE:-none}" = none ] || { skip "the wrapper gives what the command gives" "a library with sanitizers needs a Python with them"; plan; exit; }
trained
export AUDIOMOOD_LIBRARY=$build/libaudiomood.so PYTHONPATH=$folder PYTHONDONTWRITEBYTECODE=1
{ echo path,speaker,arousal; n=0; for file in corpus/*/*.wav; do n=$((n + 1)); echo "$file,$(basename "$(dirname "$file")"),$((1 + n % 5))"; done; } >values.csv
cat >values.yaml <<'E'
data: {corpus: manifest, manifest: values.csv, target: dimensions, scale: [1, 5]}
split: {kind: random, validation: 0.3}
features: {kind: mfcc, sample_rate: 16000, n_fft: 512, hop: 256, mels: 20, mfcc: 8, mean_over_time: true}
model: {layers: [flatten, {dense: {}}]}
train: {epochs: 2}
E
"$audiomood" train values.yaml --out values >log 2>&1 || sed 's/^/# /' log
sed 's/arousal$/arousal,valence/; 2,$s/$/,-2/' values.csv >scaled.csv
sed 's/values.csv/scaled.csv/; s/scale: \[1, 5\]/scale: [1, 5], scales: {valence: [-3, 3]}/' values.yaml >scaled.yaml
"$audiomood" train scaled.yaml --out scaled --set train.loss.kind=mse >log 2>&1 || sed 's/^/# /' log
"$python" "$root/tests/api/python_wrapper.py" "$audiomood" run1 $sound values scaled >told 2>err; code=$?
while read -r line; do
  case $line in
    "ok "*) ok "wrapper: ${line#ok }" ;;
    *) line=${line#not ok }; not_ok "wrapper: ${line%%: *}" "$line" ;;
  esac
done <told
[ $code = 0 ] && [ "$(wc -l <told)" -ge 20 ] && ok "wrapper: it ends well" || not_ok "wrapper: it ends well"

# example FILE PACKAGES ARGUMENTS...: it runs, or says what it needs
example() {
  local file=$1 packages=$2; shift 2
  "$python" -c "import ${packages// /, }" 2>/dev/null || { skip "$file runs" "it needs the packages $packages (tools/try-python)"; return; }
  "$python" "$folder/$file" "$@" >out 2>err; code=$?
  [ $code = 0 ] && [ -s out ] && ok "$file runs" || not_ok "$file runs" "exit code $code"
}
example predict.py sys $sound --model run1 --model run1/last.h5 --window 1
example checkpoint.py "h5py pandas" run1/last.h5
example cache.py "h5py pandas" cache run1
example predictions.py pandas run1
"$audiomood" export run1 --to onnx -o run1.onnx --quiet >out 2>err
if grep -q "option onnx enabled" err; then skip "onnx_predict.py runs" "this build has no ONNX"
else
  example onnx_predict.py "numpy onnxruntime" run1.onnx $sound --compare run1
  # functionals and prosody, which no graph computes, of the model in the box
  "$audiomood" export "$root/checkpoints/ravdess-nemo.h5" --to onnx -o box.onnx --quiet >out 2>err
  example onnx_predict.py "numpy onnxruntime" box.onnx $sound --compare "$root/checkpoints/ravdess-nemo.h5"
fi
example librosa_features.py "librosa pandas" "$audiomood"
plan
