#!/bin/bash
# tests/serve/test_serve.sh AUDIOMOOD SOURCE_ROOT SPEAK - the server over HTTP and WebSocket, and its end (TAP).
# SPDX-License-Identifier: MIT
here=$(dirname "$(realpath "$0")") speak=$(realpath "$3")
. "$here/../cli/tap.sh" serve "$1" "$2"
. "$here/serving.sh"

trained
{ silence 700; clip 3 4; silence 900; clip 3 9; silence 700; } >talk.raw
wav talk.wav <talk.raw

# ---- HTTP ----
serving run1 --vad energy
expect "it says where it listens" 0 '^listening on http://127\.0\.0\.1:[0-9]+/$'
ask GET /health; expect "it is well" 0 '^200$' '^\{"status": "ok", "sessions": 0, "uploads": 0\}$'
ask GET /v1/model; expect "the model" 0 '^200$' '"labels": \["calm", "happy", "sad", "angry"\], "rate": 16000' '"synthetic": true'
ask HEAD /v1/model; expect "a header alone" 0 '^200$'
ask GET /; expect "the page" 0 '^200$' '^<!doctype html>'
ask GET /nothing; expect "nothing there" 0 '^404$' '"code": "not_found"'
ask GET /../../etc/passwd; expect "no file is served" 0 '^40[04]$'
ask GET //etc/passwd; expect "nor one by its path" 0 '^40[04]$'
ask DELETE /health; expect "a method that is none" 0 '^405$'
ask GET /v1/predict; expect "a form is posted" 0 '^405$' 'wanted POST'
ask GET /v1/stream; expect "a stream is a WebSocket" 0 '^426$'
ask GET /health "Host: evil.example"; expect "another name" 0 '^421$' '"code": "unknown_host"'
ask GET /health "Origin: http://evil.example"; expect "a page of another site" 0 '^403$' '"code": "other_origin"'
ask GET /health "Origin: http://localhost"; expect "its own page" 0 '^200$'
ask GET /metrics; expect "figures" 0 '^audiomood_http_requests_total\{code="200"\} [0-9]+$' '^audiomood_sessions 0$' '^process_resident_memory_bytes [1-9]'
fault=$(sed 1d out | grep -vE '^# (HELP|TYPE) [a-z_]+ .+$|^[a-z_]+(\{code="[0-9]+"\})? [0-9.e+-]+$')
[ -z "$fault" ] && ok "in Prometheus's form" || not_ok "in Prometheus's form" "$fault"

# ---- uploads: what predict says, to the bit ----
post() { "$speak" $port post "$@" >out 2>err; code=$?; }
run predict run1 talk.wav --segments --vad energy --json; cp out wanted
rows=$(sed -z 's/\n$//; s/\n/, /g' wanted)
says() { grep -qF -- "\"segments\": [$rows]" out && ok "$1" || not_ok "$1" "$rows"; }
[ "$(wc -l <wanted)" -ge 2 ] && ok "there are segments" || not_ok "there are segments"
post /v1/predict talk.wav; expect "a recording" 0 '^200$' '^\{"file": "talk.wav", "duration": [0-9.]+, "text": "'
says "its segments are those of predict"
post /inference talk.wav response_format=verbose_json temperature=0; expect "the other name" 0 '^200$' '"events": \[\{"event": "speech_begins"' '"file_rate": 16000'
says "with the same segments"
for format in text srt vtt csv; do
  post /v1/predict talk.wav response_format=$format threshold=0; sed 1d out >$format; expect "as $format" 0 '^200$'
done
run predict run1 talk.wav --segments --vad energy --csv --threshold 0; same "CSV is that of predict" csv out
grep -qE '^00:00:0[0-9],[0-9]{3} --> ' srt && ok "SRT has times" || not_ok "SRT has times"
[ "$(head -1 vtt)" = WEBVTT ] && ok "VTT begins so" || not_ok "VTT begins so"
wav fast.wav 44100 <talk.raw; run predict run1 fast.wav --segments --vad energy --json; cp out wanted; rows=$(sed -z 's/\n$//; s/\n/, /g' wanted)
post /v1/predict fast.wav; says "of another rate, too"

# ---- uploads that are refused ----
noise >noise.wav
post /v1/predict noise.wav; expect "what is no sound" 0 '^422$' '"code": "unreadable"'
head -c 3000 talk.wav >cut.wav; post /v1/predict cut.wav; expect "what is cut" 0 '^422$' 'truncated'
: >empty.wav; post /v1/predict empty.wav; expect "what is empty" 0 '^422$'
post /v1/predict - x=1; expect "no file" 0 '^400$' '"code": "bad_form"'
post /v1/predict talk.wav response_format=xml; expect "an unknown form" 0 '^400$' '"code": "bad_settings"' 'json\|text\|srt'
post /v1/predict talk.wav vad=model; expect "a detector that is not there" 0 '^400$' '"code": "bad_settings"' "has no detector"
post /v1/predict talk.wav hop=99; expect "a setting out of range" 0 '^400$' '"code": "bad_settings"'
ask POST /v1/predict "Content-Type: text/plain" "Content-Length: 0"; expect "what is no form" 0 '^415$'
ask POST /v1/predict "Content-Type: multipart/form-data; boundary=x"; expect "no length" 0 '^411$'
ask POST /v1/predict "Content-Type: multipart/form-data; boundary=x" "Transfer-Encoding: chunked"; expect "nor in chunks" 0 '^411$'
ask POST /v1/predict "Content-Type: multipart/form-data; boundary=x" "Content-Length: 99999999999"; expect "too large" 0 '^413$' '"code": "too_large"'
ask POST /v1/predict "Content-Type: multipart/form-data; boundary=x" "Content-Length: -1"; expect "a length that is none" 0 '^411$'

# ---- streams ----
stream() { "$speak" $port stream "$@" >out 2>err; code=$?; }
run predict run1 talk.wav --segments --vad energy --json; sed 's/{"file": "talk.wav", /{"event": "segment", /' out >wanted
for chunk in 2 3200 1000000; do
  stream '{"rate": 16000}' talk.raw $chunk; grep '"event": "segment"' out >segments
  same "segments of a stream, by $chunk bytes" segments wanted
done
expect "its events" 0 '^\{"event": "ready", "rate": 16000, "labels": \["calm"' '^\{"event": "speech_begins"' '^\{"event": "measured"' '^\{"event": "speech_ends"' '^\{"event": "end", "seconds": [0-9.]+\}$' '^closed 1000$'
cp out events; run live - --model run1 --vad energy --json <talk.raw >/dev/null; "$audiomood" live - --model run1 --vad energy --json <talk.raw >live 2>err
grep -vE '"event": "(ready|segment|end)"|^closed' events >like; same "and those of live" like live
stream '{"measurements": false}' talk.raw; grep -q measured out && not_ok "segments alone" || ok "segments alone"
run predict run1 fast.wav --segments --vad energy --json; sed 's/{"file": "fast.wav", /{"event": "segment", /' out >wanted
stream '{"rate": 44100}' talk.raw 4001; expect "an odd number of bytes" 0 '"code": "bad_frame"' '^closed 1003$'
stream '{"rate": 44100}' talk.raw 4000; grep '"event": "segment"' out >segments; same "of another rate" segments wanted
stream '{"rate": 5}' talk.raw; expect "a rate that is none" 0 '"code": "bad_settings"' '^closed 1008$'
stream '{"rat": 5}' talk.raw; expect "an unknown setting" 0 '"code": "bad_settings".*did you mean' '^closed 1008$'
stream 'hello' talk.raw; expect "no JSON" 0 '"code": "bad_settings"' '^closed 1008$'
stream "{$(printf '%5000s' '')}" talk.raw; expect "settings that are too long" 0 '"code": "too_large"' '^closed 1009$'
head -c 2097152 /dev/zero >long.raw; stream '{}' long.raw 1200000; expect "a message that is too long" 0 '"code": "too_large"' '^closed 1009$'
stop; expect "it ends by the signal" 143

# ---- a detector of speech ----
printf 'data: {corpus: ravdess, root: corpus}\nsplit: {kind: fixed, test_speakers: ["04"]}\n' >talkers.yaml
cat >detector.yaml <<'YAML'
name: detector
cache: cache
data: {corpus: manifest, manifest: mixtures/manifest.csv, labels: [other, speech], unheard: keep}
split: {kind: fixed, validation_speakers: ["03"]}
features: {sample_rate: 16000, n_fft: 512, hop: 512, mels: 20, ref: one, top_db: 0, amin: 1e-9, center: false, samples: 10240, normalise: train}
model: {layers: [flatten, {dense: {units: 16, activation: relu}}, {dense: {}}]}
train: {epochs: 12, monitor: last, optimiser: {learning_rate: 0.003}}
YAML
run mix talkers.yaml --out mixtures --split train --recordings 13 --seconds 6 --windows 30 --snr 10,20
run train detector.yaml --out detector --quiet; expect "a detector is trained" 0
run predict run1 talk.wav --segments --vad detector/best.h5 --json; cp out said; rows=$(sed -z 's/\n$//; s/\n/, /g' said)
serving run1 --vad detector/best.h5; expect "a server with it" 0 "speech is found by best.h5"
ask GET /v1/model; expect "which it tells" 0 '"detector": "[^"]+'
post /v1/predict talk.wav; says "by it, an upload's segments"
post /v1/predict talk.wav vad=model; says "by its name, too"
stream '{}' talk.raw; grep '"event": "segment"' out >segments; sed 's/{"file": "talk.wav", /{"event": "segment", /' said >wanted
same "and those of a stream" segments wanted; [ -s wanted ] && ok "there are some" || not_ok "there are some"
run predict run1 talk.wav --segments --vad energy --json; rows=$(sed -z 's/\n$//; s/\n/, /g' out)
post /v1/predict talk.wav vad=energy; says "by level, if a client wants it"
stop

# ---- voices: each stream has its own, also of several at once ----
run train tiny.yaml --out run2 --quiet --set features.normalise=speaker --set train.epochs=1; expect "a model that wants a voice" 0
{ cat talk.raw; clip 2 7; silence 900; clip 2 12; silence 900; } >long.raw; wav long.wav <long.raw
run serve run2; expect "is served by --learn-voice alone" 2 "with --learn-voice each stream and recording"
for name in talk long; do
  run predict run2 $name.wav --segments --learn-voice --json; sed "s/{\"file\": \"$name.wav\", /{\"event\": \"segment\", /" out >$name.wanted
done
[ "$(wc -l <talk.wanted)" -ge 2 ] && [ "$(wc -l <long.wanted)" -ge 4 ] && ok "there are segments of both" || not_ok "there are segments of both"
serving run2 --learn-voice
for i in 1 2 3 4; do
  [ $((i % 2)) = 0 ] && name=talk || name=long
  "$speak" $port stream '{}' $name.raw 1600 >$name.$i.told & told[i]=$!
done
wait "${told[@]}"
for name in talk long; do for f in $name.?.told; do
  grep '"event": "segment"' $f >segments; same "a stream among others knows its own voice: $f" segments $name.wanted
done; done
stop

# ---- limits ----
serving run1 --sessions 1 --max-body 0.01 --deadline 1
stream '{}' talk.raw; expect "a stream" 0 '^closed 1000$'
post /v1/predict talk.wav; expect "a body that is too large" 0 '^413$'
printf 'GET /health HTTP/1.1\r\nHost: localhost\r\n' >half; "$speak" $port raw half >out; expect "a header that does not end is cut" 0
printf 'POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 99\r\n\r\n--x' >half
"$speak" $port raw half >out; expect "a body that does not come" 0 '^HTTP/1.1 408' '"code": "too_slow"'
ask GET /health; expect "and all is well" 0 '"uploads": 0'
stop

# ---- a model of dimensions, each on its scale ----
{ echo path,speaker,valence,arousal; n=0; for f in corpus/*/*.wav; do n=$((n + 1)); echo "$f,$(basename "$(dirname "$f")"),$((n % 7 - 3)),$((1 + n % 5))"; done; } >values.csv
{ tiny; small; } | sed 's/^data: .*/data: {corpus: manifest, manifest: values.csv, target: dimensions, scale: [1, 5], scales: {valence: [-3, 3]}}/; s/^split: .*/split: {kind: random, validation: 0.3}/' >values.yaml
run train values.yaml --out values --set train.loss.kind=mse; expect "a model of dimensions" 0
run predict values talk.wav --segments --vad energy --json; cp out wanted; rows=$(sed -z 's/\n$//; s/\n/, /g' wanted)
run predict values talk.wav --segments --vad energy; sed -n 's/.*  valence/valence/p' out | tr -s ' ' >steps
serving values --vad energy
ask GET /v1/model; expect "says its scales" 0 '"labels": \["valence", "arousal"\], "scales": \{"valence": \[-3, 3\], "arousal": \[1, 5\]\}'
post /v1/predict talk.wav; expect "a recording of values" 0 '^200$' '"scales"'; says "its steps are those of predict"
for as in srt vtt; do
  post /v1/predict talk.wav response_format=$as; expect "as $as" 0 '^200$' ' --> '
  [ -s steps ] && grep ^valence out | cmp -s - steps && ok "$as has the values of predict" || not_ok "$as has the values of predict" "$(cat steps out)"
done
post /v1/predict talk.wav threshold=0.5; expect "a threshold of values" 0 '^4[0-9][0-9]$' 'threshold is of emotions'
stop

# ---- the command ----
run serve nowhere.h5; expect "no model" 1 "nowhere.h5"
run serve run1 --model run1; expect "two models" 2 "wanted one model"
run serve run1 --port 70000; expect "a port that is none" 2 "--port"
run serve run1 --host 203.0.113.1; expect "an address of another machine" 1 "cannot listen on 203.0.113.1, port 8080"
serving run1 --host 0.0.0.0; grep -q "warning: 0.0.0.0 is reached from other machines" served && ok "it warns where others reach it" || not_ok "it warns where others reach it"
run serve run1 --port $port; expect "a port that is taken" 1 "cannot listen on 127.0.0.1, port $port"
stop
plan
