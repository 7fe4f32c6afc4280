#!/bin/bash
# tests/cli/test_together.sh AUDIOMOOD SOURCE_ROOT - training by several processes has the bits of one (TAP). Needs an MPI.
# SPDX-License-Identifier: MIT
for mpi in mpich openmpi; do command -v mpirun.$mpi >/dev/null && kinds="${kinds:-} $mpi"; done
[ -n "${kinds:-}" ] || { echo "1..0 # SKIP no mpirun.mpich or mpirun.openmpi (Debian: mpich, openmpi-bin)"; exit 0; }
. "$(dirname "$0")/tap.sh" together "$1" "$2"
# What MPI's libraries keep until the process ends is theirs.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 AM_RANKS_PATIENCE=${AM_RANKS_PATIENCE:-120}
speech 4
cat >a.yaml <<'YAML'
seed: 3
cache: cache
data: {corpus: ravdess, root: corpus}
split: {kind: fixed, validation_speakers: ['01'], test_speakers: ['02']}
features: {kind: log_mel, sample_rate: 16000, mels: 20}
model: {layers: [{conv2d: {filters: 8, kernel: 3, activation: relu}}, batch_norm, {max_pool2d: {size: 2}},
  {conv2d: {filters: 16, kernel: 3, activation: relu}}, {dropout: {rate: 0.2}}, {max_pool2d: {size: 2}}, to_sequence,
  {lstm: {units: 8, bidirectional: true}}, {attention_pool: {units: 8}}, {dense: {units: 24, activation: relu}}, layer_norm, dense]}
train: {epochs: 2, batch: 14, ema: 0.9, loss: {contrastive: 0.2}, optimiser: {kind: adamw, clip_norm: 1}}
YAML
# Everything that looks at more than one clip of a batch.
cat >b.yaml <<'YAML'
seed: 4
cache: cache
data: {corpus: ravdess, root: corpus}
split: {kind: fixed, validation_speakers: ['01'], test_speakers: ['02']}
features: {kind: log_mel, sample_rate: 16000, mels: 20}
augment: {mixup: 0.4, noise_snr: [10, 30], time_masks: 1, time_width: 5}
model: {layers: [{conv1d: {filters: 16, kernel: 3}}, batch_norm, {gru: {units: 8, return: last}}, {dense: {units: 12}}, batch_norm, dense]}
train: {epochs: 1, batch: 9, groups: 9, bucket: true, class_weights: balanced, auxiliary: {statement: 0.3, speaker: -0.1}}
YAML
# together KIND RANKS THREADS ARGUMENTS...: stdout in out, stderr in err, exit code in $code
together() {
  local kind=$1 ranks=$2 threads=$3 more=; shift 3
  [ $kind = openmpi ] && more=--oversubscribe
  timeout 300 mpirun.$kind $more -n $ranks "$audiomood" "$@" --threads $threads >out 2>err </dev/null; code=$?
}
for config in a b; do
  run train $config.yaml --out $config-alone; expect "$config alone" 0
  for kind in $kinds; do
    for how in 2:1 3:2 7:1; do
      ranks=${how%:*} out=$config-$kind-${how/:/-}
      [ $kind = openmpi ] && [ $ranks = 3 ] && continue
      [ $ranks = 7 ] && cache=none-yet-$config-$kind || cache=cache # all of its features are computed by the seven
      together $kind $ranks ${how#*:} train $config.yaml --out $out --set cache=$cache
      expect "$config by $ranks processes of $kind" 0 "$ranks processes train together"
      cmp -s $config-alone/digests.csv $out/digests.csv && cmp -s $config-alone/predictions.csv $out/predictions.csv &&
        ok "has the bits of one" || not_ok "has the bits of one" "$(diff $config-alone/digests.csv $out/digests.csv)"
    done
  done
done
[ "$(ls a-alone)" = "$(ls a-${kinds##* }-2-1)" ] && ok "a run has the same files" || not_ok "a run has the same files" "$(ls a-*-2-1)"
[ "$(grep -c 'best epoch' out)" = 1 ] && ok "one process prints" || not_ok "one process prints"

# ---- features ----
clips=$(find corpus -name '*.wav' | wc -l)
kind=${kinds##* }
run train a.yaml --out dry --dry-run --set cache=none-yet-a-$kind; expect "features that several computed" 0 "features: $clips clips from the cache, 0 computed"
for shard in cache/*.h5; do cmp -s $shard none-yet-a-$kind/*.h5 && found=$shard; done
[ -n "${found:-}" ] && ok "whose cache has the bytes of one" || not_ok "whose cache has the bytes of one" "$(ls -l cache none-yet-a-$kind)"
cp -rp corpus hurt; file=$(find hurt -name '*.wav' | sort | sed -n 2p); head -c 30 "$file" >cut && cp cut "$file"
run train a.yaml --out no --set data.root=hurt --set cache=; alone=$(sed -n 's/^audiomood train: //p' err)
together $kind 3 1 train a.yaml --out no --set data.root=hurt --set cache=; expect "a damaged recording" 1 "^audiomood train: rank 1 on $(hostname): .*${file##*/}"
[ "$(grep -c "$file" err)" = 1 ] && [ "$(sed -n "s/^audiomood train: rank 1 on $(hostname): //p" err)" = "$alone" ] && [ ! -e no/config.yaml ] &&
  ok "is told once, in the words of one process" || not_ok "is told once, in the words of one process" "$alone"

# ---- stopping and resuming, on another number of processes ----
kind=${kinds##* }
together $kind 3 1 train a.yaml --out paused --set train.max_steps=3; expect "pauses together" 1 "all is saved in paused/last.h5"
[ "$(grep -c 'all is saved' err)" = 1 ] && ok "which is said once" || not_ok "which is said once"
together $kind 2 1 train --resume paused --set train.max_steps=0; expect "and goes on with another number" 0 "resuming after step 3"
cmp -s a-alone/digests.csv paused/digests.csv && ok "with the bits of one" || not_ok "with the bits of one" "$(diff a-alone/digests.csv paused/digests.csv)"
: >pids # of its processes, not of the launcher, which would end them in its own way
timeout 300 mpirun.$kind $([ $kind = openmpi ] && echo --oversubscribe) -n 2 bash -c 'echo $$ >>pids; exec "$0" "$@"' "$audiomood" train a.yaml \
  --out ended --set train.epochs=400 --threads 1 >out 2>err </dev/null & outer=$!
for _ in {1..3000}; do [ "$(wc -l 2>/dev/null <ended/history.csv)" -gt 1 ] 2>/dev/null && break; sleep 0.05; done
kill -TERM $(<pids); wait $outer; code=$?
expect "SIGTERM to its processes" 143 "^audiomood train: stopped after step [0-9]+, in epoch .*; all is saved in ended/last.h5"
run train a.yaml --out half --set train.max_steps=3
exec 9>>half/lock; flock 9; (for i in {1..2400}; do grep -q 'half/lock is in use by another process; waiting for it' err && break; sleep 0.05; done) & exec 9>&-
together $kind 2 1 train --resume half --set train.max_steps=0 --wait 600; cmp -s a-alone/digests.csv half/digests.csv &&
  ok "goes on with a run of one process" || not_ok "goes on with a run of one process"

# ---- the optimiser's slots in shares: with arrays of several blocks, and stopped within an epoch ----
sed 's/{dense: {units: 24, activation: relu}}/{dense: {units: 520, activation: relu}}, {dense: {units: 520, activation: relu}}/' a.yaml >c.yaml
run train c.yaml --out c-alone; run train c.yaml --out c-paused --set train.max_steps=3 --set train.split_slots=true
together $kind 3 1 train c.yaml --out c-split --set train.max_steps=3 --set train.split_slots=true
expect "slots in shares" 1 "slots are split over 3 processes" "all is saved in c-split/last.h5"
[ "$(stat -c %s c-paused/last.h5)" = "$(stat -c %s c-split/last.h5)" ] && [ "$(cmp -l c-paused/last.h5 c-split/last.h5 | wc -l)" -lt 64 ] &&
  ok "the checkpoint is that of one process, but for times" || not_ok "the checkpoint is that of one process, but for times" "$(cmp c-paused/last.h5 c-split/last.h5)"
cp -r c-split c-again
run train --resume c-split --set train.max_steps=0 --set train.split_slots=false; cmp -s c-alone/digests.csv c-split/digests.csv &&
  ok "one process goes on with all of them" || not_ok "one process goes on with all of them" "$(diff c-alone/digests.csv c-split/digests.csv)"
together $kind 2 1 train --resume c-again --set train.max_steps=0 --set train.save_seconds=0 --set train.tensorboard=true --profile; expect "and another number in other shares" 0 "rank 1 on .* MB at most"
cmp -s c-alone/digests.csv c-again/digests.csv && cmp -s c-alone/predictions.csv c-again/predictions.csv && ok "with the bits of one" || not_ok "with the bits of one"
[ "$(grep -ao loss/train c-again/events.out.tfevents.audiomood | wc -l)" = $(($(wc -l <c-again/history.csv) - 1)) ] &&
  ok "each epoch is written for TensorBoard once" || not_ok "each epoch is written for TensorBoard once"

# ---- what is refused, and told once ----
together $kind 4 1 train a.yaml --out no --set train.groups=3; expect "more processes than groups" 2 "4"
[ "$(grep -c "^audiomood train:" err)" = 1 ] && [ ! -e no/last.h5 ] && ok "is told once, and nothing is written" || not_ok "is told once, and nothing is written"
together $kind 2 1 train a.yaml --out a-alone; expect "a folder that holds a run" 2 "a-alone holds a run already"
together $kind 2 1 train a.yaml --out bad --set train.optimiser.learning_rate=1e30 --set train.optimiser.clip_norm=0; expect "what is not a number" 1 "not a number|infinite|not finite"
together $kind 2 1 train a.yaml --out bare --set cache=; cmp -s a-alone/digests.csv bare/digests.csv && ok "without a cache it is the same" || not_ok "without a cache it is the same"
plan
