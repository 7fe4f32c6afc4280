#!/bin/bash
# tests/cli/test_speech.sh AUDIOMOOD SOURCE_ROOT - speech in generated noise (mix), a detector trained on it, and what finds speech
# by it: speech, predict --segments, live, subtitle, evaluate --over-time (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" speech "$1" "$2"

trained
cat >talkers.yaml <<'YAML'
data: {corpus: ravdess, root: corpus}
split: {kind: fixed, test_speakers: ["04"]}
YAML

# ---- mixtures ----
mix() { run mix talkers.yaml "$@"; }
mix --out mixtures --split train --recordings 26 --seconds 6 --windows 30 --snr 10,20
expect "mixtures" 0 "^26 recordings of 6 s in mixtures: SYNTHETIC SPEECH in 13 generated noises .seed 1.$"
[ "$(ls mixtures/*.wav | wc -l)" = 26 ] && ok "as many recordings" || not_ok "as many recordings"
cp mixtures/recordings.csv out; expect "a list of them" 0 "^path,speaker,noise,held_out,snr,level,seconds$" "^recording-00003.wav,[0-9a-z]+,coloured,0,(10|20|),-[0-9.]+,6$"
[ "$(cut -d, -f3 mixtures/recordings.csv | sort | uniq -c | awk '$1 != 2 && $2 != "noise"')" = "" ] && ok "families take turns" || not_ok "families take turns"
cp mixtures/speech.csv out; expect "where the speech is" 0 "^recording-000[0-9]+.wav,[0-9.]+,[0-9.]+$"
cp mixtures/manifest.csv out; expect "windows for a detector" 0 "^path,label,speaker,start,seconds,noise$" ",speech,[0-9]+,[0-9.]+,0.64,wind$" ",other,nobody,[0-9.]+,0.64,"
grep -q ",04," mixtures/recordings.csv && not_ok "no speaker of another part" || ok "no speaker of another part"
mix --out again --split train --recordings 26 --seconds 6 --windows 30 --snr 10,20; diff -r mixtures again >/dev/null && ok "the same seed, the same bytes" || not_ok "the same seed, the same bytes"
mix --out other --split train --recordings 2 --seconds 6 --seed 2; cmp -s mixtures/recording-00002.wav other/recording-00002.wav && not_ok "another seed, another sound" || ok "another seed, another sound"
[ -e other/manifest.csv ] && not_ok "no windows, no manifest" || ok "no windows, no manifest"
mix --out new --recordings 4 --seconds 4 --noises held-out --empty 0; cp new/recordings.csv out
expect "noises that are held out" 0 "^recording-00001.wav,0?4,crackle,1," ",birds,1," ",bells,1," ",surf,1,"
mix --out two --recordings 2 --seconds 4 --noises rain,rain --two 1; expect "two noises" 0 "^2 recordings of 4 s in two"
mix; expect "nowhere to put them" 2 "--out DIR is missing"
mix --out mixtures; expect "a folder that has some" 2 "mixtures holds recordings already"
mix --out none --noises street; expect "a noise that there is not" 2 "--noises street: wanted trained, held-out, all, or some of silence, room,"
mix --out none --snr loud; expect "a ratio that is none" 2 "--snr loud: wanted dB with commas between them"
mix --out none --snr 5,; expect "a ratio that is missing" 2 "--snr 5,: wanted dB"
mix --out none --split training; expect "a part that there is not" 2 "--split training: wanted train, validation or test"
mix --out none --split validation; expect "a part that is empty" 1 "the split has no validation part"

# ---- a detector ----
cat >detector.yaml <<'YAML'
name: detector
cache: cache
data: {corpus: manifest, manifest: mixtures/manifest.csv, title: Mixtures of mine, licence: CC BY 4.0, citation: "me, 2026", labels: [other, speech], unheard: keep}
split: {kind: fixed, validation_speakers: ["03"]}
features: {sample_rate: 16000, n_fft: 512, hop: 512, mels: 20, ref: one, top_db: 0, amin: 1e-9, center: false, samples: 10240, normalise: train}
model: {layers: [flatten, {dense: {units: 16, activation: relu}}, {dense: {}}]}
train: {epochs: 12, monitor: last, optimiser: {learning_rate: 0.003}}
YAML
run train detector.yaml --out detector --quiet; expect "a detector is trained" 0
run inspect detector/best.h5; expect "it owes what the speech owes" 0 "Mixtures of mine .CC BY 4.0.: me, 2026"
cp detector/best.h5 d.h5
{ silence 1000; clip 4 4; silence 1500; clip 4 9; silence 1000; } | wav talk.wav
silence 3000 | wav silence.wav
run speech talk.wav; cp out by_level; expect "speech by level" 0 "^speech is found by its level: no speech detector came with this AudioMood .AUDIOMOOD_DETECTOR is empty.$" "^talk.wav$" "^ +(0.9|1.[0-4])[0-9]* +[1-4]\\.[0-9]{2}$"
run speech talk.wav --vad energy; expect "by level, as told" 0; cmp -s out by_level && ok "is the same" || not_ok "is the same"
run speech talk.wav --vad d.h5 --csv; cp out by_model; expect "by a model" 0 "^speech is found by d.h5; licence CC BY 4.0$" "^file,start,end$" "^talk.wav,(0.[89]|1)[0-9.]*,[1-4]"
AUDIOMOOD_DETECTOR=d.h5 run speech talk.wav --csv; cmp -s out by_model && ok "the one that the environment names" || not_ok "the one that the environment names"
AUDIOMOOD_DETECTOR=d.h5 run speech - --vad model --csv <talk.wav; sed 's/(standard input)/talk.wav/' out | cmp -s - by_model && ok "of standard input" || not_ok "of standard input"
run speech talk.wav --vad d.h5 --json; expect "as JSON" 0 '^\{"file": "talk.wav", "start": [0-9.]+, "end": [0-9.]+\}$'
run speech talk.wav --vad d.h5 --scores; expect "what it says of each step" 0 "^file,start,end,score$" "^talk.wav,0,0.03,[01]" "^talk.wav,0.03,0.06,[01]"
run speech silence.wav --vad d.h5; expect "silence" 0 "silence.wav: nobody was found to speak"
run speech talk.wav --vad d.h5 --min-silence 9 --csv; [ "$(wc -l <out)" = 2 ] && ok "a longer silence joins" || not_ok "a longer silence joins"
run predict run1 talk.wav --segments --vad d.h5 --json; expect "segments" 0 "^speech is found by d.h5" '"start": (0.[89]|1)'
printf -v starts '%s' "$(sed -nE 's/.*"start": ([0-9.]+),.*"utterance": 0,.*/\1/p' out | head -1)"
grep -q "^talk.wav,$starts," by_model && ok "begin with the same speech" || not_ok "begin with the same speech" "$starts"
run predict run1 talk.wav --segments --vad d.h5 --rttm none.rttm; expect "turns are given" 2 "--rttm says who speaks when; --vad does not go with it"
tail -c +45 talk.wav | "$audiomood" live - --model run1 --vad d.h5 >out 2>err; code=$?; expect "live" 0 "^speech is found by d.h5" "^ +(0.[89]|1)[0-9.]* +speech$"
AUDIOMOOD_DETECTOR=d.h5 run subtitle talk.wav --model run1 --threshold 0.1 -o talk.srt; expect "subtitle" 0 "^speech is found by d.h5"
run stitch tiny.yaml --out made --recordings 1 --seconds 6
AUDIOMOOD_DETECTOR=d.h5 run evaluate run1 --over-time made; grep -q "found by d.h5" err && not_ok "a recording is scored by level" || expect "a recording is scored by level" 0
run evaluate run1 --over-time made --vad d.h5; expect "unless told otherwise" 0 "^speech is found by d.h5"

# ---- installed somewhere ----
mkdir -p usr/bin usr/share/audiomood; cp "$audiomood" usr/bin/audiomood; cp d.h5 usr/share/audiomood/speech_detector.h5
installed() { env -u AUDIOMOOD_DETECTOR usr/bin/audiomood speech talk.wav --csv >out 2>err; code=$?; }
installed; expect "beside the program" 0 "^speech is found by speech_detector.h5; licence CC BY 4.0$"; cmp -s out by_model && ok "it is that one" || not_ok "it is that one"
rm usr/share/audiomood/speech_detector.h5; installed; expect "without it" 0 "^speech is found by (its level: no speech detector came with this AudioMood|speech_detector.h5)"

# ---- the one in the box ----
if [ -e "$root/checkpoints/speech_detector.h5" ]; then
  mix --out empty --recordings 3 --seconds 20 --empty 1 --noises coloured,rain,music --seed 3
  run speech empty/*.wav --vad "$root/checkpoints/speech_detector.h5" --csv; [ "$code $(wc -l <out)" = "0 1" ] && ok "it takes noise for none" || not_ok "it takes noise for none"
  run inspect "$root/checkpoints/speech_detector.h5"; expect "it says whom to name" 0 "^licence:  CC BY-NC-SA 4.0 .not for commercial use.$" "Livingstone.*Christop"
  [ "$(stat -c %s "$root/checkpoints/speech_detector.h5")" -lt 300000 ] && ok "it is small" || not_ok "it is small"
fi

# ---- what is none ----
run speech talk.wav --vad model; expect "none came with it" 1 "no speech detector came with this AudioMood .AUDIOMOOD_DETECTOR is empty."
AUDIOMOOD_DETECTOR=gone.h5 run speech talk.wav --vad model; expect "one that is not there" 1 "gone.h5: no such file; the environment variable AUDIOMOOD_DETECTOR names it as the speech detector"
run speech talk.wav --vad run1/best.h5; expect "a model of emotions" 2 "run1/best.h5: this is no speech detector: it has 4 classes, \"calm\" among them"
head -c 9000 d.h5 >half.h5; run speech talk.wav --vad half.h5; expect "half of one" 1 "half.h5: "
AUDIOMOOD_DETECTOR=half.h5 run speech talk.wav; expect "half of one that was not asked for" 1 "half.h5: "
run speech talk.wav --vad talk.wav; expect "a sound" 1 "talk.wav: "
run train detector.yaml --out long --quiet --set features.samples=0 --set 'model.layers=[global_average_pool, {dense: {}}]'; run speech talk.wav --vad long/best.h5
expect "one that does not say how much it hears" 2 "this model cannot detect speech as it comes"
run speech talk.wav --vad none; expect "no detector" 2 "--vad none: wanted model, energy or the file of a speech detector"
run speech talk.wav --json --scores; expect "two formats" 2 "--json or --scores, not both"
run speech gone.wav; expect "a sound that is not there" 1 "gone.wav"
run speech talk.wav --threshold 2; expect "a threshold that is none" 2 "--threshold"
plan
