#!/bin/bash
# tests/cli/test_details.sh AUDIOMOOD SOURCE_ROOT - small promises of the commands, each of which was broken once (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" details "$1" "$2"

{ tiny; small; } >tiny.yaml
speech 4
run train tiny.yaml --out run1 --set train.monitor=last --set train.epochs=2; expect "train" 0
grep -q "best so far" err && not_ok "with monitor last no epoch is said to be best" || ok "with monitor last no epoch is said to be best"

# ---- help: other spellings ----
run help optimizer; expect "help optimizer" 0 "^Section train.optimiser of a config"
run help train-loss; expect "a hyphen for a dot" 0 "^Section train.loss of a config"
for word in batchnorm Batch-Norm batch_norms; do run help $word; expect "help $word" 0 "^Layer batch_norm: "; done
run help layer; expect "a singular" 0 "The list model.layers"
run help optimisre; expect "a misspelt one is not guessed" 2 "no command, section of the config or layer; did you mean .optimiser.?"

# ---- inspect --augment: what training makes of a sound ----
augmented=(--set features.normalise=train --set augment.speed=[0.8,1.2] --set augment.freq_masks=1 --set augment.freq_width=6)
run train tiny.yaml --out runa "${augmented[@]}" --quiet
sound=$(ls corpus/Actor_01/*.wav | head -1)
run inspect runa --augment "$sound" --out a1; expect "inspect RUN --augment" 0 "^before: [0-9.]+ s" "^after: [0-9.]+ s, features \([0-9]+, 24\)" "a1/augmented.png"
run inspect runa --augment "$sound" --out a2 --draw 1; run inspect runa --augment "$sound" --out a3 --epoch 2
run inspect runa --augment "$sound" --out a4 --seed 3
cmp -s a1/after.csv a2/after.csv || cmp -s a1/after.csv a3/after.csv && not_ok "each draw and epoch is another" || ok "each draw and epoch is another"
cmp -s a1/before.csv a2/before.csv && cmp -s a1/after.csv a4/after.csv && ok "what is not drawn stays" || not_ok "what is not drawn stays"
awk -F, '{ for (i = 1; i <= NF; i++) n += ($i < 0) - ($i > 0) } END { exit !(n < NR * NF / 2 && n > -NR * NF / 2) }' a1/before.csv &&
  ok "it is normalised by the run" || not_ok "it is normalised by the run"
run inspect tiny.yaml --augment "$sound" --out a5 "${augmented[@]}"
expect "of a config, by the sound" 0 "warning: features.normalise: the statistics of this sound take the place of those of the training part"

copies=(--set augment.speed=[0.8,1.2] --set augment.copies=2 --set augment.copies_probability=1)
for draw in 0 1 2; do run inspect tiny.yaml --augment "$sound" --out c$draw --draw $draw --epoch $((draw + 1)) "${copies[@]}"; done
cmp -s c0/after.csv c2/after.csv && cmp -s c0/after.wav c2/after.wav && ! cmp -s c0/after.csv c1/after.csv && ! cmp -s c0/before.csv c0/after.csv &&
  ok "of two copies each is shown, whatever the epoch" || not_ok "of two copies each is shown, whatever the epoch"
run train tiny.yaml --out copied "${copies[@]}"; expect "train on copies" 0 "copies: 2 of each of [0-9]+ training clips, 0 from the cache, [0-9]+ computed"
run train tiny.yaml --out again --seed 5 "${copies[@]}"; expect "another seed has the same copies" 0 "copies: 2 of each of [0-9]+ training clips, [1-9][0-9]* from the cache, 0 computed"

# ---- a run of several corpora whose recordings are elsewhere now ----
run synth second --actors 4 --repetitions 1 --seed 9
sed "s/^data: .*/data: {corpus: several, corpora: [{corpus: ravdess, root: corpus}, {corpus: ravdess, root: second}], labels: [calm, happy]}/; s/^split: .*/split: {kind: speaker, test: 0.25, validation: 0.25}/" tiny.yaml >both.yaml
run train both.yaml --out rb --set train.epochs=2 --set train.max_steps=2; expect "pause a run of two corpora" 1 "go on with"
cp -r rb rc
mkdir -p away far; cp -r corpus second away; cp -r corpus far; mv corpus corpus.old; mv second second.old
run train --resume rb; expect "where they are not" 1 "corpus does not exist"
run train --resume rb --set data.root=away --set train.max_steps=0; expect "resume with data.root" 0 "best epoch"
run train --resume rc --set data.corpora.0.root=far/corpus --set data.corpora.1.root=away/second --set train.max_steps=0
expect "resume with a root for each" 0 "best epoch"
cmp -s rb/predictions.csv rc/predictions.csv && ok "both alike" || not_ok "both alike"
run verify rb --set data.root="$work/away"; expect "verify where they are" 0 "of ([0-9]+) digests"
run verify rb --set data.corpora.0.root=away/second --set data.corpora.1.root=away/second
expect "other recordings are no place" 1 "."
run verify rb --set data.corpora.0.labels=[calm]; expect "nor is another setting" 2 "data.corpora is something else"
mv corpus.old corpus; mv second.old second

# ---- train.calibrate: every command has the same probabilities ----
run train tiny.yaml --out rt --set train.calibrate=temperature --set train.epochs=30 --set train.optimiser.learning_rate=0.03
expect "a temperature is told" 0 "temperature [0-9.]+, fitted to [0-9]+ validation clips"
run inspect rt; expect "inspect shows it" 0 "^temperature: [0-9.]+ "
IFS=, read -r clip _ _ _ _ p _ < <(sed -n 2p rt/predictions.csv)
clip=$(find corpus -path "*$clip*"); run predict rt "$clip" --csv
printf 'predictions.csv: %s %s\n' "$clip" "$p" >>err
awk -F, -v p="$p" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^p_/ && !at) at = i; next } { d = $at - p; exit !(at && d < 2e-4 && d > -2e-4) }' out &&
  ok "predict gives what the run wrote" || not_ok "predict gives what the run wrote"
run export rt --to keras --out rt.h5 --frames 20; expect "export says where the temperature is" 0 "its temperature, [0-9.]+, is in the weights of dense_1"

# ---- train.wanted_precision and --threshold: answers that are left out ----
run train tiny.yaml --out ru --set train.wanted_precision=0.97; expect "a precision that cannot be reached" 0 "warning: no threshold .* every answer of this model is uncertain"
run inspect ru; expect "inspect shows the thresholds" 0 "^thresholds: calm never, .*wanted precision 0.97"
run evaluate ru; expect "evaluate counts the answers" 0 "^area of risk by coverage +[0-9.]+ +80 % right: the surest [0-9.]+ %; 90 % right: " "^answered +0.0 % +.0 clips; the others are uncertain., wanted 97 %"
run predict ru "$sound"; expect "predict says uncertain" 0 "^$sound: uncertain  calm [0-9.]+%"
run predict ru "$sound" --json; expect "and in JSON why, and what is most probable" 0 '"label": null' '"reason": "uncertain"' '"top": "[a-z]+"'
run predict ru "$sound" --csv; expect "and in CSV" 0 ",seconds_heard,top$" "^$sound,,.*,uncertain,[0-9.]+,[0-9.]+,[a-z]+$"
run predict ru "$sound" --with run1; expect "the mean of two models answers" 0 "^$sound: (calm|happy|sad|angry)  " "warning: the thresholds of a model are of that model alone"
run predict ru "$sound" --csv --threshold 0; mv out always; run predict run1 "$sound" --csv --threshold 1; expect "a threshold for any model" 0 ",uncertain,"
run predict run1 "$sound" --csv; head -1 out >head; head -1 always | cmp -s - head && ok "without thresholds no column is added" || not_ok "without thresholds no column is added"
grep -q ",uncertain," always && not_ok "--threshold 0 always answers" || ok "--threshold 0 always answers"
run evaluate run1 --json --threshold 0.3; expect "evaluate --threshold" 0 '"aurc": [0-9.]+' '"coverage_80": ' '"answered": \{'

# ---- compare: lists of different lengths, in words ----
sed 's/^    - global_average_pool/    - dropout: {rate: 0.1}\n    - global_average_pool/' tiny.yaml >deeper.yaml
run train deeper.yaml --out rd --quiet; run compare run1 rd
expect "compare says what layers differ" 0 "^model.layers$" "^  A  conv2d, max_pool2d, global_average_pool, dense$" "^  B  conv2d, max_pool2d, dropout, global_average_pool, dense$"
grep -q "entries" out && not_ok "and no numbers of entries" || ok "and no numbers of entries"

# ---- --verbose ----
run predict run1 "$sound" --verbose
expect "predict --verbose" 0 "^cpu: " "^openblas: " "^threads: " "^reading run1/best.h5$" "$sound: [0-9.]+ s at 16000 Hz in 1 channel.s., predicted in" "^predict took [0-9.]+ s, "
run train tiny.yaml --out rv --verbose
expect "train --verbose" 0 "^reading tiny.yaml$" "64 clips of 4 labels and 4 speakers in corpus, found in" "features of 64 clips: 64 from the cache .cache., 0 computed"
run evaluate run1; grep -q "^reading\|openblas" err && not_ok "without it they are quiet" || ok "without it they are quiet"
run features tiny.yaml --set data.max_seconds=1
expect "a limit that can be raised is named" 1 "more than the limit of 1 s; cut it, or raise data.max_seconds"

# ---- report ----
run report run1 --out x.pdf; expect "report writes no PDF" 2 "x.pdf: the page is HTML; wanted a name that ends in .html"
[ -e x.pdf ] && not_ok "and leaves no such file" || ok "and leaves no such file"
run report run1 --out x.HTML; expect "report into a file" 0 "x.HTML"

# ---- evaluate: a file for each set of clips ----
mkdir other; for name in one two; do sed -n '/^data/p' tiny.yaml >other/$name.yaml; done
cp run1/predictions.csv before.csv; cp run1/predictions-validation.csv before-validation.csv
run evaluate run1 --data other/one.yaml; expect "evaluate another corpus" 0 "predictions in run1/predictions-one-all.csv"
run evaluate run1 --data other/two.yaml; expect "and a second one" 0 "predictions in run1/predictions-two-all.csv"
echo mark >>run1/predictions-validation.csv
run evaluate run1 --split validation; expect "the file of the training stays" 0 "run1/predictions-validation.csv stays"
tail -1 run1/predictions-validation.csv | grep -q '^mark$' && cmp -s before.csv run1/predictions.csv && ok "unchanged" || not_ok "unchanged"
cp before-validation.csv run1/predictions-validation.csv

# ---- what a run folder is: one list for train and crossval ----
sed 's/^split: .*/split: {kind: fixed, fold_lists: [["01", "02"], ["03"], ["04"]], validation_speakers_count: 1}/' tiny.yaml >folds.yaml
for file in config.yaml last.h5 last-1.h5 best.h5 metrics.json; do
  rm -rf taken; mkdir taken; : >taken/$file
  run train tiny.yaml --out taken; expect "train does not write over a run's $file" 2 "taken holds a run already \\($file\\)"
  run crossval folds.yaml --out taken; expect "nor does crossval" 2 "taken holds a single run \\($file\\)"
done

# ---- a cross-validation where a model is wanted ----
run crossval folds.yaml --out cv --quiet; expect "crossval" 0
run predict cv "$sound" --csv; expect "predict by a cross-validation" 0 "the mean of the models of its 3 runs"
sed 1d out >cv.row; for k in 0 1 2; do run predict cv/fold-$k "$sound" --csv; sed 1d out; done >fold.rows
awk -F, 'NR < 4 { for (k = 3; k <= 6; k++) sum[k] += $k / 3 } NR == 4 { for (k = 3; k <= 6; k++) if ((sum[k] - $k) ^ 2 > 1e-12) exit 1 }' fold.rows cv.row &&
  ok "it is the mean" || not_ok "it is the mean" "$(cat fold.rows cv.row)"
run evaluate cv; expect "evaluate a cross-validation" 0 "each clip by the model that it was held out of" "^clips +64$" "speaker-independent +yes"
run evaluate cv --json; expect "as JSON" 0 '"split": "all folds"' '"n": 64'
pooled=$(grep -m1 '"uar"' out | tr -d ' ,'); grep -A12 '"pooled"' cv/crossval.json | tr -d ' ,' | grep -qxF -- "$pooled" && ok "as it says" || not_ok "as it says"
run evaluate cv --split test; expect "no part of it" 2 "--split: of a cross-validation the pooled results of its folds are given"
run evaluate cv --data other/one.yaml; expect "the mean on another corpus" 0 "and 2 more, by the mean" "cv/predictions-mean-one-all.csv"
run export cv --to onnx --out cv.onnx
if grep -q "left out when this program was built" err; then expect "without protobuf-c that is said" 1 "libprotobuf-c-dev"
else expect "a graph has all folds" 0 "^cv\.onnx$"; grep -q 'fold\|model_2/' cv.onnx && ok "which it names" || not_ok "which it names"; fi
run export cv --to keras --out x.h5; expect "a model alone is wanted" 1 "cv: is a cross-validation, with a model for each fold; name one of them, as in cv/fold-0"
cat >mine.yaml <<'YAML'
name: mine
licence: CC0
files: '03-01-(?<label>\d\d)-\d\d-\d\d-\d\d-(?<speaker>\d\d)'
labels: {"02": calm, "03": happy, "04": sad, "05": angry}
YAML
run evaluate run1 --data mine.yaml --root corpus; expect "evaluate by a description" 0 "^clips +64$" "run1/predictions-mine-all.csv"
run evaluate run1 --data mine.yaml; expect "it wants a root" 2 "root"
run evaluate run1 --data other/one.yaml --root away/second; expect "a root for a config" 0 "^clips +64$"

# ---- inspect: a corpus that is not there, and one that cannot be read ----
run inspect tiny.yaml --set data.root=nowhere; expect "inspect a config without its data" 0 "warning: no data: .*nowhere does not exist"
printf 'path;label\nx\n' >list.csv
run inspect tiny.yaml --set data.corpus=manifest --set data.manifest=list.csv --set 'data.labels=[]'
expect "inspect a config whose manifest cannot be used" 1 "list.csv"
mkdir locked; printf 'path,label\nmissing.wav,calm\n' >locked/manifest.csv
run inspect tiny.yaml --set data.corpus=manifest --set data.root=locked --set 'data.labels=[]'
expect "or names what is not there" 1 "no file missing.wav"
plan
