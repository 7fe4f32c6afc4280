#!/bin/bash
# tests/cli/test_printing.sh AUDIOMOOD SOURCE_ROOT - what is printed: texts of files that somebody else made on a terminal,
# standard streams that are closed, pipes that nobody reads (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" printing "$1" "$2"

# ---- hostile text in every place that a text can have ----
# A title, a bell, a colour, the same by one character (C1), delete, writing from the right, lines of our own making.
bad=$'\e]0;x\a\e[31m\xc2\x9b31m\x7f\xe2\x80\xae\xe2\x81\xa6\r\nINJECTED\xe2\x80\xa8INJECTED\xc2\x85'
yaml='\e]0;x\a\e[31m\x9b31m\x7f\u202e\u2066\r\nINJECTED\u2028INJECTED\x85'
mkdir sounds
speech 2
n=0
for f in corpus/*/*0[1-4]-01-01-01-0[12].wav; do
  n=$((n + 1)); mv "$f" "sounds/$n$bad"$'\xff'".wav"; cp "sounds/$n$bad"$'\xff'".wav" sounds/$n.wav
  printf 'sounds/%d.wav,"%s%d","%s%s"\n' $n "$bad" $((n % 2)) "$bad" $((n / 2 % 4)) >>rows
done
{ echo path,label,speaker; cat rows; } >m.csv
cat >h.yaml <<YAML
name: "n$yaml"
description: "d$yaml"
seed: 3
data: {corpus: manifest, manifest: m.csv, root: .}
split: {kind: kfold, folds: 2, fold: 0, validation_speakers_count: 1}
features: {kind: log_mel, sample_rate: 8000, n_fft: 256, hop: 128, mels: 12, mean_over_time: true}
model: {layers: [{batch_norm: {name: bn}}, flatten, dense]}
train: {epochs: 1, batch: 4, monitor: last}
YAML
cat >corpus.yaml <<YAML
name: "c$yaml"
title: "t$yaml"
language: "l$yaml"
licence: "li$yaml"
citation: "ci$yaml"
home: "h$yaml"
files: '(?<speaker>(?<label>[0-9]))'
labels: {"1": "a$yaml", "2": "b$yaml", "3": "a$yaml", "4": "b$yaml", "5": "a$yaml", "6": "b$yaml", "7": "a$yaml", "8": "b$yaml"}
YAML
sed "s/^data:.*/data: {corpus: described, description: corpus.yaml, root: sounds}/" h.yaml >described.yaml

# clean FILE...: whether they hold no character that steers a terminal, only UTF-8, and no line that a text has begun
clean() {
  ! LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]' "$@" &&
    ! grep -qa '^INJECTED' "$@" && cat "$@" | iconv -f UTF-8 -t UTF-8 >/dev/null 2>&1
}
# shown NAME CODE ARGUMENTS...: the command ends so, has shown some of those texts, and all of them harmlessly
shown() {
  local name=$1 want=$2; shift 2
  "$audiomood" "$@" >out 2>err; code=$?
  if [ "$code" != "$want" ]; then not_ok "$name" "exit code $code, wanted $want"
  elif ! cat out err | grep -qa INJECTED; then not_ok "$name" "shows no such text: the test is wrong"
  elif ! clean out err; then not_ok "$name" "$(cat out err | LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f-\xff]|^INJ' | cat -v | head -5)"
  else ok "$name"; fi
}
shown "train" 0 train h.yaml --out run
shown "crossval" 0 crossval h.yaml --out folds
shown "inspect of a config" 0 inspect h.yaml
shown "its effective config" 0 inspect h.yaml --effective
shown "inspect of a checkpoint" 0 inspect run/best.h5
shown "inspect of a description" 0 inspect corpus.yaml
shown "inspect of a corpus" 0 inspect corpus.yaml --root sounds
shown "inspect of a sound" 0 inspect "$(ls -d sounds/1$'\e'*)"
shown "evaluate" 0 evaluate run
shown "evaluate --json" 0 evaluate run --json
shown "predict" 0 predict run sounds
shown "predict --json" 0 predict run sounds --json
shown "compare" 0 compare run folds
shown "compare --json" 0 compare run folds --json
shown "features" 0 features described.yaml
shown "train on a described corpus" 0 train described.yaml --out run2
shown "an unknown command" 2 "$bad"
shown "an unknown word of help" 2 help "$bad"
shown "an unknown option" 2 train "--$bad"
shown "a file that is not there" 1 predict run "$bad"
shown "an option's value" 2 crossval h.yaml --folds "$bad"
shown "a setting" 2 train h.yaml --set "train.$bad=1"
shown "a label that is not there" 1 train h.yaml --out other --set "data.labels=[\"$yaml\", \"x\"]"
run report run; run report folds
for f in run2/log.txt run/config.yaml run/run.json run/metrics.json folds/crossval.json; do
  grep -qa INJECTED $f && clean $f && ok "$f" || not_ok "$f" "$(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f-\xff]|^INJ' $f | cat -v | head -5)"
done
for f in run/report.html folds/report.html; do # where a new line is a blank
  grep -qa INJECTED $f && sed 's/^INJECTED//' $f >page && clean page && ok "$f" || not_ok "$f"
done
sed -s 's/^INJECTED//' run/plots/*.svg folds/plots/*.svg >page && clean page && ok "pictures" || not_ok "pictures"
label="${bad}1"
run predict run sounds/1.wav --csv; python=$(cat out)
[[ $python == *"${label//\"/\"\"}"* ]] && ok "CSV keeps the data exact" || not_ok "CSV keeps the data exact"
[[ $(cat run/predictions.csv) == *"$label"* ]] && ok "so does the file of predictions" || not_ok "so does the file of predictions"
run predict run sounds/1.wav --json
grep -qF '\u001b]0;x\u0007\u001b[31m\u009b31m\u007f\u202e\u2066\r\nINJECTED\u2028INJECTED\u0085' out && ok "JSON keeps it, too" || not_ok "JSON keeps it, too"

# ---- both streams in one file ----
together() { "$audiomood" "$@" >out 2>&1; code=$?; : >err; }
last() { [ "$code" = 0 ] && tail -n "$2" out | head -1 | grep -q "$3" && ok "$1" || not_ok "$1"; }
together train h.yaml --out one
last "the results of a training" 2 "results in one$"
last "its page is said behind them" 1 "^page of this run: one/report.html$"
together evaluate run --verbose; last "so is what a command took" 1 "^evaluate took "
together predict run sounds/1.wav nowhere.wav; tail -n 1 out | grep -q "^audiomood predict: " && grep -q "1.wav: " out &&
  ok "and why it failed" || not_ok "and why it failed"

# ---- nothing in the room prints past that (recording.c writes its own files) ----
raw=$(grep -nE '\b(v?f?printf|puts|fputs|putchar|fputc|putc|fwrite|write)\(' "$root"/src/cli/*.c | grep -vE '/(print|recording).c:' | grep -v 'signals.c.*write(STDERR_FILENO, text')
[ -z "$raw" ] && ok "print.c alone prints" || not_ok "print.c alone prints" "$raw"

# ---- closed streams ----
for words in "--version" "--help" "help train" "train --help" "predict run sounds/1.wav" "predict run sounds --json" "evaluate run" \
  "evaluate run --json" "inspect run" "inspect h.yaml" "inspect h.yaml --effective" "inspect corpus.yaml" "inspect sounds/1.wav" \
  "compare run folds" "verify run" "features h.yaml" "crossval --resume folds" "train h.yaml --out closed"; do
  : >out; "$audiomood" $words >&- 2>err; code=$?; expect "$words without a standard output" 1 "standard output is closed"
done
[ -f closed/best.h5 ] && grep -q finished closed/run.json && ok "what it trained is there all the same" || not_ok "what it trained is there all the same"
: >out; "$audiomood" predict run - <&- 2>err; code=$?; expect "a sound from a closed standard input" 1 "^audiomood predict: .*Bad file descriptor"
"$audiomood" predict run sounds/1.wav 2>&- >out; code=$?; : >err; expect "without a standard error" 0 "1.wav: "
"$audiomood" report run <&- >&- 2>&-; code=$?; : >err; : >out
for f in run/report.html run/plots/*.svg; do grep -q "standard output" $f && code=9; done
[ "$code" -le 1 ] && ok "without any" || not_ok "without any"

# ---- readers that leave ----
for words in "predict run sounds" "inspect run" "evaluate run" "compare run folds" "help layers"; do
  { sleep 0.2; "$audiomood" $words 2>err; echo $? >code; } | true
  [ "$(cat code)" = 141 ] && ! grep -q "audiomood" err && ok "$words ends without a word when nobody reads" ||
    not_ok "$words ends without a word when nobody reads" "$(cat code; cat err)"
done
{ sleep 0.2; env --ignore-signal=PIPE "$audiomood" predict run sounds/1.wav 2>err; echo $? >code; } | true
code=$(cat code); expect "where that signal is ignored it is an error" 1 "standard output could not be written: Broken pipe"
{ sleep 0.2; "$audiomood" predict nowhere sounds/1.wav 2>err; echo $? >code; } | true
code=$(cat code); expect "another failure is told" 1 "nowhere: no such file or folder"
{ sleep 0.2; "$audiomood" train h.yaml --out unread 2>&1; echo $? >code; } | true
[ -f unread/best.h5 ] && grep -q finished unread/run.json && ok "a training is not ended by it" || not_ok "a training is not ended by it"
plan
