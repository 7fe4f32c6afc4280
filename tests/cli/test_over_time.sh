#!/bin/bash
# tests/cli/test_over_time.sh AUDIOMOOD SOURCE_ROOT - predict --segments: who speaks when, in each format (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" over_time "$1" "$2"

trained
{ silence 1000; clip 3 4; silence 1500; clip 3 9; silence 1000; } | wav talk.wav
silence 3000 | wav silence.wav

run predict run1 talk.wav --segments; expect "segments" 0 "^talk.wav$" "^ +[01]\\.[0-9]{2} +[1-4]\\.[0-9]{2}  [a-z]+ +[0-9.]+ %  margin"
utterances() { sed -nE 's/.*"utterance": ([0-9]+),.*/\1/p' "$1" | sort -u | wc -l; }
run predict run1 talk.wav --segments --json; cp out json
expect "as JSON" 0 '^\{"file": "talk.wav", "start": (0\.[6-9]|1)[0-9.]*, "end": [0-9.]+, "label": "[a-z]+", "top": "[a-z]+", "probability": 0\.'
[ "$(utterances out)" = 2 ] && ok "two utterances" || not_ok "two utterances" "$(cat out)"
run predict run1 talk.wav --segments --json --min-silence 5
[ "$(utterances out)" = 1 ] && ok "a longer silence joins them" || not_ok "a longer silence joins them"
run predict run1 talk.wav --segments --json --vad none
expect "all of a sound" 0 '"start": 0, '
run predict run1 talk.wav --segments --csv; expect "as CSV" 0 "^file,channel,start,end,label,top,margin,share,p_calm"
run predict run1 talk.wav talk.wav --segments --csv
[ "$(grep -c ^file, out)" = 1 ] && ok "one header for several sounds" || not_ok "one header for several sounds"
run predict run1 talk.wav --segments --format rttm; expect "as RTTM" 0 "^SPEAKER talk.wav 1 [0-9.]+ [0-9.]+ <NA> <NA> [a-z]+ <NA> <NA>$"
run predict run1 talk.wav --segments --format audacity; expect "as labels of Audacity" 0 $'^[0-9.]+\t[0-9.]+\t[a-z]+$'
run predict run1 talk.wav --segments --format textgrid; expect "as a TextGrid" 0 'Object class = "TextGrid"' 'text = "[a-z]+"'
run predict run1 talk.wav --segments --format elan; expect "for ELAN" 0 "<ANNOTATION_VALUE>[a-z]+</ANNOTATION_VALUE>"
"$audiomood" predict run1 - --segments --json <talk.wav 2>err | sed 's/(standard input)/talk.wav/' >out; code=0
cmp -s out json && ok "standard input is the same sound" || not_ok "standard input is the same sound"
run predict run1 silence.wav --segments; expect "silence" 0 "warning: in 1 of 1 sounds nobody was found to speak: silence.wav; --vad none"
run predict run1 silence.wav --segments --vad none; expect "all of silence" 0 "^ +0.00 +3.00  silent"
run predict run1 talk.wav silence.wav --segments --format elan; expect "a document of two sounds" 2 "--format elan is a document of one sound, and there are 2"
run predict run1 talk.wav --segments --format word; expect "a format that there is not" 2 "--format word: no such format; wanted one of text, json, csv, rttm, audacity, textgrid, elan"
run predict run1 talk.wav --segments --vad ears; expect "a detector that there is not" 2 "--vad ears: wanted model, energy, none or the file of a speech detector"
run predict run1 talk.wav --format rttm; expect "a format without segments" 2 "--format is of --segments, which is missing"
run predict run1 talk.wav --segments --vad none --min-silence 1; expect "silence that is not looked for" 2 "--min-silence ends speech that is looked for"
run predict run1 talk.wav --segments --threshold 1 --json; expect "nothing is sure" 0 '"label": "uncertain", "top": "[a-z]+"'

# Speakers.
stereo() { # NAME LEFT RIGHT: two files of samples side by side
  paste -d '' <(od -An -v -tx2 -w2 "$2" | tr -d ' ') <(od -An -v -tx2 -w2 "$3" | tr -d ' ') |
    sed -E 's/(..)(..)(..)(..)/\\x\2\\x\1\\x\4\\x\3/' | tr -d '\n' >hex; printf "$(cat hex)" | wav "$1" 16000 2
}
{ silence 500; clip 3 4; silence 3000; } | head -c 96000 >left.raw; { silence 1000; clip 4 7; silence 3000; } | head -c 96000 >right.raw
stereo both.wav left.raw right.raw; wav left.wav <left.raw; wav right.wav <right.raw
run predict run1 left.wav right.wav --segments --format audacity; cut -f1,2 out >alone
run predict run1 both.wav --segments --channels split --format audacity; cut -f1,2 out | cmp -s - alone && ok "channels apart are the sounds of each" || not_ok "channels apart are the sounds of each" "$(cat alone)"
expect "and are named" 0 $'\tchannel 1: [a-z]+$' $'\tchannel 2: [a-z]+$'
run predict run1 both.wav --segments --channels split --format rttm; expect "also in RTTM" 0 "^SPEAKER both.wav 2 "
printf 'SPEAKER talk 1 1.0 1.5 <NA> <NA> Bo <NA> <NA>\nSPEAKER talk 1 4.0 1.0 <NA> <NA> Ann <NA> <NA>\n' >talk.rttm
run predict run1 talk.wav --segments --rttm talk.rttm --csv
expect "a diariser's turns" 0 "^talk.wav,Ann,4,5," "^talk.wav,Bo,1," 
run predict run1 talk.wav --segments --rttm talk.rttm --format textgrid; expect "a tier for each speaker" 0 'name = "Ann"' 'name = "Bo"'
echo nothing >none.rttm
run predict run1 talk.wav --segments --rttm none.rttm; expect "no turns" 1 "none.rttm: has no line of type SPEAKER"
run predict run1 - --segments --rttm talk.rttm <talk.wav; expect "turns of standard input" 2 "standard input is read once; --rttm wants a file"
run predict run1 talk.wav --segments --channels left; expect "channels that there are not" 2 "--channels left: wanted mix or split"
run predict run1 talk.wav --segments --rttm talk.rttm --vad none; expect "two ways to know who speaks" 2 "--rttm says who speaks when; --vad does not go with it"
run predict run1 talk.wav --segments --learn-voice --vad none; expect "a voice without utterances" 2 "--vad none finds no utterances"
run predict run1 talk.wav --segments --learn-voice --speaker me; expect "a voice that is known already" 2 "--speaker: the voice is known already; --learn-voice learns it"
run predict run1 talk.wav --segments --json; cp out as-it-is
run predict run1 talk.wav --segments --json --learn-voice; cmp -s out as-it-is && ok "a model that uses no voice is not changed by one" || not_ok "a model that uses no voice is not changed by one"
spoken() { tiny "normalise: speaker, max_frames: 63"; small; }; spoken >spoken.yaml
run train spoken.yaml --out run2 --quiet; expect "train by speaker" 0
run predict run2 talk.wav --segments; expect "a model that has to know the voice" 2 "this model normalises per speaker"
run predict run2 talk.wav --segments --learn-voice; expect "learns it" 0 "^ +[01]\\.[0-9]{2} +[1-4]\\.[0-9]{2}  [a-z]+"

# Against a reference.
run stitch tiny.yaml --out made --recordings 3 --seconds 8 --snr 30; expect "recordings from clips" 0 "^3 recordings of (2[4-9]|[3-9][0-9]) s together in made: SYNTHETIC SPEECH"
run stitch tiny.yaml --out again --recordings 3 --seconds 8 --snr 30; diff -r made again >/dev/null && ok "the same seed, the same bytes" || not_ok "the same seed, the same bytes"
run stitch tiny.yaml --out other --recordings 3 --seconds 8 --snr 30 --seed 2; cmp -s made/recording-001.wav other/recording-001.wav && not_ok "another seed, another sound" || ok "another seed, another sound"
run stitch tiny.yaml --out made; expect "a folder that has some" 2 "made holds recordings already"
run stitch tiny.yaml --out empty --split training; expect "a part that there is not" 2 "--split training: wanted train, validation or test"
run stitch tiny.yaml; expect "no folder" 2 "--out DIR is missing"
grep -q "^SPEAKER recording-001 1 [0-9.]* [0-9.]* <NA> <NA> [a-z]* <NA> <NA>$" made/recording-001.rttm && ok "a reference of each" || not_ok "a reference of each"
run evaluate run1 --over-time made; expect "evaluate over time" 0 "^3 recordings of [0-9.]+ s together, [0-9.]+ s of them with an emotion$" "^emotion diarisation error +[0-9.]+ %$"
run evaluate run1 --over-time made --json; expect "as JSON" 0 '"recordings": 3' '"error_rate": [0-9.]+' '"missed": [0-9.]+'
run predict run1 talk.wav --segments --format rttm; cp out own.rttm; printf 'SPEAKER talk 1 0.1 0.2 <NA> <NA> angry <NA> <NA>\n' >>own.rttm
run evaluate run1 --over-time talk.wav --reference own.rttm --json
missed=$(sed -nE 's/.*"missed": ([0-9.]+).*/\1/p' out); expect "what it says itself is right" 0 '"false_alarm": (0|[0-9.]+e-[0-9]+|0\.00[0-9]+),' '"confused": (0|[0-9.]+e-[0-9]+|0\.00[0-9]+),'
awk -v m="$missed" 'BEGIN { exit !(m > 0 && m < 0.5) }' && ok "but for what it does not say" || not_ok "but for what it does not say" "$missed"
run evaluate run1 --over-time talk.wav; expect "a reference beside the sound" 0 "^1 recording of "
mv talk.rttm kept.rttm; run evaluate run1 --over-time talk.wav; expect "no reference" 1 "cannot open talk.rttm"; mv kept.rttm talk.rttm
printf 'SPEAKER a 1 0 2 <NA> <NA> sad <NA> <NA>\nSPEAKER a 1 1 2 <NA> <NA> angry <NA> <NA>\n' >both.rttm
run evaluate run1 --over-time talk.wav --reference both.rttm; expect "two emotions at once" 1 "both.rttm: 'sad' and 'angry' overlap at 1.000 s"
run evaluate run1 --over-time made --reference own.rttm; expect "one reference of several" 2 "--reference is of one recording, and there are 3"
run evaluate run1 --over-time made --split test; expect "clips and time" 2 "--split is of clips; it does not go with --over-time"
run evaluate run1 --reference own.rttm; expect "a reference of clips" 2 "--reference is of --over-time, which is missing"

# References of other programs; they say the same, and so does what they say.
run predict run1 talk.wav --segments --format rttm; grep -v uncertain out >said.rttm
run evaluate run1 --over-time talk.wav --reference said.rttm --json; cp out by-rttm
echo '<tt/>' >none.ttml; run subtitle --strip --ttml none.ttml; [ $code = 0 ] && elan=elan:eaf || elan=
for f in textgrid:TextGrid $elan csv:csv audacity:txt; do
  run predict run1 talk.wav --segments --format ${f%:*}; cp out said.${f#*:}
  run evaluate run1 --over-time talk.wav --reference said.${f#*:} --json
  expect "a reference as ${f#*:}" 0 '"error_rate": (0|[0-9.]+e-[0-9]+|0\.0[0-9]+|0),|"error_rate": [0-9.]+'
  [ "$(sed -nE 's/.*"emotion_seconds": ([0-9]+\.?[0-9]?).*/\1/p' out)" = "$(sed -nE 's/.*"emotion_seconds": ([0-9]+\.?[0-9]?).*/\1/p' by-rttm)" ] && ok "has the same emotions" || not_ok "has the same emotions" "$(cat by-rttm)"
done
iconv -f UTF-8 -t UTF-16 said.TextGrid >wide.TextGrid
run evaluate run1 --over-time talk.wav --reference wide.TextGrid; expect "a TextGrid in UTF-16" 0 "^1 recording of "
mkdir named; cp talk.wav named/a.wav; cp said.TextGrid named/a.TextGrid; run evaluate run1 --over-time named; expect "beside the sound, of any format" 0 "^1 recording of "
run evaluate run1 --over-time talk.wav --reference talk.wav; expect "a sound as a reference" 1 "talk.wav: (holds a zero byte|is no UTF-16)"

# What tags would be shown, and how often speech is without emotion.
run evaluate run1 --over-time made --tags; expect "tags" 0 "^tags as subtitle would show them, a cue a stretch of the reference \(without thresholds\)" "^[0-9]+ of [0-9]+ moods are told, [0-9.]+ tags a minute" "^threshold +shown +precision +moods +a minute"
run evaluate run1 --over-time made --tags --threshold 1; expect "none that is sure" 0 "^all +0 +0 +-$" "^0 of [0-9]+ moods are told, 0.00 tags a minute"
run evaluate run1 --over-time made --tags --json; expect "as JSON" 0 '"tags": \{' '"by_threshold": \['
run evaluate run1 --tags; expect "tags of clips" 2 "--tags is of --over-time, which is missing"
run evaluate run1 --over-time made --neutral-prior 0.99; expect "hardly any emotion" 0 "said where there is none +0.0 %"
run predict run1 talk.wav --segments --json --neutral-prior 0.99; expect "nor here" 0 '"label": "calm"'
run predict run1 talk.wav --segments --json --neutral-prior 0.25; sed -E 's/(0\.[0-9]{5})[0-9]*/\1/g' out >quarter; sed -E 's/(0\.[0-9]{5})[0-9]*/\1/g' as-it-is | cmp -s - quarter && ok "of four classes a quarter changes nothing" || not_ok "of four classes a quarter changes nothing"
run predict run1 talk.wav --neutral-prior 0.5; expect "a prior without segments" 2 "--neutral-prior is of --segments, which is missing"
run predict run1 talk.wav --segments --neutral-prior 1; expect "a prior that is certain" 2 "--neutral-prior 1: wanted a number from 0.001 to 0.999"

# References become clips to train with.
run manifest made --out clips.csv; expect "a list of clips" 0 "^[0-9]+ clips of 3 recordings"
head -1 clips.csv | grep -q '^path,label,speaker,group,start,seconds$' && [ "$(($(wc -l <clips.csv) - 1))" = "$(cat made/*.rttm | wc -l)" ] && ok "a row a stretch" || not_ok "a row a stretch" "$(cat clips.csv)"
run inspect tiny.yaml --set data.corpus=manifest --set data.manifest=clips.csv --set 'split={kind: fixed, test_speakers: [recording-003], validation_speakers: [recording-002]}'
expect "which is a corpus" 0 "recording-001|clips"
mkdir -p far; run manifest made --out far/clips.csv --speaker Ann; grep -q "^$work/made/recording-001.wav,[a-z]*,Ann,recording-001," far/clips.csv && ok "in another folder" || not_ok "in another folder" "$(head -2 far/clips.csv)"
run manifest -; expect "a list of standard input" 2 "a list names files; standard input has no name"
run manifest silence.wav; expect "a recording without a reference" 1 "cannot open silence.rttm"

# Windows are read as they come; a damaged file has none.
run predict run1 talk.wav --window 1 --csv; cp out windows
head -c -200 talk.wav >cut.wav
run predict run1 cut.wav --window 1 --csv; expect "windows of a damaged file" 1 "cut.wav: truncated"
[ "$(wc -l <out)" = 1 ] && ok "are not given" || not_ok "are not given"
run predict run1 cut.wav talk.wav --window 1 --csv --skip-unreadable; expect "it is skipped" 0 "skipped: cut.wav"
cmp -s out windows && ok "and the next one's are whole" || not_ok "and the next one's are whole"
run predict run1 cut.wav talk.wav --segments --csv --skip-unreadable
[ "$(head -1 out | cut -d, -f1)" = file ] && ok "the header does not go with a damaged file" || not_ok "the header does not go with a damaged file"
"$audiomood" predict run1 talk.wav --segments >/dev/full 2>err; code=$?; : >out; expect "a full standard output" 1 "standard output"
run predict run1 cut.wav talk.wav --segments --skip-unreadable --json; expect "a damaged file is skipped" 0 "skipped: cut.wav"
cmp -s out json && ok "and the next one's segments are whole" || not_ok "and the next one's segments are whole"
plan
