#!/bin/bash
# tests/cli/test_places.sh AUDIOMOOD SOURCE_ROOT - what a command writes stays in the folder it is given: links under names
# of ours, modes, and what killed commands leave half-written (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" places "$1" "$2"

cat >tiny.yaml <<'YAML'
name: tiny
seed: 3
cache: cache
data: {corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry]}
split: {kind: kfold, folds: 2, fold: 0, validation_speakers_count: 0}
features: {kind: log_mel, sample_rate: 8000, n_fft: 256, hop: 128, mels: 12, mean_over_time: true}
model: {layers: [flatten, dense]}
train: {epochs: 1, batch: 8, monitor: last}
YAML
speech 2
"$audiomood" train tiny.yaml --out whole >log 2>&1 &&
  "$audiomood" crossval tiny.yaml --out folds --seeds 2 >>log 2>&1 || {
  echo "not ok 1 - preparing"; tail -5 log | sed 's/^/# /'; echo 1..1; exit 1; }
sound=corpus/Actor_02/03-01-05-01-01-01-02.wav

# victim NAME...: files outside that must stay as they are, and unharmed NAME says whether they did
victim() { rm -rf victim; mkdir -p victim/folder; for f; do echo precious >victim/$f; done; }
unharmed() {
  local bad
  bad=$(find victim -type f ! -exec grep -qx precious {} \; -print; find victim/folder -mindepth 1; find victim -name '*.tmp')
  [ -z "$bad" ] && ok "$1" || not_ok "$1" "changed outside: $bad"
}

# ---- links under our names ----
files=(config.yaml run.json history.csv events.out.tfevents.audiomood digests.csv log.txt metrics.json predictions.csv last.h5 best.h5 last.h5.new best.h5.new
       last-1.h5 report.html)
victim "${files[@]}"
rm -rf run; "$audiomood" train tiny.yaml --out run --set train.epochs=2 --set train.max_steps=2 --set train.tensorboard=true >out 2>err
[ -f run/last.h5 ] || not_ok "a run that is not finished"
for f in "${files[@]}"; do
  case $f in config.yaml | run.json | history.csv | digests.csv | last.h5) cp run/$f victim/$f.text; mv run/$f run/kept.$f ;; esac
  rm -f run/$f
done
# Those that are read to resume must hold what they held: these are links to copies, which count as harmed when they change.
for f in config.yaml run.json digests.csv last.h5; do mv victim/$f.text victim/$f; ln -s ../victim/$f run/$f; done
rm -f victim/*.text run/kept.*
for f in history.csv events.out.tfevents.audiomood log.txt metrics.json predictions.csv best.h5 last.h5.new best.h5.new last-1.h5 report.html; do ln -s ../victim/$f run/$f; done
cp -r victim before
run train --resume run --set train.max_steps=0; expect "a run with links under all names of its files is resumed" 0
diff -r victim before >diff.txt && ok "and none of what they lead to changes" || not_ok "and none of what they lead to changes" "$(cat diff.txt)"
left=$(find run -type l -not -name config.yaml); [ -z "$left" ] && ok "files of the run took their places" || not_ok "files of the run took their places" "$left"
rm -rf before
grep -q precious run/log.txt && not_ok "what a linked log leads to is not copied" || ok "what a linked log leads to is not copied"

cp -r whole bad; victim lock; rm -f bad/lock; ln -s ../victim/lock bad/lock
run train --resume bad; expect "a linked lock is refused" 1 "bad/lock is a link"
unharmed "and what it leads to is as it was"
ln -f victim/lock bad/lock; run train --resume bad; expect "a lock with a second name is refused" 1 "bad/lock is not a lock of audiomood"
unharmed "and that file is as it was"

rm -rf bad; cp -r whole bad; victim report; rm -rf bad/plots bad/report.html; ln -s ../victim/folder bad/plots
ln -s ../victim/report bad/report.html
run report bad; expect "a linked folder of pictures is refused" 1 "bad/plots is a link; it is not followed out of bad"
unharmed "and nothing is written there"
rm bad/plots; run report bad; expect "a linked page is replaced" 0
unharmed "and not what it leads to"
[ -f bad/report.html ] && [ ! -L bad/report.html ] && ok "by a file" || not_ok "by a file"
run report bad --out victim/report; expect "a file that the user names is written" 0
grep -q "<html" victim/report && ok "where he said" || not_ok "where he said"

rm -rf bad; cp -r whole bad; victim p; rm -f bad/predictions-test.csv; ln -s ../victim/p bad/predictions-test.csv
run evaluate bad --split test; expect "evaluate replaces a link in the run" 0
unharmed "and not what it leads to"
ln -s victim/p given.csv
run evaluate bad --out given.csv; expect "a link that the user names" 0
[ -L given.csv ] && grep -q "^clip," victim/p && ok "leads to the file that is replaced" || not_ok "leads to the file that is replaced"
run evaluate bad --out /dev/null; [ -c /dev/null ] && [ "$code" = 0 ] && ok "a device stays one" || not_ok "a device stays one"

for f in seed-3 seed-3/fold-1; do
  rm -rf bad; cp -r folds bad; victim; rm -rf bad/$f; ln -s "$PWD/victim/folder" bad/$f
  run crossval --resume bad; expect "a cross-validation with the link $f is refused" 1 "bad/$f is a link"
  unharmed "and nothing is written there"
done
rm -rf bad; cp -r folds bad; victim crossval.json predictions.csv; for f in predictions.csv; do rm bad/$f; ln -s ../victim/$f bad/$f; done
run crossval --resume bad; expect "a cross-validation with linked results" 0
unharmed "leaves what they lead to"

rm -rf made; mkdir made; cp corpus/SYNTHETIC made; victim; ln -s ../victim/folder made/Actor_01
run synth made --actors 1 --repetitions 1; expect "synth writes no clips through a link" 1 "made/Actor_01 is a link"
unharmed "and writes nothing there"
rm made/Actor_01; mkdir -p victim/real; cp $sound victim/real/03-01-05-01-01-01-02.wav; ln -s ../victim/real made/Actor_02
run synth made --actors 1 --repetitions 1; expect "nor removes any through one" 1 "made/Actor_02 is a link"
[ -f victim/real/03-01-05-01-01-01-02.wav ] && ok "so recordings elsewhere stay" || not_ok "so recordings elsewhere stay"
victim wav; mkdir -p pictures; for f in before.wav after.csv augmented.png; do ln -s ../victim/wav pictures/$f; done
run inspect tiny.yaml --set 'augment.gain=[-6, 6]' --augment $sound --out pictures; expect "inspect --augment" 0
unharmed "inspect --augment writes through no link"

# ---- modes ----
rm -rf bad; cp -r whole bad; chmod 600 bad/* 2>/dev/null; chmod 700 bad/plots
(umask 022; "$audiomood" report bad && "$audiomood" evaluate bad --split test && "$audiomood" evaluate bad --split test) >out 2>err
modes=$(stat -c %a bad/report.html); [ "$modes" = 600 ] && ok "a page that only its owner may read stays so" || not_ok "a page that only its owner may read stays so" "$modes"
(umask 022; "$audiomood" train tiny.yaml --out private --set train.epochs=3 --set train.save_seconds=0 --set train.max_steps=3 >out 2>err; chmod 600 private/*
  "$audiomood" train --resume private --set train.max_steps=0 >out 2>err)
modes=$(stat -c '%a %n' private/last.h5 private/best.h5 private/log.txt private/history.csv private/run.json | grep -v ^600)
[ -z "$modes" ] && ok "so do the files of a run that is resumed" || not_ok "so do the files of a run that is resumed" "$modes"

# ---- what killed commands leave ----
# A writer is stopped now and then, until it has a file half written: there the names are of this boot, and of a process
# that is dead once it is killed.
dead=4194304 machine= looks=0 # the largest process id of Linux plus one: no other process gets it meanwhile
"$audiomood" synth big --actors 24 --repetitions 2 >out 2>err & pid=$!
while [ -z "$machine" ] && kill -STOP $pid 2>/dev/null; do
  found=$(find big -name '*.tmp' 2>/dev/null | head -1); looks=$((looks + 1))
  [ -n "$found" ] && { machine=${found%.audiomood.tmp}; machine=${machine##*.}; break; }
  kill -CONT $pid
done
kill -9 $pid; wait $pid 2>/dev/null
[ -n "$machine" ] && ok "a killed writer leaves a file half written" || not_ok "a killed writer leaves a file half written"
for place in whole/report.html whole/plots/accuracy.svg folds/crossval.json folds/plots/x.svg folds/seed-3/predictions.csv \
  folds/seed-3/fold-1/last.h5.new corpus/manifest.csv corpus/Actor_01/a.wav model.h5 pictures/before.wav; do
  mkdir -p "$(dirname $place)"; echo half >$place.$dead.$machine.audiomood.tmp
done
run report whole; run crossval --resume folds; run synth corpus --actors 2 --repetitions 1
run evaluate whole --out model.csv
run inspect tiny.yaml --set 'augment.gain=[-6, 6]' --augment $sound --out pictures
left=$(find whole folds corpus pictures . -maxdepth 4 -name '*.tmp' -not -path './big/*' -not -path './cache/*' | grep -v fold-1 | sort -u)
[ -z "$left" ] && ok "what killed commands left half-written goes with the next one" || not_ok "what killed commands left half-written goes with the next one" "$left"
run synth big --actors 1 --repetitions 1
left=$(find big -name '*.tmp'); [ -z "$left" ] && ok "so does what synth left" || not_ok "so does what synth left" "$left"
"$audiomood" synth big --actors 24 --repetitions 2 >out 2>err & pid=$!
for i in $(seq 6000); do [ -d big/Actor_02 ] && break; sleep 0.01; done
kill -TERM $pid; wait $pid; code=$?
left=$(find big -name '*.tmp'); [ "$code" = 143 ] && [ -z "$left" ] && ok "SIGTERM leaves nothing half-written" || not_ok "SIGTERM leaves nothing half-written" "$code $left"
plan
