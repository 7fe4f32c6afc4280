# SPDX-License-Identifier: MIT
# tests/cli/tap.sh - read by the scripts of this folder as `. tap.sh NAME AUDIOMOOD SOURCE_ROOT`: a folder of their
# own, which is the current one, the words of a test (TAP), and the corpus, configs and run that many begin with. A script ends
# with `plan`.
set -u
# meson gives paths relative to the build folder
tap=$(realpath "${BASH_SOURCE[0]}") audiomood=$(realpath "$2") root=$(realpath "$3")
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-$1.XXXXXX")
trap '[ $BASHPID = $$ ] && rm -rf "$work"' EXIT # a helper that is killed before it is itself would run it, too
cd "$work" || exit 1
# fontconfig, beneath Cairo, keeps some 600 bytes until the process ends; the leak checker of a sanitizer build is told.
echo 'leak:libfontconfig' >lsan.txt
export LSAN_OPTIONS=suppressions=$work/lsan.txt:print_suppressions=0
export AUDIOMOOD_DETECTOR= # speech is found by level, whichever detector is in the box: the demo's voices are none that it knows
cases=0
ok() { cases=$((cases + 1)); echo "ok $cases - $1"; }
not_ok() {
  cases=$((cases + 1)); echo "not ok $cases - $1"
  { [ -n "${2:-}" ] && echo "$2"; tail -n 12 out err 2>/dev/null; } | sed 's/^/#   /'
}
# Jobs in the background of a script begin with Ctrl-C ignored, and it stays so (of nohup, SIGHUP, too).  These hear them.
hearing=(env --default-signal=INT,HUP "$audiomood")
# said TEXT: whether a line of err, written by now, begins so
said() { local IFS=$'\n' lines; mapfile -t lines <err; [[ $IFS${lines[*]} == *$IFS"$1"* ]]; }
# hold COMMAND...: stops the process $pid when COMMAND is true. It stands still while that is looked at and runs for a
# moment in between, so that a busy machine does not let it run to its end.
hold() {
  for _ in {1..3000}; do "$@" && break; kill -CONT $pid || break; sleep 0.01; kill -STOP $pid; done
  kill -STOP $pid
} 2>/dev/null
# run ARGUMENTS...: stdout in out, stderr in err, exit code in $code
run() { "$audiomood" "$@" >out 2>err; code=$?; }
# expect NAME CODE [PATTERN in err or out]...
expect() {
  local name=$1 want=$2; shift 2
  [ "$code" = "$want" ] || { not_ok "$name" "exit code $code, wanted $want"; return; }
  local p
  for p; do grep -qE -- "$p" out err || { not_ok "$name" "nothing matches: $p"; return; }; done
  ok "$name"
}

# little NUMBER BYTES: a number as a WAV header has it
little() { local i byte; for ((i = 0; i < $2; i++)); do printf -v byte '\\x%02x' $(($1 >> 8 * i & 255)); printf "$byte"; done; }
# wav NAME [RATE [CHANNELS]]: standard input as 16-bit samples (16 kHz, mono)
wav() {
  local bytes rate=${2:-16000} channels=${3:-1}; cat >data.raw; bytes=$(stat -c %s data.raw)
  { printf RIFF; little $((36 + bytes)) 4; printf 'WAVEfmt '; little 16 4; little 1 2; little "$channels" 2; little "$rate" 4
    little $((rate * channels * 2)) 4; little $((channels * 2)) 2; little 16 2; printf data; little "$bytes" 4; cat data.raw; } >"$1"
}
silence() { head -c $(($1 * 32)) /dev/zero; } # so many ms of samples at 16 kHz
clip() { tail -c +45 "$(ls corpus/Actor_0$1/*.wav | sed -n "$2p")"; } # samples of the second argument's clip of a voice

# plan: says how many cases there were
plan() { echo "1..$cases"; }

# ---- what many scripts begin with ----
# kept NAME COMMAND...: the current folder gets what COMMAND makes in an empty one. It is made once for a build of the
# program and kept in AM_MADE_UP (tests/cli/meson.build); without that, each script makes its own.
kept() {
  local name=$1 store=${AM_MADE_UP:-$work/.kept}/$1; shift
  mkdir -p "${store%/*}"
  (
    flock 9
    [ "$store" -nt "$audiomood" ] && [ "$store" -nt "$tap" ] && exit
    rm -rf "$store" "$store.part"; mkdir "$store.part" && cd "$store.part" || exit 1
    "$@" >"$store.log" 2>&1 || { sed "s/^/# $name: /" "$store.log"; exit 1; }
    touch . && mv "$store.part" "$store"
  ) 9>"$store.lock" && cp -r "$store/." . || { echo "Bail out! $name could not be made"; exit 1; }
}
synth() { "$audiomood" synth corpus --actors "$1" --repetitions 1; }
# speech ACTORS: the folder corpus, of so many voices with 30 clips each
speech() { kept "speech-$1" synth "$1"; }

# tiny [FEATURES]: a config for speech 4 up to its front end, to whose options FEATURES are added
tiny() {
  cat <<YAML
name: tiny
seed: 3
cache: cache
data: {corpus: ravdess, root: corpus, labels: [calm, happy, sad, angry]}
split: {kind: fixed, validation_speakers: ["03"], test_speakers: ["04"]}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24${1:+, $1}}
YAML
}
# Two files are the same, or not.
same() { cmp -s "$2" "$3" && ok "$1" || not_ok "$1"; }
differ() { cmp -s "$2" "$3" && not_ok "$1" || ok "$1"; }
# small: a model behind it, of one epoch
small() {
  cat <<'YAML'
model:
  layers:
    - conv2d: {filters: 4, kernel: 3, activation: relu}
    - max_pool2d: {size: 4}
    - global_average_pool
    - dense
train: {epochs: 1, batch: 8}
YAML
}
# whole: one with recurrence, attention and dropout, of three epochs
whole() {
  cat <<'YAML'
description: a test
model:
  layers:
    - conv2d: {filters: 8, kernel: 3, padding: same, activation: relu}
    - max_pool2d: {size: 2}
    - to_sequence
    - lstm: {units: 8, bidirectional: true, return: sequence}
    - attention_pool: {units: 4}
    - dropout: {rate: 0.2}
    - dense: {}
train:
  epochs: 3
  batch: 8
  monitor: validation_loss
  optimiser: {kind: adam, learning_rate: 0.003}
YAML
}
train_whole() { speech 4 && { tiny; whole; } >tiny.yaml && "$audiomood" train tiny.yaml --out run1; }
# noise: bytes that are no sound
noise() { local i byte; for i in {0..255}; do printf -v byte '\\x%x' $((i * 167 % 256)); printf "$byte"; done; }
# trained: corpus (speech 4), tiny.yaml (tiny and whole), cache, and run1, which it trained
trained() { kept trained train_whole; sound=corpus/Actor_04/03-01-05-01-01-01-04.wav; }
