#!/bin/bash
# tests/cli/test_batch_norm.sh AUDIOMOOD SOURCE_ROOT - what is said about batch norms whose statistics say little.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" batch_norm "$1" "$2"
speech 2
{ echo path,label
  for e in 03 04 05; do for a in 01 02; do for s in 01 02; do
    echo "Actor_$a/03-01-$e-01-$s-01-$a.wav,emotion$e"; done; done; done | head -11; } >corpus/list.csv
cat >small.yaml <<'END'
seed: 1
cache: ""
data: {corpus: manifest, root: corpus, manifest: corpus/list.csv}
split: {kind: random, validation: 0.2, test: 0.1}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24, normalise: clip}
model: {layers: [global_average_pool: {over: all}, batch_norm: {}, dense: {}]}
train: {epochs: 1, batch: 4}
END
train() { run train small.yaml --out "$@"; }
silent() { if grep -q -- "$2" err; then not_ok "$1" "there is a warning: $2"; else expect "$1" 0; fi; }

# 11 clips: 7 train. One value a channel: after pooling over all, a batch of one clip; in the last batch of an epoch
train one --set train.batch=1
expect "a batch of one clip after pooling" 0 "warning: batch_norm_1 takes the mean and variance of one value a channel in every batch, since a batch is one clip"
grep -q "set train.batch to 2 or more" one/log.txt && ok "it is in the run's log" || not_ok "it is in the run's log"
clips=$(sed -n 's/.*"train": \([0-9]*\).*/\1/p' one/run.json | head -n 1)
train last --set train.batch=$((clips - 1))
expect "a last batch of one clip" 0 "batch_norm_1 takes .* in one batch of each epoch, which is one clip \($clips clips in batches of $((clips - 1))\)"
train even --set train.batch=$((clips - 2))
silent "a last batch of two" "one value a channel"
train frames --set train.batch=1 --set 'model.layers=[batch_norm, {global_average_pool: {over: all}}, dense]'
silent "a clip of many frames" "one value a channel"
train inside --set train.batch=1 --set 'model.layers=[{global_average_pool: {over: all}}, {residual: {layers: [{dense: {units: 1}}, batch_norm]}}, dense]'
expect "inside a block" 0 "residual_1/batch_norm_1 takes the mean"

# Moving statistics that still hold their start
silent "corrected statistics have no start" "began with"
train plain --set 'model.layers=[batch_norm: {statistics: plain}, global_average_pool: {over: all}, dense: {}]'
expect "plain ones after two steps" 0 "batch_norm_1: after 2 steps its moving mean and variance are still 98 % what they began with"
run evaluate plain
expect "when such a checkpoint is evaluated" 0 "plain/best.h5: batch_norm_1: after 2 steps"
train quick --set 'model.layers=[batch_norm: {statistics: plain, momentum: 0.05}, global_average_pool: {over: all}, dense: {}]'
silent "plain ones that forget quickly" "began with"
grep -q "statistics: corrected" one/config.yaml && ok "the default is written out" || not_ok "the default is written out"
plan
