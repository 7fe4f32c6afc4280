#!/bin/bash
# tests/serve/test_hostile.sh AUDIOMOOD SOURCE_ROOT LOAD SPEAK - clients that break off, send noise, wait or ask for too much, while others
# are served; many at once; and an end in the middle of it (TAP).
# SPDX-License-Identifier: MIT
here=$(dirname "$(realpath "$0")") load=$(realpath "$3") speak=$(realpath "$4")
. "$here/../cli/tap.sh" hostile "$1" "$2"
. "$here/serving.sh"
seconds=${AM_HOSTILE_SECONDS:-5}
# What a sanitizer keeps of freed memory (256 MB) would count as growth.  Without any it has no lock for that either, which a thread might
# hold while another one forks a decoder: the child would wait for it for ever (gcc 12 locks nothing of it for a fork).
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=0:thread_local_quarantine_size_kb=0

trained
{ silence 700; clip 3 4; silence 900; clip 3 9; silence 700; } >talk.raw
wav talk.wav <talk.raw
much=(--sessions 100 --per-client 100 --deadline 3)

serving run1 "${much[@]}"
"$load" hostile $port $server talk.raw "$seconds" 1 >out 2>err; code=$?
expect "a stream among broken clients loses nothing" 0 '^[0-9]+ s of broken clients'
sed 's/^/# /' out
held '"sessions": 0, "uploads": 0' # the slow ones are cut
expect "nothing of them is left" 0 '"sessions": 0, "uploads": 0'
"$load" streams $port $server talk.raw 10 3 >out 2>err; code=$?; expect "ten streams in real time" 0 '^10 streams of 3 s: 10 ended well'
sed 's/^/# /' out
"$load" requests $port $server talk.wav 300 8 >out 2>err; code=$?; expect "uploads at once have one answer" 0 '300 uploads by 8 clients: 0 wrong'
sed 's/^/# /' out
stop; expect "it ends by the signal" 143
grep -E "ERROR|runtime error|WARNING: ThreadSanitizer" served >faults && not_ok "no sanitizer has a word to say" "$(cat faults)" || ok "no sanitizer has a word to say"

# ---- limits ----
serving run1 --sessions 2 --per-client 2 --deadline 3
"$load" streams $port $server talk.raw 2 8 >/dev/null 2>&1 & two=$!
held '"sessions": 2'
"$speak" $port stream '{}' talk.raw >out 2>err; code=$?; expect "a third stream is refused" 0 '"code": "too_many_sessions"' '^closed 1013$'
wait $two && ok "and the two go on" || not_ok "and the two go on"
"$speak" $port stream '{}' talk.raw >out 2>err; code=$?; expect "then there is room" 0 '^closed 1000$'

# ---- the end ----
"$load" streams $port $server talk.raw 2 20 >out 2>err & two=$!
"$load" requests $port $server talk.wav 100000 2 >/dev/null 2>&1 & many=$!
held '"sessions": 2, "uploads": [1-9]'; began=$SECONDS
stop; expect "it ends while it works" 143
[ $((SECONDS - began)) -le 12 ] && ok "in time" || not_ok "in time" "$((SECONDS - began)) s"
wait $two; grep -q "2 ended well" out && ok "streams are told what was open, and their end" || not_ok "streams are told what was open, and their end"
kill -9 $many; wait $many 2>/dev/null
grep -E "ERROR|runtime error|WARNING: ThreadSanitizer" served >faults && not_ok "and no sanitizer has a word" "$(cat faults)" || ok "and no sanitizer has a word"
serving run1 "${much[@]}"
"$load" hostile $port $server talk.raw 20 2 >/dev/null 2>&1 & many=$!
sleep 2; kill -KILL $server; wait $server 2>/dev/null; kill -9 $many; wait $many 2>/dev/null
ls "${TMPDIR:-/tmp}" | grep -q audiomood-upload && not_ok "a kill leaves nothing" || ok "a kill leaves nothing"
serving run1; ask GET /health; expect "it begins anew" 0 '^200$'
stop
plan
