#!/bin/bash
# tests/cli/test_errors.sh AUDIOMOOD SOURCE_ROOT - every row of the tables in docs/errors.md: its command is run as it
# stands there, and exit code, message and what is left on disk must be what the row says (TAP).
#
# In the message column "..." stands for anything and \| for |.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" errors "$1" "$2"
mkdir there; cd there || exit 1
PATH=$(dirname "$audiomood"):$PATH # rows say audiomood
not_ok() { cases=$((cases + 1)); echo "not ok $cases - $1"; printf '%s\n' "${@:2}" | sed 's/^/#   /'; }

# ---- what the rows find: corpus/ (made up), tiny.yaml, run1/ (trained by it), and files that are wrong ----
{ tiny; small; } >tiny.yaml
speech 4
{ audiomood train tiny.yaml --out run1 &&
  audiomood train tiny.yaml --out run2 --set features.normalise=speaker &&
  audiomood train tiny.yaml --out run3 --set "data.labels=[calm, happy]" &&
  audiomood train tiny.yaml --out run4 --set features.sample_rate=8000 &&
  audiomood train tiny.yaml --out run5 --set 'split.validation_speakers=["02"]' &&
  audiomood train tiny.yaml --out run6 --set 'split={kind: fixed, test_speakers: ["04"]}' &&
  audiomood crossval tiny.yaml --out teacher --set 'data.speakers=["02", "03", "04"]' --set train.monitor=last \
    --set 'split={kind: leave_one_speaker_out}' &&
  audiomood train tiny.yaml --out run7 --set "data.labels=[happy, angry]" &&
  audiomood fuse run1 run2 --out fused.h5 --weights 0.5,0.5 &&
  sed 's/mels: 24/mels: 23/' tiny.yaml >narrow.yaml && audiomood enrol run2 corpus/Actor_04 --out voice.h5 &&
  audiomood enrol narrow.yaml corpus/Actor_04 --out narrow.h5; } >../setup.log 2>&1 || {
  echo "not ok 1 - preparing"; tail -5 ../setup.log | sed 's/^/# /'; echo 1..1; exit 1; }
{ echo path,speaker,valence,arousal,dominance,liking; n=0
  for f in corpus/*/*.wav; do n=$((n + 1)); a=${f#corpus/Actor_}; echo "$f,${a%%/*},$((1 + n % 5)),$((1 + n % 3)),$((1 + n % 4)),$((1 + n % 2))"; done; } >moods.csv
sed 's/^data: .*/data: {corpus: manifest, manifest: moods.csv, target: dimensions, scale: [1, 5]}/' tiny.yaml >moods.yaml
{ audiomood train moods.yaml --out run8 &&
  audiomood train moods.yaml --out run9 --set 'data.scales={valence: [0, 10]}' &&
  audiomood train moods.yaml --out run10 --set 'data.dimensions=[liking]'; } >>../setup.log 2>&1
sound=corpus/Actor_04/03-01-05-01-01-01-04.wav
cp $sound sound.wav
printf 'path,speaker,valence,arousal\n%s,1,much,3\n' $sound >words.csv
table='table: {file: moods.csv, path: path, speaker: speaker}\n'; says='name: mine\nlicence: none\n'
printf "${says}files: ['(?<label>[a-z]+)[.]wav']\ntitle: mine\ndimensions: {valence: valence}\nscale: [1, 5]\n" >untabled.yaml
printf "$says${table}dimensions: {valence: valence}\n" >unscaled.yaml
printf "$says${table}dimensions: {valence: valence}\nscale: [1, 5]\nscales: {valense: [1, 5]}\n" >scaled.yaml
printf "$says${table}dimensions: {valence: valence}\nscale: [1, 2]\n" >narrow-scale.yaml
mkdir empty without # the loader takes the first file of the name that it looks for, and these are no libraries
for soname in $(grep -aoE "lib(cairo|websockets)\.so\.[0-9]+" "$audiomood" | sort -u); do : >"without/$soname"; done
: >empty.wav
echo "version https://git-lfs.github.com/spec/v1" >stub.wav
head -c 3000 $sound >short.wav
head -c 44 $sound >header.wav
{ head -c 44 $sound; head -c $(($(stat -c %s $sound) - 44)) /dev/zero; } >silence.wav
{ head -c 40 $sound; printf '\x80\x02\0\0'; tail -c +8045 $sound | head -c 640; } >tick.wav
cp $sound low.wav; printf '\x40\x1f\0\0\x80\x3e\0\0' | dd of=low.wav bs=1 seek=24 conv=notrunc status=none
{ head -c 40 $sound; printf '\0\x2f\x0d\0'; tail -c +45 $sound; head -c 864000 /dev/zero; } | head -c $((44 + 864000)) >long.wav
mkdir films; : >films/film.mp4
printf '00:00,200 --> 00:01,700\nHello\n' >sound.srt; printf '00:01,000 --> 00:99\nHello\n' >bad.srt; printf '00:01,0 --> 00:02,0\ncaf\351\n' >latin.srt; printf 'WEBVTT\n' >sound.vtt
for i in {1..33}; do printf '00:01 --> 00:02\na\n\n'; done >many.srt; echo 'sv: argt' >sv.yaml
events='[Script Info]\n[Events]\n'; printf "${events}Dialogue: 0,0:00:01.00,x\n" >cut.ass; printf "${events}Dialogue: 0,0:00:01.00,never,D,,0,0,0,,x\n" >bad.ass
printf "${events}Format: Start, Text, End\n" >format.ass; echo '<svg/>' >other.ttml; echo '<!DOCTYPE tt><tt/>' >type.ttml
echo '<?xml version="1.0" encoding="US-ASCII"?><tt/>' >ascii.ttml; echo '<tt><p begin="1s" end="soon"/></tt>' >times.ttml
echo '<tt frameRate="none"/>' >rate.ttml; echo '<tt timeBase="clock"/>' >clock.ttml; { printf 'WEBVTT\n\n'; for i in {100..200}; do printf "0:00.$i --> 0:00.$i\n<v N$i>a\n\n"; done; } >crowd.vtt; printf 'File type = "ooTextFile"\n"TextGrid"\n0 1 <exists> 1 "Tier"\n' >cut.TextGrid; printf '1\t2\tsad\n1 2 sad\n' >labels.txt; echo start,end,label >none.csv
echo '<ANNOTATION_DOCUMENT><TIER TIER_ID="a"><ALIGNABLE_ANNOTATION TIME_SLOT_REF1="t"/></TIER></ANNOTATION_DOCUMENT>' >cut.eaf
echo '{}' >other.json; echo '[{"start": 1, "text": "a"}]' >times.json
printf 'WEBVTT\n\n00:01.000 --> 00:02.000\n0:05 --&gt; 0:06\n' >times.vtt; echo 'sv: {angry: [argt, arg]}' >few.yaml
noise >noise.wav
printf 'path,speaker,valence,arousal\n%s,1,2,3\nsound.wav,2,,7\n' $sound >values.csv
printf 'no line' >empty.h5; head -c 1200000 /dev/zero | tr '\0' x >line.jsonl
printf '\0\0\0\x1cftypM4A \0\0\2\0isomiso2' >talk.m4a
cp talk.m4a lying.wav
printf '#!AMR\n\x3c' >call.amr
{ head -c 40 $sound; head -c 4 /dev/zero; tail -c +45 $sound; } >killed.wav
cat $sound $sound >joined.wav
echo "not HDF5" >junk.h5
awk 'BEGIN { print "name: x\ndata: {corpus: ravdess, root: corpus}\nmodel: {layers: ["; for (i = 0; i < 2001; i++) printf "relu, "; print "]}" }' >deep.yaml
awk 'BEGIN { print "a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b ["; for (i = 0; i < 1000; i++) printf "*a, "; print "]\nc: ["; for (i = 0; i < 1000; i++) printf "*b, "; print "]" }' >laugh.yaml
head -c 4000 run1/best.h5 >half.h5
head -c 1000 voice.h5 >half-voice.h5
cp "$root/tests/exchange/golden/conv2d.h5" keras.h5
cp "$root/tests/exchange/golden/onnx/gru_first.onnx" gru.onnx; cp "$root"/tests/exchange/golden/onnx/refused/*.onnx .
echo "no model" >junk.onnx; audiomood export run1 --to onnx --out own.onnx >>../setup.log 2>&1
audiomood export run8 --to onnx --out moods.onnx >>../setup.log 2>&1; audiomood export run8 --to safetensors --out moods.safetensors >>../setup.log 2>&1
audiomood export run8 --to keras --frames 100 --out moods.h5 >>../setup.log 2>&1
cp "$root/tests/exchange/golden/features.yaml" features.yaml
cp "$root/tests/exchange/golden/torch_order.safetensors" torch.safetensors; cp "$root/tests/exchange/golden/torch_order.yaml" torch.yaml
head -c 1500 torch.safetensors >cut.safetensors
printf 'PK\003\004 and so on' >archive.keras
sed 's/seed: 3/seed: [3/' tiny.yaml >broken.yaml
sed 's/filters: 4/filers: 4/' tiny.yaml >typo.yaml
sed 's/max_pool2d/maxpool2d/' tiny.yaml >layer.yaml
sed 's/- max_pool2d.*/- bins: {first: 20, count: 10}/' tiny.yaml >bins.yaml
sed 's/filters: 4/filters: 5/; s/- max_pool2d.*/- glu/' tiny.yaml >odd.yaml
sed 's/^seed: 3/seed: 3\nseed: 4/' tiny.yaml >twice.yaml
sed 's/^split: .*/split: {kind: fixed, fold_lists: [["01", "02"], ["03"], ["04"]], validation_speakers_count: 1}/' tiny.yaml >folds.yaml
sed 's/epochs: 1,/epochs: 1000000,/' tiny.yaml >endless.yaml
printf 'path,label\nsound.wav,angry\nmissing.wav,calm\n' >clips.csv
echo "data: {corpus: ravdess, root: corpus, labels: [calm, fearful, disgust]}" >feelings.yaml
echo "data: {corpus: ravdess, root: corpus, labels: [fearful]}" >strangers.yaml
echo "data: {corpus: ravdess, root: corpus, labels: [fearful], rename: {fearful: joy}}" >words.yaml
printf 'path,label\nsound.wav,calm\nempty.wav,w\xfctend\n' >latin1.csv
printf '# my corpus\npath,label\nsound.wav,calm\n' >comment.csv
ln -s sound.wav again.wav
printf 'path,label\nsound.wav,calm\n./again.wav,happy\n' >again.csv
mkfifo pipe.wav
printf 'path,label,speaker\nsound.wav,angry,03\npipe.wav,calm,04\n' >pipes.csv
printf 'path,label,speaker\nsound.wav,angry,03\nsilence.wav,calm,04\n' >quiet.csv
printf 'path,label,speaker\nsilence.wav,calm,04\n' >silent.csv
mkdir kaldi bare-kaldi hub box database empty-list; printf 'u sox sound.wav -t wav - |\n' >kaldi/wav.scp; printf 'u angry\n' >kaldi/utt2emo; printf 'u a.ark:7\n' >archive.scp
cp kaldi/wav.scp bare-kaldi; printf 'file_name,mood\n../sound.wav,angry\n' >hub/metadata.csv; echo '{"sound": 1}' >list.jsonl
echo '{"wav": "missing.wav", "emo": "angry"}' >box/x_test_fold_1.jsonl; cp box/x_test_fold_1.jsonl box/x_train_fold_1.jsonl; cp box/x_test_fold_1.jsonl box.jsonl
mkdir two-lists; for list in a_train b_train; do printf 'file,emotion\nsound.wav,angry\n' >two-lists/$list.csv; done
echo '{"x": {"wav": "sound.wav", "emo": "angry", "start": 0, "stop": 16000}}' >two-lists/cut.json
printf 'tables:\n  one: {type: filewise, columns: {emotion: {}}}\n  two: {type: filewise, columns: {emotion: {}}}\n' >database/db.yaml; : >database/db.one.parquet
printf 'name: mine\nlicence: CC0\nfiles: "(?<lable>[a-z]+)"\n' >mine.yaml
mkdir precious; echo mine >precious/Actor_01
cp -r corpus hurtcorpus; : >hurtcorpus/Actor_01/03-01-05-01-01-01-01.wav
cp -r run1 hurt; echo '{"test": {' >hurt/metrics.json
cp -r run1 bare; rm bare/best.h5
cp -r run1 strange; sed -i 's/global_average_pool/swish/' strange/config.yaml
cp -r run1 forged; sed -i 's/^4,1,.*/4,1,01234567/' forged/digests.csv
cp -r run1 unfinished; rm unfinished/metrics.json
cp -r run1 linked; rm -rf linked/lock linked/plots; ln -s ../mine.yaml linked/lock; ln -s ../corpus linked/plots
mkdir joined; cp corpus/SYNTHETIC joined; sed -i "s/state.*/state unfinished/" joined/SYNTHETIC; ln -s ../corpus/Actor_02 joined/Actor_02
cp -r corpus exchanged-corpus
audiomood train tiny.yaml --out exchanged --set data.root=exchanged-corpus --set train.epochs=2 --set train.max_steps=4 >>../setup.log 2>&1
cp exchanged-corpus/Actor_02/03-01-03-01-01-01-02.wav exchanged-corpus/Actor_02/03-01-05-01-01-01-02.wav
sed -i '/max_steps/d' exchanged/config.yaml
mkdir crossed; echo '{}' >crossed/crossval.json
{ echo path,label; n=0; for f in corpus/*/*.wav; do n=$((n + 1)); printf '%s,%01000d\n' "${f#corpus/}" $n; done; } >sentences.csv

# Every shard of the cache with other bytes in its middle, or cut off.
cp -r cache cache-hurt; cp -r cache cache-cut
for shard in cache-hurt/*.h5; do
  head -c 64 /dev/zero | tr '\0' '\377' | dd of="$shard" bs=1 seek=$(($(stat -c %s "$shard") / 2)) conv=notrunc status=none
done
truncate -s 1000 cache-cut/*.h5

# Waits until the cache in folder $1 has features.
computed() { for _ in $(seq 1200); do compgen -G "$1/features-*.h5" >/dev/null && return; sleep 0.1; done; }
# Waits until the run in folder $1 has finished an epoch.
begun() { for _ in $(seq 1200); do [ "$(wc -l 2>/dev/null <"$1/history.csv")" -gt 1 ] 2>/dev/null && return; sleep 0.1; done; }
listing() { find . -mindepth 1 -path './cache*' -prune -o -printf '%P %y %s\n'; }

# ---- the rows ----
# There are hundreds: what is done for each is done by the shell itself, as a program that it starts costs more than most rows.
# as_pattern MESSAGE: what [[ == ]] compares a line with, in $pattern
as_pattern() {
  local text=${1//\\|/|} c
  for c in \\ '*' '?' '[' ']' '(' ')'; do text=${text//"$c"/\\"$c"}; done
  pattern=${text//.../*}
}
says() { # whether a line of ../err is as $pattern
  local lines line
  mapfile -t lines <../err
  for line in "${lines[@]}"; do [[ $line == $pattern ]] && return; done
  return 1
}
check() { # number, command, message, exit code, what is left; sets $new to what is not as it was in $before
  local number=$1 command=$2 message=$3 want=$4 left=$5 code pattern after
  new=
  (eval "$command") >../out 2>../err
  code=$?
  after=$(listing)
  if [ "$after" != "$before" ]; then
    new=$(diff <(sort <<<"$before") <(sort <<<"$after") | grep '^[<>]' | cut -d' ' -f2 | cut -d/ -f1 | sort -u | tr '\n' ' ')
  fi
  as_pattern "$message"
  if [ "$code" != "$want" ]; then not_ok "row $number: $command" "exit code $code, wanted $want" "$(tail -n 4 ../err)"; return; fi
  if ! says; then not_ok "row $number: $command" "wanted: $message" "found:" "$(tail -n 4 ../err)"; return; fi
  if [ "$left" = nothing ]; then
    [ -z "$new" ] || { not_ok "row $number: $command" "left on disk: $new"; return; }
  else
    while [[ $left =~ \`([^\`]+)\`(.*) ]]; do
      [ -e "${BASH_REMATCH[1]}" ] || { not_ok "row $number: $command" "is not there: ${BASH_REMATCH[1]}" "new: $new"; return; }
      left=${BASH_REMATCH[2]}
    done
  fi
  ok "row $number: $command"
}

# Rows have no numbers of their own: one put in the middle would renumber all behind it.
# | what | `command` | `message` | 2 | left |; a | inside a cell is written \|
cells() { sed -E -e 's/\\\|/\x01/g' -e 's/^\| *//' -e 's/ *\|$//' -e 's/ *\| */\t/g' -e 's/\x01/\\|/g'; }
seen=0
before=$(listing)
while IFS=$'\t' read -r _ command message code left; do
  command=${command#\`}; command=${command%\`}; command=${command//\\|/|}
  message=${message#\`}; message=${message%\`}
  seen=$((seen + 1))
  check "$seen" "$command" "$message" "$code" "$left"
  [ -z "$new" ] || { rm -rf $new; before=$(listing); }
done < <(grep -E '^\| ' "$root/docs/errors.md" | grep -v '^| what the user did |' | cells)
[ "$seen" -gt 0 ] || not_ok "docs/errors.md has rows"
plan
