#!/bin/bash
# tests/cli/test_cli.sh AUDIOMOOD SOURCE_ROOT - the main job on made-up audio, as a user would do it: features, train,
# evaluate, inspect, train on (TAP).
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
  "^checkpoint +[0-9.]+" "^profile of [0-9]+ steps"
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
<<<<<<< HEAD

# ---- a corpus by description, and two corpora as one ----
mkdir -p mine/ann mine/bob
cp corpus/Actor_01/03-01-05-01-01-01-01.wav mine/ann/anger-1.wav
cp corpus/Actor_01/03-01-03-01-01-01-01.wav mine/ann/joy-1.wav
cp corpus/Actor_01/03-01-05-01-01-01-01.wav mine/bob/joy-1.wav
cp corpus/Actor_02/03-01-05-01-01-01-02.wav mine/bob/anger-2.wav
echo "version https://git-lfs.github.com/spec/v1" >mine/bob/joy-3.wav
cp corpus/Actor_02/03-01-05-01-01-01-02.wav mine/other.wav
cat >mine.yaml <<'YAML'
name: mine
title: My corpus
licence: CC0
files: '(?<speaker>\w+)/(?<label>[a-z]+)-(?<take>\d)'
expected: {clips: 6, labels: {joy: 3, anger: 2}}
YAML
run inspect mine.yaml --root mine
expect "inspect a described corpus" 0 "^anger +2 +2$" "^joy +3 +3$" "^clips +5 +6 +differs" "left out: 1" "matches no pattern.*other.wav" \
  "unreadable: .*joy-3.wav" "repeat the sound of another: 1 .1 across speakers, 1 with another label" \
  "ann/anger-1.wav = bob/joy-1.wav .anger and joy, speakers ann and bob" "mine: other counts .* 5 clips of 6"
run inspect mine.yaml; expect "inspect a description alone" 0 "My corpus" "--root DIR"
run inspect mine.yaml --root nowhere; expect "a described corpus that is not there" 1 "nowhere does not exist; wanted the folder that holds My corpus"
sed "s/(?<take>/(?<tkae>/" mine.yaml >typo.yaml
run inspect typo.yaml --root mine; expect "a pattern with an unknown group" 2 'typo.yaml:4:8: files: unknown group "tkae"; did you mean "take"'
run inspect tiny.yaml --root mine; expect "--root of a config" 2 "data.root"
rm mine/bob/joy-3.wav
sed -e 's|^data:.*|data:\n  corpus: several\n  corpora:\n    - {corpus: ravdess, root: corpus, labels: [happy, angry]}\n    - {corpus: described, description: mine.yaml, root: mine, merge: {joy: happy, anger: angry}}|' \
  -e 's|"03"|synthetic/03|; s|"04"|synthetic/04|' tiny.yaml >both.yaml
run inspect both.yaml; expect "inspect two corpora as one" 0 "mine/ann +1 +1 +2" "^synthetic/04 "
sed -e "s|^data:.*|data: {corpus: described, description: $root/datasets/ravdess_speech.yaml, root: corpus}|" \
  -e 's|^split:.*|split: {kind: fixed}|' tiny.yaml >folds.yaml
run crossval folds.yaml --out folds; expect "crossval by the folds of a description" 1 "fold 2 of 5 has no clip"
run crossval tiny.yaml --out folds; expect "crossval of fixed speakers" 2 "no folds to go through"
run train both.yaml --out both; expect "train on two corpora" 0 "unweighted average recall"
run evaluate both; expect "evaluate on two corpora" 0 "^speaker-independent +yes"
sed -e 's|^data:.*|data: {corpus: described, description: mine.yaml, root: mine, merge: {joy: happy, anger: angry}}|' tiny.yaml >only.yaml
run evaluate run1 --data only.yaml; expect "evaluate a corpus of another name" 0 "^speaker-independent +yes"
sed -n '/^data:/p' only.yaml >data.yaml; cp out plain
run evaluate run1 --data data.yaml; expect "evaluate by a config that has a data section only" 0 "^speaker-independent +yes"
cmp -s out plain && ok "gives the same" || not_ok "gives the same"
echo 'split: {kind: kfold, folds: 0}' >>data.yaml; run evaluate run1 --data data.yaml; expect "what else it has must be right" 2 "data.yaml:2:[0-9]+: split.folds"
run train data.yaml; expect "to train it needs a model" 2 'data.yaml:1:1: .*"model" is missing'
run evaluate both --data only.yaml; expect "evaluate a corpus that was one of two" 0 "^speaker-independent +no: the model knows 2 of the 2 speakers, e.g. mine/ann$"
sed "s/^name: .*/name: other\npart_of: mine/" mine.yaml >part.yaml
run evaluate both --data part.yaml --root mine --set "data.merge={joy: happy, anger: angry}"; expect "also by a description of a part of it" 0 "^speaker-independent +no: the model knows 2 of the 2 speakers, e.g. mine/ann$"
sed "s/^name: .*/name: mine_too/" mine.yaml >part.yaml
run evaluate both --data part.yaml --root mine --set "data.merge={joy: happy, anger: angry}"; expect "names that are alike say nothing" 0 "^speaker-independent +yes"
run train only.yaml --out third --init both/best.h5 --set 'split={kind: fixed, test_speakers: [bob]}' --set train.epochs=1
expect "train on with a part of the corpora before" 0 "warning: both/best.h5: its weights know 1 of the 1 speakers held out here, e.g. mine/bob"
run train only.yaml --out third2 --init run1/best.h5 --set 'split={kind: fixed, test_speakers: [bob]}' --set train.epochs=1
grep -q "know" err && not_ok "with another corpus" "$(cat err)" || expect "with another corpus" 0
run train only.yaml --out fourth --init third2/best.h5 --set 'split={kind: fixed, test_speakers: [bob]}' --set train.epochs=1
run evaluate fourth --data tiny.yaml; expect "evaluate on a corpus from two trainings ago" 0 "^speaker-independent +no: the training began from a model that knows 3 of the 4 speakers, e.g. synthetic" "warning: fourth/best.h5: .*knows 3 of the 4"
rm -rf third third2 fourth
# The same speakers, read by the loader and by a description of a part of its corpus; and by a list, which names no corpus.
cp -r corpus real; rm real/SYNTHETIC
run train tiny.yaml --out real1 --set data.root=real --set train.epochs=1
run evaluate real1 --data "$root/datasets/ravdess_speech.yaml" --root real; expect "RAVDESS by description knows RAVDESS's speakers" 0 "^speaker-independent +no: the model knows 3 of the 4 speakers, e.g. ravdess/1$"
run evaluate real1 --data "$root/datasets/ravdess_speech.yaml" --root real --set 'data.speakers=["04"]'; expect "and those it was not trained on" 0 "^speaker-independent +yes"
{ echo path,label,speaker; for f in real/Actor_04/03-01-03*; do echo "$f,happy,04"; done; for f in real/Actor_04/03-01-05*; do echo "$f,angry,04"; done; } >list.csv
echo 'data: {corpus: manifest, manifest: list.csv}' >list.yaml
run evaluate real1 --data list.yaml; expect "who speaks in a manifest is not known" 0 "^speaker-independent +not known: the model or the corpus does not say who its speakers are" "warning: real1/best.h5: .*does not say"
rm -rf real real1
run evaluate run1 --with both; expect "evaluate models of different emotions together" 2 "--with both: it has other classes"

sound=corpus/Actor_04/03-01-05-01-01-01-04.wav
run predict run1 "$sound"; expect "predict a file" 0 "angry [0-9.]+%"
run predict run1/best.h5 "$sound" --json; expect "predict --json" 0 '^\{"file": ?"corpus.*"label": ?"[a-z]+", ?"probabilities": ?\{"calm"'
run predict run1 corpus/Actor_04 --csv
expect "predict a folder as CSV" 0 "^file,label,p_calm"
[ "$(wc -l <out)" = 31 ] && ok "one line a sound" || not_ok "one line a sound" "$(wc -l <out) lines"
"$audiomood" predict run1 - --json <"$sound" >out 2>err; code=$?; expect "predict standard input" 0 "standard input"
"$audiomood" predict run1 "$sound" >/dev/full 2>err; code=$?; : >out; expect "a full standard output is a failure" 1 "standard output"
"$audiomood" predict run1 "$sound" <&- 2>&- >out; code=$?; : >err
expect "predict without standard input and error" 0 "$sound: "
rm -f run1/predictions-test.csv; "$audiomood" evaluate run1 --json <&- >&- 2>&-; code=$?; : >out; : >err
expect "evaluate without any standard stream has told nobody its results" 1
grep -q ^clip, run1/predictions-test.csv && ok "and has kept its predictions" || not_ok "and has kept its predictions"
cp -r run1 kept; rm kept/predictions-test.csv 2>/dev/null; mkdir kept/predictions-test.csv
run evaluate kept; expect "evaluate a run that cannot be changed" 0 "warning: .*kept/predictions-test.csv.*the predictions are not kept" "Confusion"
run evaluate run1 --out nowhere/p.csv; expect "evaluate into a folder that is not there" 1 "cannot create nowhere/p.csv"
[ -s out ] && not_ok "is said before the work" || ok "is said before the work"
run evaluate run1 --out kept; expect "evaluate into a folder" 1 "cannot create kept"
mkfifo pipe; run predict pipe "$sound"; expect "a pipe as a checkpoint" 1 "pipe is a device or a pipe; wanted an HDF5 file"
ln -s kept/page.html link.html; : >kept/page.html; run report run1 --out link.html; expect "report through a link" 0
[ -L link.html ] && [ -s kept/page.html ] && ok "the link stays" || not_ok "the link stays"
rm -rf kept link.html pipe
mkfifo pipe.wav
"$audiomood" predict run1 "$sound" "$sound" pipe.wav --csv >out 2>err & pid=$!
for _ in $(seq 200); do grep -qE 'fifo|wait_for_partner|pipe' /proc/$pid/wchan 2>/dev/null && break; [ "$(cut -d' ' -f1 /proc/$pid/syscall 2>/dev/null)" = 257 ] && break; sleep 0.05; done
sleep 0.5; kill -TERM $pid; wait $pid; code=$?
expect "SIGTERM while a pipe is waited for" 143 "stopped while pipe.wav was read"
[ "$(wc -l <out)" = 3 ] && [ "$(tail -c 1 out)" = "" ] && ok "what was predicted before is written whole" || not_ok "what was predicted before is written whole"
sleep 60 >pipe.wav & writer=$!
"$audiomood" predict run1 pipe.wav >out 2>err & pid=$!
for _ in $(seq 200); do grep -q pipe_read /proc/$pid/wchan 2>/dev/null && break; sleep 0.05; done
kill -TERM $pid; timeout 20 tail --pid=$pid -s 0.1 -f /dev/null || kill -KILL $pid
wait $pid; code=$?; kill $writer 2>/dev/null
expect "SIGTERM while a pipe says nothing" 143 "stopped while pipe.wav was read"
rm pipe.wav
run train tiny.yaml --out short --set features.samples=8000 --set train.epochs=1
run predict short "$sound" "$sound"; expect "a sound longer than a model hears" 0 "warning: 2 of 2 sounds are longer than what this model hears"
[ "$(grep -c "longer than what" err)" = 1 ] && [ "$(grep -c "with --window 0.50 all of it is heard" err)" = 1 ] && ok "is said once" || not_ok "is said once"
run predict short "$sound" --window 0.6; expect "so is a window" 0 "longer than what" "with --window 0.50 all"
run predict short "$sound" --window 0.5; grep -q "longer\|--window" err && not_ok "not of one that is heard" || ok "not of one that is heard"
rm -rf short

# ---- who listens may go away; what is searched may hold pipes and links ----
"$audiomood" predict run1 "$sound" missing.wav --csv >/dev/full 2>err; code=$?; : >out
expect "a full standard output ends the work" 1 "standard output could not be written"
{ "$audiomood" predict run1 corpus/Actor_04 missing.wav 2>err; echo $? >code; } | true
code=$(cat code); expect "so does one that nobody reads, as by that signal" 141
mkdir -p loop/sub; cp "$sound" loop/a.wav; cp "$sound" loop/sub/b.wav
run predict run1 loop --csv; mv out plain
ln -s . loop/again; ln -s .. loop/up; ln -s .. loop/sub/up; ln -s sub loop/twin; mkfifo loop/pipe.wav loop/sub/pipe.wav
timeout 60 "$audiomood" predict run1 loop --csv >out 2>err; code=$?
expect "a folder with links in a circle and to a folder beside, and with pipes" 0 "^loop/sub/b.wav,"
cmp -s out plain && ok "gives the same predictions as without" || not_ok "gives the same predictions as without" "$(wc -l <out) lines"
# heard: waits until the program, which began with an empty err, is about to wait for its sound
heard() { for _ in $(seq 600); do grep -q "trained on synthetic" err && break; sleep 0.05; done; sleep 0.3; }
mkfifo pipe; : >err
(trap "" INT; exec "$audiomood" predict run1 pipe >out 2>err) & pid=$!
heard; kill -INT $pid; timeout 20 sh -c 'cat "$1" >pipe' - "$sound"; wait $pid; code=$?
expect "an ignored Ctrl-C stays ignored; a pipe that is named is read" 0 "^pipe: [a-z]+ .*angry [0-9.]+%"
grep -q stopping err && not_ok "without a word" || ok "without a word"
: >err; "${hearing[@]}" predict run1 pipe >out 2>err & pid=$!
heard; kill -INT $pid; wait $pid; code=$?
expect "Ctrl-C ends the wait for a pipe" 130 "^audiomood predict: stopped while pipe was read"
: >err; "${hearing[@]}" predict run1 - <pipe >out 2>err & pid=$!
sleep 30 >pipe & writer=$!
heard; kill -INT $pid; wait $pid; code=$?; kill $writer
expect "Ctrl-C ends the wait for standard input" 130 "^audiomood predict: stopped while standard input was read"
rm -rf loop pipe plain code

# ---- a long recording, in windows ----
# A clip twice and its first half; windows of a clip's length then hold the clip, the clip, and its second half and its first.
au() { # 16-bit samples from standard input, as a .au file: a head and samples with the high byte first
  dd conv=swab status=none >body
  printf ".snd\0\0\0\030$(printf %08x "$(stat -c %s body)" | sed 's/../\\x&/g')\0\0\0\003\0\0\x3e\x80\0\0\0\001"
  cat body
}
samples=$((($(stat -c %s "$sound") - 44) / 4 * 2))
tail -c +45 "$sound" | head -c $((2 * samples)) >pcm
au <pcm >clip.au
{ cat pcm pcm; head -c $samples pcm; } | au >long.au
length=$(awk "BEGIN { print $samples / 16000 }")
run predict run1 clip.au --csv; sed 's/^clip.au,//' out >plain
run predict run1 long.au --window $length --csv; expect "predict in windows" 0 "^file,start,end,label,p_calm"
awk -F, -v s=$length 'NR > 1 { want = NR < 4 ? (NR - 2) * s : 1.5 * s; if ($1 == "long.au" && $2 - want < 1e-3 && want - $2 < 1e-3 && $3 - $2 - s < 1e-3 && s - $3 + $2 < 1e-3) good++ }
  END { exit !(good == 3 && NR == 4) }' out && ok "a row each, the last ends with the sound" || not_ok "a row each, the last ends with the sound"
[ "$(sed -n 2,3p out | cut -d, -f4- | sort -u)" = "$(sed 1d plain)" ] && ok "a window is heard as a clip of its own" || not_ok "a window is heard as a clip of its own" "$(cat plain)"
run predict run1 long.au --window $length --hop 0.5 --json
expect "windows that overlap, as JSON" 0 '^\{"file": ?"long.au", ?"start": ?0.5, ?"end": ?[0-9.]+, ?"label": ?"[a-z]+", ?"probabilities": ?\{"calm"'
run predict run1 clip.au --window 100; expect "a sound shorter than a window is one" 0 "^clip.au 0.00-$(printf %.2f $length) s: [a-z]+  calm [0-9.]+%"
[ "$(wc -l <out)" = 1 ] && ok "in one row" || not_ok "in one row"
run predict run1 - --window 1 --csv <long.au; expect "windows of standard input" 0 "^.standard input.,1,2,"
run predict run1 long.au --hop 1; expect "--hop without --window" 2 "give --window SECONDS, too"
run predict run1 long.au --window 1 --hop 2; expect "a hop that leaves sound out" 2 "--hop 2: wanted a number from 0.01 to 1"
for bad in 0 -1 x nan 1s; do run predict run1 long.au --window=$bad; expect "--window $bad" 2 "--window $bad: wanted a number from 0.1 to 14400"; done
run predict run1 long.au --window 0.1 --hop 0.0333 --csv
[ "$(sed -n 32p out | cut -d, -f2)" = 0.999 ] && ok "the k-th window begins k hops on" || not_ok "the k-th window begins k hops on" "$(sed -n 32p out)"
rm -f long.au clip.au plain pcm body

# ---- sounds that cannot be heard, names of any kind ----
{ printf '.snd\0\0\0\030\0\0\x7d\0\0\0\0\006\0\0\x3e\x80\0\0\0\001'; printf '\x71\x49\xf2\xca%.0s' $(seq 8000); } >huge.au # 1e30
run predict run1 huge.au "$sound"; expect "a sound of absurd numbers is named" 1 "^audiomood predict: huge.au: "
run predict run1 huge.au "$sound" --skip-unreadable; expect "and skipped on request" 0 "skipped: huge.au: " "1 of 2 sounds skipped" "^$sound: "
newline=$'new\nline.wav'; cp "$sound" "$newline"; run predict run1 "$newline"; expect "a name of two lines" 0 "^new line.wav: [a-z]+"
[ "$(wc -l <out)" = 1 ] && ok "is printed in one" || not_ok "is printed in one"
run inspect "$newline"; run predict run1 "$newline" $'no\nfile' --skip-unreadable; grep -q "^file" err && not_ok "also in warnings" || expect "also in warnings" 0 "skipped: .*no file"
rm -f huge.au "$newline"
mkdir beside; sed 's|^name: tiny|name: ../../a b|' tiny.yaml >beside/odd.yaml; cd beside || exit 1
"$audiomood" train odd.yaml --set data.root=../corpus --set cache=../cache --set train.epochs=1 >../out 2>../err; code=$?
ls -d runs/..-..-a\ b-* >>../out; cd ..; expect "the default folder of a run of any name is in runs" 0 "^runs/..-..-a b-[0-9]+-[0-9]+$"
rm -rf beside

run train tiny.yaml --out other --seed 8 --set train.epochs=1
for r in run1 other "run1 --with other --with run1"; do run predict $r "$sound" --csv; sed 1d out; done >alone
cut -d, -f1-6 alone >rows # without what was heard
awk -F, 'NR <= 2 { for (k = 3; k <= NF; k++) mean[k] += $k * (NR == 1 ? 2 : 1) / 3 }
  NR == 3 { for (k = 3; k <= NF; k++) if ((d = mean[k] - $k) > 1e-6 || d < -1e-6) exit 1; if (NF == 6) good = 1 } END { exit !good }' rows \
  && ok "predict --with gives the mean of the models" || not_ok "predict --with gives the mean of the models" "$(cat alone)"
run evaluate run1 --out alone.1; run evaluate other --out alone.2; run evaluate run1 --with other
expect "evaluate --with" 0 "^tiny and 1 more, by the mean of their probabilities, on .* test part" "^speaker-independent +yes"
paste -d, alone.1 alone.2 run1/predictions-mean-test.csv | awk -F, 'NR > 1 { n = NF / 3; for (k = 6; k <= n; k++) {
    if ((d = ($k + $(n + k)) / 2 - $(2 * n + k)) > 1e-6 || d < -1e-6) exit 1; good++ } } END { exit good < 16 }' \
  && ok "evaluate --with scores the mean of the models" || not_ok "evaluate --with scores the mean of the models"
run evaluate run1 --with other --json; expect "evaluate --with, as JSON" 0 '"models": ?2'
run evaluate run1 --with both2 --json; expect "evaluate --with what is not there" 1 "both2: no such file"
rm -rf other

# ---- the page of a run ----
[ -s run1/report.html ] && ok "train writes the page" || not_ok "train writes the page"
run report run1; expect "report" 0 "^run1/report.html"
grep -q "Synthetic speech" run1/report.html && grep -q "Speaker-independent" run1/report.html && grep -q "<h2>Most confidently wrong" run1/report.html
[ $? = 0 ] && ok "the page says what it is about" || not_ok "the page says what it is about"
for f in loss accuracy confusion calibration lengths waveform spectrogram; do
  grep -q "</svg>" run1/plots/$f.svg && ok "plots/$f.svg" || not_ok "plots/$f.svg"
done
run report run1 --out page.html; [ -s page.html ] && expect "report --out" 0 "^page.html" || not_ok "report --out"
mv corpus elsewhere; run report run1 --out page.html; mv elsewhere corpus
expect "a report without the corpus" 0
grep -q "left out, because the corpus could not be read" page.html && ok "says what is left out" || not_ok "says what is left out"
run report nowhere; expect "report of a missing run" 1 "nowhere"
run report run1 run1; expect "report of two runs" 2 "too many"
cp -r run1 hurt; echo '{"test": {' >hurt/metrics.json; run report hurt; expect "report of a damaged run" 1 "hurt/metrics.json"
rm hurt/metrics.json; run report hurt; expect "report of an unfinished run" 1 "hurt/metrics.json" "--resume hurt"
rm -rf hurt page.html

# ---- normalised per speaker ----
run train tiny.yaml --out transductive --set features.normalise=speaker --set train.epochs=1; expect "train, normalised per speaker" 0
run evaluate transductive; expect "its results say transductive" 0 "transductive +yes"
run evaluate transductive --json; expect "also in JSON" 0 '"transductive": ?true'
run predict transductive "$sound"; expect "predict then needs --speaker" 2 "--speaker NAME"
cp -r corpus/Actor_04 mixed; echo noise >mixed/noise.wav
run predict transductive mixed --speaker 04; expect "an unreadable sound of the speaker" 1 "mixed/noise.wav"
run predict transductive mixed --speaker 04 --skip-unreadable; expect "is skipped on request" 0 "1 of 31 sounds skipped" "mixed/03-01-05-01-01-01-04.wav: [a-z]+"
sed 's/^mixed/corpus\/Actor_04/' out >plain; run predict transductive corpus/Actor_04 --speaker 04
cmp -s out plain && ok "and has no part in what normalises" || not_ok "and has no part in what normalises"; rm -rf mixed plain
run predict transductive corpus/Actor_04 --speaker 04; expect "predict --speaker" 0 "Actor_04/03-01-05-01-01-01-04.wav: [a-z]+"

# ---- same seed, same result ----
for t in 1 4; do
  run train tiny.yaml --out threads$t --threads $t
  cmp -s run1/best.h5 threads$t/best.h5 && ok "$t threads, same weights" || not_ok "$t threads, same weights"
done
"$audiomood" train tiny.yaml --out whole --set train.epochs=40 --quiet >/dev/null 2>&1
: >err; "${hearing[@]}" train tiny.yaml --out int --set train.epochs=40 >out 2>err & pid=$!
for _ in $(seq 3000); do grep -q "^epoch 2/40:" err && break; sleep 0.01; done
kill -INT $pid; wait $pid; code=$?
expect "Ctrl-C saves, says how to resume, ends by the signal" 130 "resume int"
run train --resume int; expect "resume" 0 "of 40"
cmp -s int/best.h5 whole/best.h5 && ok "resumed equals uninterrupted" || not_ok "resumed equals uninterrupted"
run train --resume nowhere; expect "resume where nothing is" 1 "nowhere"
# begin NAME: a long run, held (SIGSTOP) when its second epoch has ended; $pid is the process
begin() {
  : >err; "${hearing[@]}" train tiny.yaml --out "$1" --set train.epochs=400 --threads 2 >out 2>err & pid=$!
  for _ in $(seq 3000); do grep -q "^epoch 2/400:" err && break; sleep 0.01; done
  kill -STOP $pid
}
begin term; kill -TERM $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGTERM saves, reports, ends by the signal" 143 "stopping after this step" "stopped after step [0-9]+, in epoch" "all is saved in term/last.h5"
step=$(grep -oE "^audiomood train: stopped after step [0-9]+" err | grep -oE "[0-9]+$")
grep -q '"state": "interrupted"' term/run.json && ok "run.json says so" || not_ok "run.json says so"
run train --resume term --set train.epochs=3; expect "the step was finished and saved" 0 "resuming after step $step,"
cmp -s term/predictions.csv run1/predictions.csv && [ "$(tail -1 term/digests.csv)" = "$(tail -1 run1/digests.csv)" ] || [ "$step" -gt 12 ]
[ $? = 0 ] && ok "and the run ends as if it had not been stopped" || not_ok "and the run ends as if it had not been stopped"
begin hung; kill -HUP $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGHUP, of a terminal that closes, saves as well" 129 "stopped after step [0-9]+, in epoch" "all is saved in hung/last.h5"
grep -q '"state": "interrupted"' hung/run.json && ok "and says so" || not_ok "and says so"
begin twice; kill -TERM $pid; kill -INT $pid; kill -CONT $pid; wait $pid; code=$?
# Which of the two is handled first is the kernel's choice; whichever is second ends the process before it has saved.
[ $code = 130 ] || [ $code = 143 ] && ok "a second signal stops at once" || not_ok "a second signal stops at once" "exit code $code"
grep -q '"state": "running"' twice/run.json && ok "without a save" || not_ok "without a save"

# ---- verify ----
run verify run1; expect "verify" 0 "^ +10 +[0-9]+ +[0-9a-f]{8} +[0-9a-f]{8} +equal" "are those of the run" "4 of 4 digests of the weights agree|3 of 3 digests of the weights agree"
run verify int --epochs 3 --threads 1; expect "verify a resumed run, other threads" 0 "equal" "digests of the weights agree"
[ "$(uname -m)" = x86_64 ] && { AM_CPU=plain run verify run1; grep -q '"cpu": "plain"' run1/run.json && expect "verify on the same path" 0 || expect "verify on another processor path" 1 "cpu: avx[0-9]+ then, plain now" "differ from step"; }
cp -r run1 forged; sed -i 's/^10,\([0-9]*\),.*/10,\1,01234567/' forged/digests.csv
run verify forged; expect "verify a run with other weights" 1 "01234567 .*differs" "libraries and recordings are those of the run" "forged: the weights differ from step 10 on"
run verify corpus; expect "verify what is no run" 2 "corpus: there is no run to verify"
run verify run1 --epochs 99; expect "verify more epochs than there are" 2 "there are digests of 3 epochs, not of 99"
run verify run1 --epochs x; expect "verify with a bad number" 2 "--epochs x"
run verify run1 --set train.batch=4; expect "verify with other settings" 2 "train.batch is 4, the run has 8"
run verify run1 --set train.epochs=7; expect "verify with another length" 2 "train.epochs is 7, the run has 3"
run verify run1 --set data.root=mine; expect "verify without its corpus" 1
run verify run1 --set data.root=./corpus --set cache=; expect "verify with its corpus elsewhere" 0 "digests of the weights agree"
run train tiny.yaml --out longer --set train.schedule.kind=cosine --set train.max_steps=5
run train --resume longer --set train.max_steps=0 --set train.epochs=6; expect "a run made longer" 0 "of 6; results in longer"
run verify longer --epochs 6; expect "verify a run made longer" 0 "([0-9]+) of \\1 digests of the weights agree"
sed -i 's/"train_epochs"/"unheard_of"/' longer/run.json # an earlier version's
run verify longer; expect "verify a run that does not say whether it was" 1 "another train.epochs, which its run.json does not say"
rm -rf forged longer

# ---- IEMOCAP's shape: sessions, chunks, utterances ----
run synth sessions --layout iemocap; expect "synth --layout iemocap" 0 "120 synthetic clips of 10 voices"
run synth other --layout emodb; expect "an unknown layout" 2 "wanted ravdess or iemocap"
run synth other --layout iemocap --actors 3; expect "an option of the other layout" 2 "--actors"
run synth corpus --layout iemocap; expect "a corpus of the other layout is not overwritten" 2 "corpus.*nothing was written"
sed -e 's/^data: .*/data: {corpus: iemocap, root: sessions, label_set: 4, style: improvised, chunk_seconds: 1}/' -e 's/epochs: 3/epochs: 1/' \
  -e 's/^split: .*/split: {kind: leave_one_group_out, fold: 4, validation_speakers_count: 2}/' tiny.yaml >sessions.yaml
run train sessions.yaml --out run_sessions; expect "train, a session left out" 0 "Session5 left out \\(fold 4 of 5\\)" "no agreement of the raters" "utterances by the mean of their chunks"
run evaluate run_sessions; expect "evaluate per utterance" 0 "Per utterance, by the mean probability of its chunks" "^chunks +[0-9]+" "^utterances +12" "speaker-independent +yes"
run evaluate run_sessions --json; expect "evaluate --json per utterance" 0 '"per_utterance": ?\{'
run evaluate run1 --json; grep -q per_utterance out && not_ok "whole clips have no second table" || ok "whole clips have no second table"
for config in iemocap_cnn1:1,986,314 iemocap_cnn1_corrected:1,986,314 iemocap_cnn2:10,243,463 iemocap_cnn2_corrected:10,243,463 iemocap_cnn_lstm:738,012; do
  run inspect "$root/configs/${config%%:*}.yaml" --set data.root=sessions; expect "inspect ${config%%:*}" 0 "^all .* ${config#*:} "
done
run train sessions.yaml --set data.root=corpus --out bad; expect "a tree that is not IEMOCAP's" 1 "looked for Session1 to Session5" "found .*Actor_01"

# ---- cross-validation, and runs side by side ----
sed -e 's/^split: .*/split: {kind: fixed, fold_lists: [["01", "02"], ["03"], ["04"]], validation_speakers_count: 1}/' tiny.yaml >folds.yaml
run crossval folds.yaml --out cv
expect "crossval" 0 "64 from the cache|64 clips from the cache" "over 3 folds" "Confusion" "^clips +64" "recall of calm" "synthetic"
run crossval --resume cv; expect "a finished cross-validation is not trained again" 0 "3 of 3 runs were finished already" "^clips +64"
grep -q "^epoch" err && not_ok "no fold is trained twice" || ok "no fold is trained twice"
[ "$(head -1 cv/predictions.csv)" = "clip,speaker,fold,true,predicted,p_calm,p_happy,p_sad,p_angry,gender,intensity,statement,channel" ] && [ "$(wc -l <cv/predictions.csv)" = 65 ] \
  && ok "predictions of all folds" || not_ok "predictions of all folds" "$(head -2 cv/predictions.csv)"
[ -s cv/fold-2/report.html ] && ok "each fold has its page" || not_ok "each fold has its page"
grep -q 'href="fold-2/report.html"' cv/report.html && grep -q "Result over the folds" cv/report.html && grep -q "Synthetic speech" cv/report.html \
  && ok "the whole has its page" || not_ok "the whole has its page"
for f in training-loss validation-recall confusion calibration; do
  grep -q "</svg>" cv/plots/$f.svg && ok "cv/plots/$f.svg" || not_ok "cv/plots/$f.svg"
done
cp cv/report.html first.html; mv corpus elsewhere; run report cv; mv elsewhere corpus
expect "report of a cross-validation, without the corpus" 0 "^cv/report.html"
cmp -s cv/report.html first.html && ok "the page is written again the same" || not_ok "the page is written again the same"
cp -r cv hurt; rm hurt/fold-1/history.csv; run report hurt; expect "report of a damaged cross-validation" 1 "hurt/fold-1/history.csv" "crossval --resume hurt"
rm -rf hurt first.html
run crossval folds.yaml --out cv; expect "a folder with a cross-validation is refused" 2 "--resume cv"
run evaluate cv/fold-1; expect "a fold is a run" 0 "03.*|test part"
run crossval folds.yaml --out long --set train.epochs=24 --quiet; expect "crossval, longer" 0
"${hearing[@]}" crossval folds.yaml --out cut --set train.epochs=24 >out 2>err & pid=$!
for _ in $(seq 2000); do [ -s cut/fold-1/config.yaml ] && break; sleep 0.02; done
kill -INT $pid; wait $pid; code=$?
expect "Ctrl-C in a fold says how to go on" 130 "1 of 3 runs finished" "audiomood crossval --resume cut"
grep -q "1 of 3 runs are" cut/report.html && ok "the page of what is finished" || not_ok "the page of what is finished"
run crossval --resume cut --json; expect "resume, as JSON" 0 '"state": "finished"' '"over_folds"' '"pooled"' "1 of 3 runs were finished already"
cmp -s cut/predictions.csv long/predictions.csv && ok "resumed folds equal uninterrupted ones" || not_ok "resumed folds equal uninterrupted ones"
run crossval folds.yaml --out cvs --seeds 2 --folds 0,2 --set train.epochs=1; expect "seeds and folds" 0 "2 of 3 folds, several seeds" "over 2 seeds"
[ -s cvs/seed-4/fold-2/best.h5 ] && ok "a folder for each seed" || not_ok "a folder for each seed"
grep -q 'href="seed-4/fold-2/report.html"' cvs/report.html && grep -q "over 2 seeds" cvs/report.html && ok "a page of all seeds" || not_ok "a page of all seeds"
run crossval sessions.yaml --out cvg --folds 3-4; expect "crossval, a session left out" 0 "2 of 5 folds" "utterances: UAR"
grep -q "Average recall of utterances" cvg/report.html && ok "its page has the utterances" || not_ok "its page has the utterances"
run crossval tiny.yaml --out no; expect "crossval of a split without folds" 2 "fold_lists"
run crossval folds.yaml --out no --folds 3; expect "a fold that is not there" 2 "no fold 3; .* 0 to 2"
run crossval folds.yaml --out no --folds 0,x; expect "--folds that are no numbers" 2 "--folds 0,x"
[ -e no ] && not_ok "nothing half-written" || ok "nothing half-written"
run crossval --resume run1; expect "resume of what is no cross-validation" 1 "crossval.yaml"
run crossval --resume cut --set train.epochs=3; expect "resume with other settings" 2 "trained alike"
run compare cv long; expect "compare" 0 "train.epochs +3 +24" "on the same 64 clips" "over 4 speakers" "mid-p = "
run compare cv cvs; expect "compare of different clips" 0 "not the same; 16 only in A" "tested on the 48 clips in common"
run compare cv run1 threads1 --json; expect "compare --json" 0 '"mid_p": ' '"split.kind"|"split.fold_lists"' '"common": 16'
run compare cv; expect "compare of one run" 2
run compare cv corpus; expect "compare of what is no run" 1 "corpus/config.yaml"

# ---- what a user can get wrong ----
bad() { # name, sed expression on tiny.yaml, code, patterns
  local name=$1 edit=$2 want=$3; shift 3
  sed "$edit" tiny.yaml >bad.yaml; rm -rf bad
  run train bad.yaml --out bad; expect "$name" "$want" "$@"
  [ -e bad ] && not_ok "$name: nothing half-written" || ok "$name: nothing half-written"
}
bad "unknown key" 's/filters: 8/filers: 8/' 2 'bad.yaml:[0-9]+:[0-9]+' 'did you mean "?filters'
bad "unknown layer" 's/- max_pool2d/- maxpool2d/' 2 'bad.yaml:[0-9]+' 'max_pool2d'
bad "value out of range" 's/rate: 0.2/rate: 1.5/' 2 'bad.yaml:[0-9]+:[0-9]+' 'rate'
bad "trailing junk in a number" 's/epochs: 3/epochs: 3x/' 2 '3x'
bad "duplicate key" 's/^seed: 3/seed: 3\nseed: 4/' 2 'seed'
bad "not YAML" 's/^seed: 3/seed: [3/' 2 'bad.yaml:[0-9]+'
bad "a class without clips" 's/sad, angry\]/sad, cross]/' 1 'cross'
bad "a folder that is not there" 's/root: corpus/root: nowhere/' 1 'nowhere'
mkdir -p empty; bad "a folder without a corpus" 's/root: corpus/root: empty/' 1 'empty' 'looked for|wanted'
bad "an unknown speaker" 's/"04"/"77"/' 2 '77'
run train tiny.yaml --set train.epoch=3 --out bad; expect "--set of an unknown key" 2 "--set" "epochs"
sed 's/mels: 24/mels: 20/' tiny.yaml >other.yaml
run train other.yaml --out other --set train.epochs=1; expect "another front end" 0
sed 's/filters: 8/filters: 9/' tiny.yaml >wider.yaml
run train wider.yaml --out wider --init run1/best.h5 --set train.epochs=1; expect "--init lists what does not fit" 0 "reshaped|shape" "conv2d_1/kernel"

mkdir sounds; head -c 0 /dev/null >sounds/empty.wav; echo "version https://git-lfs.github.com/spec/v1" >sounds/stub.wav
head -c 3000 "$sound" >sounds/truncated.wav; head -c 44 "$sound" >sounds/headeronly.wav; for i in $(seq 0 255); do printf "\\x$(printf %x $((i * 167 % 256)))"; done >sounds/noise.wav
for f in empty stub truncated headeronly noise; do
  run predict run1 sounds/$f.wav; expect "predict $f.wav" 1 "sounds/$f.wav"
  [ "$(grep -vc '^warning: this model was trained on synthetic' err)" = 1 ] && ok "$f.wav: one clear line" || not_ok "$f.wav: one clear line"
done
run predict run1 sounds/missing.wav; expect "predict a missing file" 1 "missing.wav"
run predict run1 empty; expect "predict a folder without sounds" 1 "no sound file"
run predict run1 sounds "$sound" --skip-unreadable; expect "unreadable sounds are skipped on request" 0 "5 of 6 sounds skipped"
echo "not HDF5" >junk.h5; run predict junk.h5 "$sound"; expect "a checkpoint that is none" 1 "junk.h5"
head -c 4000 run1/best.h5 >half.h5; run predict half.h5 "$sound"; expect "a truncated checkpoint" 1 "half.h5"
cp run1/best.h5 flipped.h5; size=$(stat -c %s flipped.h5)
printf '\377' | dd of=flipped.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
"$audiomood" predict run1 "$sound" >right 2>/dev/null
run predict flipped.h5 "$sound"
if [ "$code" = 1 ] && grep -q flipped.h5 err || cmp -s out right; then ok "a flipped byte is noticed or without effect"
else not_ok "a flipped byte is noticed or without effect" "exit code $code"; fi

cp -r corpus broken; : >broken/Actor_01/03-01-05-01-01-01-01.wav
run train tiny.yaml --set data.root=broken --out bad; expect "a broken file in the corpus is named" 1 "broken/Actor_01/03-01-05-01-01-01-01.wav"
run train tiny.yaml --set data.root=broken --set data.skip_unreadable=true --set train.epochs=1 --out skipped
expect "or skipped and counted" 0 "skipped|left out"
(ulimit -f 8; "$audiomood" train tiny.yaml --set train.epochs=1 --set cache= --out full >out 2>err); code=$?
expect "a file that cannot be written" 1 "full"
ls full 2>/dev/null | grep -q 'tmp$' && not_ok "no half-written file stays" || ok "no half-written file stays"
run train tiny.yaml --set train.optimiser.learning_rate=1e30 --out nan; expect "NaN loss stops with step and layer" 1 "step" "conv2d|lstm|dense|attention"

=======
>>>>>>> 06f34e1 (tests: Make what many scripts of the command share once)
plan
