#!/bin/bash
# tests/cli/test_corpora.sh AUDIOMOOD SOURCE_ROOT - a corpus by description, and two corpora as one (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" corpora "$1" "$2"

trained

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
licence: CC BY-NC 4.0
citation: Ann B (2026)
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
run inspect typo.yaml --root mine; expect "a pattern with an unknown group" 2 'typo.yaml:5:8: files: unknown group "tkae"; did you mean "take"'
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
run inspect both; expect "a checkpoint names all corpora" 0 "^title:    a test$" "^licence:  MIT, as AudioMood itself; CC BY-NC 4.0 .not for commercial use.$" \
  "^data:     AudioMood demo corpus: .* .MIT, as AudioMood itself.: made by" "^data:     My corpus .CC BY-NC 4.0.: Ann B .2026.$"
run evaluate both; expect "evaluate on two corpora" 0 "^speaker-independent +yes"
sed -e 's|^data:.*|data: {corpus: described, description: mine.yaml, root: mine, merge: {joy: happy, anger: angry}}|' tiny.yaml >only.yaml
run evaluate run1 --data only.yaml; expect "evaluate a corpus of another name" 0 "^speaker-independent +yes"
sed -n '/^data:/p' only.yaml >data.yaml; cp out plain
run evaluate run1 --data data.yaml; expect "evaluate by a config that has a data section only" 0 "^speaker-independent +yes"
cmp -s out plain && ok "gives the same" || not_ok "gives the same"
echo 'split: {kind: kfold, folds: 0}' >>data.yaml; run evaluate run1 --data data.yaml; expect "what else it has must be right" 2 "data.yaml:2:[0-9]+: split.folds"
run train data.yaml; expect "to train it needs a model" 2 'data.yaml:1:1: .*"model" is missing'
run evaluate both --data only.yaml; expect "evaluate a corpus that was one of two" 0 "^speaker-independent +no: the model knows 2 of the 2 speakers, e.g. mine/ann$"
run evaluate both --data only.yaml --data tiny.yaml; expect "two corpora are one table" 0 "^corpus +clips +speakers +UAR" "^mine +[0-9]+ +2 " \
  "^  speaker-independent: no: the model knows 2 of the 2 speakers" "^synthetic +[0-9]+ +4 " "^  synthetic speech$"
for one in only tiny; do "$audiomood" evaluate both --data $one.yaml --json --quiet 2>/dev/null; done >ones.json
run evaluate both --data only.yaml --data tiny.yaml --json --quiet
sed -n 's/^ *"uar": \([0-9.]*\),$/\1/p' ones.json | sort >ones; sed -n 's/^ *"uar": \([0-9.]*\),$/\1/p' out | sort >rows
test -s ones && cmp -s ones rows && ok "each row is what it is alone" || not_ok "each row is what it is alone"
sed "s/^name: .*/name: other\npart_of: mine/" mine.yaml >part.yaml
run evaluate both --data part.yaml --root mine --set "data.merge={joy: happy, anger: angry}"; expect "also by a description of a part of it" 0 "^speaker-independent +no: the model knows 2 of the 2 speakers, e.g. mine/ann$"
sed "s/^name: .*/name: mine_too/" mine.yaml >part.yaml
run evaluate both --data part.yaml --root mine --set "data.merge={joy: happy, anger: angry}"; expect "names that are alike say nothing" 0 "^speaker-independent +yes"
run train only.yaml --out third --init both/best.h5 --set 'split={kind: fixed, test_speakers: [bob]}' --set train.epochs=1
expect "train on with a part of the corpora before" 0 "warning: both/best.h5: its weights know 1 of the 1 speakers held out here, e.g. mine/bob"
run train only.yaml --out third2 --init run1/best.h5 --set 'split={kind: fixed, test_speakers: [bob]}' --set train.epochs=1
grep -q "know" err && not_ok "with another corpus" "$(cat err)" || expect "with another corpus" 0
run inspect third2; expect "a licence outlives --init" 0 "^licence:  CC BY-NC 4.0; MIT, as AudioMood itself .not for" "^data:     My corpus" "^data:     AudioMood demo"
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
# Lists of other programs: a folder of Kaldi in parts, an audio folder of Hugging Face, what they put into a checkpoint.
mkdir -p kaldi/train kaldi/test hub
for f in corpus/Actor_0[1-4]/03-01-0[35]*; do
  case $f in *03-01-03*) e=happy ;; *) e=angry ;; esac; case $f in *Actor_04*) part=test ;; *) part=train ;; esac
  u=$(basename "$f" .wav); echo "$u $f" >>kaldi/$part/wav.scp; echo "$u $e" >>kaldi/$part/utt2emo; echo "$u ${u##*-}" >>kaldi/$part/utt2spk
  cp "$f" hub; echo "$u.wav,$e,${u##*-}" >>hub/rows
done
{ echo file_name,label,speaker_id; cat hub/rows; } >hub/metadata.csv; rm hub/rows
run inspect kaldi --root .; expect "inspect a folder of Kaldi" 0 "^parts +train 24, validation 0, test 8 " "^angry +16$" "^speakers +4$" "all can be read"
run inspect hub; expect "inspect an audio folder" 0 "^hub" "^happy +16$" "^04 +4 +4 +8"
run evaluate run1 --data hub; expect "evaluate on an audio folder" 0 "^clips +32$"
run evaluate run1 --data kaldi --root . --set split.kind=corpus --split test; expect "evaluate on a part of a folder of Kaldi" 0 "^clips +8$"
run train tiny.yaml --out listed --set data='{corpus: manifest, manifest: kaldi, root: ., licence: CC BY-NC 4.0, citation: Ann B, title: Talks}' \
  --set split='{kind: corpus}' --set train.epochs=1; expect "train on a folder of Kaldi" 0 "unweighted average recall"
run inspect listed; expect "its checkpoint names the licence" 0 "^licence:  CC BY-NC 4.0 .not for" "^data:     Talks .CC BY-NC 4.0.: Ann B"
rm -rf kaldi hub listed
rm -rf real real1
# First two corpora with two emotions, then one of them with four: all layers but the last are taken.
run train tiny.yaml --out tuned --init both/best.h5 --set train.epochs=1
expect "train on with more emotions" 0 "both/best.h5: [0-9]+ arrays matched: conv2d" \
  "warning: both/best.h5: 2 arrays of another shape, drawn new: dense[^ ]*/kernel .*here.*, dense[^ ]*/bias"
rm -rf tuned
# Each corpus by its own statistics: in the checkpoint is what a recording of neither is heard by.
run train both.yaml --out each --set features.normalise=corpus --set train.epochs=1 --set train.balance=corpus; expect "train, normalised per corpus" 0 "unweighted average recall"
grep -h "p_" each/predictions.csv >/dev/null && cp each/predictions.csv plain; run evaluate each; expect "its results say transductive" 0 "^transductive +yes: the clips of each corpus are"
cmp -s each/predictions-test.csv plain && ok "evaluate hears what training heard" || not_ok "evaluate hears what training heard"
run evaluate each --data only.yaml --json; expect "also on one of the corpora" 0 '"transductive": ?true'
run predict each "$sound"; expect "a single sound by the mean over corpora" 0 "03-01-.*: [a-z]+"
run train tiny.yaml --out each --set train.balance=corpus --dry-run; expect "one corpus has nothing to balance" 0 "warning: train.balance: corpus has nothing to balance"
rm -rf each plain
run evaluate run1 --with both; expect "evaluate models of different emotions together" 2 "--with both: it has other classes"
plan
