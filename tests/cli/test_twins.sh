#!/bin/bash
# tests/cli/test_twins.sh AUDIOMOOD SOURCE_ROOT - recordings that stand in a corpus twice.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" twins "$1" "$2"
speech 4
cat >two.yaml <<'END'
seed: 1
cache: ""
data: {corpus: several, corpora: [{corpus: ravdess, root: corpus}, {corpus: ravdess, root: other}]}
split: {kind: speaker, validation: 0.25, test: 0.25}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24, normalise: clip}
model: {layers: [global_average_pool: {over: all}, dense: {}]}
train: {epochs: 1, batch: 8}
END
ln -s corpus other
run train two.yaml --out bad
expect "one folder by two names is refused" 1 '120 of 240 clips are there twice, the first synthetic/Actor_01/.* and synthetic-2/Actor_01/.*, which are one file .*: leave one of the corpora out'
[ -e bad ] && not_ok "and leaves nothing" || ok "and leaves nothing"
run train two.yaml --dry-run --set 'data.corpora=[{corpus: ravdess, root: corpus, speakers: ["01", "02"]}, {corpus: ravdess, root: other, speakers: ["03", "04"]}]'
expect "other speakers of one folder are not" 0
rm other && cp -r corpus other
run train two.yaml --dry-run
expect "a speaker is one in two parts of a corpus" 0 'split: .*: the same speakers are on both sides; not speaker-independent'
mv other/SYNTHETIC other/Actor_01/ # then whose voices these are is not known
run train two.yaml --out twins
expect "copies in two parts are said" 0 'warning: [0-9]+ sounds are in two parts, e.g. synthetic/Actor_.* \(train\) and synthetic-2/Actor_.* \(.*\): .*, and the results do not count as speaker-independent' 'Not speaker-independent'
run evaluate twins
expect "evaluate knows it" 0 'speaker-independent +no: its training found sounds of the held-out parts in the training part'
run evaluate twins --json; grep -q '"speaker_independent": false' out && ok "JSON, too" || not_ok "JSON, too"
run train two.yaml --out clean --set 'data={corpus: ravdess, root: corpus}'
if grep -q 'sounds are in two parts' err; then not_ok "a corpus without twins is not blamed"; else expect "a corpus without twins is not blamed" 0; fi
plan
