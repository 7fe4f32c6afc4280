#!/bin/bash
# tests/model_option.sh SOURCE_ROOT MODEL DETECTOR - the option model of meson: the files of checkpoints/ are built and installed with
# their cards and licence, or left out; a copy of the sources stands for a tree that has them, and one that has not (TAP).
# SPDX-License-Identifier: MIT
root=$(realpath "$1") model=$2 detector=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/audiomood-option.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
mkdir -p tree/checkpoints
for name in "$root"/*; do [ "${name##*/}" = checkpoints ] || ln -s "$name" tree/; done
cp "$root"/checkpoints/* tree/checkpoints/; rm -f "tree/checkpoints/$model" "tree/checkpoints/$detector"
echo 1..6
n=0
# configured NAME OPTIONS: the names that would be installed, of a build configured so
configured() { meson setup "$1" tree -Dtests=disabled -Dreport=disabled -Dexamples=false -Ddocs=disabled "${@:2}" >log 2>&1 && meson introspect --installed "$1" >installed; }
result() { n=$((n + 1)); if "${@:2}"; then echo "ok $n - $1"; else tail -3 log | sed 's/^/# /'; echo "not ok $n - $1"; fi; }
with() { local f; for f in "$model" MODEL_CARD.md "LICENSE-${model%.h5}.txt"; do grep -q "share/audiomood/$f" installed || return 1; done; }
heard() { local f; for f in "$detector" DETECTOR_CARD.md "LICENSE-${model%.h5}.txt"; do grep -q "share/audiomood/$f" installed || return 1; done; }
alone() { heard && ! grep -q "share/audiomood/$model" installed; }
without() { ! grep -qE "share/audiomood/[^/]*[.](h5|md|txt)" installed; }
! configured wanted -Dmodel=true; result "-Dmodel=true wants it" grep -q "tools/make-model makes it" log
echo "stands for the model" >"tree/checkpoints/$model"
configured auto; result "where it is there, it is installed with card and licence" with
echo "stands for the detector" >"tree/checkpoints/$detector"
configured both; result "so is the speech detector" heard
mv "tree/checkpoints/$model" kept; configured alone; result "also without the model" alone; mv kept "tree/checkpoints/$model"
result "and beside what is built" cmp -s "auto/checkpoints/$model" "tree/checkpoints/$model"
configured left -Dmodel=false; result "-Dmodel=false leaves it out" without
