#!/bin/bash
# tests/cli/test_fuse.sh AUDIOMOOD SOURCE_ROOT - several models of different inputs as one: the product by hand, voices, weights
# by held-out clips (TAP).  Messages: docs/errors.md.
. "$(dirname "$0")/tap.sh" fuse "$1" "$2"

speech 4
{ tiny; small | sed "s|batch: 8|batch: 8, optimiser: {learning_rate: 0.03}|"; } >net.yaml
{ tiny "normalise: speaker" | sed 's/mels: 24/mels: 12/; s/16000/8000/; s/name: tiny/name: slow/'; tail -n 7 net.yaml; } >slow.yaml
run train net.yaml --out net --set train.epochs=40 --quiet; run train slow.yaml --out slow --set train.epochs=40 --quiet
expect "train" 0
sound=corpus/Actor_04/03-01-05-01-01-01-04.wav voice=$(ls corpus/Actor_04/*.wav | head -12)
row() { sed -n 2p "$1" | cut -d, -f3-6; }

run fuse net slow --out hand.h5 --weights 0.3,0.7 --temperature 1.25; expect "weights by hand" 0 '^slow +0\.7000$' '^hand.h5$'
run enrol hand.h5 $voice --out voice.h5; expect "a voice for it" 0 '^voice.h5: [0-9.]+ s of one voice$'
for m in net slow hand.h5; do
  enrol=--enrol=voice.h5; [ $m = net ] && enrol=
  run predict $m "$sound" --csv ${enrol:+--enrol voice.h5}; cp out $m.csv 2>/dev/null; expect "predict $m" 0 "^$sound,"
done
paste -d' ' <(row hand.h5.csv | tr , '\n') <(row net.csv | tr , '\n') <(row slow.csv | tr , '\n') | awk '
  { p[NR] = $1; q[NR] = $2 ^ (0.3 / 1.25) * $3 ^ (0.7 / 1.25); all += q[NR] }
  END { for (k = 1; k <= 4; k++) { d = p[k] - q[k] / all; if (d * d > 1e-9) exit 1 }; exit NR != 4 }' &&
  ok "the product of its members" || not_ok "the product of its members" "$(cat ./*.csv)"
run predict hand.h5 "$sound" --window 1 --csv --enrol voice.h5; expect "in windows" 0 ',0,1,'
run predict hand.h5 "$sound"; expect "it wants a voice" 2 'normalises per speaker'
run predict hand.h5 corpus/Actor_04 --speaker x --csv; expect "or all of it" 0 "^$sound,"
run inspect hand.h5; expect "inspect" 0 '^hand.h5: 2 models fused' '^1 +0\.3000 +tiny +log_mel at 16000 Hz, normalise none' '^2 +0\.7000 +slow'
run evaluate hand.h5; expect "evaluate" 0 'tiny, fused with 1 more, on' '^transductive +yes' '^speaker-independent +yes$'
run evaluate hand.h5 --enrol-seconds 5 --out p.csv; expect "with voices enrolled" 0 '^enrolled'
run evaluate hand.h5 --with net --json; expect "beside another model" 0 '"models": 2'

# ---- weights by clips held out ----
run fuse net slow --out fit.h5 --json; expect "weights by the validation part" 0 '"clips": 16'
cp out fit.json
value() { tr -d ' \n' <"$1" | grep -oE "\"$2\":[^,}]*" | sed -n "${3:-1}p" | cut -d: -f2; }
awk -v w="$(value fit.json weight) $(value fit.json weight 2)" -v l="$(value fit.json cross_entropy) $(value fit.json cross_entropy 2) $(value fit.json cross_entropy 3)" 'BEGIN {
  split(w, a, " "); split(l, b, " "); s = a[1] + a[2] - 1; exit !(s * s < 1e-12 && b[1] <= b[2] + 1e-9 && b[1] <= b[3] + 1e-9) }' &&
  ok "no worse than either" || not_ok "no worse than either" "$(cat fit.json)"
run evaluate fit.h5 --split validation --json; got=$(value out loss)
awk -v a="$got" -v b="$(value fit.json cross_entropy)" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-10) }' &&
  ok "the file says what was fitted" || not_ok "the file says what was fitted" "$got, $(value fit.json cross_entropy)"
run train net.yaml --out net2 --seed 4 --set train.epochs=40 --quiet
run fuse net slow --out sure.h5 --wanted-precision 0.5; expect "thresholds by the same clips" 0 "^sure.h5$"
run inspect sure.h5; expect "are in the file" 0 "^thresholds: .*wanted precision 0.5"
run fuse net,net2 slow --out group.h5; expect "seeds share a weight" 0 '^net,net2 '
run train net.yaml --out knows --init net2/best.h5 --set train.epochs=1 --set 'split.validation_speakers=["02"]' --set 'split.test_speakers=["03"]' --quiet
run fuse knows --out no.h5; expect "a run whose model knew them is refused" 1 'knows/best.h5: it began from a model that knows 1 of the 1 speakers'
[ -e no.h5 ] && not_ok "and leaves nothing" || ok "and leaves nothing"

# ---- out of fold ----
folds='split={kind: leave_one_speaker_out}'
for m in net slow; do run crossval $m.yaml --out cv-$m --set "$folds" --set train.epochs=20 --set train.monitor=last --quiet; expect "crossval $m" 0; done
run fuse net/best.h5 slow/best.h5 --out folds.h5 --out-of-fold cv-net --out-of-fold cv-slow
expect "weights by cross-validations" 0 '64 clips that the models of the folds were not trained on'
run evaluate folds.h5 --json; expect "all speakers were looked at" 0 '"speaker_independent": '
cp cv-net/fold-0/best.h5 kept.h5; cp cv-net/fold-1/best.h5 cv-net/fold-0/best.h5
run fuse net/best.h5 slow/best.h5 --out no.h5 --out-of-fold cv-net --out-of-fold cv-slow
expect "a fold that knows its speakers is refused" 1 'cv-net/fold-0/best.h5: it knows 1 of the 1 speakers'
cp kept.h5 cv-net/fold-0/best.h5; sed -i 2d cv-slow/predictions.csv
run fuse net/best.h5 slow/best.h5 --out no.h5 --out-of-fold cv-net --out-of-fold cv-slow; expect "so are clips that are missing" 1 'cv-slow'
plan
