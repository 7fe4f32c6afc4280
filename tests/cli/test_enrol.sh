#!/bin/bash
# tests/cli/test_enrol.sh AUDIOMOOD SOURCE_ROOT - a voice that a model is told of: predict --enrol, enrol, and what evaluate says of
# it (TAP).  Messages: docs/errors.md.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" enrol "$1" "$2"

cat >features.yaml <<'YAML'
name: tiny
seed: 3
cache: cache
data: {corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry]}
split: {kind: fixed, validation_speakers: ["03"], test_speakers: ["04"]}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24, normalise: speaker, shrink: 1.6}
YAML
{ cat features.yaml; small; } >tiny.yaml
run synth corpus --actors 4 --repetitions 1
run train tiny.yaml --out run1; expect "train" 0
own=$(ls corpus/Actor_04/*.wav | head -12) sound=$(ls corpus/Actor_04/*.wav | tail -1)
predict() { run predict run1 "$sound" --csv "${@:2}"; cp out "$1"; }

# ---- a voice by its recordings, and by a profile ----
predict few --enrol $(head -1 <<<"$own"); expect "a few seconds are said" 0 'warning: [0-9.]+ s of this voice were heard; a minute'
predict all --enrol corpus/Actor_04; expect "a folder" 0 "^$sound,"
grep -q 'voice were heard' err && not_ok "a minute is enough" || ok "a minute is enough"
differ "the voice counts" few all
mkdir half; cp $own half
run enrol run1 $own --out voice.h5; expect "enrol" 0 '^voice.h5: [0-9.]+ s of one voice$'
[ "$(stat -c %a voice.h5)" = 600 ] && ok "for its owner alone" || not_ok "for its owner alone" "mode $(stat -c %a voice.h5)"
predict from-sounds --enrol half; predict from-file --enrol voice.h5; same "a profile is its recordings" from-sounds from-file
predict both --enrol voice.h5 --enrol "$sound"; differ "profile and sounds together" both from-file
rest=$(ls corpus/Actor_04/*.wav | tail -n +13)
run enrol $rest --out voice.h5 --add --name Ada; expect "added to" 0 '^voice.h5: [0-9.]+ s of Ada$'
predict added --enrol voice.h5; same "half and half is all" added all
run enrol tiny.yaml corpus/Actor_04 --out other.h5; expect "by a config" 0
predict by-config --enrol other.h5; same "a config is as good as its model" by-config all
run enrol run1 $rest --out voice.h5 --add; expect "with a model to compare, and the name stays" 0 's of Ada$'
grep -aq Actor_04 voice.h5 && not_ok "no path is kept" || ok "no path is kept"
[ "$(stat -c %s voice.h5)" -lt 10000 ] && ok "no sound is kept" || not_ok "no sound is kept"

# ---- shrinkage ----
predict alone --enrol half --shrink 0; differ "shrinkage counts" alone from-sounds
run predict run1 corpus/Actor_04 --csv --speaker x; cp out speaker
run predict run1 corpus/Actor_04 --csv --enrol corpus/Actor_04 --shrink 0
cp out enrolled; same "all of a voice, and no shrinkage, is --speaker" speaker enrolled
predict far --enrol half --shrink 1e9; predict too --enrol "$sound" --shrink 1e9
awk -F, 'NR == FNR { a[FNR] = $3; next } FNR == 2 { d = a[2] - $3; exit !(d * d < 1e-10) }' far too &&
  ok "shrunk to the training part, all voices are one" || not_ok "shrunk to the training part, all voices are one"

# ---- inspect ----
run inspect voice.h5; expect "inspect says what a profile holds" 0 "^voice.h5: profile of " "^heard: +[0-9.]+ s, [0-9]+ frames$" "^features: log_mel, [0-9]+ bins a frame, of sound at 16000 Hz$"

# ---- windows, skipping, standard input, several models ----
run predict run1 "$sound" --window 1 --csv --enrol half; cp out windows
run enrol run1 half --out pieces.h5 --window 1; run predict run1 "$sound" --window 1 --csv --enrol pieces.h5
cp out pieces; same "windows: the voice is heard as the sounds are" windows pieces
mkdir mixed; cp $own mixed; echo noise >mixed/noise.wav
predict broken --enrol mixed; expect "a sound that cannot be read" 1 'mixed/noise.wav'
predict skipped --enrol mixed --skip-unreadable; expect "is skipped on request" 0 'warning: skipped: mixed/noise.wav'
same "and nothing else changes" skipped from-sounds
run predict run1 - --csv --enrol half <"$sound"; expect "standard input has a voice" 0 '^\(standard input\),'
run train tiny.yaml --out run2 --seed 4 --set features.normalise=clip --quiet
predict team --enrol half --with run2; expect "a model that normalises by clip beside it" 0
run predict run2 "$sound" --with run1 --csv --enrol half; expect "in either order" 0

# ---- evaluate ----
json() { tr -d ' \n' <out | grep -oE "\"$1\":[^,}]*" | head -1; }
run evaluate run1; expect "all clips by themselves are transductive" 0 'transductive +yes'
cp run1/predictions-test.csv before.csv
for s in 0 3 10 all; do
  run evaluate run1 --enrol-seconds $s --out p$s.csv; expect "evaluate --enrol-seconds $s" 0 '^enrolled +[0-9.]+ s of each speaker'
  grep -q '^transductive' out && not_ok "$s: not transductive" || ok "$s: not transductive"
  cut -d, -f1 p$s.csv >names$s
done
same "the same clips are scored" names3 namesall
same "also when nothing is heard" names0 names10
[ "$(wc -l <names3)" = 9 ] && ok "half of them" || not_ok "half of them" "$(wc -l <names3)"
differ "more is heard" p3.csv pall.csv
run evaluate run1 --enrol-seconds 3 --out again.csv; same "a seed draws the same" p3.csv again.csv
run evaluate run1 --enrol-seconds 3 --enrol-seed 2 --out again.csv; cut -d, -f1 again.csv >names; differ "another seed other clips" names names3
run evaluate run1 --enrol-seconds 3 --json; expect "as JSON" 0 '"transductive": false' '"enrolment": \{' '"seed": 1'
same "the run's predictions stay" run1/predictions-test.csv before.csv
run evaluate run2 --with run1 --enrol-seconds 3; expect "of several models" 0 '^enrolled'

plan
