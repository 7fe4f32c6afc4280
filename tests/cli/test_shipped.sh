#!/bin/bash
# tests/cli/test_shipped.sh AUDIOMOOD SOURCE_ROOT - the model that comes with AudioMood: where it is found, when it is taken,
# and what is said of it (TAP). A small model trained here stands in its place.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" shipped "$1" "$2"
trained
alike() { cmp -s out "$1" && ok "$2" || not_ok "$2" "$(diff out "$1" | head -5)"; }

run predict run1 $sound; cp out by_run
export AUDIOMOOD_MODEL=$PWD/run1/best.h5
run predict $sound; expect "by the environment" 0 \
  "^no model given: best.h5 .a test., trained on AudioMood demo corpus; licence MIT, as AudioMood itself$"
alike by_run "it predicts as when it is named"
[ "$(grep -c . err)" = 2 ] && ok "one line says so" || not_ok "one line says so, beside that it is synthetic" "$(cat err)"
run predict $sound --quiet; grep -q "no model given" err && not_ok "not with --quiet" || expect "not with --quiet" 0
run predict - <$sound; expect "standard input alone" 0 "standard input.*%"
run predict corpus/Actor_04; expect "a folder of sounds" 0 "Actor_04/03-01-08.*%"
run predict $sound --with run1; expect "beside another model" 0 "^no model given"
alike by_run "the mean of a model and itself"
cp run1/best.h5 model.wav
run predict model.wav $sound; expect "what is in it makes a file a model, not its name" 0
alike by_run "of that model"
run evaluate --data tiny.yaml --split test; expect "evaluate on a corpus of one's own" 0 "^no model given" "unweighted average recall"
sed '$d' out >evaluated; run evaluate run1 --data tiny.yaml --split test; sed -i '$d' out; alike evaluated "as when it is named"
run enrol $sound --out voice.h5; expect "enrol, where a voice would change nothing" 2 "^no model given" "the model that comes with AudioMood does not normalise by speaker, so a voice changes nothing"
[ -e voice.h5 ] && not_ok "writes nothing" || ok "writes nothing"

# ---- one that does better once it knows the voice ----
run train tiny.yaml --out by-speaker --set features.normalise=speaker --quiet
run fuse run1 by-speaker --out two.h5 --weights 1,0 --known-weights 0.4,0.6
export AUDIOMOOD_MODEL=$PWD/two.h5
run predict $sound; cp out unknown; expect "a voice that is not known" 0 "^no model given: two.h5 .a test., trained on"
voices=$(ls corpus/Actor_04/*.wav | head -12)
run enrol $voices --out voice.h5; expect "enrol" 0 "^no model given: two.h5" "^voice.h5: [0-9.]+ s of one voice"
run predict $sound --enrol voice.h5; expect "a voice that is known" 0 "^no model given: two.h5 .a test., by its weights for a voice that it knows, trained on"
differ "has other probabilities" out unknown; cp out known
run predict two.h5 $sound --enrol voice.h5; alike known "as when the model is named"
for threads in 1 2 3; do
  run predict $sound --threads $threads; alike unknown "its models listen at the same time, with the same result ($threads threads)"
done
export AUDIOMOOD_MODEL=$PWD/run1/best.h5
# A file that may be anybody's is read by a child process first.
read_first() { grep -q "best.h5: a child process reads it first\|nemo.h5: a child process reads it first" err; }
run predict $sound --verbose
read_first && ok "what the environment names is read by a child first" || not_ok "what the environment names is read by a child first"

# ---- installed somewhere ----
unset AUDIOMOOD_MODEL
mkdir -p usr/bin usr/share/audiomood elsewhere
cp "$audiomood" usr/bin/audiomood
cp run1/best.h5 usr/share/audiomood/ravdess-nemo.h5; : >usr/share/audiomood/MODEL_CARD.md
ln -s ../usr/bin/audiomood elsewhere/mood
for audiomood in usr/bin/audiomood elsewhere/mood; do
  run predict $sound; expect "beside $audiomood" 0 "^no model given: ravdess-nemo.h5 .*; about it: $work/usr/share/audiomood/MODEL_CARD.md$"
  alike by_run "it is that model"
done
run predict $sound --verbose
[ "$code" = 0 ] && ! read_first && ok "and is trusted as the program is" || not_ok "and is trusted as the program is"
run predict usr/share/audiomood/ravdess-nemo.h5 $sound --verbose
read_first && ok "but not when it is named" || not_ok "but not when it is named"
installed=usr/share/audiomood/ravdess-nemo.h5 bytes=$(stat -c %s run1/best.h5)
for at in 8 40 60 $((bytes / 3)) $((bytes / 2)); do
  cp run1/best.h5 $installed; head -c 16 /dev/zero | dd of=$installed bs=1 seek=$at conv=notrunc status=none
  run predict $sound; expect "damaged at byte $at it is refused" 1 "^audiomood predict: .*ravdess-nemo.h5: "
done
head -c $((bytes / 2)) run1/best.h5 >$installed; run predict $sound; expect "and cut" 1 "ravdess-nemo.h5: a truncated file"
rm usr/share/audiomood/ravdess-nemo.h5
run predict $sound
case $code in
  0) ok "without it that of the data folder is taken" ;; # of a machine where one is installed
  *) expect "without it" 1 "no model came with this AudioMood .*/audiomood/ravdess-nemo.h5 is not there.: name one" ;;
esac
plan
