#!/bin/bash
# tests/cli/test_cli.sh AUDIOMOOD SOURCE_ROOT - the main job on made-up audio, as a user would do it: features, train,
# evaluate, inspect, train on (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" cli "$1" "$2"

# ---- the demo corpus ----
run synth corpus --actors 4 --repetitions 1 --threads 1; expect "synth" 0 "synthetic clips"
n=$(find corpus -name '*.wav' | wc -l)
[ "$n" = 120 ] && ok "4 voices x 30 clips" || not_ok "4 voices x 30 clips" "$n files"
mkdir again; cd again && speech 4; cd .. || exit 1
diff -r corpus again/corpus >/dev/null && ok "same seed, same files, any threads" || not_ok "same seed, same files, any threads"
mkdir precious; echo mine >precious/Actor_01; run synth precious; expect "synth refuses a folder it did not make" 2 "precious"
rm -rf again

{ tiny; whole; } >tiny.yaml

# ---- the main job ----
run features tiny.yaml; expect "features" 0 "0 from the cache, 64 computed"
run features tiny.yaml; expect "features again come from the cache" 0 "64 from the cache, 0 computed"
run features tiny.yaml --csv; expect "features --csv" 0 '^clip,speaker,label,frame,mel0,mel1,' '^Actor_01/03-01-02-01-01-01-01.wav,01,calm,0,-?[0-9.]+,'
awk -F, 'NF != 28 { bad = 1 } END { exit bad || NR < 1000 }' out && ok "a row a frame" || not_ok "a row a frame"
vectors=(--set features.kind=functionals --set "model.layers=[flatten, dense]")
run features tiny.yaml "${vectors[@]}" --csv; expect "functionals as a table" 0 '^clip,speaker,label,loudness_mean,' "0 from the cache, 64 computed"
awk -F, 'NR == 1 { wide = NF } NF != wide || /nan|inf/ { bad = 1 } END { exit bad || NR != 65 || wide < 5000 }' out && ok "a row a clip" || not_ok "a row a clip"
run train tiny.yaml "${vectors[@]}" --set features.normalise=speaker --set train.epochs=3 --out linear
expect "a linear model on functionals" 0 "unweighted average recall" "results in linear"; rm -rf linear
run inspect tiny.yaml; expect "inspect a config" 0 "conv2d_1" "multiply-adds" " 04 |^04 " "calm"
run train tiny.yaml --dry-run --set split.kind=speaker
expect "speakers that are named for another kind of split" 0 "warning: split.test_speakers is not used: it is for split.kind fixed" "warning: split.validation_speakers is not"
run train tiny.yaml --dry-run --out dry; grep -q "not used" err && not_ok "for this one" || ok "for this one"; expect "dry run" 0 "an epoch has [0-9]+ such steps; no run was written"
[ -e dry ] && not_ok "a dry run writes nothing" || ok "a dry run writes nothing"
run train tiny.yaml --out run1; expect "train" 0 "unweighted average recall" "synthetic" "run1"
for f in config.yaml history.csv best.h5 last.h5 metrics.json predictions.csv; do
  [ -s run1/$f ] && ok "run folder has $f" || not_ok "run folder has $f"
done
run train tiny.yaml --out run1; expect "a folder with a run is refused" 2 "run1"
run train tiny.yaml --out all --set 'split={kind: random, validation: 0}' --set train.epochs=1; expect "train on all clips" 0 "split: random split.*: nothing is held out$" "train_loss chooses"
grep -qiE "speaker-independent|these clips" out err all/report.html all/log.txt && not_ok "nobody is said to be on both sides" || ok "nobody is said to be on both sides"
grep -q "Nothing was held out" all/report.html && grep -q '"split_note": "random split.*: nothing is held out"' all/metrics.json && ok "page and metrics.json say so" || not_ok "page and metrics.json say so"
rm -rf all
# The effective config says of each layer what was left to its defaults, and means the same.
"$audiomood" inspect tiny.yaml --effective >whole.yaml 2>err; "$audiomood" inspect whole.yaml --effective >again.yaml 2>>err
cmp -s whole.yaml again.yaml && [ -s again.yaml ] && ok "the effective config is one" || not_ok "the effective config is one"; rm -f whole.yaml again.yaml
for source in tiny.yaml run1/best.h5; do
  run inspect $source --effective; expect "inspect $source --effective" 0 "units: 0" "name: conv2d_1" "initialiser: glorot_uniform" "activation: relu"
done
run train run1/config.yaml --out again; expect "train from a run's config.yaml" 0
cmp -s run1/best.h5 again/best.h5 && ok "gives the same weights" || not_ok "gives the same weights"
rm -rf again
run evaluate run1; expect "evaluate" 0 "test part" "macro F1" "Confusion"
run evaluate run1 --json
expect "evaluate --json" 0 '"accuracy"' '"uar"' '"macro_f1"' '"per_class"' '"confusion"' '"split": ?"test"' '"speaker_independent": ?true'
run evaluate run1 --set features.mels=16; expect "evaluate --set of what is the model's" 2 "--set features.mels: only data, split and cache"
cp run1/best.h5 own.h5
run evaluate own.h5 --out own.h5; expect "evaluate does not write over the checkpoint" 2 "--out own.h5 is the file that is read"
run export own.h5 --out ./own.h5; expect "nor does export" 2 "--out ./own.h5 is the file that is read"
cmp -s own.h5 run1/best.h5 && ok "which is as it was" || not_ok "which is as it was"; rm own.h5
run evaluate run1/best.h5 --split validation; expect "evaluate a part" 0 "validation part"
run evaluate run1 --split nothing; expect "evaluate an unknown part" 2 "train, validation, test or all"
run evaluate run1 --data tiny.yaml --set 'split={kind: fixed, test_speakers: ["01", "02", "03", "04"]}'
expect "evaluate another corpus, whatever its config's split" 0 "all part" "^clips +64"
# ---- whether the clips are of speakers unknown to the model ----
expect "speakers that were trained on, or chose the epoch" 0 "^speaker-independent +no: the model knows 3 of the 4 speakers, e.g. synthetic seed [0-9]+/1$" "warning: run1/best.h5: .*knows 3 of the 4"
run evaluate run1 --data tiny.yaml --set 'data.speakers=["04"]' --set data.labels=[]; expect "another config of the corpus, and only the one held out" 0 "^speaker-independent +yes" "^clips +16"
run evaluate run1 --set 'split={kind: fixed, test_speakers: ["01"], validation_speakers: ["03"]}'
expect "a part that was drawn otherwise than in training" 0 "^speaker-independent +no: the model knows 1 of the 1 speakers" "warning: run1/best.h5: .*knows 1 of"
run evaluate run1 --set 'split={kind: fixed, test_speakers: ["04"]}'; expect "another split with the same speaker held out" 0 "^speaker-independent +yes"
run evaluate run1 --json --set 'split={kind: fixed, test_speakers: ["01"], validation_speakers: ["03"]}'
expect "which is false in JSON" 0 '"speaker_independent": ?false'
run evaluate run1 --split train; expect "the training part" 0 "^speaker-independent +no: "
mv corpus moved; run evaluate run1 --set data.root=moved; mv moved corpus
expect "the same corpus in another folder" 0 "^speaker-independent +yes"
grep -q warning err && not_ok "of which there is nothing to warn" || ok "of which there is nothing to warn"
run inspect run1/best.h5; expect "inspect a checkpoint" 0 "conv2d_1/kernel" "calm happy sad angry" "synthetic" "^speakers: synthetic seed [0-9]+ [(]3[)]$"
grep -q "^before:" out && not_ok "which began from nothing" || ok "which began from nothing"
run inspect tiny.yaml --augment corpus/Actor_01/03-01-05-01-01-01-01.wav --out aug --set augment.stretch=[1.25] --set augment.freq_masks=1 --set augment.freq_width=6
expect "inspect --augment" 0 "^before: " "^after: " "aug/augmented.png"
for f in before after; do [ -s aug/$f.wav ] && [ -s aug/$f.csv ] && ok "aug/$f" || not_ok "aug/$f"; done
[ "$(head -c 8 aug/augmented.png | od -An -tx1 | tr -d ' ')" = 89504e470d0a1a0a ] && ok "its picture is a PNG" || not_ok "its picture is a PNG"
run inspect tiny.yaml --augment corpus/Actor_01/03-01-05-01-01-01-01.wav --out aug; expect "--augment without augmentation" 2 "changes nothing"
run inspect tiny.yaml --seed 8 --effective; expect "inspect --seed" 0 "^seed: 8$"
# A name that says nothing: the content does.
cp tiny.yaml tiny.conf; run inspect tiny.conf; expect "inspect a config of another ending" 0 "^tiny: a test" "conv2d_1"
cp run1/best.h5 model; run inspect model; expect "inspect a checkpoint without an ending" 0 "conv2d_1/kernel"
cp corpus/Actor_01/03-01-05-01-01-01-01.wav voice; run inspect voice; expect "inspect a sound without an ending" 0 "^voice: .* 16000 Hz"
cp tiny.conf tiny.wav; run inspect tiny.wav; expect "what is called a sound must be one" 1 "tiny.wav: is a text file, not a sound"
rm tiny.conf tiny.wav model voice
for config in "$root"/configs/*.yaml; do
  name=$(basename "$config" .yaml)
  run inspect "$config"; expect "inspect configs/$name.yaml, without its corpus" 0 "^$name: " "multiply-adds|the classes come from the data"
done
run inspect "$root/configs/ravdess_model2.yaml"; expect "a model of sequences" 0 "^input +\\(40, 1\\)"

# ---- --init: what the weights have been trained on before ----
run train tiny.yaml --out second --init run1/best.h5 --set train.epochs=1; expect "train on, with the same clips held out" 0
grep -q "know" err && not_ok "of which there is nothing to warn" || ok "of which there is nothing to warn"
run evaluate second; expect "evaluate it" 0 "^speaker-independent +yes"
run train tiny.yaml --out turned --init run1/best.h5 --set train.max_steps=2 --set 'split={kind: fixed, validation_speakers: ["03"], test_speakers: ["01"]}'
expect "train on, with other speakers held out" 1 "warning: run1/best.h5: its weights know 2 of the 2 speakers held out here, e.g. synthetic seed [0-9]+/1: " "max_steps"
run train --resume turned --set train.max_steps=0; expect "also when it is resumed" 0 "^Not speaker-independent: .* or may have been"
grep -q '"speaker_independent": ?false' -E turned/metrics.json && grep -q "Not speaker-independent" turned/report.html && ok "its results do not count" || not_ok "its results do not count"
run evaluate turned; expect "evaluate says why" 0 "^speaker-independent +no: the training began from a model that knows 1 of the 1 speakers"
run inspect turned/best.h5; expect "inspect names the corpora" 0 "^before: +synthetic seed [0-9]+ .3. .known to the model" "^split: +not speaker-independent"
rm -rf second turned

# ---- where the time goes ----
run train tiny.yaml --out profiled --profile --set train.epochs=2
expect "train --profile" 0 "^conv2d_1( +[0-9.]+){6} +[0-9.]+%" "^optimiser +[0-9.]+ +[0-9.]+%" "^data .waiting" "^validation and test +[0-9.]+" \
  "^checkpoint +[0-9.]+" "^profile of [0-9]+ steps" "^a step took [0-9.]+ ms .median of [0-9]+., [0-9.]+ ms at least, [0-9.]+ ms at most"
awk '/^all layers/ { on = 1 } /^whole/ { whole = $2; exit } on { for (i = 2; i <= NF; i++) if ($i ~ /^-?[0-9]+[.][0-9]+$/) { sum += $i; n++; break } }
  END { exit !(n == 6 && whole > 0 && sum > whole - 0.01 && sum < whole + 0.01) }' err
[ $? = 0 ] && ok "the parts of the profile add up to the whole" || not_ok "the parts of the profile add up to the whole"
awk '$1 == "lstm_1" || $1 == "conv2d_1" { good += $3 > 0 && $4 > 0 && $6 > 0 && $7 > 0 } END { exit !good }' err
[ $? = 0 ] && ok "layers have rates and bytes, forward and backward" || not_ok "layers have rates and bytes, forward and backward"
run train tiny.yaml --dry-run --profile; expect "--dry-run --profile" 0 "^profile of 1 steps" "^whole +[0-9.]+ +100.0%"

# ---- the folder that a run gets when none is named ----
mkdir beside; cd beside || exit 1
for i in 1 2 3; do
  "$audiomood" train ../tiny.yaml --set data.root=../corpus --set cache=../cache --set train.epochs=1 >../out.$i 2>../err.$i & eval "p$i=\$!"
done
failed=; for i in 1 2 3; do eval "wait \$p$i" || failed="$failed $(tail -n 1 ../err.$i)"; done
[ -z "$failed" ] && ok "runs that begin together" || not_ok "runs that begin together" "$failed"
[ "$(ls -d runs/tiny-* | wc -l)" = 3 ] && [ "$(ls runs/tiny-*/best.h5 | wc -l)" = 3 ] && ok "have a folder each" || not_ok "have a folder each" "$(ls -d runs/*)"
rm -rf runs
"$audiomood" train ../tiny.yaml --set data.root=../corpus --set cache=../cache --dry-run >../out 2>../err; code=$?
[ -e runs ] && code=$(ls runs); cd ..; expect "a dry run makes none" 0; cd beside || exit 1
"$audiomood" train ../tiny.yaml --set data.root=nowhere >../out 2>../err; code=$?
[ -e runs ] && code=$(ls runs); cd ..; expect "a run that does not begin leaves none" 1 "nowhere"; cd beside || exit 1
mkdir runs; sed '/^split:/s/.*/split: {kind: kfold, folds: 2}/' ../tiny.yaml >folds.yaml
"$audiomood" crossval folds.yaml --set data.root=nowhere >../out 2>../err; code=$?
[ "$(ls -A . | tr '\n' ' ')" = "folds.yaml runs " ] && [ -z "$(ls runs)" ] || code=$(ls -A . runs)
cd ..; expect "nor does a cross-validation, but what was there stays" 1 "nowhere"
rm -rf beside out.? err.?
plan
