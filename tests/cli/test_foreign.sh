#!/bin/bash
# tests/cli/test_foreign.sh AUDIOMOOD SOURCE_ROOT - what `inspect` tells of models of other programs, before they are imported (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" foreign "$1" "$2"
golden=$root/tests/exchange/golden

# ---- ONNX ----
run inspect "$golden/onnx/crnn.onnx"
if grep -q "option onnx enabled" err; then expect "a build without ONNX names the option" 1 "crnn.onnx: files of ONNX"
else
  expect "a graph of PyTorch" 0 "^format: +ONNX, IR version [0-9]+, opset 17$" "^written by: +pytorch " "^input: +x: float .batch, 1, 6, frames.$" \
    "^output: +y: float .[a-zA-Z_0-9]+, 4.$" "^import: +audiomood import .*crnn.onnx --config FEATURES.yaml -o OUT.h5$" "^Conv +2$" "^LSTM +1$" \
    "^out.weight +float +.4, 12. +48$" "^all +[0-9,]+$"
  run inspect "$golden/onnx/refused/elu.onnx"; expect "also one that cannot be imported" 0 "^Elu +1$"
  run inspect "$golden/onnx/half.onnx"; expect "numbers of half a float" 0 " float16 +"
  echo "no model" >junk.onnx; run inspect junk.onnx; expect "what is called a graph must be one" 1 "^audiomood inspect: junk.onnx: "
  run inspect absent.onnx; expect "and be there" 1 "^audiomood inspect: cannot open absent.onnx: No such file"
fi

# ---- Keras ----
run inspect "$golden/new_map.h5"
expect "a Keras model in HDF5 is no damaged checkpoint" 0 "^format: +Keras, HDF5" "^keras_version: +3\." "^input: .*: .any, 7, 11, 1.$" \
  "^conv2d +Conv2D +filters=" "^layer +type +options$" "kernel +float32 +.3, " "^all +[0-9,]+$"
run inspect "$golden/keras26.h5"; expect "layers of a model inside" 0 "^[a-z_0-9]+/[a-z_0-9]+ +[A-Z]"
cp "$golden/bidirectional.h5" model; run inspect model; expect "by its content" 0 "Bidirectional of LSTM +.*units="
run inspect "$golden/archive_branches.keras"
if grep -q "option keras_archive" err; then expect "a build without archives names the option" 1 "archive_branches.keras"
else expect "an archive" 0 "^format: +Keras, an archive" "^keras_version: +3\." " Concatenate" "^layers/.*/vars/0 +float32"; fi
run inspect "$golden/new_map.h5" --effective; expect "it has no config of ours" 2 "new_map.h5: is a model of another program .keras.; --augment and --effective"

# ---- safetensors ----
run inspect "$golden/torch_map.safetensors"
expect "a state dict" 0 "^format: +safetensors$" "^import: .* --config WITH-LAYERS.yaml -o OUT.h5$" "^tensor +type +dimensions +numbers$" "F32 +.[0-9, ]+. +[0-9,]+$"
run inspect "$golden/own-1.safetensors"
expect "our own arrays" 0 "^format: +safetensors, with a config of AudioMood$" "^audiomood_labels: +\\[" "^audiomood_licence: |^names: " "^import: +audiomood import .*safetensors -o OUT.h5$"
head -c 100 "$golden/torch_map.safetensors" >cut.safetensors; run inspect cut.safetensors; expect "one that is cut" 1 "cut.safetensors: its header would be longer than the file"

# ---- what we export ----
trained
for name in own.keras own.h5 own.onnx own.safetensors; do
  to=${name#own.}; [ $to = h5 ] && to=keras
  frames=(); [ $to = keras ] && frames=(--frames 120)
  run export run1 --to $to "${frames[@]}" -o $name
  [ "$code" = 0 ] || { expect "a build without $to names it" 1 "option (onnx|keras_archive)"; continue; }
  run inspect $name; expect "inspect our own $name" 0 "labels: .*calm.*happy.*sad.*angry" "licence: +MIT" "^import: "
done
if run export run1 --to onnx --with-features -o whole.onnx; [ "$code" = 0 ]; then
  run inspect whole.onnx; expect "a graph that cannot come back says so" 0 "^import: +not possible: a graph that makes the features, too" "^input_is: +samples$"
fi
run inspect run1/best.h5; expect "a checkpoint is still one" 0 "^run1/best.h5: checkpoint of "
plan
