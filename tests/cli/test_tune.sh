#!/bin/bash
# tests/cli/test_tune.sh AUDIOMOOD SOURCE_ROOT - a search over settings (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" tune "$1" "$2"

speech 4
{ tiny; small; } | sed 's/epochs: 1,/epochs: 4, monitor: validation_uar, optimiser: {kind: adam, learning_rate: 0.01},/' >tune.yaml
cat >>tune.yaml <<'YAML'
tune:
  trials: 4
  reduction: 2
  search:
    train.optimiser.learning_rate: {from: 0.001, to: 0.1, scale: log}
    train.batch: [4, 8, 16]
    model.layers.0.conv2d.filters: {from: 2, to: 6}
YAML
figures() { cut -d, -f1-8 "$1/tune.csv"; } # without seconds
run tune tune.yaml --out all; expect "a search" 0 "^rung 1 of 3: 4 trials, up to epoch 1" "^rung 2 of 3: 2 trials, up to epoch 2" "^rung 3 of 3: 1 trial, up to epoch 4" \
  "^Trial [1-4] has won: train.optimiser.learning_rate=0.[0-9]+, train.batch=(4|8|16), model.layers.0.conv2d.filters=[2-6]$" "^test +accuracy" "best of 4 trials, so luck has a part in it" "report that figure"
[ "$(cut -d, -f3 all/tune.csv | sort | tr '\n' ' ')" = "1 1 2 4 epochs " ] && ok "half of the trials go on to twice the epochs" || not_ok "half of the trials go on to twice the epochs" "$(cat all/tune.csv)"
awk -F, 'NR > 1 && ($6 < 0.001 || $6 > 0.1 || $7 !~ /^(4|8|16)$/ || $8 < 2 || $8 > 6 || seen[$6, $7, $8]++) { bad = 1 } END { exit bad || NR != 5 }' all/tune.csv \
  && ok "settings are within their ranges, no two trials alike" || not_ok "settings are within their ranges, no two trials alike"
winner=$(printf 'all/trial-%03d' "$(awk -F, '$2 == "winner" { print $1 }' all/tune.csv)")
awk -F, 'NR == 1 { next } { v[NR] = $5; e[NR] = $3; if ($2 == "winner") w = NR } END { for (i in v) if (e[i] == e[w] && v[i] > v[w]) exit 1 }' all/tune.csv \
  && ok "the best of those that got to the end has won" || not_ok "the best of those that got to the end has won"
good=1
for trial in all/trial-*; do
  [ $trial = "$winner" ] && continue
  [ -e $trial/metrics.json ] || [ -e $trial/predictions.csv ] || grep -q "test, " $trial/log.txt && good=0
done
[ $good = 1 ] && [ "$(grep -c " test, " "$winner/log.txt")" = 1 ] && ok "the test part is evaluated once, for the winner" || not_ok "the test part is evaluated once, for the winner"
[ -s "$winner/report.html" ] && ok "whose page is there" || not_ok "whose page is there"
page=all/report.html
grep -q "The test part was untouched until the end" $page && grep -q "<dt>Chosen on (validation part)</dt><dd>03 (16 clips)</dd>" $page && grep -q "<dt>Judged on (test part)</dt><dd>04 (16 clips)</dd>" $page &&
  grep -q "<a href=\"${winner#all/}/report.html\">" $page && ok "the page of the search says who chose and who judged" || not_ok "the page of the search says who chose and who judged"
for f in halving setting-1 setting-2 setting-3; do [ -s all/plots/$f.svg ] || break; done
[ -s all/plots/$f.svg ] && ok "and has its pictures" || not_ok "and has its pictures" "$f"
sed -n '/<pre tabindex="0">audiomood train/,/<\/pre>/p' $page | sed -E "s/.*<pre tabindex=\"0\">audiomood //; s/<\/pre>.*//; s/&#39;/'/g" >command
eval "run $(cat command) --out repeated"; expect "its command" 0; same "trains the winner again" repeated/best.h5 "$winner/best.h5"
run report all --out search.html; expect "the page again, elsewhere" 0 "^search.html"; grep -q 'href="trial' search.html && not_ok "points nowhere" || ok "points nowhere"

# ---- the test part has no say: with other sounds in it all is the same, but for its figures ----
cp -r corpus other; names=(other/Actor_04/*); cp "${names[0]}" first.wav
for ((i = 0; i + 1 < ${#names[@]}; i++)); do cp "${names[i + 1]}" "${names[i]}"; done; cp first.wav "${names[i]}"
run tune tune.yaml --out swapped --set data.root=other --quiet; expect "a search with another test part" 0
figures all >a; figures swapped >b; same "has the same trials and the same winner" a b
same "trained to the same bits" "$winner/digests.csv" "swapped/${winner#all/}/digests.csv"
differ "and other figures at the end" "$winner/predictions.csv" "swapped/${winner#all/}/predictions.csv"

# ---- as if trained at once; interrupted; the same again ----
run train all/best.yaml --out once; expect "the config of the winner" 0
same "trained at once has the weights of the winner" once/best.h5 "$winner/best.h5"
run tune tune.yaml --out again --threads 1 --quiet; figures again >b; same "the same seed gives the same trials, by one thread" a b
"$audiomood" tune tune.yaml --out killed >/dev/null 2>&1 & pid=$!
hold test -e killed/trial-002/history.csv; kill -KILL $pid; wait $pid 2>/dev/null
if [ -e killed/tune.json ]; then
  for _ in 1 2; do
    "$audiomood" tune --resume killed >/dev/null 2>&1 & pid=$!
    hold test -e killed/trial-004/history.csv; kill -KILL $pid; wait $pid 2>/dev/null
  done
fi
run tune --resume killed; expect "a search that was killed goes on" 0 "^Trial [1-4] has won"
figures killed >b; same "to the same end" a b; same "and the same weights" "$winner/best.h5" "killed/${winner#all/}/best.h5"
run tune --resume all --json; expect "one that has ended is told again" 0 '"winner": [1-4]' '"test": \{' '"validation": \{'
run tune tune.yaml --out more --set tune.trials=5 --quiet; [ "$(cut -d, -f6-8 more/tune.csv | sed -n 2,5p)" = "$(cut -d, -f6-8 all/tune.csv | sed 1d)" ] && ok "more trials begin with these" || not_ok "more trials begin with these"

# ---- trials that cannot be trained ----
run tune tune.yaml --out few --set 'tune.search={train.batch: [4, 8], train.optimiser.learning_rate: [0.01, 1e30]}' --set train.epochs=2
expect "a trial that diverges is left behind" 0 "warning: trial [1-4] ends: .*not a number" "^ +[1-4] .* failed "
[ "$(awk -F, '$2 == "failed" && $7 != "1e+30" && $7 != "1e30"' few/tune.csv)" = "" ] && ok "and none else" || not_ok "and none else" "$(cat few/tune.csv)"
run tune tune.yaml --out none --set 'tune.search={train.batch: [4, 8], train.optimiser.learning_rate: [1e30, 1e31]}'; expect "where none can be trained" 1 "no trial can go on; the first: .*not a number"
run tune tune.yaml --out two --set 'tune.search={train.batch: [4, 8]}' --set tune.trials=9 --set train.epochs=1; expect "fewer settings than trials" 0 "2 different trials" "two: 2 trials|: 2 trials in 1 rung"
run train tune.yaml --out plain --set train.epochs=1; expect "training passes over the section" 0
grep -q "^tune" plain/config.yaml && not_ok "and does not keep it" || ok "and does not keep it"
plan
