#!/bin/bash
# tests/cli/test_dimensions.sh AUDIOMOOD SOURCE_ROOT - models of dimensions, all the way: train, evaluate, predict, crossval, compare,
# their pages; and what wants emotions (TAP).
. "$(dirname "$0")/tap.sh" dimensions "$1" "$2"

run synth sessions --layout iemocap; expect "synth --layout iemocap" 0 "120 synthetic clips of 10 voices"
cat >values.yaml <<'E'
name: values
seed: 1
cache: cache
data: {corpus: iemocap, root: sessions, target: dimensions}
split: {kind: leave_one_group_out, fold: 0, validation_speakers_count: 2}
features: {kind: mfcc, sample_rate: 16000, n_fft: 512, hop: 256, mels: 40, mfcc: 20, mean_over_time: true, normalise: train}
model: {layers: [flatten, {dense: {units: 24, activation: relu}}, {dense: {}}]}
train: {epochs: 25, batch: 16, monitor: validation_ccc, auxiliary: {emotion: 0.1}, optimiser: {kind: adam, learning_rate: 0.01}}
E
run train values.yaml --out run1
expect "train" 0 "119 clips, 3 dimensions, 10 speakers" "dimensions from 1 to 5, by the clips of which they are known: valence 119, arousal 119, dominance 119" \
  "heads: emotion loss" "validation loss [0-9.]+ ccc [-0-9.]+" "^dimension +CCC" "^scale +1 to 5" "^emotion +neutral" "synthetic"
[ "$(head -n 1 run1/history.csv)" = epoch,train_loss,validation_loss,validation_ccc,learning_rate,seconds,clips_per_second ] &&
  ok "history.csv" || not_ok "history.csv" "$(head -n 1 run1/history.csv)"
[ "$(head -n 1 run1/predictions.csv)" = clip,speaker,fold,true_valence,true_arousal,true_dominance,predicted_valence,predicted_arousal,predicted_dominance,gender,style,session,emotion ] &&
  ok "predictions.csv" || not_ok "predictions.csv" "$(head -n 1 run1/predictions.csv)"
# What the synthetic voices do with their emotion is heard: arousal follows from it (docs/dimensions.md).
arousal=$(sed -n '/"test"/,$p' run1/metrics.json | sed -n '/"arousal"/,/"pearson"/s/.*"ccc": \([0-9.-]*\),/\1/p' | head -n 1)
awk "BEGIN { exit !($arousal > 0.15) }" && ok "arousal is learned" || not_ok "arousal is learned" "CCC $arousal"
grep -q "Mean concordance (CCC)" run1/report.html && grep -q "Error by speaker" run1/report.html && [ -s run1/plots/dimension-1-test.svg ] &&
  ! grep -q "Confusion" run1/report.html && ok "its page" || not_ok "its page"
run evaluate run1; expect "evaluate" 0 "^arousal +[-0-9.]+" "^intervals +bootstrap over 2 speakers" "speaker-independent +yes"
run evaluate run1 --json
expect "evaluate --json" 0 '"scale": \[1, 5\]' '"dimensions": \{' '"ccc": \[' '"true_deviation"' '"speaker_independent": true'
run inspect run1/best.h5; expect "inspect" 0 "dimensions: +valence arousal dominance, from 1 to 5"
sound=sessions/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
run predict run1 $sound; expect "predict" 0 "F000.wav: +valence [-0-9.]+ +arousal [-0-9.]+ +dominance [-0-9.]+$"
run predict run1 $sound --json; expect "predict --json" 0 '"dimensions": \{"valence": [-0-9.]+, "arousal": [-0-9.]+, "dominance": [-0-9.]+\}, "scale": \[1, 5\], "reason": null'
run predict run1 $sound --csv --window 1 --hop 0.5; expect "predict --csv, windows" 0 "^file,start,end,valence,arousal,dominance,reason,seconds,seconds_heard$" "F000.wav,0.5,1.5,"

# ---- folds, several models, side by side ----
run crossval values.yaml --out cv --set train.epochs=8 --set train.loss.kind=mse
expect "crossval" 0 "mean concordance \\(CCC\\) +[-0-9.]+ +\\+- " "CCC of arousal" "^clips +119" "bootstrap over 10 speakers"
grep -q "Fold by fold" cv/report.html && grep -q "<b>[-0-9.]* <small>&#177;" cv/report.html && ok "the page of all folds" || not_ok "the page of all folds"
run evaluate cv; expect "evaluate of a cross-validation" 0 "all folds pooled" "^valence"
run evaluate cv --data values.yaml; expect "the mean of its models" 0 "by the mean of" "^clips +119"
run predict cv $sound; expect "predict by the mean" 0 "valence [-0-9.]+"
run compare run1 cv
expect "compare" 0 "^mean concordance \\(CCC\\) " "tested on the 24 clips in common" "CCC of dominance +[-0-9.]+ to [-0-9.]+: [-+][0-9.]+ +\\(95 %" "paired bootstrap over 2 speakers"
run compare run1 cv --json; expect "compare --json" 0 '"against_first"' '"bootstrap_over": "speakers"' '"difference"'
run train values.yaml --out mono --set 'data.dimensions=[activation]' --set train.epochs=2 --set 'data.scale=[0, 100]'
expect "one dimension, on another scale" 0 "1 dimensions" "from 0 to 100" "^activation"
run evaluate mono --data values.yaml --set 'data.dimensions=[activation]'; expect "on a corpus with its own scale" 0 "scale: values from 1 to 5 count as 0 to 100"

# ---- what wants emotions ----
cat >emotions.yaml <<'E'
data: {corpus: iemocap, root: sessions}
E
emotions="wanted a model of emotions; this one tells values of dimensions"
run predict run1 $sound --segments; expect "predict --segments" 2 "$emotions"
run predict run1 $sound --report why.html; expect "predict --report" 2 "$emotions"
run predict run1 $sound --threshold 0.5; expect "predict --threshold" 2 "$emotions"
run predict run1 $sound --uncertain-first --out x.csv; expect "predict --uncertain-first" 2 "$emotions"
run subtitle $sound --model run1; expect "subtitle" 2 "$emotions"
run export run1 --to keras --out x.h5; expect "export to Keras" 2 "$emotions"
run export run1 --to safetensors --out x.safetensors; expect "export to safetensors" 2 "$emotions"
run fuse run1 run1 --out x.h5; expect "fuse" 1 "tells values of dimensions; wanted models of emotions"
run distil cv --into values.yaml --out x; expect "distil" 1 "tells values of dimensions; wanted models of emotions"
run evaluate run1 --data emotions.yaml; expect "a corpus of emotions" 2 "data.target of this corpus is emotion; set it to dimensions"
run train values.yaml --out x --set data.target=emotion --set train.monitor=validation_loss --set 'train.auxiliary={}' --set train.epochs=1
expect "the same settings for emotions" 0 "10 classes" "Confusion"
run compare run1 x; expect "compare with a run of emotions" 1 "they cannot be compared"
run predict run1 --with x $sound; expect "predict with one of emotions" 2 "it tells emotions, and the first model dimensions"
plan
