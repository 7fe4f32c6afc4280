#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/cli/test_tune_jobs.sh AUDIOMOOD SOURCE_ROOT - a search that several processes do together, as jobs of a batch system (TAP).
. "$(dirname "$0")/tap.sh" tune_jobs "$1" "$2"

speech 4
{ tiny; small; } | sed 's/epochs: 1,/epochs: 4, monitor: validation_uar, optimiser: {kind: adam, learning_rate: 0.01},/' >tune.yaml
cat >>tune.yaml <<'YAML'
tune:
  trials: 6
  reduction: 2
  search:
    train.optimiser.learning_rate: {from: 0.001, to: 0.1, scale: log}
    train.batch: [4, 8, 16]
    model.layers.0.conv2d.filters: {from: 2, to: 6}
YAML
timeless() { sed -E 's/"seconds": [0-9.e+-]+/"seconds": 0/' "$1/tune.json"; }
figures() { cut -d, -f1-8 "$1/tune.csv"; } # without seconds
# alike NAME DIR: a search has the table, the figures, the winner's config and the weights of the one by one process
alike() {
  cmp -s <(figures one) <(figures "$2") && cmp -s <(timeless one) <(timeless "$2") && cmp -s one/best.yaml "$2/best.yaml" &&
    cmp -s "$winner/best.h5" "$2/${winner#one/}/best.h5" && cmp -s "$winner/predictions.csv" "$2/${winner#one/}/predictions.csv" && ok "$1" || not_ok "$1" "$(cat "$2/tune.csv")"
}
job=("${hearing[@]}" tune tune.yaml --job --threads 1 --out)

run tune tune.yaml --out one --quiet; expect "a search by one process" 0
winner=$(printf 'one/trial-%03d' "$(awk -F, '$2 == "winner" { print $1 }' one/tune.csv)")

# ---- several at once ----
pids=()
for i in 1 2 3; do "${job[@]}" many >out.$i 2>err.$i & pids+=($!); done
code=0; for pid in "${pids[@]}"; do wait $pid || code=$?; done
cat err.? >err; cp out.2 out; expect "three jobs that begin together" 0 "^Trial [1-6] has won"
same "tell the same" out.1 out.3
[ "$(grep -c "^trial [0-9] of 6, " err)" = 10 ] && ok "each step of a trial is done by one of them" || not_ok "each step of a trial is done by one of them" "$(grep -c "^trial [0-9] of 6, " err) of 10"
[ "$(grep -c "evaluated on the test part" "$work"/err.? | awk -F: '{ n += $2 } END { print n }')" -ge 1 ] && [ "$(cat many/trial-*/log.txt | grep -c " test, ")" = 1 ] &&
  ok "the test part is evaluated once" || not_ok "the test part is evaluated once"
alike "it is the search of one process" many
[ -s many/report.html ] && [ -s "many/${winner#one/}/report.html" ] && ok "with its pages" || not_ok "with its pages"
cp many/tune.json before; run tune tune.yaml --out many --job; expect "a job that comes late" 0 "^Trial [1-6] has won"; same "changes nothing" before many/tune.json
run tune --resume many; expect "one process goes on with it" 0 "^Trial [1-6] has won"

# ---- killed: the others take the trial over; one that is alone, when it comes again ----
# Stopped in a trial, and not while it writes the table, for which others wait as well.
in_trial() {
  local job
  [ -e cut/tune.json ] && flock -n cut/lock true || return 1
  for job in cut/trial-*/job; do [ ! -e "$job" ] || flock -n "$job" true || return 0; done
  return 1
}
"${job[@]}" cut >/dev/null 2>&1 & pid=$!
hold in_trial
"${job[@]}" cut >out 2>err & other=$!
for _ in {1..1200}; do said "waiting for" && break; kill -0 $other 2>/dev/null || break; sleep 0.05; done
said "waiting for" && ok "a job waits for the trial that another one has" || not_ok "a job waits for the trial that another one has"
kill -KILL $pid; wait $pid 2>/dev/null
wait $other; code=$?; expect "and takes it over from one that is killed" 0 "^Trial [1-6] has won"
alike "to the same end" cut
for n in 1 3 5; do
  "${job[@]}" torn >/dev/null 2>&1 & pid=$!
  begun() { [ "$(ls -d torn/trial-*/history.csv 2>/dev/null | wc -l)" -ge $n ]; }
  hold begun; kill -KILL $pid; wait $pid 2>/dev/null
done
run tune tune.yaml --out torn --job; expect "three kills of one job" 0; alike "and it comes to that end" torn
: >err; "${job[@]}" warned >out 2>err & pid=$!; hold said "trial 1 of 6"; kill -USR1 $pid; kill -CONT $pid; wait $pid; code=$?
expect "a job that is warned" 75 "stopped; all is saved in warned; the same command goes on with it"

# ---- who may not join ----
run tune tune.yaml --out warned --job --set tune.trials=5; expect "a job of other trials" 2 "warned was begun with 6 trials in 3 rungs, and this job would search others"
run tune tune.yaml --out warned --job --seed 9; expect "a job of another seed" 2 "warned: its jobs are all of one config"
run tune tune.yaml --out warned; expect "a search where jobs have begun" 2 "warned holds a search already"
run report warned; expect "its page, as far as it has come" 0; grep -q "Rung 1 of 3: [1-5] of its 6 trials have done it" warned/report.html && ok "says how far" || not_ok "says how far"
run tune --resume warned --quiet; expect "one process ends what jobs began" 0; alike "with their end" warned
plan
