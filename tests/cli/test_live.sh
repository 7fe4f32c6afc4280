#!/bin/bash
# tests/cli/test_live.sh AUDIOMOOD SOURCE_ROOT - live: samples on standard input while they come (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" live "$1" "$2"

trained
{ silence 700; clip 3 4; silence 900; clip 3 9; silence 700; } >talk.raw
live() { "$audiomood" live - --model run1 "$@" <talk.raw >out 2>err; code=$?; }
live; expect "samples" 0 "^ +0\\.[0-9]{2} +speech$" "^ +[0-9.]+ +[0-9.]+  [a-z]+ +[0-9.]+ %  all of it$" "end of speech$"
live --json; cp out json
expect "as JSON" 0 '^\{"event": "speech_begins", "start": 0\.[0-9]+, "utterance": 0\}$' '^\{"event": "measured", .*"last": true, "label": "[a-z]+", "top": "[a-z]+", "probabilities": \{"calm"' '"event": "speech_ends".*"utterance": 1'
# What arrives in pieces of odd lengths, with samples cut in two, is the same.
{ head -c 1001 talk.raw; sleep 0.2; tail -c +1002 talk.raw | head -c 20000; sleep 0.2; tail -c +21002 talk.raw; } |
  "$audiomood" live - --model run1 --json >out 2>err; code=$?
cmp -s out json && ok "pieces of any length give the same events" || not_ok "pieces of any length give the same events"
# The last measurement of an utterance is that of its samples by themselves.
read -r start end < <(sed -nE 's/.*"start": ([0-9.]+), "end": ([0-9.]+), "utterance": 0, "last": true.*/\1 \2/p' json)
from=$(awk -v s="$start" 'BEGIN { printf "%d", s * 16000 + 0.5 }') to=$(awk -v s="$end" 'BEGIN { printf "%d", s * 16000 + 0.5 }')
tail -c +$((2 * from + 1)) talk.raw | head -c $((2 * (to - from))) | wav alone.wav
run predict run1 alone.wav --json
probabilities() { grep -m1 -oE '"probabilities": \{[^}]*\}' "$1"; }
[ -n "$(probabilities out)" ] && [ "$(grep '"utterance": 0, "last": true' json | grep -oE '"probabilities": \{[^}]*\}')" = "$(probabilities out)" ] &&
  ok "and what it says is what predict says" || not_ok "and what it says is what predict says"
# Speech is told while it lasts.
mkfifo pipe; "${hearing[@]}" live - --model run1 >out 2>err <pipe & pid=$!
exec 3>pipe; head -c 60000 talk.raw >&3
for _ in $(seq 600); do grep -q speech out && break; sleep 0.1; done
grep -q speech out && ok "speech is told before the sound ends" || not_ok "speech is told before the sound ends"
kill -INT $pid; wait $pid; code=$?; exec 3>&-
expect "Ctrl-C tells what is open" 130 "all of it|end of speech"
live --quiet --threshold 1; expect "nothing is sure" 0 "uncertain"
run live talk.raw --model run1; expect "a file" 2 "talk.raw: wanted -, standard input: raw samples"
live --rate 9; expect "a rate that cannot be" 2 "--rate 9: wanted a number from 4000 to 384000"
"$audiomood" live - --model run1 </dev/null >out 2>err; code=$?; expect "no sound" 0
[ -s out ] && not_ok "has no events" || ok "has no events"
"$audiomood" live - --model run1 <talk.raw >/dev/full 2>err; code=$?; : >out; expect "a full standard output" 1 "standard output"

# ---- what is recorded ----
live --json --record kept.wav; cp out json
expect "a recording" 0
tail -c +45 kept.wav | cmp -s - talk.raw && ok "is what was heard" || not_ok "is what was heard"
[ "$(wc -l <kept.csv)" = $(($(wc -l <json) + 1)) ] && grep -q '^measured,[0-9.]*,[0-9.]*,0,true,[a-z]*,[a-z]*,0\.' kept.csv &&
  ok "and its events are beside it" || not_ok "and its events are beside it" "$(cat kept.csv)"
[ "$(stat -c %a kept.wav kept.csv | sort -u)" = 600 ] && ok "for its owner alone" || not_ok "for its owner alone"
live --record kept.wav; expect "a recording that is there" 2 "--record: kept.wav is there already"
live --record kept.mp3; expect "a recording of another kind" 2 "--record kept.mp3: wanted a name that ends in .wav"
exec 4<>pipe; "${hearing[@]}" live - --model run1 --record cut.wav >out 2>err <pipe & pid=$!
head -c 60000 talk.raw >&4
for _ in $(seq 600); do [ "$(stat -c %s cut.wav 2>/dev/null)" = 60044 ] && break; sleep 0.1; done
kill -INT $pid; wait $pid; code=$?; exec 4>&-
expect "Ctrl-C ends a recording" 130 "all of it|end of speech"
run inspect cut.wav; expect "which is whole" 0 ": 1.875 s, 16000 Hz, 1 channel, 30000 frames$"
grep -q warning err && not_ok "and its header is right" || ok "and its header is right"

# ---- at the pace of a voice ----
# paced: talk.raw in tenths of a second, each when it is over; and seconds from the first speech to the first measurement
paced() {
  local began piece now
  began=${EPOCHREALTIME/./}
  for ((piece = 0; piece * 3200 < $(stat -c %s talk.raw); piece++)); do
    now=${EPOCHREALTIME/./}
    ((began + (piece + 1) * 100000 > now)) && sleep "$(printf '%d.%06d' 0 $((began + (piece + 1) * 100000 - now)))"
    tail -c +$((piece * 3200 + 1)) talk.raw | head -c 3200
  done | "$audiomood" live - --model run1 --json --threads 1 |
    while read -r line; do echo "$(((${EPOCHREALTIME/./} - began) / 1000)) $line"; done >timed
  awk '/speech_begins/ && !start { match($0, /"start": [0-9.]+/); start = substr($0, RSTART + 9, RLENGTH - 9) + 0 }
    /"measured"/ { printf "%.2f", $1 / 1000 - start; exit }' timed
}
# a busy machine may be late once
for _ in 1 2 3; do delay=$(paced); awk -v d="${delay:-9}" 'BEGIN { exit !(d <= 1.5) }' && break; done
awk -v d="${delay:-9}" 'BEGIN { exit !(d <= 1.5) }' && ok "the first measurement comes 1.5 s after speech began at most ($delay s)" ||
  not_ok "the first measurement comes 1.5 s after speech began at most" "$delay s"
if [ -f "$root/checkpoints/ravdess-nemo.h5" ]; then
  for _ in {1..15}; do cat talk.raw; done >minute.raw
  seconds=$(($(stat -c %s minute.raw) / 32000)) TIMEFORMAT='%U %S'
  used=$( { time "$audiomood" live - --model "$root/checkpoints/ravdess-nemo.h5" --threads 1 --json <minute.raw >out 2>err; } 2>&1 |
    awk '{ print $1 + $2 }')
  awk -v u="$used" -v s="$seconds" 'BEGIN { exit !(u > 0 && u < 0.05 * s) }' &&
    ok "the model in the box takes less than a twentieth of the time ($used s for $seconds s)" ||
    not_ok "the model in the box takes less than a twentieth of the time" "$used s for $seconds s"
fi

# ---- microphones ----
live --device 0; expect "a microphone and standard input" 2 "--device is a microphone, and - standard input: one of them"
run live --list-devices; built=1
grep -q "which this build is without" err && built=
run live --model run1 --device nobody
if [ -z "$built" ]; then expect "no microphones" 1 "microphones are heard through PortAudio, which this build is without .*arecord"
else grep -qE -- "--device nobody: no such device records|there is no device" err && ok "a device that is not there" || not_ok "a device that is not there"; fi
# ALSA's file plugin over a device of no time is a microphone without a server. It gives samples faster than anybody can hear them: what
# is lost is counted.
if [ -n "$built" ]; then
  export HOME=$work
  printf 'pcm.!default { type file slave.pcm "null" file /dev/null infile "%s" format raw }\n' "$work/talk.raw" >.asoundrc
  run live --list-devices; cp out devices
  "${hearing[@]}" live --model run1 --device default --rate 16000 --record mic.wav >out 2>err & pid=$!
  for _ in $(seq 600); do grep -qE "sound was lost|no such device|there is no device" err && break; sleep 0.1; done
  kill -INT $pid 2>/dev/null; wait $pid; code=$?
  if grep -qE "no such device|there is no device" err; then echo "# skipped: no microphone is tried, as PortAudio does not open ALSA's file plugin"
  else
    expect "a microphone is heard until Ctrl-C, and lost sound told and counted" 130 "hearing default at 16000 Hz" \
      "warning: [0-9.]+ s: sound was lost" "warning: [0-9]+ samples \([0-9.]+ s\) were lost, and [0-9]+ times the system lost some"
    run inspect mic.wav; expect "and recorded" 0 ": [0-9.]+ s, 16000 Hz, 1 channel"
    cp devices out; expect "its device is listed" 0 "default \(ALSA"
  fi
  rm .asoundrc
fi
# A client of JACK's dummy driver plays, which PortAudio takes for a device with a clock: tools/check --release microphone, since a busy
# machine may end server and clients at any moment.
if [ -n "$built" ] && [ -n "${AM_JACK:-}" ]; then
  export JACK_DEFAULT_SERVER=amtest$$
  # listed NAME: waits until a device is there, as a busy machine starts a server and its clients late
  listed() { for _ in $(seq 600); do run live --list-devices; grep -q "$1" out && return; sleep 0.1; done; cat jack.log play.log >>err; } 2>/dev/null
  # A client that does not answer in half a second, as on a busy machine, would be thrown out.
  jackd --no-realtime --timeout 10000 -n "$JACK_DEFAULT_SERVER" -d dummy -r 48000 -p 1024 >jack.log 2>&1 & jack=$!
  for ((i = 0; i < 3; i++)); do cat talk.raw; done | od -An -v -t d2 -w2 | awk '{ print $1; print $1; print $1 }' |
    awk '{ v = $1 < 0 ? $1 + 65536 : $1; printf "\\x%02x\\x%02x", v % 256, int(v / 256) } NR % 500 == 0 { print "" }' |
    while read -r row; do printf "$row"; done | wav played.wav 48000
  listed "JACK Audio"
  # A player gives up when the server does not answer it at once, so there is always another one.
  while :; do sndfile-jackplay -l 0 played.wav & echo $! >player; wait $!; sleep 0.2; done >play.log 2>&1 & play=$!
  listed jackplay; expect "devices are listed" 0 "jackplay \(JACK Audio Connection Kit, 48000 Hz\)"
  "${hearing[@]}" live --model run1 --device jackplay --record jack.wav >out 2>err & pid=$!
  for _ in $(seq 600); do grep -q "all of it" out && break; sleep 0.1; done
  kill -INT $pid; wait $pid; code=$?
  expect "a player is heard until Ctrl-C" 130 "speech$" "all of it" "hearing jackplay at 48000 Hz"
  run inspect jack.wav; expect "and recorded" 0 ": [0-9.]+ s, 48000 Hz, 1 channel"
  # A server may wait for ever for a client that ended a moment before it.
  {
    kill $play $(cat player) $jack
    for _ in $(seq 600); do kill -0 $jack || break; sleep 0.1; done
    kill -KILL $play $(cat player) $jack; wait $play $jack
  } 2>/dev/null
fi
plan
