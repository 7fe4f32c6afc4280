#!/bin/bash
# tests/cli/test_live.sh AUDIOMOOD SOURCE_ROOT - live: samples on standard input while they come (TAP).
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
for _ in $(seq 100); do grep -q speech out && break; sleep 0.1; done
grep -q speech out && ok "speech is told before the sound ends" || not_ok "speech is told before the sound ends"
kill -INT $pid; wait $pid; code=$?; exec 3>&-
expect "Ctrl-C tells what is open" 130 "all of it|end of speech"
live --quiet --threshold 1; expect "nothing is sure" 0 "uncertain"
run live talk.raw --model run1; expect "a file" 2 "talk.raw: wanted -, standard input: raw samples"
live --rate 9; expect "a rate that cannot be" 2 "--rate 9: wanted a number from 4000 to 384000"
"$audiomood" live - --model run1 </dev/null >out 2>err; code=$?; expect "no sound" 0
[ -s out ] && not_ok "has no events" || ok "has no events"
"$audiomood" live - --model run1 <talk.raw >/dev/full 2>err; code=$?; : >out; expect "a full standard output" 1 "standard output"
plan
