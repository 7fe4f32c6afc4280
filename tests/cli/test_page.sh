#!/bin/bash
# tests/cli/test_page.sh AUDIOMOOD SOURCE_ROOT - the page of a run, and models that are normalised per speaker (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" page "$1" "$2"

trained

# ---- the page of a run ----
[ -s run1/report.html ] && ok "train writes the page" || not_ok "train writes the page"
run report run1; expect "report" 0 "^run1/report.html"
grep -q "Synthetic speech" run1/report.html && grep -q "Speaker-independent" run1/report.html && grep -q "<h2>Most confidently wrong" run1/report.html
[ $? = 0 ] && ok "the page says what it is about" || not_ok "the page says what it is about"
for f in loss accuracy confusion calibration risk-coverage lengths waveform spectrogram; do
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
plan
