#!/bin/bash
# tests/cli/test_under.sh AUDIOMOOD SOURCE_ROOT - evaluate --under, and tools/robustness (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" under "$1" "$2"

{ tiny; small; } >tiny.yaml
speech 4
run train tiny.yaml --out run --quiet; expect "a model" 0
run evaluate run --quiet; run evaluate run --out clean.csv
cp run/predictions-test.csv kept.csv; cache=$(cat cache/* | cksum)

run evaluate run --under white10 --threads 1 --out one.csv
expect "under a condition" 0 '^sounds +white10: white noise, 10 dB below the clip$' '^unweighted average recall'
run evaluate run --under white10 --threads 3 --out three.csv; same "any number of threads gives the same" one.csv three.csv
differ "the sounds are changed" one.csv clean.csv
cut -d, -f1 one.csv >names; cut -d, -f1 clean.csv >names.clean; same "the clips are the same" names names.clean
run evaluate run --under telephone --json; expect "as JSON" 0 '"under": "telephone"' '"speaker_independent": true'
run evaluate run --under level-30; expect "soft clips are no silent ones" 0 '^clips +16$'
run evaluate run --json; grep -q '"under"' out && not_ok "without it JSON does not name one" || ok "without it JSON does not name one"
same "the run's predictions stay" run/predictions-test.csv kept.csv
[ "$(cat cache/* | cksum)" = "$cache" ] && ok "nothing of it goes into the cache" || not_ok "nothing of it goes into the cache"

run help conditions; expect "help lists them" 0 '^  level-30 +30 dB softer' '^  speed1.1 '
run help condition; expect "also by a word that is near" 0 '^  telephone '
AM_CONDITIONS="pink5 mp3" AUDIOMOOD=$audiomood "$root/tools/robustness" run --threads 2 >out 2>err; code=$?
expect "a table of several" 0 '^\| as recorded \| [0-9.]+ % \| \|$' '^\| `pink5`: pink noise.* \| [0-9.]+ % \| [-+][0-9.]+ \|$' '^\| `mp3`'
[ "$(wc -l <out)" = 5 ] && ok "of those asked for" || not_ok "of those asked for" "$(cat out)"

plan
