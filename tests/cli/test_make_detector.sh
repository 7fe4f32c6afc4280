#!/bin/bash
# tests/cli/test_make_detector.sh AUDIOMOOD SOURCE_ROOT - the recipe of tools/make-detector, on folders in the layout of the corpora in
# which synthetic speech stands for each clip (TAP): a file that is the same bit for bit, and names what it owes.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" make_detector "$1" "$2"
python3 -c 1 2>/dev/null || { echo "1..0 # SKIP no python3"; exit; }
speech 4
clips=(corpus/Actor_0[1-4]/03-01-0[1-5]-01-01-01-*.wav)
n=0
as() { mkdir -p "${1%/*}"; cp "${clips[n % ${#clips[@]}]}" "$1"; n=$((n + 1)); }
for actor in {01..24}; do as "ravdess/Actor_$actor/03-01-01-01-01-01-$actor.wav"; done
for speaker in EB0 KS0 IC0 MP0 KD0 TP0 MK0 WR0 SM0; do as "nemo/samples/${speaker}_neutral_$n.wav"; done
make() { "$root/tools/make-detector" --audiomood "$audiomood" --root ravdess=ravdess --root nemo=nemo "$@" >out 2>err; code=$?; }
small=(--recordings 17 --set train.epochs=1 --set train.ema=0 --set 'split={kind: speaker, validation: 0, test: 0}')

make --recordings 5; expect "a trial is not for checkpoints/" 2 "give another --out"
"$root/tools/make-detector" --root nemo=nemo >out 2>err; code=$?; expect "wants both corpora" 2 "missing: ravdess"
make "${small[@]}" --work a --out a.h5; expect "the recipe" 0 "a.h5: written"
run inspect a.h5; expect "the file names both corpora and their licence" 0 "^licence:  CC BY-NC-SA 4.0 .not for commercial use.$" \
  "^data:     Speech of RAVDESS and nEMO .*Livingstone.*Christop" "^classes:  other speech$"
run speech $PWD/ravdess/Actor_03 --vad a.h5; expect "it is a detector" 0 "^speech is found by a.h5; licence CC BY-NC-SA 4.0, not for commercial use$"
cut -d, -f2 a/mixtures/recordings.csv >out; grep -qE "/0[367]$|/1[38]$|IC0|MP0" out && not_ok "no test speaker is in it" || ok "no test speaker is in it"
grep -qE ",1,[-0-9]" a/mixtures/recordings.csv && not_ok "no noise that is held out" || ok "no noise that is held out"
make "${small[@]}" --work b --out b.h5; cmp -s a.h5 b.h5 && ok "another folder gives the same bits" || not_ok "another folder gives the same bits" "$(tail -3 err)"
grep -qaF "$work" a.h5 && not_ok "no path of this machine is in it" || ok "no path of this machine is in it"
make "${small[@]}" --work a --out a.h5 --check; expect "--check finds it so" 0 "is what the recipe gives"
printf x >>a.h5; make "${small[@]}" --work a --out a.h5 --check; expect "--check finds another file" 1 "a.h5: differs from what the recipe gives"
plan
