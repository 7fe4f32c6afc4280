#!/bin/bash
# tests/cli/test_keras.sh AUDIOMOOD SOURCE_ROOT - Keras models by the command (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" keras "$1" "$2"

golden=$root/tests/exchange/golden
run import "$golden/new_map.h5" --config "$golden/features.yaml" --set features.mels=7 --set features.samples=320 \
  --out map.h5 --save-config map.yaml --verbose
expect "import lists with --verbose what changes nothing" 0 'layer dense .*passed over.* quantization_config'
grep -Fxq 'reading map.h5' err && not_ok "import does not read what it has written" || ok "import does not read what it has written"
run inspect map.h5 --effective
cmp -s out map.yaml && ok "--save-config is the config in the checkpoint" ||
  not_ok "--save-config is the config in the checkpoint" "$(diff out map.yaml)"
run import "$golden/new_map.h5" --config "$golden/features.yaml" --set features.mels=7 --set features.samples=320 --out map.h5
expect "and is silent about it otherwise" 0 '^map.h5$'
[ -s err ] && not_ok "no warning" || ok "no warning"

speech 4
# config LAYERS
config() {
  cat >c.yaml <<YAML
name: c
seed: 1
data: {corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry]}
split: {kind: fixed, validation_speakers: ["03"], test_speakers: ["04"]}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 16, samples: 8000}
model: {layers: $1}
train: {epochs: 1, batch: 8}
YAML
}

config "[to_sequence, {dense: {activation: softmax}}, global_average_pool]"
run train c.yaml --out doubled
expect "training warns of a second softmax" 0 'warning: model.layers: layer dense_1/softmax makes probabilities.* log_probabilities'
run inspect c.yaml
expect "inspect, too" 0 'model.layers: layer dense_1/softmax makes probabilities'
config "[global_average_pool, {dense: {activation: relu}}]"
run inspect c.yaml
expect "and of a relu at the end" 0 'model.layers: layer dense_1/relu \(relu\) limits'
config "[to_sequence, {dense: {activation: softmax}}, global_average_pool, log_probabilities]"
run train c.yaml --out once
expect "with log_probabilities it trains" 0
grep -q 'model.layers' err && not_ok "without a warning" || ok "without a warning"

# The README's example and the demo's layers go to Keras and come back with the same answers.
sed -n '/^name: mine$/,/^```$/p' "$root/README.md" | grep -v '```' >mine.yaml
for from in "$root/configs/demo.yaml" mine.yaml; do
  name=$(basename "$from" .yaml)
  run train "$from" --set 'data={corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry]}' \
    --set 'split={kind: fixed, validation_speakers: ["03"], test_speakers: ["04"]}' --set train.epochs=1 \
    --set features.samples=8000 --out "run-$name"
  expect "$name trains" 0
  run export "run-$name" --to keras --out "$name.h5"
  expect "$name is exported" 0
  run import "$name.h5" --config "run-$name/config.yaml" --out "$name-back.h5"
  expect "$name comes back" 0
  for model in "run-$name" "$name-back.h5"; do
    "$audiomood" predict "$model" corpus/Actor_04/*.wav --csv 2>err | cut -d, -f1- >"answers-$(basename "$model")"
  done
  # every number within 1e-5
  if paste -d, "answers-run-$name" "answers-$name-back.h5" | awk -F, 'NR > 1 {
      for (i = 1; i <= NF / 2; i++) { a = $i; b = $(i + NF / 2)
        if (a != b && !(a + 0 - b < 1e-5 && b - a < 1e-5)) bad = 1 } }
    END { exit bad || NR < 2 }'; then ok "$name answers the same"; else not_ok "$name answers the same"; fi
done
plan
