#!/bin/bash
# tests/cli/test_no_report.sh AUDIOMOOD SOURCE_ROOT - the command built without Cairo: all but pages and pictures (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" no_report "$1" "$2"

libraries=$(ldd "$audiomood")
echo "$libraries" | grep -qiE 'cairo|fontconfig|cmocka' && not_ok "it needs no Cairo" "$libraries" || ok "it needs no Cairo"

cat >tiny.yaml <<'YAML'
name: tiny
data: {corpus: ravdess, root: corpus, labels: [calm, happy]}
split: {kind: fixed, validation_speakers: ["02"]}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24}
augment: {noise_snr: [10, 20]}
model: {layers: [global_average_pool, dense]}
train: {epochs: 1, batch: 8}
YAML
run synth corpus --actors 2 --repetitions 1
run train tiny.yaml --out run1
expect "a run is trained, and its page is missed" 0 "the page of this run was not written: pages and pictures were left out .*-Dreport=enabled"
[ -s run1/best.h5 ] && [ -s run1/metrics.json ] && [ ! -e run1/report.html ] && ok "all else is there" || not_ok "all else is there"
run report run1; expect "report says how to build it" 1 "audiomood report: pages and pictures were left out .*Cairo.*-Dreport=enabled"
run inspect run1 --augment corpus/Actor_01/03-01-02-01-01-01-01.wav --out shown
expect "sounds and features are written without their picture" 0 "before: .*shown/before.wav" "no picture of both: pages and pictures were left out"
[ -s shown/before.wav ] && [ -s shown/after.csv ] && [ ! -e shown/augmented.png ] && ok "and are there" || not_ok "and are there"
run predict run1 corpus/Actor_01/03-01-02-01-01-01-01.wav; expect "it predicts" 0 "calm [0-9.]+%  happy [0-9.]+%"
run serve run1; expect "serve says how to build it" 1 "the server was left out .*libwebsockets-dev.*-Dserve=enabled"
run --version --verbose; expect "--version --verbose tells what was left out" 0 "^  pages and pictures +no +pages and pictures were left out" "^  the server .serve. +no +the server was left out"
run predict run1 corpus/Actor_01/03-01-02-01-01-01-01.wav --report page.html; expect "predict says it of its page" 1 "audiomood predict: pages and pictures were left out"
printf '00:00,200 --> 00:01,700\nHello\n' >a.srt; run subtitle corpus/Actor_01/03-01-02-01-01-01-01.wav --model run1 --srt a.srt --report page.html
expect "subtitle says it of its page" 1 "audiomood subtitle: pages and pictures were left out"
plan
