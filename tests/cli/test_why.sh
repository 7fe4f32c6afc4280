#!/bin/bash
# tests/cli/test_why.sh AUDIOMOOD SOURCE_ROOT - predict --report: the page of one sound, and what moved its answer (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" why "$1" "$2"

trained
run predict run1 "$sound"; cp out plain; label=$(sed -E 's/^[^:]*: ([a-z]+) .*/\1/' plain)
run predict run1 "$sound" --report page.html; expect "the page of a sound" 0 "^$sound: $label "
same "the answer is the same" out plain
grep -q "<h2>What moved the answer</h2>" page.html && grep -q "for $label (red) and against it (blue)" page.html && grep -q "data:audio/flac" page.html &&
  grep -qE "Log-odds of $label by this model alone: -?[0-9.]+\. Most for it speaks the time around [0-9.]+ s .*around [0-9]+ Hz" page.html && ok "has a picture and says it in words" || not_ok "has a picture and says it in words"
p=$(sed -E "s/.* $label ([0-9.]+)%.*/\1/" plain); odds=$(grep -oE "this model alone: -?[0-9.]+[0-9]" page.html | grep -oE -- "-?[0-9.]+$" | head -1)
awk "BEGIN { d = $odds - log($p / (100 - $p)); exit !(d < 0.02 && d > -0.02) }" && ok "its log-odds are those of the answer" || not_ok "its log-odds are those of the answer" "$odds, $p %"
run predict run1 "$sound" --report again.html --threads 1; same "the same page by one thread" page.html again.html
{ tiny; small; } >small.yaml; run train small.yaml --out vector --set features.kind=functionals --set 'model.layers=[flatten, dense: {}]'
run predict vector "$sound" --report vector.html; expect "a model without time" 0
grep -q "No picture: small hears one vector of numbers\|No picture: tiny hears one vector of numbers" vector.html && ok "has a line in place of a picture" || not_ok "has a line in place of a picture"
silence 500 | wav quiet.wav; run predict run1 quiet.wav --report quiet.html; expect "a sound that is silent has a page" 0 "is silent and has no label"
grep -q "What moved" quiet.html && not_ok "without pictures" || ok "without pictures"
# ---- of a longer recording the surest parts ----
for i in 5 9 17; do clip 4 $i; silence 900; done | wav film.wav
run subtitle film.wav --model run1 --report film.html; cp out said; expect "the page of a longer recording" 0
n=$(grep -cE "<h3>[0-9.]+ to [0-9.]+ s, (uncertain: )?[a-z]+, by tiny</h3>" film.html); [ $n -ge 1 ] && [ $n -le 4 ] && [ "$(grep -o "red) and against it" film.html | wc -l)" = $n ] &&
  ok "has pictures of its surest parts" || not_ok "has pictures of its surest parts" "$n of them"
grep -q "s from its start" film.html && ok "whose times are their own" || not_ok "whose times are their own"
run subtitle film.wav --model run1 --report again.html --threads 1; same "by one thread the same" film.html again.html
run subtitle film.wav --model run1; same "what is said is the same" out said
run predict run1 "$sound" --report page.html --window 1; expect "windows have no page" 2 "leave out --window"
plan
