#!/bin/bash
# tests/api/test_examples.sh AUDIOMOOD SOURCE_ROOT EXAMPLES CC CXX - the programs of examples/ and the one in predict.h, on a
# synthetic corpus (TAP).
# SPDX-License-Identifier: MIT
examples=$(realpath "$3") cc=("$4") cxx=("$5")
# A program that loads a library with sanitizers is to be built with them, too, and by the same compiler.
case ${AM_SANITIZE:-none} in
  none) ;;
  *) cc+=("-fsanitize=$AM_SANITIZE"); cxx+=("-fsanitize=$AM_SANITIZE"); [ "$4" != clang ] || cxx=(clang++ "-fsanitize=$AM_SANITIZE") ;;
esac
. "$(dirname "$0")/../cli/tap.sh" examples "$1" "$2"
export LD_LIBRARY_PATH=$examples/..

cat >tiny.yaml <<'YAML'
name: tiny
data: {corpus: ravdess, root: corpus, labels: [calm, happy]}
split: {kind: fixed, validation_speakers: ["02"]}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24}
model: {layers: [global_average_pool, dense]}
train: {epochs: 1, batch: 8}
YAML
run synth corpus --actors 2 --repetitions 1
call() { "$@" >out 2>err; code=$?; }
call "$examples/example_train" tiny.yaml run1
expect "train.c trains and shows the metrics" 0 "accuracy [01]\.[0-9]+, average recall" "calm +recall" "happy +recall"
sound=corpus/Actor_01/03-01-02-01-01-01-01.wav
call "$examples/example_predict" run1/best.h5 $sound; expect "predict.c gives every emotion" 0 "calm [01]\.[0-9]+" "happy [01]\.[0-9]+"
cp out mine
run predict run1 $sound --json
p=$(sed 's/.*"calm": *\([0-9.e-]*\).*/\1/' out)
awk -v p="$p" '$1 == "calm" { d = $2 - p; exit !(d < 6e-5 && d > -6e-5) }' mine && ok "as the command does" || not_ok "as the command does" "$p, $(cat mine)"
call "$examples/example_predict" tiny.yaml $sound; expect "and says what is wrong" 1 "predict: tiny.yaml: not an HDF5 file"
ldd "$examples/example_predict" | grep -qiE 'cairo|fontconfig' && not_ok "without Cairo or fontconfig" || ok "without Cairo or fontconfig"

call "$examples/example_windows" 0.5 $sound run1/best.h5 run1/last.h5
expect "windows.c tells how it goes" 0 "^0.00-0.50 (calm|happy|silent)$" "^0.25-0.75 "
cp out mine
run predict run1 $sound --with run1/last.h5 --window 0.5 --hop 0.25 --csv
[ "$(wc -l <mine)" = "$(($(wc -l <out) - 1))" ] && ok "in as many windows as the command" || not_ok "in as many windows as the command"
if command -v "${cxx[0]}" >/dev/null; then
  call "${cxx[@]}" -std=c++17 -Wall -Wextra -Werror -pedantic -I"$root/include" -x c++ "$root/examples/windows.c" -L"$examples/.." -laudiomood -o windows
  expect "it is C++, too" 0
  call ./windows 0.5 $sound run1/best.h5 run1/last.h5; cmp -s out mine && ok "which says the same" || not_ok "which says the same"
fi

call "$examples/example_custom_loop" $sound corpus/Actor_02/03-01-05-02-01-01-02.wav; expect "custom_loop.c trains" 0 "step 0 loss" "step 300 loss"
awk '/step 0/ { first = $4 } /step 300/ { exit !($4 < first / 2) }' out && ok "its loss falls" || not_ok "its loss falls"

# A layer of the program's own: it trains, stands in the checkpoint, and is loaded from it.
sed 's/^name: tiny/name: own/; s/layers: .*/layers: [{conv2d: {filters: 4, kernel: 3}}, {swish: {start: 1.5}}, global_average_pool, dense]}/' tiny.yaml >own.yaml
call "$examples/example_custom_layer" own.yaml own $sound
expect "custom_layer.c trains and predicts with its layer" 0 "gradients: worst 0\.00[0-9]+, of " "calm [01]\.[0-9]+" "happy [01]\.[0-9]+"
cp out mine
if command -v "${cxx[0]}" >/dev/null; then
  call "${cxx[@]}" -std=c++17 -Wall -Wextra -Werror -pedantic -I"$root/include" -x c++ "$root/examples/custom_layer.c" -L"$examples/.." -laudiomood -o custom_layer
  expect "it is C++, too" 0
  call ./custom_layer own.yaml own2 $sound; cmp -s out mine && ok "which says the same" || not_ok "which says the same" "$(cat out err)"
fi
grep -q 'start: 1.5' own/config.yaml && ok "its options are in the run's config" || not_ok "its options are in the run's config"
run predict own $sound; expect "a program without the layer says what it lacks" 2 'best\.h5:[0-9:]+: unknown layer "swish": the program that wrote this has a layer of its own' am_layer_register

sed -n '2,/^ \*\/\|^ \* A checkpoint holds/p' "$root/include/audiomood/predict.h" | sed -n '/#include </,/^ \*   }$/p' | sed 's/^ \* \{0,3\}//' >shown.c
call "${cc[@]}" -std=c11 -Wall -Wextra -Werror -pedantic -I"$root/include" shown.c -L"$examples/.." -laudiomood -o shown
expect "the program in predict.h compiles" 0
call ./shown run1/best.h5 $sound; expect "and predicts" 0 "calm [01]\.[0-9]+" "happy [01]\.[0-9]+"
plan
