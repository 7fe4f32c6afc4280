#!/bin/bash
# tests/cli/test_distil.sh AUDIOMOOD SOURCE_ROOT - one model learns from cross-validations: the table is their mean, runs resume and
# verify by it, and nobody who is held out is known (TAP).  Messages: docs/errors.md.
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" distil "$1" "$2"

speech 4
{ tiny; small; } >tiny.yaml
teacher=(--set 'data.speakers=["01", "02"]' --set 'split={kind: leave_one_speaker_out}' --set train.monitor=last --quiet)
run crossval tiny.yaml --out one "${teacher[@]}"; expect "a teacher" 0
run crossval tiny.yaml --out two "${teacher[@]}" --seeds 2 --seed 7 --set features.mels=12; expect "another one, of two seeds" 0

run distil one two --into tiny.yaml --out student; expect "distil" 0 'best epoch 1 of 1; results in student'
[ "$(wc -l <student/targets.csv)" = 33 ] && ok "the clips of both speakers" || not_ok "the clips of both speakers" "$(wc -l student/targets.csv)"
# a clip by each: one of the first, the mean of the seeds of the second
clip=Actor_02/03-01-05-01-01-01-02.wav
p() { awk -F, -v c="$clip" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^p_/) at[++n] = i } $1 == c { for (i = 1; i <= n; i++) s[i] += $at[i]; rows++ }
  END { for (i = 1; i <= n; i++) print s[i] / rows }' "$1"; }
paste <(p one/predictions.csv) <(p two/predictions.csv) <(p student/targets.csv) |
  awk '{ d = ($1 + $2) / 2 - $3; if (d * d > 1e-10) exit 1 } END { exit NR != 4 }' && ok "their mean" || not_ok "their mean"
grep -qE '^  targets_digest: "?[0-9a-f]{16}"?$' student/config.yaml && ok "the digest is kept" || not_ok "the digest is kept"

run distil one two --into tiny.yaml --out paused --set train.max_steps=2; expect "a pause" 1 'audiomood train --resume paused'
run train --resume paused --set train.max_steps=0; expect "goes on" 0
cmp -s student/digests.csv paused/digests.csv && ok "to the same weights" || not_ok "to the same weights"
run verify student; expect "verify" 0 'digests of the weights agree'
run distil one two --into tiny.yaml --out labels --set train.targets_share=0; run train tiny.yaml --out plain
cmp -s labels/digests.csv plain/digests.csv && ok "a share of nothing is the label" || not_ok "a share of nothing is the label"
cmp -s labels/digests.csv student/digests.csv && not_ok "the targets count" || ok "the targets count"
mv student/targets.csv moved.csv
run verify student; expect "a table that is gone" 1 'student/targets.csv'
run verify student --set train.targets=moved.csv; expect "is found elsewhere" 0 'agree'
echo >>moved.csv
run verify student --set train.targets=moved.csv; expect "another table is refused" 2 'has the digest'

run crossval tiny.yaml --out whole --set 'split={kind: leave_one_speaker_out}' --set train.monitor=last --quiet
run distil whole --into tiny.yaml --out no; expect "a teacher that knows who is held out" 1 'fold-0/best.h5: it knows .*/[34], who is not in'
run distil one --into tiny.yaml --out no --set 'split={kind: fixed, test_speakers: ["04"]}'; expect "a clip without a teacher" 1 'says nothing of clip Actor_03/'
run distil one --into tiny.yaml --out plain; expect "a folder that holds a run" 2 'plain holds a run already'
PMI_SIZE=2 PMI_RANK=0 run distil one --into tiny.yaml --out no; expect "two processes" 2 'distil trains in one process, and 2 were started'
PMI_SIZE=2 PMI_RANK=1 run distil one --into tiny.yaml --out no; [ $code = 2 ] && [ ! -s err ] && ok "of which one tells" || not_ok "of which one tells"
cp one/fold-1/best.h5 one/fold-0/best.h5
run distil one --into tiny.yaml --out no; expect "a fold that knows whom it was asked of" 1 'one/fold-0/best.h5: it knows'
plan
