#!/bin/bash
# tests/cli/test_labels.sh AUDIOMOOD SOURCE_ROOT - tables as people have them: separators, and labels that look alike.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" labels "$1" "$2"
speech 2
cat >small.yaml <<'END'
seed: 1
cache: ""
data: {corpus: manifest, root: corpus, manifest: list.csv}
split: {kind: random, validation: 0.25, test: 0}
features: {kind: log_mel, sample_rate: 16000, n_fft: 512, hop: 256, mels: 24, normalise: clip}
model: {layers: [global_average_pool: {over: all}, dense: {}]}
train: {epochs: 1, batch: 8}
END
# list SEPARATOR LABEL...: a row for each label
list() {
  local separator=$1 n=0 label; shift
  printf 'path%slabel\n' "$separator"
  for label; do n=$((n + 1)); printf 'Actor_0%d/03-01-0%d-01-01-01-0%d.wav%s%s\n' $((n % 2 + 1)) $((n / 2 + 2)) $((n % 2 + 1)) "$separator" "$label"; done
}
four=(happy happy sad sad)
look() { run inspect small.yaml "$@"; }
two() { expect "$1" 0 '^happy +2 ' '^sad +2 '; }

list ';' "${four[@]}" >list.csv; look; two "semicolons"
list $'\t' "${four[@]}" >list.csv; look; two "tabs in a .csv"
{ echo 'sep=,'; list , "${four[@]}"; } >list.csv; look; two "Excel's line that names the comma"
{ printf 'sep=;\r\n'; list ';' "${four[@]}"; } >list.csv; look; two "and the semicolon"
{ echo '# my corpus'; list , "${four[@]}"; } >list.csv
run train small.yaml --out bad
expect "a comment line is named" 1 "list.csv:2: 2 fields, but the header has 1; the first row begins with '#', but comments are not read"

list , happy 'happy ' sad ' sad' >list.csv
look; two "blanks at the ends"
expect "they are named with their line" 0 'warning: label "happy " \(1 clip, first in list.csv:3\) counts as "happy": they differ in blanks'
run train small.yaml --out trained
expect "a run has two classes" 0 '2 classes'
grep -q 'merge_alike: invisible' trained/config.yaml && ok "the choice is in its config" || not_ok "the choice is in its config"
look --set data.merge_alike=none; expect "unless they are to be kept apart" 0 '^happy +1 '
list , Happy happy Sad sad >list.csv
look; expect "case is said" 0 'warning: labels "Happy" .* and "happy" .* differ in case or width alone and are two; set data.merge_alike: case'
look --set data.merge_alike=case --set 'data.labels=[happy, sad]'; two "and joined on demand"
list , anger angry joy happiness >list.csv
look; expect "words for one emotion are said" 0 'warning: labels "anger" and "angry" mean the same emotion and are two; set data.vocabulary: common'
look --set data.vocabulary=common; expect "and joined by the common vocabulary" 0 '^angry +2 ' '^happy +2 '
run train small.yaml --out bad --set 'data.labels=[angry, happy]'
expect "a synonym is suggested" 1 'no clip in the selection has the label "happy" \(did you mean "happiness"\?\)'
plan
