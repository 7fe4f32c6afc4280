#!/bin/bash
# tests/cli/test_before.sh AUDIOMOOD SOURCE_ROOT - what an earlier program wrote (tests/cli/before, tools/make-before) is read,
# resumed and verified by this one (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" before "$1" "$2"
cp -r "$root"/tests/cli/before/. . && chmod -R u+w . || exit 1
export AM_CPU=plain OPENBLAS_CORETYPE=Prescott # as it was made with

# near A B: two CSV files agree, numbers to 1e-5
near() {
  awk -F, 'NR == FNR { old[FNR] = $0; n = FNR; next }
    { split(old[FNR], o); for (i = 1; i <= NF || i in o; i++) { d = $i - o[i]; if ($i != o[i] && !(d < 1e-5 && d > -1e-5 && d != 0)) bad = 1 } }
    END { exit bad || FNR != n }' "$1" "$2"
}

run predict finished corpus/s0_low_0.wav corpus/s0_high_1.wav --csv; mv out predicted-now.csv
expect "predicts with a checkpoint of before" 0
near predicted.csv predicted-now.csv && ok "the probabilities are those of then" || not_ok "the probabilities are those of then" "$(diff predicted.csv predicted-now.csv)"

cp finished/predictions-test.csv then.csv
run evaluate finished --split test --json
expect "evaluates a run of before" 0 '"n": 6' '"speaker_independent": true'
grep -E '"(n|accuracy|uar|macro_f1|support)"' evaluated.json >a; sed '/^ *"speakers": \[$/,/^ *\]/d' out | grep -E '"(n|accuracy|uar|macro_f1|support)"' >b # told of since
cmp -s a b && ok "its figures are those of then" || not_ok "its figures are those of then" "$(diff a b)"
near then.csv finished/predictions-test.csv && ok "its predictions are those of then" || not_ok "its predictions are those of then"

run train finished/config.yaml --out again
expect "trains by the config.yaml of a run of before" 0 'best epoch'
grep -q 'parts:' finished/config.yaml && ! grep -q 'parts:' again/config.yaml && ok "whose settings of other corpora are gone" ||
  not_ok "whose settings of other corpora are gone" "$(cat again/config.yaml)"
run verify finished
# Sums over a batch are taken in groups since, so the digests differ; and the reason is told.
expect "verifies a run of before" 1 "sums: over whole batches then, in groups of clips and in pairs now" "1 of 4 digests"

# opened FILE: how often the last command opened it as HDF5
opened() { grep -cFx "reading $1" err; }

run train --resume paused --set train.max_steps=0 --verbose
expect "resumes a run of before" 0
[ "$(opened paused/last.h5)" = 1 ] && ok "resuming opens last.h5 once" || not_ok "resuming opens last.h5 once" "$(grep reading err)"
near finished/predictions.csv paused/predictions.csv && ok "a resumed run ends as the whole one did then, but for rounding" ||
  not_ok "a resumed run ends as the whole one did then, but for rounding" "$(diff finished/predictions.csv paused/predictions.csv)"

for what in finished folds; do
  run report $what
  expect "makes the page of $what" 0
  grep -q '</html>' $what/report.html && ok "the page of $what is whole" || not_ok "the page of $what is whole"
done
cp folds/predictions.csv folds-then.csv
run crossval --resume folds
expect "reads a cross-validation of before" 0 'unweighted average recall'
cmp -s folds-then.csv folds/predictions.csv && ok "its rows are those of then" || not_ok "its rows are those of then"
run compare finished paused folds
expect "compares runs of before" 0
run inspect finished/best.h5
expect "shows a checkpoint of before" 0 'conv2d' 'high'
run train before.yaml --out new --init finished/best.h5 --verbose
expect "begins from weights of before" 0 'matched'
[ "$(opened finished/best.h5)" = 1 ] && ok "--init opens its file once" || not_ok "--init opens its file once" "$(grep reading err)"

# ---- a model of dimensions, which had one scale together ----
cp values/predictions-test.csv then.csv
run predict values corpus/s0_low_0.wav corpus/s0_high_1.wav --csv; mv out values-now.csv
near values-predicted.csv values-now.csv && ok "the values are those of then" || not_ok "the values are those of then" "$(diff values-predicted.csv values-now.csv)"
run evaluate values --split test --json; cp out told
expect "evaluates a run of dimensions" 0 '"scale": ' '"ccc"'
cmp -s out values-evaluated.json && ok "whose figures are those of then" || not_ok "whose figures are those of then" "$(diff values-evaluated.json out)"
near then.csv values/predictions-test.csv && ok "and its predictions" || not_ok "and its predictions"
run report values; expect "makes its page" 0
grep -q "on the scale of the corpus, 1 to 5" values/report.html && ok "which says its scale" || not_ok "which says its scale"
run train values/config.yaml --out values-again; expect "trains by its config.yaml" 0 "^scale +1 to 5"
run inspect values/best.h5; expect "shows its checkpoint" 0 "dimensions: +valence arousal, from 1 to 5"
for file in values.keras.h5 values.safetensors values.onnx; do
  [ $file != values.onnx ] || "$audiomood" --version --verbose 2>/dev/null | grep -q protobuf-c || { skip "imports $file" "this build has no ONNX"; continue; }
  run import $file --config values.yaml --out back.h5; expect "imports $file" 0
  run predict back.h5 corpus/s0_low_0.wav corpus/s0_high_1.wav --csv
  paste -d, values-predicted.csv out | awk -F, 'NR > 1 { n = NF / 2; for (i = 2; i <= 3; i++) { d = $i - $(i + n); if (d * d > 1e-9 * $i * $i) bad = 1 } } END { exit bad || NR != 3 }' &&
    ok "which tells the same" || not_ok "which tells the same" "$(cat out)"
done
"$audiomood" train before.yaml --out both >both.log 2>&1
tail -n 2 both.log | head -n 1 | grep -q '^best epoch .* results in both$' && tail -n 1 both.log | grep -q '^page of this run: ' &&
  ok "results and log lines in one file stand in lines of their own" ||
  not_ok "results and log lines in one file stand in lines of their own" "$(tail -n 3 both.log)"
plan
