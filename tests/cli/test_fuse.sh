#!/bin/bash
# tests/cli/test_fuse.sh AUDIOMOOD SOURCE_ROOT - several models of different inputs as one: the product by hand, voices, weights
# by held-out clips (TAP).  Messages: docs/errors.md.
# SPDX-License-Identifier: MIT
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
  split(w, a, " "); split(l, b, " "); exit !(a[1] == 1 && a[2] == 0 && b[1] <= b[2] + 1e-9) }' &&
  ok "one that needs no voice, where none is known" || not_ok "one that needs no voice, where none is known" "$(cat fit.json)"
awk -v w="$(value fit.json known_weight) $(value fit.json known_weight 2)" -v l="$(value fit.json cross_entropy 4) $(value fit.json cross_entropy 2) $(value fit.json cross_entropy 3)" 'BEGIN {
  split(w, a, " "); split(l, b, " "); s = a[1] + a[2] - 1; exit !(s * s < 1e-12 && a[2] > 0 && b[1] <= b[2] + 1e-9 && b[1] <= b[3] + 1e-9) }' &&
  ok "with the voice no worse than either" || not_ok "with the voice no worse than either" "$(cat fit.json)"
close() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a > 0 && (a - b) ^ 2 < 1e-10) }' && ok "$1" || not_ok "$1" "$2, $3"; }
run evaluate fit.h5 --split validation --json; expect "evaluate takes the voices as not known" 0 '"voices": "not known"' '"transductive": false'
close "the file says what was fitted" "$(value out loss)" "$(value fit.json cross_entropy)"
run evaluate fit.h5 --split validation --known-voices --json; expect "or as known" 0 '"voices": "known"' '"transductive": true'
close "also for voices that are known" "$(value out loss)" "$(value fit.json cross_entropy 4)"
run evaluate fit.h5; expect "it says which" 0 '^voices +not known' '^speaker-independent +yes$'
grep -q '^transductive' out && not_ok "of its own clips nothing is taken" || ok "of its own clips nothing is taken"
run evaluate fit.h5 --known-voices; expect "and that it is transductive" 0 '^voices +known' '^transductive +yes'
run evaluate fit.h5 --enrol-seconds 5; expect "or known by other clips" 0 '^voices +known' '^enrolled'
run evaluate fit.h5 --enrol-seconds 0; expect "nothing heard is not known" 0 '^voices +not known' '^enrolled +0.0 s'
run evaluate net --known-voices; expect "a model that no voice changes" 2 'known-voices: this model does not normalise per speaker'
run evaluate fit.h5 --known-voices --enrol-seconds 5; expect "one or the other" 2 'enrol-seconds or --known-voices, not both'
run inspect fit.h5; expect "inspect has both" 0 '^voices: +two sets' '^member +weight +known ' '^1 +1\.0000 +0\.[0-9]+ +tiny' '^2 +0\.0000 +0\.[0-9]+ +slow'

# ---- a voice that is known, or not ----
run fuse net slow --out two.h5 --weights 1,0 --temperature 1.6 --known-weights 0.3,0.7 --known-temperature 1.25; expect "both sets by hand" 0 '^slow +0\.0000 +0\.7000$'
run predict two.h5 "$sound" --csv; cp out unknown.csv; expect "no voice is needed" 0 "^$sound,"
run predict two.h5 "$sound" --csv --enrol voice.h5; cp out known.csv
row known.csv >a; row hand.h5.csv >b; same "a known voice has weights of its own" a b
paste -d' ' <(row unknown.csv | tr , '\n') <(row net.csv | tr , '\n') | awk '
  { p[NR] = $1; q[NR] = $2 ^ (1 / 1.6); all += q[NR] } END { for (k = 1; k <= 4; k++) { d = p[k] - q[k] / all; if (d * d > 1e-9) exit 1 }; exit NR != 4 }' &&
  ok "without it the other is asked alone" || not_ok "without it the other is asked alone" "$(cat unknown.csv net.csv)"
run predict two.h5 corpus/Actor_04 --speaker x --csv; cp out a; run predict hand.h5 corpus/Actor_04 --speaker x --csv; same "a speaker's sounds make it known" out a
run predict two.h5 "$sound" --window 1 --csv --enrol voice.h5; cp out a; run predict hand.h5 "$sound" --window 1 --csv --enrol voice.h5; same "in windows, too" out a
run enrol two.h5 $voice --out voice2.h5; cmp voice.h5 voice2.h5 >/dev/null; expect "enrol serves it" 0 '^voice2.h5: '
run predict two.h5 "$sound" --csv --enrol voice2.h5; same "by the same profile" out known.csv
run fuse net slow --out no.h5 --weights 0.5,0.5 --known-weights 0.3,0.7; expect "a weight where the voice is not known" 2 'slow: normalises by speaker; its weight for a voice that is not known is 0.5, wanted 0'
run fuse net slow --out no.h5 --weights 1,0 --known-weights 1,0; expect "a known voice that is of no use" 2 'no model with such a weight normalises by speaker'
run fuse net slow --out no.h5 --weights 1,0 --known-weights 0.3,0.6; expect "known weights of another sum" 2 'weights for a voice that is known sum to 0.9'
run train net.yaml --out net2 --seed 4 --set train.epochs=40 --quiet
run fuse net slow --out sure.h5 --wanted-precision 0.5; expect "thresholds by the same clips" 0 "^sure.h5$"
run inspect sure.h5; expect "are in the file" 0 "^thresholds: .*wanted precision 0.5" "^thresholds, known voice: .*wanted precision 0.5"
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
