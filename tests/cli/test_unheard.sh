#!/bin/bash
# tests/cli/test_unheard.sh AUDIOMOOD SOURCE_ROOT - sounds with nothing to hear in them, and what a model does not hear of
# others: no label without a reason, and no silence about it (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" unheard "$1" "$2"

{ tiny "max_frames: 63"; small; } >tiny.yaml
speech 4
run train tiny.yaml --out run1; expect "train" 0
run train tiny.yaml --out run2 --seed 4 --quiet; expect "train another" 0
sound=$(ls corpus/Actor_04/*.wav | head -1)

speech() { tail -c +45 "$sound"; } # 16 kHz, mono
head -c 32000 /dev/zero | wav silence.wav 16000 1
for _ in $(seq 4000); do printf '\xe8\x03\x18\xfc\x18\xfc\xe8\x03'; done | wav opposite.wav 16000 2 # one channel against the other
printf '\x10\x20' | wav one.wav 16000 1
speech | head -c 640 | wav tick.wav 16000 1 # 20 ms
speech | wav low.wav 8000 1
{ speech; speech; head -c 64000 /dev/zero; } | wav long.wav 16000 1

run predict run1 silence.wav opposite.wav one.wav tick.wav "$sound"
expect "no label for nothing" 0 "^silence.wav: no label \\(silent\\)$" "^opposite.wav: no label \\(silent\\)$" \
  "^one.wav: no label \\(too short\\)$" "^tick.wav: no label \\(too short\\)$" "^$sound: [a-z]+  calm" \
  "warning: 2 of 5 sounds are silent and have no label: silence.wav, opposite.wav \\(the mean of its 2 channels\\)$" \
  "warning: 2 of 5 sounds are shorter than 0.1 s and have no label: one.wav, tick.wav$"
run predict run1 silence.wav tick.wav --json
expect "as JSON" 0 '"file": "silence.wav", "label": null, .*"calm": null, .*"reason": "silent", "seconds": 1, "seconds_heard": 0}' \
  '"file": "tick.wav", "label": null, .*"reason": "too short", "seconds": 0.02'
run predict run1 silence.wav "$sound" --csv
expect "as CSV" 0 '^file,label,p_calm,p_happy,p_sad,p_angry,reason,seconds,seconds_heard$' '^silence.wav,,,,,,silent,1,0$' \
  "^$sound,[a-z]+,[0-9.e-]+,[0-9.e-]+,[0-9.e-]+,[0-9.e-]+,,"
run predict run1 silence.wav "$sound" --with run2 --json
expect "two models together" 0 '"label": null' '"reason": null'
run predict run1 - --json <silence.wav
expect "from standard input" 0 '"label": null' '1 of 1 sounds is silent and has no label: \(standard input\)'
run predict run1 long.wav --window 1 --csv
expect "windows" 0 '^long.wav,0,1,[a-z]+,' 'warning: 1 of 1 sounds is silent, at least in part, and has no label there: long.wav \([0-9]+ of its [0-9]+ windows\)'
grep -q '^long.wav,[0-9.]*,[0-9.]*,,,,,,silent,1,0$' out && ok "silent windows have no label" || not_ok "silent windows have no label"
[ "$(grep -c 'no label' err)" = 1 ] && ok "said once a sound" || not_ok "said once a sound"

# ---- what is not heard of a sound ----
run predict run1 long.wav "$sound" --json
expect "longer than the model hears" 0 'warning: 2 of 2 sounds are longer than what this model hears; only their start is heard: long.wav \(1.01 of [0-9.]+ s\), ' \
  'with --window 1.00 all of it is heard' '"seconds": [0-9.]+, "seconds_heard": 1.0079'
[ "$(grep -c 'longer' err)" = 1 ] && ok "said once a command" || not_ok "said once a command"
run predict run1 low.wav "$sound"
expect "a rate below the model's" 0 'warning: 1 of 2 sounds has a lower rate than the 16000 Hz this model hears.*: low.wav \(8000 Hz\)$'
export AM_MEDIA=none # as in a build that knows no films
mkdir folder; cp "$sound" folder/a.WAVE; cp "$sound" folder/b.bwf; : >folder/c.m4a; : >folder/d.wma; : >folder/._a.wav
run predict run1 folder
expect "a folder with other kinds of files" 0 '^folder/a.WAVE: ' '^folder/b.bwf: ' \
  'warning: 2 files are left out, .*ffmpeg -i FILE FILE.wav.*: folder/c.m4a, folder/d.wma$'
rm folder/a.WAVE folder/b.bwf
run predict run1 folder; expect "a folder of other kinds alone" 1 'no sound file .* in this folder; 2 files are left out, .*folder/c.m4a'

# ---- a corpus with such clips ----
cp -r corpus quiet
cp silence.wav quiet/Actor_01/03-01-03-01-01-01-01.wav; cp tick.wav quiet/Actor_02/03-01-03-01-01-01-02.wav
cp silence.wav quiet/Actor_04/03-01-03-01-01-01-04.wav; cp low.wav quiet/Actor_01/03-01-05-01-01-01-01.wav
run train tiny.yaml --out quiet1 --set data.root=quiet
expect "clips with nothing to hear are left out of training" 0 "left out .*03-01-03-01-01-01-01.wav: it is silent" \
  "left out .*03-01-03-01-01-01-02.wav: it is too short" "1 clip left out of the train part: silent" \
  "1 clip left out of the train part: too short" "1 clip left out of the test part: silent" \
  "warning: 1 of 64 clips has a lower rate than the 16000 Hz .*Actor_01/03-01-05-01-01-01-01.wav \\(8000 Hz\\)"
tr -d ' \n' <quiet1/metrics.json | grep -q '"unheard":{"train":2,"validation":0,"test":1}' && ok "and counted" || not_ok "and counted"
grep -q '03-01-03-01-01-01-04.wav' quiet1/predictions.csv && not_ok "no row without a sound" || ok "no row without a sound"
run evaluate quiet1; expect "evaluate leaves them out" 0 "clips +15$" "speaker-independent +yes"
[ "$(grep -c 'lower rate' err)" = 1 ] && ok "rates are said once a command" || not_ok "rates are said once a command"
run evaluate run1 --set data.root=quiet --set data.unheard=keep; expect "or keeps them" 0 "clips +16$" "kept .*: it is silent"
run verify quiet1; expect "verify" 0 "of ([0-9]+) digests"
cp -r quiet1 early; sed -i '/^  unheard:/d' early/config.yaml
run verify early; expect "a stored config without the option keeps them" 2 "data.unheard is keep, the run has leave_out"
for file in quiet1/run.json quiet1/metrics.json; do
  [ "$(tail -c 2 "$file" | od -An -c | tr -d ' ')" = '}\n' ] && ok "$file ends in one newline" || not_ok "$file ends in one newline"
done
plan
