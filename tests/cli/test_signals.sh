#!/bin/bash
# tests/cli/test_signals.sh AUDIOMOOD SOURCE_ROOT - the same result with any threads, after a signal, and verified (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" signals "$1" "$2"

trained

# ---- same seed, same result ----
for t in 1 4; do
  run train tiny.yaml --out threads$t --threads $t
  cmp -s run1/best.h5 threads$t/best.h5 && ok "$t threads, same weights" || not_ok "$t threads, same weights"
done
# begin NAME EPOCHS: a run that is held (SIGSTOP) when its second epoch has ended; $pid is the process
begin() {
  : >err; "${hearing[@]}" train tiny.yaml --out "$1" --set train.epochs="$2" --threads 2 >out 2>err & pid=$!
  hold said "epoch 2/$2:"
}
"$audiomood" train tiny.yaml --out whole --set train.epochs=12 --quiet >/dev/null 2>&1
begin int 12; kill -INT $pid; kill -CONT $pid; wait $pid; code=$?
expect "Ctrl-C saves, says how to resume, ends by the signal" 130 "resume int"
run train --resume int; expect "resume" 0 "of 12"
cmp -s int/best.h5 whole/best.h5 && ok "resumed equals uninterrupted" || not_ok "resumed equals uninterrupted"
run train --resume nowhere; expect "resume where nothing is" 1 "nowhere"
begin term 400; kill -TERM $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGTERM saves, reports, ends by the signal" 143 "stopping after this step" "stopped after step [0-9]+, in epoch" "all is saved in term/last.h5"
step=$(grep -oE "^audiomood train: stopped after step [0-9]+" err | grep -oE "[0-9]+$")
grep -q '"state": "interrupted"' term/run.json && ok "run.json says so" || not_ok "run.json says so"
run train --resume term --set train.epochs=3; expect "the step was finished and saved" 0 "resuming after step $step,"
cmp -s term/predictions.csv run1/predictions.csv && [ "$(tail -1 term/digests.csv)" = "$(tail -1 run1/digests.csv)" ] || [ "$step" -gt 12 ]
[ $? = 0 ] && ok "and the run ends as if it had not been stopped" || not_ok "and the run ends as if it had not been stopped"
begin hung 400; kill -HUP $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGHUP, of a terminal that closes, saves as well" 129 "stopped after step [0-9]+, in epoch" "all is saved in hung/last.h5"
grep -q '"state": "interrupted"' hung/run.json && ok "and says so" || not_ok "and says so"
begin twice 400; kill -TERM $pid; kill -INT $pid; kill -CONT $pid; wait $pid; code=$?
# Which of the two is handled first is the kernel's choice; whichever is second ends the process before it has saved.
[ $code = 130 ] || [ $code = 143 ] && ok "a second signal stops at once" || not_ok "a second signal stops at once" "exit code $code"
grep -q '"state": "running"' twice/run.json && ok "without a save" || not_ok "without a save"

# ---- SIGUSR1, by which a batch system warns ----
begin warned 12; kill -USR1 $pid; kill -USR1 $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGUSR1, twice, saves and ends with a status of its own" 75 "time is nearly up \\(SIGUSR1\\): stopping after this step" "all is saved in warned/last.h5"
grep -q '"state": "interrupted"' warned/run.json && ok "run.json says so, too" || not_ok "run.json says so, too"
run train --resume warned; expect "resume after SIGUSR1" 0 "of 12"
cmp -s warned/best.h5 whole/best.h5 && ok "and ends with the same weights" || not_ok "and ends with the same weights"
begin limit 400; kill -USR1 $pid; kill -TERM $pid; kill -CONT $pid; wait $pid; code=$?
[ $code = 143 ] && ok "SIGTERM after it, the limit itself, stops at once" || not_ok "SIGTERM after it, the limit itself, stops at once" "exit code $code"
# caught BIT: the process $pid has begun to handle a signal: 9 is SIGUSR1, 14 SIGTERM
caught() { local mask; mask=$(sed -n 's/^SigCgt:\t//p' /proc/$pid/status 2>/dev/null) && [ -n "$mask" ] && ((0x$mask >> $1 & 1)); }
mkfifo config; exec 3<>config # nothing is written to it
"${hearing[@]}" train config --out early >out 2>err & pid=$!
for _ in {1..6000}; do caught 9 && break; sleep 0.01; done
kill -USR1 $pid; wait $pid; code=$?; exec 3>&-
expect "SIGUSR1 before there is anything to save" 75
mkfifo sounds; exec 3<>sounds; "${hearing[@]}" predict run1 - <sounds >out 2>err & pid=$!
kill -USR1 $pid; wait $pid; code=$?; exec 3>&-
expect "what cannot go on later ends by SIGUSR1, as before" 138

# ---- while features are computed: of copies, which are many ----
cached() { compgen -G "$1/features-*.h5" >/dev/null; }
copying=(train tiny.yaml --set train.epochs=1 --set 'augment={copies: 100, noise_snr: [10, 20]}' --threads 2)
"${hearing[@]}" "${copying[@]}" --set cache=copied --out copied-run >out 2>err & pid=$!
hold cached copied; kill -TERM $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGTERM among features ends by the signal" 143 "audiomood train: stopped while computing features: [0-9]+ of [0-9]+ clips have theirs; the cache keeps them, and the next call goes on with it$"
had=$(ls copied | wc -l)
compgen -G "copied/computing-*" >/dev/null && not_ok "without a lock that stays" || ok "without a lock that stays"
run features tiny.yaml --set cache=copied; expect "which has what was computed" 0 "([0-9]+) clips of .*: \1 from the cache, 0 computed"
[ "$(ls copied | wc -l)" = "$had" ] && ok "whole" || not_ok "whole" "$(ls -l copied)"
rows() { [ -s "$1" ] && [ "$(wc -l <"$1")" -gt 1 ]; }
"${hearing[@]}" predict run1 corpus --out heard.csv --threads 1 >out 2>err & pid=$!
hold rows heard.csv; kill -TERM $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGTERM in predict DIR" 143 "audiomood predict: stopped after [0-9]+ of 120 sounds; the same call goes on with the others"
run predict run1 corpus --out heard.csv; expect "which goes on" 0; run predict run1 corpus --out once.csv; same "with the same rows" once.csv heard.csv

# ---- as the first process of a container, whom no signal ends but by a handler ----
first=(unshare --map-root-user --pid --fork env --default-signal=INT,HUP "$audiomood")
if unshare --map-root-user --pid --fork true 2>/dev/null; then
  # alone ARGUMENTS...: begins it; $pid is the process, $outer what waits for it
  alone() {
    "${first[@]}" "$@" >out 2>err & outer=$!
    for _ in {1..6000}; do read -r pid </proc/$outer/task/$outer/children; [ -n "$pid" ] && caught 14 && return; sleep 0.01; done 2>/dev/null
  }
  exec 3<>config; alone train config --out early; kill -TERM "$pid"; wait $outer; code=$?; exec 3>&-
  expect "the first process of a container ends by SIGTERM before its first step" 143
  alone "${copying[@]}" --set cache=inside --out inside-run
  hold cached inside; kill -TERM "$pid"; kill -CONT "$pid"; wait $outer; code=$?
  expect "and among its features" 143 "stopped while computing features"
  alone train tiny.yaml --set train.epochs=400 --out inside-run; hold said "epoch 2/400:"; kill -TERM "$pid"; kill -INT "$pid"; kill -CONT "$pid"; wait $outer; code=$?
  [ $code = 130 ] || [ $code = 143 ] && ok "and by a second signal at once" || not_ok "and by a second signal at once" "exit code $code"
else
  ok "the first process of a container # SKIP no namespaces of processes here"
fi

# ---- verify ----
run verify run1; expect "verify" 0 "^ +10 +[0-9]+ +[0-9a-f]{8} +[0-9a-f]{8} +equal" "are those of the run" "4 of 4 digests of the weights agree|3 of 3 digests of the weights agree"
run verify int --epochs 3 --threads 1; expect "verify a resumed run, other threads" 0 "equal" "digests of the weights agree"
[ "$(uname -m)" = x86_64 ] && { AM_CPU=plain run verify run1; grep -q '"cpu": "plain"' run1/run.json && expect "verify on the same path" 0 || expect "verify on another processor path" 1 "cpu: avx[0-9]+ then, plain now" "differ from step"; }
cp -r run1 forged; sed -i 's/^10,\([0-9]*\),.*/10,\1,01234567/' forged/digests.csv
run verify forged; expect "verify a run with other weights" 1 "01234567 .*differs" "libraries and recordings are those of the run" "forged: the weights differ from step 10 on"
run verify corpus; expect "verify what is no run" 2 "corpus: there is no run to verify"
run verify run1 --epochs 99; expect "verify more epochs than there are" 2 "there are digests of 3 epochs, not of 99"
run verify run1 --epochs x; expect "verify with a bad number" 2 "--epochs x"
run verify run1 --set train.batch=4; expect "verify with other settings" 2 "train.batch is 4, the run has 8"
run verify run1 --set train.epochs=7; expect "verify with another length" 2 "train.epochs is 7, the run has 3"
mkdir -p mine/ann; cp corpus/Actor_01/03-01-05-01-01-01-01.wav mine/ann/anger-1.wav
run verify run1 --set data.root=mine; expect "verify without its corpus" 1
run verify run1 --set data.root=./corpus --set cache=; expect "verify with its corpus elsewhere" 0 "digests of the weights agree"
run train tiny.yaml --out longer --set train.schedule.kind=cosine --set train.max_steps=5
run train --resume longer --set train.max_steps=0 --set train.epochs=6; expect "a run made longer" 0 "of 6; results in longer"
run verify longer --epochs 6; expect "verify a run made longer" 0 "([0-9]+) of \\1 digests of the weights agree"
sed -i 's/"train_epochs"/"unheard_of"/' longer/run.json # an earlier version's
run verify longer; expect "verify a run that does not say whether it was" 1 "another train.epochs, which its run.json does not say"
rm -rf forged longer
plan
