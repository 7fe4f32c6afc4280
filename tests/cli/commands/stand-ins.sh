# tests/cli/commands/stand-ins.sh - read by tests/cli/test_commands.sh: what the documentation's commands name, made up and small.
# keep makes what is large or is trained, once for a build; place puts all of it, as links where it is only read, where a block runs.
# SPDX-License-Identifier: MIT

# voices FOLDER: RAVDESS of 24 synthetic actors, speech, eight clips each: one of each emotion, both sentences in turns.  Configs name
# speakers of RAVDESS, so it does not say that it is synthetic; it is thrown away with the build.
voices() {
  "$audiomood" synth "$1" --repetitions 1 || return
  (cd "$1" && rm -f -- SYNTHETIC */03-01-0[2-8]-01-* && for actor in Actor_*; do
    number=${actor#Actor_}
    for emotion in {1..8}; do rm -f "$actor/03-01-0$emotion"-*-0$(((10#$number + emotion) % 2 + 1))-01-*; done
  done)
}
# sentence ACTOR EMOTION: that clip
sentence() { ls "$kept/ravdess/Actor_$1"/03-01-0$2-*.wav; }
samples() { tail -c +45 "$(sentence "$@")"; }

keep() {
  kept=$PWD
  mkdir six speaker nemo && voices ravdess || return
  "$audiomood" synth iemocap --layout iemocap || return
  # nEMO: nine speakers, six emotions, clips of other voices
  "$audiomood" synth more --actors 9 --repetitions 1 --seed 7 || return
  local i names=(KS0 MK0 EB0 IC0 KD0 MP0 SM0 TP0 WR0) emotions=(x neutral x happiness sadness anger fear x surprised)
  mkdir -p nemo/nEMO/samples
  for i in {1..9}; do for e in 1 3 4 5 6 8; do mv more/Actor_0$i/03-01-0$e-01-01-01-0$i.wav "nemo/nEMO/samples/${names[i - 1]}_${emotions[e]}_$e.wav"; done; done
  rm -r more
  # Runs: eight emotions, six of them, and six with the statistics of each speaker.
  local linear=("$root/configs/ravdess_functionals.yaml" --set data.root=ravdess --set train.epochs=2 --set cache="$PWD/cache" --set split.validation_speakers_count=4)
  local six=(--set 'data.merge={calm: neutral}' --set 'data.labels=[neutral, happy, sad, angry, fearful, surprised]')
  "$audiomood" train "${linear[@]}" --out run && "$audiomood" train "${linear[@]}" "${six[@]}" --out six/linear &&
    "$audiomood" train "${linear[@]}" "${six[@]}" --out six/net && "$audiomood" train "${linear[@]}" "${six[@]}" --set features.normalise=speaker --out six/voice || return
  # Recordings over time, and what a model says of them.
  samples 01 5 >a; { silence 400; cat a; silence 900; samples 01 4; silence 700; samples 01 8; silence 400; } | wav talk.wav
  "$audiomood" stitch "$root/configs/ravdess_functionals.yaml" --set data.root=ravdess --out recordings --recordings 2 --seconds 10 &&
    "$audiomood" predict run talk.wav --segments --format textgrid >talk.TextGrid && "$audiomood" subtitle talk.wav --model run -o talk.srt || return
}

# place: fills the current folder
place() {
  local name f voice=$kept/ravdess/Actor_04
  cp -rs "$root"/{configs,checkpoints} . && mkdir tools datasets runs make-model mine my-corpus talks EmoBox Downloads
  # Scripts are looked at, and so are programs of a build; descriptions of corpora are read.
  for f in "$root"/tools/*; do ln -s "$commands/stub" "tools/${f##*/}"; done
  rm tools/aarch64.ini && ln -s "$root/tools/aarch64.ini" tools/
  for f in "$root"/datasets/*; do case $f in *.yaml) ln -s "$f" datasets/ ;; *) ln -s "$commands/stub" "datasets/${f##*/}" ;; esac; done
  mkdir -p build/src/cli/manual && ln -s "$commands/audiomood" build/src/cli/audiomood && ln -s "$AM_MANUAL" build/src/cli/manual/audiomood-manual
  # Corpora.
  ln -s "$kept/ravdess" ravdess; ln -s "$kept/ravdess" datasets/ravdess; ln -s "$kept/nemo" nemo; ln -s "$kept/nemo" datasets/nemo
  ln -s "$kept/iemocap" datasets/IEMOCAP_full_release; ln -s "$kept/ravdess" corpus
  # Sounds.
  for name in voice my-recording question more; do cp "$voice"/03-01-05-*.wav $name.wav; done
  for name in talk long hour ten interview meeting lecture film; do cp "$kept/talk.wav" $name.wav; done
  cp talk.wav talk.mp3; tail -c +45 talk.wav | wav interview.wav 16000 2
  cp "$voice"/03-01-0[34]-*.wav mine/; cp -r mine my-recordings
  cp -r "$kept/recordings" .; rm -f recordings/*.yaml
  cp "$kept/talk.TextGrid" .; cp talk.wav talks/a.wav; cp talk.TextGrid talks/a.TextGrid
  printf 'SPEAKER meeting 1 0.3 2.0 <NA> <NA> ann <NA> <NA>\nSPEAKER meeting 1 3.0 2.0 <NA> <NA> ben <NA> <NA>\n' >meeting.rttm
  printf '1\n00:00:00,400 --> 00:00:02,000\nKids are talking.\n\n2\n00:00:03,000 --> 00:00:05,000\nDogs are sitting.\n' >film.srt
  { printf 'WEBVTT\n\n'; sed '/^[12]$/d; s/,\(...\)/.\1/g' film.srt; } >film.vtt
  printf '[Script Info]\nScriptType: v4.00+\n\n[Events]\nFormat: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n%s\n' \
    'Dialogue: 0,0:00:00.40,0:00:02.00,Default,Ann,0,0,0,,Kids are talking.' >film.ass
  printf '{"segments": [{"start": 0.4, "end": 2.0, "text": " Kids are talking."}]}\n' >whisper.json
  cp film.srt film-how.srt
  # Models.
  for name in mine cnn1 linear; do ln -s "$kept/run" runs/$name; done
  ln -s "$kept/run" RUN; ln -s "$kept/run" run; ln -s "$kept/run/best.h5" MODEL; ln -s "$root/checkpoints/ravdess-nemo.h5" .
  for name in linear net linear_voice; do
    mkdir make-model/folds-box_$name
    for f in fold-0 fold-K; do ln -s "$kept/six/${name#linear_}" make-model/folds-box_$name/$f; done
  done
  cp "$kept/six/linear/best.h5" fold-0.h5; cp fold-0.h5 K.h5
  # Configs.
  config '' '{kind: random, validation: 0, test: 0.34}' | sed 's/, monitor: validation_loss//' >CONFIG; config >folds.yaml; config >mine.yaml; config >my.yaml; config >first.yaml; config >features.yaml
  config 'corpus' >m.yaml
  { config; printf 'tune: {trials: 2, reduction: 2, min_epochs: 1, search: {train.batch: [8, 16]}}\n'; } >config.yaml
  printf 'data: {corpus: ravdess, root: ravdess, speakers: ["02", "05"], merge: {calm: neutral}, labels: [neutral, happy, sad, angry, fearful, surprised]}\n' >fold-0.yaml
  # A corpus of one's own by a description, and as a list.
  cp "$voice"/*.wav my-corpus/
  sed 's/^name:.*/name: mine/; /^expected:/,$d' "$root/datasets/ravdess_speech.yaml" >my-corpus.yaml
  mkdir LIST DIR && cp "$voice"/03-01-0[345]-*.wav LIST/
  (cd LIST && echo file_name,label,speaker_id && for f in *.wav; do case $f in 03-01-03*) echo "$f,happy,4" ;; 03-01-04*) echo "$f,sad,4" ;; *) echo "$f,angry,4" ;; esac; done) >list.csv
  mv list.csv LIST/metadata.csv
  for f in f1/gio-hallo-1 f1/rab-hallo-1 m2/neu-hallo-1; do mkdir -p DIR/${f%/*} && cp voice.wav DIR/$f.wav; done
  mkdir -p EmoBox/data/emodb/fold_1 EmoBox/downloads/emodb
  for name in train:03 train:05 test:04; do
    cp "$voice"/03-01-${name#*:}-*.wav EmoBox/downloads/emodb/${name#*:}.wav
    printf '{"key": "emodb-%s", "dataset": "emodb", "wav": "downloads/emodb/%s.wav", "emo": "%s"}\n' ${name#*:} ${name#*:} $([ $name = train:03 ] && echo joy || echo anger)
  done >lines
  head -n 2 lines >EmoBox/data/emodb/fold_1/emodb_train_fold_1.jsonl; tail -n 1 lines >EmoBox/data/emodb/fold_1/emodb_test_fold_1.jsonl
  # What is unpacked, compiled or installed.
  for name in x86_64/bin; do mkdir -p audiomood-VERSION-$name && ln -s "$commands/audiomood" audiomood-VERSION-$name/audiomood; done
  : >mine.c; : >Downloads/archive.zip; rm lines
}

# config [ROOT [SPLIT]]: a small one; by default of one fold
config() {
  cat <<YAML
name: small
data: {corpus: ravdess, root: ${1:-ravdess}}
split: ${2:-{kind: fixed, fold_lists: [["01", "02", "03"]], validation_speakers: ["04", "05"]\}}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 40}
model: {layers: [{global_average_pool: {over: time}}, dense]}
train: {epochs: 2, batch: 16, monitor: validation_loss}
YAML
}
