#!/bin/bash
# tests/cli/test_jobs.sh AUDIOMOOD SOURCE_ROOT - a cross-validation that several processes train, as jobs of a batch system do (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" jobs "$1" "$2"

speech 4
{ tiny; whole; } | sed -e 's/^split: .*/split: {kind: leave_one_speaker_out, validation_speakers_count: 1}/' -e 's/epochs: 3/epochs: 2/' >folds.yaml
sed 's/^cache: .*/cache: shared/' folds.yaml >shared.yaml

# timeless FILE: a file of a cross-validation without its times
timeless() {
  case $1 in
    *.json) sed -E -e 's/"(seconds|run_seconds|clips_per_second)": [0-9.e+-]+/"\1": 0/' -e 's/"(started|finished_at|written|begun|ended)": "[^"]*"/"\1": ""/' "$1" ;;
    *.html) sed -E -e 's/<h2>Time and speed<\/h2>.*//; s/[0-9.]+ (s|min)<\/td>/TIME/g; s/<time>[^<]*/<time>/g' "$1" ;;
    */history.csv) awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) time[i] = $i ~ /^(seconds|clips_per_second)$/ }
      { for (i = 1; i <= NF; i++) printf "%s,", time[i] ? "TIME" : $i; print "" }' "$1" ;;
    *) cat "$1" ;;
  esac
}
# alike NAME A B: two folders of cross-validations have the same files, times excepted
alike() {
  local file bad=
  [ "$(cd "$2" && find . -type f ! -name lock | sort)" = "$(cd "$3" && find . -type f ! -name lock | sort)" ] || bad="other files"
  while read -r file; do
    case $file in */last.h5 | */log.txt | */run.json) continue ;; esac # times are in the midst of them
    cmp -s <(timeless "$2/$file") <(timeless "$3/$file") || bad="$bad $file"
  done < <(cd "$2" && find . -type f ! -name lock)
  [ -z "$bad" ] && ok "$1" || not_ok "$1" "$bad"
}

run crossval shared.yaml --out one --quiet; expect "all folds by one process" 0
rm -rf shared

# ---- all at once, with nothing in the cache ----
pids=()
for fold in 0 1 2 3; do
  "${hearing[@]}" crossval shared.yaml --out many --job $fold --threads 1 --verbose >out.$fold 2>err.$fold & pids+=($!)
done
code=0; for pid in "${pids[@]}"; do wait $pid || code=$?; done
cp out.2 out; cat err.? >err; expect "four jobs that begin together" 0 "^ +3 +2 +16 " "when all jobs are done: audiomood crossval --collect many"
grep -ho "features of 64 clips: .*" err.? >err; [ "$(grep -c " 0 from the cache .*64 computed" err)" = 1 ] && [ "$(grep -c " 64 from the cache .* 0 computed" err)" = 3 ] &&
  ok "one of them computes the features" || not_ok "one of them computes the features"
ls shared | grep -qv '^features-' && not_ok "and leaves nothing else in the cache" "$(ls shared)" || ok "and leaves nothing else in the cache"
grep -q '"runs_finished": 0' many/crossval.json && ok "none of them writes the results" || not_ok "none of them writes the results"
run crossval --collect many; expect "collect" 0 "over 4 folds" "^clips +64" "results in many"
grep -v "^results in\|^ *[0-9]* *[0-9]* *[0-9]* .* of " out >told
run crossval --resume one; grep -v "^results in\|^ *[0-9]* *[0-9]* *[0-9]* .* of " out >again; same "it prints what one process prints" told again
alike "and writes what one process writes" one many
cp -r many before; run crossval --collect many --json; expect "collect again, as JSON" 0 '"state": "finished"'
alike "changes nothing" before many
run crossval shared.yaml --out many --job 1-2; expect "a job that is done" 0 "many/fold-1 is finished already" "many/fold-2 is finished already" "^ +3 +2 +16 "
grep -q "^epoch" err && not_ok "is not trained again" || ok "is not trained again"

# ---- seeds, and more than one run a job ----
run crossval shared.yaml --out seeds --seeds 2 --folds 1,3 --quiet; expect "two seeds of two folds by one process" 0
run crossval shared.yaml --out seeded --seeds 2 --folds 1,3 --job 0,3 --quiet; expect "half of the runs" 0 "^ +3 +1 " "^ +4 +3 "
run crossval --collect seeded; expect "collect half of them" 1 "fold 3, seed 3: not begun" "fold 1, seed 4: not begun" "seeded: 2 of 4 runs are finished; collect again" "over 2 folds"
grep -q "2 of 4 runs are" seeded/report.html && ok "the page says so, too" || not_ok "the page says so, too"
run crossval shared.yaml --out seeded --seeds 2 --folds 1,3 --job 1-2 --quiet; expect "the other half" 0
run crossval --collect seeded; expect "collect all of them" 0 "over 2 seeds"
alike "they are what one process writes" seeds seeded

# ---- interrupted, killed, failed ----
# begin FOLD EPOCHS: a job of `cut` that is held when its first epoch of many has ended
begin() { : >err; "${hearing[@]}" crossval folds.yaml --out cut --job "$1" --set train.epochs="$2" --threads 1 "${@:3}" >out 2>err & pid=$!; hold said "epoch 1/$2:"; }
run crossval folds.yaml --out straight --set train.epochs=6 --quiet; expect "longer, by one process" 0
begin 1 6; kill -USR1 $pid; kill -CONT $pid; wait $pid; code=$?
expect "SIGUSR1 in a job" 75 "stopped; all is saved in cut; the same command goes on with it"
begin 2 6
run crossval folds.yaml --out cut --job 2 --set train.epochs=6 --wait 1
expect "a fold that another job has is refused" 1 "cut/fold-2/lock is in use by process $pid; waiting for it" "audiomood crossval: .*cut/fold-2/lock is in use by process $pid; wait for it or stop it"
kill -KILL $pid; wait $pid
run crossval --collect cut; expect "collect what is not there" 1 "fold 0, seed 3: not begun \(cut/fold-0\)" "fold 1, seed 3: stopped before its end" "fold 2, seed 3: not at its end: still running, or killed" \
  "cut: 0 of 4 runs are finished"
[ -s out ] && not_ok "without a table" || ok "without a table"
run crossval folds.yaml --out cut --job 0,3 --set train.epochs=6 --set train.optimiser.learning_rate=0.001
expect "a job with other settings" 2 "cut: its jobs are all of one config: train.optimiser is"
run crossval folds.yaml --out cut --job 0 --folds 0-2 --set train.epochs=6; expect "a job of another plan" 2 "cut was begun with 1 seed of 4 folds, and this job is one of 1 of 3; give all jobs the same \(--seeds and folds\)|options seeds and folds"
run crossval folds.yaml --out cut --job 0 --seeds 2 --set train.epochs=6; expect "a job of other seeds" 2 "cut was begun with 1 seed of 4 folds, and this job is one of 2 of 4"
run crossval folds.yaml --out cut --set train.epochs=6; expect "all folds, where jobs have begun" 2 "cut holds a cross-validation already"
sed 's/"state": "running"/"state": "failed"/' cut/fold-2/run.json >run.json; cp run.json cut/fold-2/run.json
run crossval folds.yaml --out cut --job 0,1 --set train.epochs=6 --set data.root=./corpus --quiet; expect "an interrupted job goes on, with its corpus elsewhere" 0 "^ +3 +1 "
run crossval --collect cut; expect "collect with one that failed" 1 "fold 2, seed 3: failed; its log.txt says why" "fold 3, seed 3: not begun" "over 2 folds"
run crossval folds.yaml --out cut --job 2,3 --set train.epochs=6 --quiet; expect "a killed job goes on" 0
run crossval --collect cut; expect "collect at last" 0
same "the folds have the bits of uninterrupted ones" straight/predictions.csv cut/predictions.csv
cmp -s straight/fold-1/best.h5 cut/fold-1/best.h5 && cmp -s straight/fold-2/best.h5 cut/fold-2/best.h5 && ok "and their weights" || not_ok "and their weights"

# ---- by the processes that mpirun starts ----
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # what MPI's libraries keep until the process ends is theirs
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 AM_RANKS_PATIENCE=${AM_RANKS_PATIENCE:-120}
for mpi in openmpi mpich; do command -v mpirun.$mpi >/dev/null && kind=$mpi; done
[ -n "${kind:-}" ] || { ok "by mpirun # SKIP no mpirun.mpich or mpirun.openmpi (Debian: mpich, openmpi-bin)"; plan; exit 0; }
# together PROCESSES ARGUMENTS...: as run
together() {
  local n=$1 more=; shift
  [ $kind = openmpi ] && more=--oversubscribe
  timeout 300 mpirun.$kind $more -n $n "$audiomood" "$@" --threads 1 >out 2>err </dev/null; code=$?
}
once() { [ "$(grep -c '^audiomood crossval:' err)" = 1 ] && ok "$1" || not_ok "$1"; }
together 3 crossval shared.yaml --out three; expect "by three processes" 0 "3 processes share the runs" "fold 3, seed 3 .run 4 of 4." "over 4 folds"
[ "$(grep -c '^training fold' err)" = 2 ] && [ "$(grep -c '^results in' out)" = 1 ] && ok "the first one tells" || not_ok "the first one tells"
alike "they write what one process writes" one three
together 2 crossval shared.yaml --out three; expect "a folder with a cross-validation" 2 "three holds a cross-validation already"; once "is refused once"
together 2 crossval shared.yaml --out mixed --set train.max_steps=1
expect "they stop together" 1 "audiomood crossval: stopped with 0 of 4 runs finished; all is saved in mixed; go on with: audiomood crossval --resume mixed --set train.max_steps=0"
once "which is told once"
rm -f mixed/fold-1/last-1.h5; echo damaged >mixed/fold-1/last.h5
together 2 crossval --resume mixed --set train.max_steps=0
expect "a run that fails" 1 "audiomood crossval: rank 1 on .*: fold 1, seed 3: .*mixed/fold-1/last.h5"; once "is told once"
grep -q '"runs_finished": 2' mixed/crossval.json && ok "when the other process is done with its own" || not_ok "when the other process is done with its own"
rm -r mixed/fold-1; together 2 crossval --resume mixed --set train.max_steps=0 --quiet; expect "they go on" 0 "over 4 folds"
same "with the bits of one process" one/predictions.csv mixed/predictions.csv
together 2 crossval --collect three --quiet; expect "collect by several" 0 "over 4 folds"
[ "$(grep -c '^results in' out)" = 1 ] && ok "is done by one" || not_ok "is done by one"
plan
