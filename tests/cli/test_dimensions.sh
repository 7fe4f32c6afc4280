#!/bin/bash
# tests/cli/test_dimensions.sh AUDIOMOOD SOURCE_ROOT - models of dimensions, all the way: train, evaluate, predict, crossval, compare,
# their pages; and what wants emotions (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" dimensions "$1" "$2"

run synth sessions --layout iemocap; expect "synth --layout iemocap" 0 "120 synthetic clips of 10 voices"
cat >values.yaml <<'E'
name: values
seed: 1
cache: cache
data: {corpus: iemocap, root: sessions, target: dimensions}
split: {kind: leave_one_group_out, fold: 0, validation_speakers_count: 2}
features: {kind: mfcc, sample_rate: 16000, n_fft: 512, hop: 256, mels: 40, mfcc: 20, mean_over_time: true, normalise: train}
model: {layers: [flatten, {dense: {units: 24, activation: relu}}, {dense: {}}]}
train: {epochs: 25, batch: 16, monitor: validation_ccc, auxiliary: {emotion: 0.1}, optimiser: {kind: adam, learning_rate: 0.01}}
E
cat >emotions.yaml <<'E'
data: {corpus: iemocap, root: sessions}
features: {kind: mfcc, sample_rate: 16000, n_fft: 512, hop: 256, mels: 40, mfcc: 20, mean_over_time: true}
model: {layers: [flatten, {dense: {units: 24, activation: relu}}, {dense: {}}]}
E
run train values.yaml --out run1
expect "train" 0 "119 clips, 3 dimensions, 10 speakers" "dimensions from 1 to 5, by the clips of which they are known: valence 119, arousal 119, dominance 119" \
  "heads: emotion loss" "validation loss [0-9.]+ ccc [-0-9.]+" "^dimension +CCC" "^scale +1 to 5" "^emotion +neutral" "synthetic"
[ "$(head -n 1 run1/history.csv)" = epoch,train_loss,validation_loss,validation_ccc,learning_rate,seconds,clips_per_second ] &&
  ok "history.csv" || not_ok "history.csv" "$(head -n 1 run1/history.csv)"
[ "$(head -n 1 run1/predictions.csv)" = clip,speaker,fold,true_valence,true_arousal,true_dominance,predicted_valence,predicted_arousal,predicted_dominance,gender,style,session,emotion ] &&
  ok "predictions.csv" || not_ok "predictions.csv" "$(head -n 1 run1/predictions.csv)"
# What the synthetic voices do with their emotion is heard: arousal follows from it (docs/dimensions.md).
arousal=$(sed -n '/"test"/,$p' run1/metrics.json | sed -n '/"arousal"/,/"pearson"/s/.*"ccc": \([0-9.-]*\),/\1/p' | head -n 1)
awk "BEGIN { exit !($arousal > 0.15) }" && ok "arousal is learned" || not_ok "arousal is learned" "CCC $arousal"
grep -q "Mean concordance (CCC)" run1/report.html && grep -q "Error by speaker" run1/report.html && [ -s run1/plots/dimension-1-test.svg ] &&
  ! grep -q "Confusion" run1/report.html && ok "its page" || not_ok "its page"
run evaluate run1; expect "evaluate" 0 "^arousal +[-0-9.]+" "^intervals +bootstrap over 2 speakers" "speaker-independent +yes"
run evaluate run1 --json
expect "evaluate --json" 0 '"scale": \[1, 5\]' '"dimensions": \{' '"ccc": \[' '"true_deviation"' '"speaker_independent": true'
run inspect run1/best.h5; expect "inspect" 0 "dimensions: +valence arousal dominance, from 1 to 5"
sound=sessions/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav
run predict run1 $sound; expect "predict" 0 "F000.wav: +valence [-0-9.]+ +arousal [-0-9.]+ +dominance [-0-9.]+$"
run predict run1 $sound --json; expect "predict --json" 0 '"dimensions": \{"valence": [-0-9.]+, "arousal": [-0-9.]+, "dominance": [-0-9.]+\}, "scale": \[1, 5\], "reason": null'
run predict run1 $sound --csv --window 1 --hop 0.5; expect "predict --csv, windows" 0 "^file,start,end,valence,arousal,dominance,reason,seconds,seconds_heard$" "F000.wav,0.5,1.5,"

# ---- over time ----
run predict run1 $sound --segments --vad none --window 1 --hop 0.5 --json
expect "predict --segments" 0 '"start": 0, "end": [0-9.]+, "dimensions": \{"valence": [-0-9.]+, "arousal": [-0-9.]+, "dominance": [-0-9.]+\}, "scale": \[1, 5\], "reason": null, "utterance": 0'
run predict run1 $sound --segments --vad none --format textgrid
expect "as TextGrid" 0 "size = 3" 'name = "dominance"' 'text = "[-0-9.]+"'
run predict run1 $sound --report whole.html
grep -q "Over time" whole.html && grep -q "What moved the answer" whole.html && grep -q 'class="lanes"' whole.html && ! grep -q "Probability" whole.html &&
  ok "predict --report" || not_ok "predict --report"
run predict run1 $sound --segments --vad none --report over.html
grep -q "on a scale from 1 to 5" over.html && ok "predict --segments --report" || not_ok "predict --segments --report"
silence 2000 | wav quiet.wav
run predict run1 $sound quiet.wav --segments --window 1 -o said.csv; cp said.csv whole.csv
[ "$(head -n 1 said.csv)" = file,channel,start,end,valence,arousal,dominance,reason,error ] && grep -q "^quiet.wav,,,,,,,no speech,$" said.csv &&
  ok "predict --segments -o" || not_ok "predict --segments -o" "$(cat said.csv err)"
head -c 150 whole.csv >said.csv; run predict run1 $sound quiet.wav --segments --window 1 -o said.csv; same "goes on" said.csv whole.csv
run predict run1 $sound quiet.wav --segments --window 1 -o said.jsonl
grep -qF '{"file": "quiet.wav", "start": null, "end": null, "dimensions": {"valence": null, "arousal": null, "dominance": null}, "scale": [1, 5], "reason": "no speech", "error": null}' said.jsonl &&
  ok "as lines of JSON, each reason once" || not_ok "as lines of JSON, each reason once" "$(cat said.jsonl)"
run predict run1 $sound --segments --vad none --switch-penalty 2; expect "predict --switch-penalty" 2 "wanted a model of emotions"

# Subtitles: the steps of each utterance, with what predict --segments tells of them; of cues that are given, tables.
run predict run1 $sound --segments; cp out steps
run subtitle $sound --model run1; expect "subtitle" 0 "^00:00:00,000 --> 00:00:0" "^valence [-0-9.]+ arousal [-0-9.]+ dominance [-0-9.]+$"
grep valence out >shown; sed -n 's/.*  valence/valence/p' steps | tr -s ' ' | cmp -s - shown && ok "as over time" || not_ok "as over time" "$(cat steps shown)"
run subtitle $sound --model run1 --to json; expect "as JSON" 0 '"scale": \[1, 5\]' '"dimensions": \{'
run subtitle $sound --model run1 --to vtt; expect "as WebVTT" 0 "^WEBVTT" "^valence [-0-9.]+ arousal"
printf '1\n00:00:00,200 --> 00:00:01,000\nHello\n\n2\n00:01:00,000 --> 00:01:01,000\nfar away\n' >cues.srt
run subtitle $sound --model run1 --srt cues.srt --to csv
expect "cues that are given" 0 "^cue,start,end,speaker,text,valence,arousal,dominance$" "^1,0.2,1,,Hello,[-0-9.]+,[-0-9.]+,[-0-9.]+$" "^2,60,61,,far away,,,$"
run subtitle $sound --model run1 --srt cues.srt; expect "values are no words of a cue" 2 "are no words that a cue could begin with; --to csv or --to json has those of each cue"
run subtitle $sound --model run1 --threshold 0.5; expect "nor probabilities" 2 "threshold: wanted a model of emotions"

raw() { head -c 32000 /dev/zero; tail -c +45 $sound; head -c 32000 /dev/zero; }
raw | "$audiomood" live - --model run1 --vad energy --record heard.wav >out 2>err; code=$?
expect "live" 0 " valence [-0-9.]+  arousal [-0-9.]+  dominance [-0-9.]+  all of it" "end of speech"
[ "$(head -n 1 heard.csv)" = event,start,end,utterance,last,text,valence,arousal,dominance ] && ok "live --record" || not_ok "live --record" "$(head -n 1 heard.csv)"
raw | "$audiomood" live - --model run1 --vad energy --json >out 2>err; code=$?
expect "live --json" 0 '"event": "measured", .*"dimensions": \{"valence": [-0-9.]+'

# ---- in other programs' formats, and back ----
told() { "$audiomood" predict "$1" $sound --json 2>/dev/null | sed 's/.*"dimensions": {\(.*\)}, "scale.*/\1/; s/"[a-z]*": //g'; }
near() { paste -d ' ' <(told "$1" | tr -d , | tr ' ' '\n') <(told bare | tr -d , | tr ' ' '\n') | awk '{ d = $1 - $2; if (d < 0) d = -d; if (NF < 2 || d > 1e-5 * (1 + ($2 < 0 ? -$2 : $2))) bad = 1 } END { exit bad || NR != '$dimensions' }'; }
back() { # FORMAT FILE: exported and imported again it tells the same
  run export bare --to $1 --out $2; expect "export to $2" 0
  run import $2 --config $config --set features.normalise=none --out back.h5; expect "and back" 0
  near back.h5 && ok "tells the same" || not_ok "tells the same" "$(told back.h5), wanted $(told bare)"
  run inspect back.h5; expect "on its scale" 0 "$wanted"
}
dimensions=3 config=values.yaml wanted="dimensions: +valence arousal dominance, from 1 to 5"
"$audiomood" train values.yaml --out bare --set features.normalise=none --set train.epochs=2 >log 2>&1
sed -i 's/target: dimensions/target: dimensions, dimensions: [valence, arousal, dominance]/' values.yaml
back keras x.h5; back safetensors x.safetensors
if "$audiomood" --version --verbose 2>/dev/null | grep -q libzip; then back keras x.keras; fi
if "$audiomood" --version --verbose 2>/dev/null | grep -q protobuf-c; then back onnx x.onnx; fi
run import x.h5 --config emotions.yaml --labels a,b,c --out y.h5; expect "import as emotions" 2 "tells values of dimensions, and data.target of emotions.yaml is emotion"
run import x.safetensors --config emotions.yaml --out y.h5; expect "likewise of safetensors" 2 "tells values of dimensions"
if "$audiomood" --version --verbose 2>/dev/null | grep -q protobuf-c; then
  run import x.onnx --config emotions.yaml --out y.h5; expect "likewise of ONNX" 2 "tells values of dimensions, and data.target of emotions.yaml is emotion"
fi
run inspect x.h5; expect "inspect names the dimensions of a Keras file" 0 "^dimensions: +valence arousal dominance" "^scale: +1 to 5"
for file in x.h5 x.safetensors; do
  run import $file --config values.yaml --set 'data.scale=[0, 100]' --set features.normalise=none --out y.h5
  expect "a scale that $file does not have is said" 0 "$file says that its arousal is from 1 to 5; 0 to 100 of values.yaml does not count"
done
"$audiomood" train values.yaml --out limited --set 'train.auxiliary={}' --set train.epochs=1 --set 'model.layers=[flatten, {dense: {units: 3}}, tanh]' >log 2>&1
run export limited --to keras --out z.h5; expect "values kept by tanh have no place in Keras" 1 "ends in tanh"

# ---- folds, several models, side by side ----
run crossval values.yaml --out cv --set train.epochs=8 --set train.loss.kind=mse
expect "crossval" 0 "mean concordance \\(CCC\\) +[-0-9.]+ +\\+- " "CCC of arousal" "^clips +119" "bootstrap over 10 speakers"
grep -q "Fold by fold" cv/report.html && grep -q "<b>[-0-9.]* <small>&#177;" cv/report.html && ok "the page of all folds" || not_ok "the page of all folds"
run evaluate cv; expect "evaluate of a cross-validation" 0 "all folds pooled" "^valence"
run evaluate cv --data values.yaml; expect "the mean of its models" 0 "by the mean of" "^clips +119"
run predict cv $sound; expect "predict by the mean" 0 "valence [-0-9.]+"
run compare run1 cv
expect "compare" 0 "^mean concordance \\(CCC\\) " "tested on the 24 clips in common" "CCC of dominance +[-0-9.]+ to [-0-9.]+: [-+][0-9.]+ +\\(95 %" "paired bootstrap over 2 speakers"
run compare run1 cv --json; expect "compare --json" 0 '"against_first"' '"bootstrap_over": "speakers"' '"difference"'
run train values.yaml --out mono --set 'data.dimensions=[activation]' --set train.epochs=2 --set 'data.scale=[0, 100]'
expect "one dimension, on another scale" 0 "1 dimensions" "from 0 to 100" "^activation"
run evaluate mono --data values.yaml --set 'data.dimensions=[activation]'; expect "on a corpus with its own scale" 0 "scale: values from 1 to 5 count as 0 to 100"

# ---- several as one ----
run train values.yaml --out run2 --seed 5 --set train.epochs=3 --set train.loss.kind=mse
run fuse run1 run2 --weights 0.25,0.75 --out fused.h5; expect "fuse" 0 "^run2 +0.7500" "values are the mean of the models', by these weights"
mean() { paste -d ' ' <(told run1 | tr -d , | tr ' ' '\n') <(told run2 | tr -d , | tr ' ' '\n') <(told "$1" | tr -d , | tr ' ' '\n') |
  awk -v w=$2 '{ d = w * $1 + (1 - w) * $2 - $3; if (NF < 3 || d * d > 1e-9 * (1 + $3 * $3)) bad = 1 } END { exit bad || NR != 3 }'; }
mean fused.h5 0.25 && ok "tells the weighted mean" || not_ok "tells the weighted mean" "$(told run1) $(told run2) $(told fused.h5)"
run fuse run1 run2 --out equal.h5; expect "by equal weights" 0 "^run1 +0.5000"
mean equal.h5 0.5 && ok "tells the mean" || not_ok "tells the mean"
run evaluate fused.h5 --data values.yaml; expect "evaluate of it" 0 "^arousal" "^clips +119"
run inspect fused.h5; expect "inspect of it" 0 "2 models fused, by the mean of their values" "dimensions: +valence arousal dominance, from 1 to 5"
run predict fused.h5 $sound --report fused.html; expect "its page" 0
run subtitle $sound --model fused.h5; expect "its cues" 0 "^valence "
if "$audiomood" --version --verbose 2>/dev/null | grep -q protobuf-c; then
  run export fused.h5 --to onnx --out fused.onnx; expect "a graph of it" 0; run inspect fused.onnx; expect "with values" 0 "output: +values: float"
fi
run fuse run1 run2 --weights 0.5,0.5 --temperature 2 --out x.h5; expect "no temperature" 2 "and a temperature is of emotions"
run fuse run1 run2 --wanted-precision 0.8 --out x.h5; expect "no precision" 2 "and a wanted precision is of emotions"
run fuse run1 run2 --out-of-fold cv --out-of-fold cv --out x.h5; expect "nothing is fitted" 2 "and weights that are fitted is of emotions"
run fuse run1 mono --out x.h5; expect "other dimensions are not fused" 2 "it has other classes"

# ---- a scale for each dimension ----
# The corpus as a list of two dimensions, on one scale and on two: what is learned is the same, and each value is told on its own scale.
awk -F, 'NR == 1 { print "path,speaker,valence,arousal"; next } { print "sessions/" $1 "," $2 "," $4 "," $5 }' cv/predictions.csv >one.csv
awk -F, -v OFS=, 'NR > 1 { $3 = ($3 - 3) * 1.5 } { print }' one.csv >two.csv
for n in one two; do
  sed -e "s/^name:.*/name: $n/" -e "s/^data:.*/data: {corpus: manifest, manifest: $n.csv, target: dimensions, scale: [1, 5]}/" -e 's/^split:.*/split: {kind: random, validation: 0.3}/' \
    -e 's/auxiliary: {[^}]*}, //' -e 's/normalise: train/normalise: none/' values.yaml >$n.yaml
done
sed -i 's/scale: \[1, 5\]/scale: [1, 5], scales: {valence: [-3, 3]}/' two.yaml
run train one.yaml --out one --set train.epochs=4 --set train.loss.kind=mse; expect "a list on one scale" 0 "^scale +1 to 5"
run train two.yaml --out two --set train.epochs=4 --set train.loss.kind=mse
expect "a list on two" 0 "dimensions valence -3 to 3, arousal 1 to 5, by the clips of which they are known: valence 119" "^scale +valence -3 to 3" "^ +arousal 1 to 5"
paste -d, one/predictions.csv two/predictions.csv | awk -F, 'NR == 1 { n = NF / 2; for (i = 1; i <= n; i++) at[$i] = i; next }
  { v = at["predicted_valence"]; a = at["predicted_arousal"]; d = ($v - 3) * 1.5 - $(v + n); e = $a - $(a + n); if (d * d > 1e-8 * (1 + $v * $v) || e * e > 1e-8 * (1 + $a * $a)) bad = 1 } END { exit bad || NR < 20 }' &&
  ok "tell the same, each on its scale" || not_ok "tell the same, each on its scale" "$(head -n 3 one/predictions.csv two/predictions.csv)"
run evaluate two --data one.yaml; expect "evaluate on the other list" 0 "scale: valence from 1 to 5 count as -3 to 3, those of the model" "^ +arousal 1 to 5"
run inspect two/best.h5; expect "inspect says each" 0 "dimensions: +valence from -3 to 3, arousal from 1 to 5$"
scales='"scales": \{"valence": \[-3, 3\], "arousal": \[1, 5\]\}'
run predict two $sound --json; expect "predict --json says each" 0 "$scales"
run predict two $sound --segments --vad none --json; expect "and over time" 0 "$scales"
run predict two $sound --report two.html
grep -q "on a scale from -3 to 3" two.html && grep -q "on a scale from 1 to 5" two.html && ok "and the page" || not_ok "and the page"
run report two; grep -q "valence -3 to 3, arousal 1 to 5" two/report.html && ok "and that of the run" || not_ok "and that of the run"
run evaluate two --json; sed ':a; N; $!ba; s/\n *//g; s/,"/, "/g' out >flat; mv flat out; expect "evaluate --json says each" 0 "$scales"
run fuse two one --out x.h5; expect "models on other scales are not fused" 2 "it is on another scale than"
run fuse two two --out twice.h5; expect "those on scales of their own are" 0; run predict twice.h5 $sound --json; expect "with all of them" 0 "$scales"
run predict two --with one $sound; expect "models on other scales have no mean" 2 "its scale of valence is 1 to 5, that of the first model -3 to 3"
sed -i 's/dimensions, scale/dimensions, dimensions: [valence, arousal], scale/' two.yaml
rm -rf bare; cp -r two bare; dimensions=2 config=two.yaml wanted="dimensions: +valence from -3 to 3, arousal from 1 to 5"
back keras x.h5; back safetensors x.safetensors
if "$audiomood" --version --verbose 2>/dev/null | grep -q libzip; then back keras x.keras; fi
if "$audiomood" --version --verbose 2>/dev/null | grep -q protobuf-c; then
  back onnx x.onnx; run inspect x.onnx; expect "whose scales inspect shows" 0 "^scales: +\{"
  run export two --with one --to onnx --out y.onnx; expect "models on other scales have no graph" 2 "its scale, is not that of"
fi
run export bare --to safetensors --names pytorch --out x.pt.safetensors
expect "what to do with a state dict's outputs" 0 "values of valence are 0 \+ 3 times the outputs" "values of arousal are 3 \+ 2 times the outputs"
run import x.pt.safetensors --config two.yaml --out back.h5; expect "and it comes back" 0
near back.h5 && ok "a state dict tells the same" || not_ok "a state dict tells the same" "$(told back.h5), wanted $(told bare)"
cat >described.yaml <<'E'
name: described
licence: none
table: {file: two.csv, path: path, speaker: speaker}
dimensions: {valence: valence, arousal: arousal}
scale: [1, 5]
scales: {valence: [-3, 3]}
E
run evaluate two --data described.yaml --root .; expect "a description with two scales" 0 "^clips +119"
sed -i 's/^scales:.*/scales: {valense: [-3, 3]}/' described.yaml
run evaluate two --data described.yaml --root .; expect "a scale of nothing" 2 "described.yaml:6:10: scales: valense is none of the dimensions \(valence, ...\)"
sed -i 's/^scales:.*/scales: {valence: [-3]}/' described.yaml
run evaluate two --data described.yaml --root .; expect "half a scale" 2 "described.yaml:6:19: scales.valence: wanted \[lowest, highest\]"

# ---- one model of several ----
# Teachers that know the training part alone, whose names are known by a description, and whose scale is another.
mkdir plain; cp -r sessions/Session* plain; sed 's/^sessions.//' one.csv >plain/one.csv # of synthetic voices nobody is known
printf 'name: said\nlicence: none\ntable: {file: one.csv, path: path, speaker: speaker}\ndimensions: {valence: valence, arousal: arousal}\nscale: [1, 5]\n' >said.yaml
sed 's/^data:.*/data: {corpus: described, root: plain, description: said.yaml, target: dimensions, dimensions: [valence, arousal]}/
  s/^split:.*/split: {kind: fixed, test_speakers: [Ses01F, Ses01M]}/; s/monitor: validation_ccc/monitor: last/; s/epochs: [0-9]*/epochs: 3/' one.yaml >into.yaml
run inspect said.yaml --root plain; expect "what a description says of its clips" 0 "^dimension +known +mean +deviation +lowest +highest +scale" "^arousal +119 +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+ +1 to 5"
run inspect two.yaml; expect "and a config" 0 "^valence +119 .* -3 to 3"
run inspect two.csv --set data.target=dimensions --set 'data.scale=[1, 5]' --set 'data.scales={valence: [-3, 3]}'; expect "and a list" 0 "^valence +119 .* -3 to 3"
run crossval into.yaml --out teacher --set 'data.speakers=[Ses02F, Ses02M, Ses03F, Ses03M, Ses04F, Ses04M, Ses05F, Ses05M]' --set 'data.scale=[0, 100]' \
  --set 'split={kind: kfold, folds: 2}' --quiet
expect "a teacher" 0
run distil teacher --into into.yaml --out taught; expect "distil" 0 "best epoch 3 of 3; results in taught"
head -n 1 taught/targets.csv | grep -q "^clip,speaker,fold,true_valence,true_arousal,predicted_valence,predicted_arousal" &&
  awk -F, 'FNR == 1 { for (i = 1; i <= NF; i++) if ($i == "predicted_arousal") at = i; f++; next } f == 1 { v[$1] = $at; next } { d = 1 + v[$1] / 25 - $at; if (!($1 in v) || d * d > 1e-8 * (1 + $at * $at)) bad = 1; n++ } END { exit bad || n != 95 }' \
    teacher/predictions.csv taught/targets.csv && ok "what they say, on the scale of the student" || not_ok "what they say, on the scale of the student" "$(head -n 3 teacher/predictions.csv taught/targets.csv)"
run distil teacher --into into.yaml --out paused --set train.max_steps=2; expect "a pause" 1 "audiomood train --resume paused"
run train --resume paused --set train.max_steps=0; same "which ends with the same weights" taught/digests.csv paused/digests.csv
run distil teacher --into into.yaml --out nothing --set train.targets_share=0; run train into.yaml --out untaught
same "a share of nothing is the value" nothing/digests.csv untaught/digests.csv
differ "the targets count" taught/digests.csv untaught/digests.csv
run distil teacher --into into.yaml --out x --set train.targets_temperature=2; expect "values have no temperature" 2 "train.targets_temperature: it softens probabilities of classes"
run distil teacher --into into.yaml --out x --set 'data.dimensions=[arousal]'; expect "of other dimensions" 1 "it tells 2 dimensions, and the model 1"

# ---- what wants emotions ----
emotions="wanted a model of emotions; this one tells values of dimensions"
run predict run1 $sound --threshold 0.5; expect "predict --threshold" 2 "$emotions"
run predict run1 $sound --uncertain-first --out x.csv; expect "predict --uncertain-first" 2 "$emotions"
run evaluate run1 --data emotions.yaml; expect "a corpus of emotions" 2 "data.target of this corpus is emotion; set it to dimensions"
run train values.yaml --out x --set data.target=emotion --set train.monitor=validation_loss --set 'train.auxiliary={}' --set train.epochs=1
expect "the same settings for emotions" 0 "10 classes" "Confusion"
run train into.yaml --out y --set train.targets=x/predictions.csv --set train.targets_digest=0
digest=$(sed -n 's/.*has the digest \([0-9a-f]*\),.*/\1/p' err); rm -rf y
run train into.yaml --out y --set train.targets=x/predictions.csv --set "train.targets_digest=\"$digest\""
expect "targets of emotions" 1 "x/predictions.csv: predictions of emotions; wanted values of dimensions"
run distil x --into into.yaml --out y; expect "a run is no teacher" 2 "wanted the folder of a cross-validation"
run compare run1 x; expect "compare with a run of emotions" 1 "they cannot be compared"
run predict run1 --with x $sound; expect "predict with one of emotions" 2 "it tells emotions, and the first model dimensions"
plan
