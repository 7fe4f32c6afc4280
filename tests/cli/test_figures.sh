#!/bin/bash
# tests/cli/test_figures.sh AUDIOMOOD SOURCE_ROOT - what stands beside a figure: the classes it is a mean over, what chance
# would give, who was left out, and what a person would notice (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" figures "$1" "$2"

speech 4
{ tiny "mean_over_time: true"; cat; } >tiny.yaml <<'YAML'
model: {layers: [flatten, {dense: {}}]}
train: {epochs: 2, batch: 8, monitor: validation_loss, optimiser: {kind: adam, learning_rate: 0.01}}
YAML

# ---- a mean says what it is over ----
run train tiny.yaml --out run1
expect "train, all classes" 0 "unweighted average recall .* over 4 of 4 classes; chance 25.0 %" "test, 16 clips: .*both over 4 of 4 classes .chance 25.0 %"
[ "$(head -1 run1/history.csv | tr , '\n' | tail -1)" = validation_classes ] && [ "$(tail -1 run1/history.csv | tr , '\n' | tail -1)" = 4 ] \
  && ok "the history says over how many classes" || not_ok "the history says over how many classes" "$(cat run1/history.csv)"
grep -q "average recall and F1 are over 4 of 4 emotions, and chance is 25.0" run1/report.html && ok "so does the page" || not_ok "so does the page"

# Voice 04 without its sad clips: the test part has three classes.
sad='data.exclude=[03-01-04-01-01-01-04.wav, 03-01-04-01-02-01-04.wav, 03-01-04-02-01-01-04.wav, 03-01-04-02-02-01-04.wav]'
run train tiny.yaml --out run2 --set "$sad"
expect "train, a class without test clips" 0 "over 3 of 4 classes; chance 33.3 %" "test, 12 clips: .*both over 3 of 4 classes .chance 33.3 %"
grep -q "over 3 of 4 emotions, and chance is 33.3" run2/report.html && ok "on the page" || not_ok "on the page"
run evaluate run2 --json
expect "evaluate --json" 0 '"classes_scored": 3,' '"chance": 0.333' '"corpus": "synthetic"' '"left_out": \[\]'
run compare run1 run2; expect "compare" 0 "both over classes +4 of 4 +3 of 4" "recall by chance % +25.0 +33.3" "over 3 of 4 classes"
run compare run1 run2 --json; expect "compare --json" 0 '"classes_scored": 3' '"chance": 0.25'
sed 's/^split: .*/split: {kind: leave_one_speaker_out, validation_speakers_count: 1}/' tiny.yaml >folds.yaml
run crossval folds.yaml --out cv --set "$sad" --set train.epochs=1
expect "crossval" 0 "^ +3 +3 +12 .* 3 of 4 +33.3 " "UAR and F1 are over +3 to 4 of 4 classes; chance 27.1 %" "over 4 of 4 classes; chance 25.0 %"
grep -q '"classes_scored": 3,' cv/crossval.json && ok "crossval.json says it of each fold" || not_ok "crossval.json says it of each fold"
grep -q '>3 of 4<' cv/report.html && ok "and its page" || not_ok "and its page"

# What was written before stands without these figures, and is read all the same.
cp -r run2 old; sed -i -E '/"groups": \{/,/^    \}/d; /"speakers": \[/,/^    \]/d; /"(classes_scored|chance|corpus)":/d; /"diagnosis": \[/,/^    \]/d' old/metrics.json
sed -i 's/,validation_classes$//; s/,[0-9]*$//' old/history.csv
run report old; expect "report of a run of before" 0 "old/report.html"
grep -q "over 3 of 4 emotions, and chance is 33.3" old/report.html && ok "counts the classes itself" || not_ok "counts the classes itself"
run compare old run1; expect "so does compare" 0 "both over classes +3 of 4 +4 of 4"

# ---- clips that labels leave out ----
echo 'data: {corpus: ravdess, root: corpus, labels: [calm, fearful, disgust]}' >other.yaml
run evaluate run1 --data other.yaml --quiet
expect "most of a corpus has no class of the model" 2 "32 of 48 clips would be left out, .*fearful 16, disgust 16.*partial"
[ -s out ] && not_ok "no figure of the rest" "$(cat out)" || ok "no figure of the rest"
run evaluate run1 --data other.yaml --quiet --partial
expect "unless the rest is asked for" 0 "over 1 of 4 classes; chance 100.0 %" "left out by their label +32 clips" "warning: 32 of 48 clips left out"
run evaluate run1 --data other.yaml --quiet --partial --json
expect "as JSON" 0 '"n": 16' '"classes_scored": 1,' '"reason": "label"' '"count": 32' 'Actor_01/03-01-06' '"chance": 1,'
echo 'data: {corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry, fearful]}' >other.yaml
run evaluate run1 --data other.yaml --quiet; expect "fewer are left out with a warning, which --quiet keeps" 0 "warning: 16 of 80 clips left out" "over 4 of 4"
echo 'data: {corpus: ravdess, root: corpus, labels: [fearful]}' >other.yaml
run evaluate run1 --data other.yaml --quiet --set 'data.rename={fearful: joy}'
expect "a synonym is suggested" 2 "with data.merge: .joy: happy. .or data.vocabulary: common. in the config of this corpus"
run evaluate run1 --data other.yaml --quiet --set 'data.rename={fearful: joy, disgust: anger, neutral: fuzzy}' --set 'data.labels=[fearful, disgust, sad, surprised]'
expect "where most is left out, too" 2 "48 of 64 clips would be left out, .*data.merge: .joy: happy, anger: angry. .or"
run evaluate run1 --data other.yaml --quiet --set 'data.merge={fearful: happy}' --set 'data.labels=[happy]'; expect "and is what helps" 0 "over 1 of 4"
run evaluate run1 --data other.yaml --partial; expect "nothing left is no result" 2 "no label of this corpus .fearful, ....* is a class"

# ---- splits that do not look at labels ----
run train tiny.yaml --out run3 --set 'split={kind: speaker, validation: 0.2, test: 0.3}' --set train.epochs=1 --quiet
expect "shares that nobody asked for" 0 "warning: the test part has 50.0 % of the clips, and split.test asks for 30.0 %" "warning: only 25.0 % of the clips are trained on"
grep -q '"doubts": \[' run3/run.json && grep -q '"share": 0.25' run3/run.json && ok "run.json has what came out" || not_ok "run.json has what came out"
grep -q "split.test asks for 30.0" run3/report.html && ok "the page says so" || not_ok "the page says so"
run train tiny.yaml --out run4 --set 'split={kind: speaker, validation: 0.2, test: 0.2, stratify_by_label: true}' --set train.epochs=1
expect "balanced by label" 0 "train part: 32 clips .50.0 %. of 2 speakers: calm 8, happy 8, sad 8, angry 8" "split by speaker, balanced by label"
grep -qE "warning: .*(part has|trained on)" err && not_ok "without a warning" "$(cat err)" || ok "without a warning"
run inspect tiny.yaml --set "$sad"; expect "inspect names what a part lacks" 0 'warning: the split leaves no clip of "sad" in the test part: its average recall is over 3 of 4 classes'
run inspect tiny.yaml --set 'split={kind: random, stratify_by_label: true}'; expect "where it has no meaning" 2 "split.stratify_by_label is for kinds that divide speakers"


# ---- what a person would notice ----
grep -q "warning: test: one answer for everything: 100.0 % of the clips are called" run1/log.txt && ok "one answer for all is said in the log" || not_ok "one answer for all is said in the log"
grep -q "What stands out</strong><ul><li>one answer for everything" run1/report.html && ok "and on the page" || not_ok "and on the page"
run train tiny.yaml --out said --set train.optimiser.learning_rate=0 --set train.epochs=1
[ "$(cat out err | grep -c 'one answer for everything')" = 2 ] && grep -q '^- one answer' out && ok "on a terminal once a part" || not_ok "on a terminal once a part" "$(grep -h 'one answer' out err)"
run evaluate run1; expect "and by evaluate" 0 "^What stands out" "^- one answer for everything: 100.0 %"
run evaluate run1 --json; expect "and as JSON" 0 '"kind": "one_answer"' '"figure": 1$' "warning: one answer for everything"
run report old; expect "results of before have none" 0; grep -q "What stands out" old/report.html && not_ok "old" || ok "and none is made up"


# ---- groups of clips ----
expect_csv() { head -1 "$1" | grep -qx "$2" && sed -n 2p "$1" | grep -qE "$3" && ok "columns of $1" || not_ok "columns of $1" "$(head -2 "$1")"; }
expect_csv run1/predictions.csv "clip,speaker,fold,true,predicted,p_calm,p_happy,p_sad,p_angry,gender,intensity,statement,channel" ",female,normal,kids,speech$"
run evaluate run1 --split all
expect "results by group" 0 "^gender +female +32 +[0-9.]+ +[0-9.]+ +4$" "^ +male +32 " "^intensity +normal +[0-9]+ " "^statement +dogs +32 "
grep -q "^channel" out && not_ok "one value tells nothing apart" || ok "one value tells nothing apart"
run evaluate run1 --split all --json; expect "as JSON" 0 '"groups": \{' '"female": \{' '"n": 32' '"statement": \{'
grep -q 'Figures per group' run1/report.html && grep -q '<th scope="row">statement</th><td>dogs</td>' run1/report.html && ok "on the page" || not_ok "on the page"
{ echo path,label,speaker,gender,room,true,notes; n=0
  for f in corpus/Actor_0[1-4]/03-01-0[2345]-*.wav; do
    n=$((n + 1)); case $f in *-0[2]-0?-0?-0?-0?.wav) l=calm;; *01-02-0*) l=calm;; *01-03-0*) l=happy;; *01-04-0*) l=sad;; *) l=angry;; esac
    a=${f%.wav}; a=${a##*-}; echo "${f#corpus/},$l,$a,$([ $((10#$a % 2)) = 1 ] && echo man || echo woman),room$((n % 3)),x$((n % 2)),note $n"
  done; } >corpus/manifest.csv
sed -e 's/^data: .*/data: {corpus: manifest, root: corpus, labels: [calm, happy, sad, angry]}/; s/"03"/"03"/' tiny.yaml >listed.yaml
run train listed.yaml --out run5 --set train.epochs=1; expect "the columns of a manifest" 0 "^room +room0 " "^true +x0 "
expect_csv run5/predictions.csv "clip,speaker,fold,true,predicted,p_calm,p_happy,p_sad,p_angry,gender,room,group_true,notes" ",woman,room[012],x[01],note [0-9]+$"
grep -q "^notes" out && not_ok "of many values none is told apart" || ok "of many values none is told apart"
run report run5; expect "the page reads what was written" 0; run compare run5 run1; expect "so does compare" 0 "calm"
rm corpus/manifest.csv
cat >groups.yaml <<'YAML'
name: own
licence: none
files: '03-01-(?<label>0[2345])-(?<intensity>\d\d)-(?<text>\d\d)-\d\d-(?<speaker>(?<gender>0[1234]))'
labels: {"02": calm, "03": happy, "04": sad, "05": angry}
groups: {gender: {"01": man, "02": woman, "03": man, "04": woman}, text: {"01": kids, "02": dogs}}
YAML
echo 'data: {corpus: described, description: groups.yaml, root: corpus}' >own.yaml
run evaluate run1 --data own.yaml --json; expect "groups of a description" 0 '"man": \{' '"woman": \{' '"dogs": \{' '"corpus": "own"'
sed 's/^groups:.*/groups: {gendre: {"01": man}}/' groups.yaml >wrong.yaml
run inspect wrong.yaml --root corpus; expect "codes of a group that is not there" 2 "wrong.yaml:5:10: groups.gendre: no pattern has a group of this name"
sed 's/<gender>/<texts>/; s/gender:/texts:/' groups.yaml >near.yaml; run inspect near.yaml --root corpus; expect "a near name that is declared is taken" 0
sed 's/<gender>/<texts>/; s/^groups:.*//' groups.yaml >near.yaml; run inspect near.yaml --root corpus; expect "and else refused" 2 'unknown group "texts"; did you mean "text"'

plan
