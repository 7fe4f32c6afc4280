#!/bin/bash
# tests/cli/test_make_model.sh AUDIOMOOD SOURCE_ROOT - the recipes of tools/make-model, on folders in the layout of the corpora in
# which synthetic speech stands for each clip (TAP): a file that is the same bit for bit, its figures, and its card.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" make_model "$1" "$2"
python3 -c 1 2>/dev/null || { echo "1..0 # SKIP no python3"; exit; }
speech 4

# as NAME EMOTION N: the file NAME is the Nth synthetic clip (0 to 3) of an emotion in RAVDESS's code
as() { mkdir -p "$(dirname "$1")"; cp "$work/corpus/Actor_0$((1 + $3 % 4))/03-01-$2-01-0$((1 + $3 / 4 % 2))-01-0$((1 + $3 % 4)).wav" "$1"; }
n=0
codes=(01 02 03 04 05 06 08)
for actor in {01..24}; do e=${codes[n % 7]}; as "ravdess/Actor_$actor/03-01-$e-01-01-01-$actor.wav" $e $n; n=$((n + 1)); done
names=(neutral:01 happiness:03 sadness:04 anger:05 fear:06 surprised:08)
for speaker in EB0 KS0 IC0 MP0 KD0 TP0 MK0 WR0 SM0; do
  for i in 0 1 2; do e=${names[(n + 2 * i) % 6]}; as "nemo/samples/${speaker}_${e%:*}_$n.wav" ${e#*:} $n; done
  n=$((n + 1))
done
for speaker in 1001 1002 1003 1004 1005; do
  for e in NEU:01 HAP:03 SAD:04 ANG:05 FEA:06; do as "crema_d/AudioWAV/${speaker}_DFA_${e%:*}_XX.wav" ${e#*:} $n; done
  n=$((n + 1))
done
mkdir -p emozionalmente/metadata; echo file_name,emotion_expressed,actor >emozionalmente/metadata/samples.csv
printf 'username,gender\n11,f\n12,m\n13,f\n' >emozionalmente/metadata/users.csv
for speaker in 11 12 13; do
  for e in neutrality:01 joy:03 sadness:04 anger:05 fear:06 surprise:08; do
    as "emozionalmente/audio/$speaker${e#*:}.wav" ${e#*:} $n; echo "$speaker${e#*:}.wav,${e%:*},$speaker" >>emozionalmente/metadata/samples.csv
  done
  n=$((n + 1))
done
for speaker in female1 male1; do
  for e in neutral:01 happy:03 sad:04 angry:05; do as "jl/${speaker}_${e%:*}_1a_1.wav" ${e#*:} $n; done
  n=$((n + 1))
done
for speaker in F_01 M_02; do
  for e in NEUTRAL:01 HAPPY:03 SAD:04 ANGRY:05 FEAR:06 SURPRISE:08; do as "subesco/${speaker}_OISHI_S_1_${e%:*}_1.wav" ${e#*:} $n; done
  n=$((n + 1))
done
for d in box box2; do mkdir $d; cp "$root/checkpoints/MODEL_CARD.md" $d/; done
make() { "$root/tools/make-model" --audiomood "$audiomood" --threads 1 "$@" >out 2>err; code=$?; }
box=(--root ravdess=ravdess --root nemo=nemo --members box_linear --set train.epochs=4 --set augment.copies=1)

make --root ravdess=ravdess; expect "wants both corpora" 2 "missing: nemo"
make "${box[@]}"; expect "a trial is not for checkpoints/" 2 "give another --out"
make "${box[@]}" --work a --out box; expect "the recipe of the box" 0 "box/MODEL_CARD.md: written"
run inspect box/ravdess-nemo.h5
expect "the file names both corpora and their licence" 0 "^licence:  CC BY-NC-SA 4.0 .not for commercial use.$" "^data:     RAVDESS: .*Livingstone" \
  "^data:     nEMO: .*Christop" "^classes:  neutral happy sad angry fearful surprised$" "^speakers: nemo .9., ravdess .24.$"
make "${box[@]}" --work b --out box2; cmp -s box/ravdess-nemo.h5 box2/ravdess-nemo.h5 && cmp -s box/ravdess-nemo.json box2/ravdess-nemo.json &&
  ok "another folder gives the same bits" || not_ok "another folder gives the same bits" "$(tail -3 err)"
grep -qaF "$work" box/ravdess-nemo.h5 && not_ok "no path of this machine is in it" || ok "no path of this machine is in it"
make "${box[@]}" --work a --out box --check; expect "--check finds it so" 0 "is what the figures give"
printf x >>box/ravdess-nemo.h5; make "${box[@]}" --work a --out box --check; expect "--check finds another file" 1 "differs .*box/ravdess-nemo.h5"
make "${box[@]}" --set seed=5 --work a --out box; expect "runs of other settings are not mixed" 1 "made by another recipe"

# ---- the figures, against those of the command ----
run evaluate a/folds-box_linear --json
python3 - out box/ravdess-nemo.json <<'PY' && ok "the figures are those of evaluate" || not_ok "the figures are those of evaluate"
import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:3])
all = b["all"]
assert a["labels"] == b["labels"] and a["confusion"] == b["confusion"] and a["n"] == all["clips"] == 51
assert abs(a["uar"] - all["uar"]) < 1e-4 and abs(a["accuracy"] - all["accuracy"]) < 1e-4
for k, label in enumerate(a["labels"]):
    assert abs(a["per_class"][label]["recall"] - all["recall"][k][0]) < 1e-4
    assert all["recall"][k][1] <= all["recall"][k][0] <= all["recall"][k][2]
assert sum(s["clips"] for s in b["sexes"].values()) == 51 and sorted(b["sexes"]) == ["female", "male"]
assert all["interval"][0] <= all["uar"] <= all["interval"][1] and sum(c["clips"] for c in b["corpora"].values()) == 51
PY

# ---- the card ----
cmp -s box/MODEL_CARD.md box2/MODEL_CARD.md && grep -q "51 clips of 33 speakers" box/MODEL_CARD.md && ok "the card has the figures" || not_ok "the card has the figures"
make --card --check --out box; expect "they are fresh" 0 "is what the figures give"
sed -i 's/51 clips of 33/52 clips of 33/' box/MODEL_CARD.md; make --card --check --out box; expect "one that was typed by hand is found" 1 "differs .*box/MODEL_CARD.md"
make --card --out box; cmp -s box/MODEL_CARD.md box2/MODEL_CARD.md && ok "and written anew" || not_ok "and written anew"
if [ -e "$root/checkpoints/ravdess-nemo.json" ]; then make --card --check; expect "the card in checkpoints/ is fresh" 0 "is what the figures give"; fi

# ---- a member that is asked once it knows the voice ----
for actor in {01..24}; do
  for e in 02 03 05 06 08; do as "voices/Actor_$actor/03-01-$e-01-01-01-$actor.wav" $e $((10#$actor)); done
done
mkdir box3; cp "$root/checkpoints/MODEL_CARD.md" box3/
voices=(--root ravdess=voices --root nemo=nemo --members box_linear,box_linear_voice --set train.epochs=20 --set augment.copies=1 --work v --out box3)
make "${voices[@]}"; expect "a member for voices that are known" 0 "box3/MODEL_CARD.md: written"
run inspect box3/ravdess-nemo.h5
expect "is in the file" 0 "^voices: +two sets" "^1 +1.0000 +[01][.][0-9]+ +box_linear " "^2 +0.0000 +[01][.][0-9]+ +box_linear_voice" "^thresholds, known voice: "
python3 - box3/ravdess-nemo.json v <<'PY' && ok "the figures of a known voice" || not_ok "the figures of a known voice"
import csv, glob, json, sys
x = json.load(open(sys.argv[1]))
known = x["known"]
assert list(x["members"]) == list(x["fused"]["members"]) == ["box_linear"] and list(known["members"]) == ["box_linear_voice"]
assert abs(sum(x["fused"]["known"]["members"].values()) - 1) < 1e-3 and x["fused"]["known"]["members"]["box_linear_voice"] > 0
rows = lambda path: {row["clip"]: row for f in glob.glob(sys.argv[2] + "/folds-box_linear_voice/" + path) for row in csv.DictReader(open(f))}
heard, all = rows("fold-*/enrolled.csv"), rows("predictions.csv")
assert len(heard) == known["minute"]["all"]["clips"] == known["minute_not_known"]["all"]["clips"]
assert known["all_clips"]["all"]["clips"] == x["all"]["clips"] == 147 and 0 < len(heard) < 147 and known["seconds"] > 0
assert sum(known["minute"][c]["clips"] for c in ("ravdess", "nemo")) == len(heard)
assert any(row["p_happy"] != all[clip]["p_happy"] for clip, row in heard.items()) # by other clips than the voice's own
assert all.keys() >= heard.keys() and 0.3 < known["minute"]["all"]["uar"] <= 1 and known["members"]["box_linear_voice"] > 0.3
PY
grep -q "known by all clips (transductive)" box3/MODEL_CARD.md && ok "the card has them" || not_ok "the card has them"
grep -q "enrol. changes nothing" box/MODEL_CARD.md && ok "that of a file without such a member says so" || not_ok "that of a file without such a member says so"
make "${voices[@]}" --check; expect "--check finds it so, too" 0 "is what the figures give"

# ---- free licences ----
free=(--recipe free --root crema_d=crema_d --root emozionalmente=emozionalmente --root jl=jl --root subesco=subesco --set train.epochs=4)
make "${free[@]}" --work f --out box2; expect "the recipe of free licences, two members fused" 0 "MODEL_CARD-free.md: written"
grep -qE "Weights: free_linear [0-9.]+, free_net [0-9.]+; temperature [0-9.]+" box2/MODEL_CARD-free.md && ok "its card has weights and temperature" || not_ok "its card has weights and temperature"
run inspect box2/free.h5; expect "its licences" 0 "^licence:  Open Database License .*; CC BY 4.0; CC0 1.0 at Kaggle" "^data:     SUBESCO"
grep -q "not for commercial" out && not_ok "none of them is for non-commercial use alone" || ok "none of them is for non-commercial use alone"
plan
