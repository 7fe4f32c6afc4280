#!/bin/bash
# tests/cli/test_safetensors.sh AUDIOMOOD SOURCE_ROOT - a run goes out to safetensors files and comes back, and predicts the same (TAP).
# SPDX-License-Identifier: MIT
. "$(dirname "$0")/tap.sh" safetensors "$1" "$2"
trained
answer() { "$audiomood" predict "$1" $sound --json --quiet 2>/dev/null; }
answer run1 >wanted

run export run1 -o own.safetensors; expect "export by the ending of the name" 0 "^own.safetensors$"
run import own.safetensors -o own.h5; expect "import of our own arrays needs no config" 0 "^own.h5$"
answer own.h5 >got; [ -s wanted ] && cmp -s wanted got && ok "and predicts the same" || not_ok "and predicts the same" "$(cat wanted got)"
run inspect own.h5; expect "what it knows is told" 0 "^licence: +MIT" "^speakers: not known" "^classes: +calm happy sad angry"
run predict own.h5 $sound; expect "and that its corpus was synthetic" 0 "trained on synthetic speech"

run export run1 --to safetensors --names pytorch --layout time_mel --sequence mel_channels -o torch.bin; expect "export as a state dict" 0 "^torch.bin$"
grep -aq '"lstm_1.weight_ih_l0_reverse"' torch.bin && ok "by PyTorch's names" || not_ok "by PyTorch's names"
run import torch.bin --from safetensors --config tiny.yaml --set features.max_frames=300 -o torch.h5
expect "import goes by the layout that it says" 0 "^torch.h5$"
answer torch.h5 >got; cmp -s wanted got && ok "and predicts the same, too" || not_ok "and predicts the same, too" "$(cat wanted got)"
run train tiny.yaml --init torch.h5 --out on --dry-run; expect "a training begins from it" 0 "arrays matched"

run help import; expect "help names the format's options" 0 "^Format safetensors: " "--sequence WORD" "--map FILE"
plan
