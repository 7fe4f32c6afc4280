#!/bin/bash
# tests/cli/test_folds.sh AUDIOMOOD SOURCE_ROOT - IEMOCAP's sessions, cross-validation, runs side by side (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" folds "$1" "$2"

trained

# ---- IEMOCAP's shape: sessions, chunks, utterances ----
run synth sessions --layout iemocap; expect "synth --layout iemocap" 0 "120 synthetic clips of 10 voices"
run synth other --layout emodb; expect "an unknown layout" 2 "wanted ravdess or iemocap"
run synth other --layout iemocap --actors 3; expect "an option of the other layout" 2 "--actors"
run synth corpus --layout iemocap; expect "a corpus of the other layout is not overwritten" 2 "corpus.*nothing was written"
sed -e 's/^data: .*/data: {corpus: iemocap, root: sessions, label_set: 4, style: improvised, chunk_seconds: 1}/' -e 's/epochs: 3/epochs: 1/' \
  -e 's/^split: .*/split: {kind: leave_one_group_out, fold: 4, validation_speakers_count: 2}/' tiny.yaml >sessions.yaml
run train sessions.yaml --out run_sessions; expect "train, a session left out" 0 "Session5 left out \\(fold 4 of 5\\)" "no agreement of the raters" "utterances by the mean of their chunks"
run evaluate run_sessions; expect "evaluate per utterance" 0 "Per utterance, by the mean probability of its chunks" "^chunks +[0-9]+" "^utterances +12" "speaker-independent +yes"
run evaluate run_sessions --json; expect "evaluate --json per utterance" 0 '"per_utterance": ?\{'
run evaluate run1 --json; grep -q per_utterance out && not_ok "whole clips have no second table" || ok "whole clips have no second table"
for config in iemocap_cnn1:1,986,314 iemocap_cnn1_corrected:1,986,314 iemocap_cnn2:10,243,463 iemocap_cnn2_corrected:10,243,463 iemocap_cnn_lstm:738,012; do
  run inspect "$root/configs/${config%%:*}.yaml" --set data.root=sessions; expect "inspect ${config%%:*}" 0 "^all .* ${config#*:} "
done
run train sessions.yaml --set data.root=corpus --out bad; expect "a tree that is not IEMOCAP's" 1 "looked for Session1 to Session5" "found .*Actor_01"

# ---- cross-validation, and runs side by side ----
sed -e 's/^split: .*/split: {kind: fixed, fold_lists: [["01", "02"], ["03"], ["04"]], validation_speakers_count: 1}/' tiny.yaml >folds.yaml
run crossval folds.yaml --out cv
expect "crossval" 0 "64 from the cache|64 clips from the cache" "over 3 folds" "Confusion" "^clips +64" "recall of calm" "synthetic"
grep -qE "^UAR by speaker +worst [0-9.]+ % \(0[1-4]\), median [0-9.]+ %, best [0-9.]+ % \(0[1-4]\) of 4 speakers$" out && ok "the spread of the speakers" ||
  not_ok "the spread of the speakers"
grep -q "^speaker  *clips" out && not_ok "their table only where it is asked for" || ok "their table only where it is asked for"
# figures FILE: the tables of text, or of the JSON from line 2 on without its indents
figures() { sed -n '/^emotion/,/^$/p; /^Confusion/,/^\(Not \)*[sS]peaker-ind\|^results/p' "$1" | grep -v "^results\|peaker-ind\|^$"; }
pooled() { sed -n '/^  "pooled": {/,$p' "$1" | sed '1d; s/^ *//; $d'; }
run crossval --resume cv --speakers; figures out >told; grep -A 4 "^speaker  *clips" out | tail -n 4 >rows
[ "$(awk '$4 < last { bad = 1 } { last = $4 } $2 != 16 { bad = 1 } END { print NR, bad + 0 }' rows)" = "4 0" ] && ok "crossval --speakers, the worst first" ||
  not_ok "crossval --speakers, the worst first" "$(cat rows)"
run evaluate cv --speakers; figures out >again
grep -q "^gender" told && [ -s told ] && same "evaluate of a cross-validation says what crossval says" told again || not_ok "evaluate of a cross-validation says what crossval says"
pooled cv/crossval.json >told; run evaluate cv --json; sed '1d; s/^ *//; s/"all folds"/"test"/' out >again
grep -q '"speaker": "04",' told && same "in JSON, too" told again || not_ok "in JSON, too"
grep -q "<h2>Per speaker</h2>" cv/report.html && grep -q 'aria-label="Figures per speaker"' cv/report.html && ok "its page has the speakers" || not_ok "its page has the speakers"
run crossval --resume cv; expect "a finished cross-validation is not trained again" 0 "3 of 3 runs were finished already" "^clips +64"
grep -q "^epoch" err && not_ok "no fold is trained twice" || ok "no fold is trained twice"
[ "$(head -1 cv/predictions.csv)" = "clip,speaker,fold,true,predicted,p_calm,p_happy,p_sad,p_angry,gender,intensity,statement,channel" ] && [ "$(wc -l <cv/predictions.csv)" = 65 ] \
  && ok "predictions of all folds" || not_ok "predictions of all folds" "$(head -2 cv/predictions.csv)"
[ -s cv/fold-2/report.html ] && ok "each fold has its page" || not_ok "each fold has its page"
grep -q 'href="fold-2/report.html"' cv/report.html && grep -q "Result over the folds" cv/report.html && grep -q "Synthetic speech" cv/report.html \
  && ok "the whole has its page" || not_ok "the whole has its page"
for f in training-loss validation-recall confusion calibration risk-coverage; do
  grep -q "</svg>" cv/plots/$f.svg && ok "cv/plots/$f.svg" || not_ok "cv/plots/$f.svg"
done
cp cv/report.html first.html; mv corpus elsewhere; run report cv; mv elsewhere corpus
expect "report of a cross-validation, without the corpus" 0 "^cv/report.html"
cmp -s cv/report.html first.html && ok "the page is written again the same" || not_ok "the page is written again the same"
cp -r cv hurt; rm hurt/fold-1/history.csv; run report hurt; expect "report of a damaged cross-validation" 1 "hurt/fold-1/history.csv" "crossval --resume hurt"
rm -rf hurt first.html
run crossval folds.yaml --out cv; expect "a folder with a cross-validation is refused" 2 "--resume cv"
run evaluate cv/fold-1; expect "a fold is a run" 0 "03.*|test part"
run crossval folds.yaml --out long --set train.epochs=8 --quiet; expect "crossval, longer" 0
"${hearing[@]}" crossval folds.yaml --out cut --set train.epochs=8 >out 2>err & pid=$!
hold test -s cut/fold-1/config.yaml
kill -INT $pid; kill -CONT $pid; wait $pid; code=$?
expect "Ctrl-C in a fold says how to go on" 130 "1 of 3 runs finished" "audiomood crossval --resume cut"
grep -q "1 of 3 runs are" cut/report.html && ok "the page of what is finished" || not_ok "the page of what is finished"
run crossval --resume cut --json; expect "resume, as JSON" 0 '"state": "finished"' '"over_folds"' '"pooled"' "1 of 3 runs were finished already"
cmp -s cut/predictions.csv long/predictions.csv && ok "resumed folds equal uninterrupted ones" || not_ok "resumed folds equal uninterrupted ones"
run crossval folds.yaml --out cvs --seeds 2 --folds 0,2 --set train.epochs=1; expect "seeds and folds" 0 "2 of 3 folds, several seeds" "over 2 seeds"
[ -s cvs/seed-4/fold-2/best.h5 ] && ok "a folder for each seed" || not_ok "a folder for each seed"
grep -q 'href="seed-4/fold-2/report.html"' cvs/report.html && grep -q "over 2 seeds" cvs/report.html && ok "a page of all seeds" || not_ok "a page of all seeds"
run crossval sessions.yaml --out cvg --folds 3-4; expect "crossval, a session left out" 0 "2 of 5 folds" "utterances: UAR"
grep -q "Average recall of utterances" cvg/report.html && ok "its page has the utterances" || not_ok "its page has the utterances"
pooled cvg/crossval.json >told; run evaluate cvg --json; sed '1d; s/^ *//; s/"all folds"/"test"/' out >again
grep -q '"per_utterance": {' told && same "evaluate has the utterances of chunks" told again || not_ok "evaluate has the utterances of chunks"
run crossval folds.yaml --out sure --folds 0-1 --set train.epochs=1 --set train.calibrate=temperature --set train.wanted_precision=0.3
expect "crossval with thresholds" 0 "^answered +"
pooled sure/crossval.json >told; run evaluate sure --json; sed '1d; s/^ *//; s/"all folds"/"test"/' out >again
grep -q '"answered": {' told && same "evaluate has what was answered" told again || not_ok "evaluate has what was answered"
run evaluate run_sessions --data sessions.yaml --data sessions.yaml --speakers; expect "--speakers is of one corpus" 2 "--speakers is of one corpus"
run crossval tiny.yaml --out no; expect "crossval of a split without folds" 2 "fold_lists"
run crossval folds.yaml --out no --folds 3; expect "a fold that is not there" 2 "no fold 3; .* 0 to 2"
run crossval folds.yaml --out no --folds 0,x; expect "--folds that are no numbers" 2 "--folds 0,x"
[ -e no ] && not_ok "nothing half-written" || ok "nothing half-written"
run crossval --resume run1; expect "resume of what is no cross-validation" 1 "crossval.yaml"
run crossval --resume cut --set train.epochs=3; expect "resume with other settings" 2 "trained alike"
run compare cv long; expect "compare" 0 "train.epochs +3 +8" "on the same 64 clips" "over 4 speakers" "mid-p = "
run compare cv cvs; expect "compare of different clips" 0 "not the same; 16 only in A" "tested on the 48 clips in common"
cp -r run1 twin; run compare cv run1 twin --json; expect "compare --json" 0 '"mid_p": ' '"split.kind"|"split.fold_lists"' '"common": 16'
run compare cv cv/predictions.csv; expect "a table is what its cross-validation is" 0 "does not say its settings" "on the same 64 clips" "accuracy +\+0.0 points" "over 4 speakers" \
  "only A right 0, only B right 0; exact p = 1,"
run compare run1 cv/predictions.csv; grep -A 9 "^B against A" out >told
run evaluate run1 --split test --out one.csv; run compare one.csv cv/predictions.csv; grep -A 9 "^B against A" out >again
grep -q "^tested on the 16 clips in common" told && grep -q "mid-p = " told && same "so is one that evaluate --out wrote" told again || not_ok "so is one that evaluate --out wrote"
run compare one.csv long --json; expect "a table, as JSON" 0 '"name": "one.csv"' '"part": "table"' '"settings": \{\}' '"common": 16' '"mid_p": ' '"bootstrap_over": "'
run compare one.csv folds.yaml; expect "compare of what is no table of predictions" 1 "folds.yaml"
run compare cv nowhere.csv; expect "compare of what is not there" 1 "nowhere.csv: no such folder or file"
run compare cv; expect "compare of one run" 2
run compare cv corpus; expect "compare of what is no run" 1 "corpus/config.yaml"
plan
