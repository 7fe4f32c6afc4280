#!/bin/bash
# tests/cli/test_review.sh AUDIOMOOD SOURCE_ROOT - what a model said, corrected by a person, and trained on (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" review "$1" "$2"

trained
run predict run1 corpus/Actor_01 corpus/Actor_02 --uncertain-first -o review.csv
expect "a table to be corrected" 0 "60 sounds in review.csv, the least sure first; correct them in the column corrected"
[ "$(head -1 review.csv)" = path,speaker,label,corrected,probability,margin,entropy ] && [ "$(wc -l <review.csv)" = 61 ] && ok "has a row a sound" || not_ok "has a row a sound"
sed 1d review.csv | cut -d, -f6 >margins; sort -gc margins && ok "the least sure first" || not_ok "the least sure first"
run predict run1 corpus/Actor_01 corpus/Actor_02 --uncertain-first --threads 1; same "the same by one thread, on standard output" out review.csv
run predict run1 corpus/Actor_01 corpus/Actor_02 --csv
awk -F, 'NR == FNR { top[$1] = $2; for (k = 3; k <= 6; k++) p[$1, k] = $k; next } FNR > 1 {
    a = b = e = 0; for (k = 3; k <= 6; k++) { x = p[$1, k]; e -= x * log(x) / log(4); if (x > a) { b = a; a = x } else if (x > b) b = x }
    if ($3 == top[$1] && ($5 - a)^2 < 1e-8 && ($6 - a + b)^2 < 2e-8 && ($7 - e)^2 < 2e-8) good++ } END { exit good != 60 }' out review.csv \
  && ok "label, probability, margin and entropy are those of the predictions" || not_ok "label, probability, margin and entropy are those of the predictions"
run predict run1 corpus/Actor_01 --uncertain-first -o review.csv; expect "what may be corrected is not written over" 2 "review.csv is there already, and may hold corrections"
mkdir else; run predict run1 "$sound" --uncertain-first -o else/review.csv
[ "$(sed -n '2s/,.*//p' else/review.csv)" = "$PWD/$sound" ] && ok "in another folder its paths are whole" || not_ok "in another folder its paths are whole"
run predict run1 "$sound" --uncertain-first --window 1; expect "windows are not corrected" 2 "leave out --window"

# ---- as a spreadsheet writes it back: semicolons, decimal commas, CRLF, a byte order mark ----
{ printf '\357\273\277'; awk -F, -v OFS=';' -v ORS='\r\n' 'NR > 1 { for (k = 5; k <= 7; k++) gsub(/\./, ",", $k); split($1, at, "/"); $2 = at[2] }
  NR >= 2 && NR <= 21 { $4 = NR % 2 ? "happy " : "angry" } NR == 22 { $4 = "-" } NR == 23 { $4 = $3 } { $1 = $1; print }' review.csv; } >sheet.csv
{ tiny; small; } | sed 's/^data:.*/data: {corpus: manifest, manifest: sheet.csv}/; s/^split:.*/split: {kind: speaker, validation: 0, test: 0.5}/' >sheet.yaml
run train sheet.yaml --out corrected; expect "it is a manifest" 0 "sheet.csv: 21 labels by a person, 38 by a model" "left out: 1 clip, a person left it out" "59 clips, 4 classes, 2 speakers"
sed 1d corrected/predictions.csv | awk -F, '$NF == "person" && $4 !~ /^(happy|angry|sad|calm)$/ { bad = 1 } { n[$NF]++ } END { exit bad || !n["person"] || !n["model"] }' \
  && ok "results tell labels of a person from those of the model" || not_ok "results tell labels of a person from those of the model"
run train sheet.yaml --out person --set data.uncorrected=leave_out; expect "those of the model may be left out" 0 "21 labels by a person, 0 by a model" "left out: 38 clips, nobody corrected its label"
run evaluate run1 --data sheet.yaml --split all; expect "a model is scored on it" 0 "59 clips|clips +59"
sed 's/;happy ;/;hapy;/' sheet.csv >slip.csv
run inspect sheet.yaml --set data.manifest=slip.csv; expect "a slip of the hand is named once" 0 'warning: slip.csv:[0-9]+: "hapy" is a new label, .*did you mean "happy"'
[ "$(grep -c '"hapy" is a new' err)" = 1 ] && ok "and once" || not_ok "and once"
cut -d';' -f1-3 sheet.csv >plain.csv; run train sheet.yaml --out bad --set data.manifest=plain.csv --set data.uncorrected=leave_out
expect "a list without corrections" 2 'plain.csv: no column "corrected", and data.uncorrected is leave_out'
plan
