#!/bin/bash
# tests/cli/test_mistakes.sh AUDIOMOOD SOURCE_ROOT - what a user can get wrong (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" mistakes "$1" "$2"

trained

# ---- what a user can get wrong ----
bad() { # name, sed expression on tiny.yaml, code, patterns
  local name=$1 edit=$2 want=$3; shift 3
  sed "$edit" tiny.yaml >bad.yaml; rm -rf bad
  run train bad.yaml --out bad; expect "$name" "$want" "$@"
  [ -e bad ] && not_ok "$name: nothing half-written" || ok "$name: nothing half-written"
}
bad "unknown key" 's/filters: 8/filers: 8/' 2 'bad.yaml:[0-9]+:[0-9]+' 'did you mean "?filters'
bad "unknown layer" 's/- max_pool2d/- maxpool2d/' 2 'bad.yaml:[0-9]+' 'max_pool2d'
bad "value out of range" 's/rate: 0.2/rate: 1.5/' 2 'bad.yaml:[0-9]+:[0-9]+' 'rate'
bad "trailing junk in a number" 's/epochs: 3/epochs: 3x/' 2 '3x'
bad "duplicate key" 's/^seed: 3/seed: 3\nseed: 4/' 2 'seed'
bad "not YAML" 's/^seed: 3/seed: [3/' 2 'bad.yaml:[0-9]+'
bad "a class without clips" 's/sad, angry\]/sad, cross]/' 1 'cross'
bad "a folder that is not there" 's/root: corpus/root: nowhere/' 1 'nowhere'
mkdir -p empty; bad "a folder without a corpus" 's/root: corpus/root: empty/' 1 'empty' 'looked for|wanted'
bad "an unknown speaker" 's/"04"/"77"/' 2 '77'
run train tiny.yaml --set train.epoch=3 --out bad; expect "--set of an unknown key" 2 "--set" "epochs"
sed 's/mels: 24/mels: 20/' tiny.yaml >other.yaml
run train other.yaml --out other --set train.epochs=1; expect "another front end" 0
sed 's/filters: 8/filters: 9/' tiny.yaml >wider.yaml
run train wider.yaml --out wider --init run1/best.h5 --set train.epochs=1; expect "--init lists what does not fit" 0 "reshaped|shape" "conv2d_1/kernel"

mkdir sounds; head -c 0 /dev/null >sounds/empty.wav; echo "version https://git-lfs.github.com/spec/v1" >sounds/stub.wav
head -c 3000 "$sound" >sounds/truncated.wav; head -c 44 "$sound" >sounds/headeronly.wav; noise >sounds/noise.wav
for f in empty stub truncated headeronly noise; do
  run predict run1 sounds/$f.wav; expect "predict $f.wav" 1 "sounds/$f.wav"
  [ "$(grep -vc '^warning: this model was trained on synthetic' err)" = 1 ] && ok "$f.wav: one clear line" || not_ok "$f.wav: one clear line"
done
run predict run1 sounds/missing.wav; expect "predict a missing file" 1 "missing.wav"
run predict run1 empty; expect "predict a folder without sounds" 1 "no sound file"
run predict run1 sounds "$sound" --skip-unreadable; expect "unreadable sounds are skipped on request" 0 "5 of 6 sounds skipped"
echo "not HDF5" >junk.h5; run predict junk.h5 "$sound"; expect "a checkpoint that is none" 1 "junk.h5"
head -c 4000 run1/best.h5 >half.h5; run predict half.h5 "$sound"; expect "a truncated checkpoint" 1 "half.h5"
cp run1/best.h5 flipped.h5; size=$(stat -c %s flipped.h5)
printf '\377' | dd of=flipped.h5 bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
"$audiomood" predict run1 "$sound" >right 2>/dev/null
run predict flipped.h5 "$sound"
if [ "$code" = 1 ] && grep -q flipped.h5 err || cmp -s out right; then ok "a flipped byte is noticed or without effect"
else not_ok "a flipped byte is noticed or without effect" "exit code $code"; fi

cp -r corpus broken; : >broken/Actor_01/03-01-05-01-01-01-01.wav
run train tiny.yaml --set data.root=broken --out bad; expect "a broken file in the corpus is named" 1 "broken/Actor_01/03-01-05-01-01-01-01.wav"
run train tiny.yaml --set data.root=broken --set data.skip_unreadable=true --set train.epochs=1 --out skipped
expect "or skipped and counted" 0 "skipped|left out"
(ulimit -f 8; "$audiomood" train tiny.yaml --set train.epochs=1 --set cache= --out full >out 2>err); code=$?
expect "a file that cannot be written" 1 "full"
ls full 2>/dev/null | grep -q 'tmp$' && not_ok "no half-written file stays" || ok "no half-written file stays"
run train tiny.yaml --set train.optimiser.learning_rate=1e30 --out nan; expect "NaN loss stops with step and layer" 1 "step" "conv2d|lstm|dense|attention"
plan
