#!/bin/bash
# tests/cli/test_exchanged.sh AUDIOMOOD SOURCE_ROOT - a recording that was exchanged under its name is noticed, one that was
# only copied is not (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" exchanged "$1" "$2"

cat >tiny.yaml <<'YAML'
name: tiny
seed: 3
cache: cache
data: {corpus: ravdess, root: corpus, labels: [calm, angry]}
split: {kind: kfold, folds: 2, fold: 0, validation_speakers_count: 0}
features: {kind: log_mel, sample_rate: 8000, n_fft: 256, hop: 128, mels: 12, mean_over_time: true}
model: {layers: [flatten, dense]}
train: {epochs: 2, batch: 2, monitor: last, save_seconds: 0}
YAML
speech 2
"$audiomood" train tiny.yaml --out run --set train.max_steps=3 >log 2>&1
[ -f run/last.h5 ] || { echo "not ok 1 - preparing"; tail -5 log | sed 's/^/# /'; echo 1..1; exit 1; }
cp -r run whole; run train --resume whole --set train.max_steps=0; expect "a whole run" 0
[ "$(head -1 run/clips.csv)" = clip,sound ] && [ "$(wc -l <run/clips.csv)" = 17 ] && ok "a digest for every clip" || not_ok "a digest for every clip" "$(cat run/clips.csv)"
same() { cmp -s whole/digests.csv "$1/digests.csv" && cmp -s whole/predictions.csv "$1/predictions.csv"; }

# ---- what is only elsewhere, or stored otherwise ----
cp -r corpus copied; cp -r run elsewhere
run train --resume elsewhere --set train.max_steps=0 --set data.root=copied --set cache=other; expect "a copied corpus is the same" 0
same elsewhere && ok "and trains the same" || not_ok "and trains the same"
run verify whole --set data.root=copied --set cache=other; expect "for verify, too" 0 "libraries and recordings are those of the run"
run evaluate whole --set data.root=copied --set cache=other; grep -q "not the recordings" err && not_ok "and for evaluate" || ok "and for evaluate"
cached=$("$audiomood" features tiny.yaml 2>/dev/null); [[ $cached == *" 16 from the cache, 0 computed"* ]] && ok "a cache knows the digests" || not_ok "a cache knows the digests" "$cached"
"$audiomood" train tiny.yaml --out again --set train.max_steps=3 >out 2>err
cmp run/clips.csv again/clips.csv && ok "and they are those of the sounds" || not_ok "and they are those of the sounds"

# ---- a recording that was exchanged ----
angry=Actor_01/03-01-05-01-01-01-01.wav calm=Actor_01/03-01-02-01-01-01-01.wav of_test=Actor_02/03-01-05-01-01-01-02.wav
cp -r corpus bad; cp corpus/Actor_01/03-01-05-02-02-01-01.wav bad/$angry
cp -r run changed; cp -r changed before
run train --resume changed --set train.max_steps=0 --set data.root=bad; expect "a recording exchanged under its name is not trained on" 1 \
  "^audiomood train: bad: not the recording that this run was trained on: $angry; put the recordings back"
cmp -s changed/last.h5 before/last.h5 && ok "and the run is as it was" || not_ok "and the run is as it was"
run train --resume changed --set train.max_steps=0; expect "with the recordings put back it goes on" 0
same changed && ok "to the same end" || not_ok "to the same end"
run verify whole --set data.root=bad; expect "verify names the recording" 1 "^  $angry is not the recording of then" "which the changes listed may explain"
for part in all train; do
  run evaluate whole --set data.root=bad --split $part
  expect "evaluate of $part warns" 0 "warning: 1 of the [0-9]* clips scored is not the recording that whole was made with: $angry"
done
run evaluate whole --set data.root=bad; grep -q "not the recordings" err && not_ok "not of parts without it" || ok "not of parts without it"
cp corpus/Actor_02/03-01-05-02-02-01-02.wav bad/$of_test
run evaluate whole --set data.root=bad --split all; expect "and counts two" 0 "warning: 2 of the 16 clips scored"
cp corpus/$angry bad/$calm
run train --resume before --set train.max_steps=0 --set data.root=bad; expect "all that changed are named" 1 "recordings that this run was trained on: $calm, $angry, $of_test;"

# ---- runs of before, and what can happen to the file ----
rm -f before/clips.csv
run train --resume before --set train.max_steps=0; expect "a run without digests goes on" 0 "the run kept no digests of its recordings"
[ -f before/clips.csv ] && ok "and keeps them from here on" || not_ok "and keeps them from here on"
cp -r whole old; rm old/clips.csv; run verify old; expect "verify of such a run" 0 "version, processor path and libraries are those of the run"
run evaluate old --set data.root=bad; expect "so evaluates" 0; grep -q "not the recordings" err && not_ok "without a word" || ok "without a word"
cp -r run hurt; echo "clip,sound
$angry,12" >hurt/clips.csv
run train --resume hurt --set train.max_steps=0; expect "damaged digests are said" 0 "hurt/clips.csv:2: wanted a clip and the digest of its sound"

# ---- pieces of one file, which share its name ----
for name in $calm $angry; do tail -c +45 corpus/$name; done >both.raw
wav both.wav <both.raw; wav others.wav < <(for name in Actor_02/03-01-02-01-01-01-02.wav $of_test; do tail -c +45 corpus/$name; done)
echo path,label,speaker,start,seconds >pieces.csv
for file in both others; do
  for k in 0 1 2 3 4 5; do echo "$file.wav,$( ((k < 3)) && echo calm || echo angry),$file,0.$k,0.5"; done
done >>pieces.csv
sed 's/corpus: ravdess, root: corpus/corpus: manifest, manifest: pieces.csv/' tiny.yaml >pieces.yaml
"$audiomood" train pieces.yaml --out pieces --set train.max_steps=3 >log 2>&1
[ "$(sort -u pieces/clips.csv | wc -l)" = 13 ] && ok "pieces of a file have digests of their own" || not_ok "pieces of a file have digests of their own" "$(cat pieces/clips.csv log)"
run train --resume pieces --set train.max_steps=0; expect "a run over pieces goes on" 0
cp others.wav kept.wav; cp both.wav others.wav; cp -r pieces bad-pieces
run train --resume bad-pieces --set train.max_steps=0; expect "and names the file that changed" 1 "not the recordings that this run was trained on: others.wav"
plan
