#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""20 steps of Adam of a full-size net here and in PyTorch float64, from the same weights and batches: the losses
must agree to 1e-4, at a learning rate at which they fall by half.  The reduced nets of this test run with every
`meson test` (tools/golden-nn.py).

    ninja -C build tests/nn/loss_curve
    python3 tools/loss-curve.py build [--net ravdess_cnn1|cnn_lstm] [--dropout] [--batch 8] [--rate R]

Needs numpy and PyTorch; RAVDESS CNN 1 takes 3 GB and about 0.3 GB a clip of the batch.  Exit code 1: they differ."""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

import nn_reference as ref

CLASSES, BOUND = 6, 1e-4


def conv(filters, **o):
    return {"conv2d": dict({"filters": filters, "kernel": 3, "padding": "same"}, **o)}


def ravdess_cnn1(drop):
    """configs/ravdess_cnn1.yaml: 35.9 million weights on 549 frames of 128 mels."""
    layers = [conv(32, activation="relu"), {"max_pool2d": {"size": 2}}, conv(64, activation="relu")] + drop(0.1)
    layers += [{"max_pool2d": {"size": 2}}, "flatten", {"dense": {"units": 128, "activation": "relu"}}] + drop(0.2)
    return layers + ["dense"], (3, 549, 128, 1), False


def cnn_lstm(drop):
    """Convolutions with residual blocks, then a bidirectional LSTM; clips of many lengths.

    Smooth on purpose.  With ReLU and maxima, behind batch norm, some of the millions of values lie within float's
    rounding of a kink, take the other side there, and Adam carries it on: after 20 steps PyTorch's own float32
    was 1e-3 from its float64 (2e-4 at step 5), and this library as far.  RAVDESS CNN 1 keeps both."""
    body = lambda n: {"residual": {"layers": [conv(n, bias=False), "batch_norm", "silu", conv(n, bias=False),
                                              "batch_norm"], "activation": "silu"}}
    layers = [conv(24, bias=False), "batch_norm", "silu", {"average_pool2d": {"size": 2}}, body(48),
              {"average_pool2d": {"size": 2}}, body(96), {"average_pool2d": {"size": [1, 2]}}, "to_sequence"] + drop(0.2)
    layers += [{"lstm": {"units": 64, "bidirectional": True}},
               {"parallel": {"branches": [[{"attention_pool": {"units": 64}}], ["global_average_pool"]]}}] + drop(0.4)
    return layers + ["dense"], (3, 256, 64, 1), True


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build", help="build folder, with tests/nn/loss_curve in it")
    parser.add_argument("--net", choices=["ravdess_cnn1", "cnn_lstm"], default="ravdess_cnn1")
    parser.add_argument("--dropout", action="store_true", help="with dropout, by the library's own masks")
    parser.add_argument("--batch", type=int, default=8, help="clips, at most 32")
    parser.add_argument("--rate", type=float, help="default 3e-5 for ravdess_cnn1, 3e-4 for cnn_lstm")
    args = parser.parse_args()
    args.rate = args.rate or {"ravdess_cnn1": 3e-5, "cnn_lstm": 3e-4}[args.net]
    drop = lambda rate: [{"dropout": {"rate": rate}}] if args.dropout else []
    layers, shape, variable = {"ravdess_cnn1": ravdess_cnn1, "cnn_lstm": cnn_lstm}[args.net](drop)
    lengths = [shape[1] - (37 * b) % (shape[1] // 2) for b in range(args.batch)] if variable else None
    net = ref.Net(layers, ref.clip_shape(shape, shape[1]), CLASSES)
    parameters, lines = ref.net_weights(net, 1, ref.glorot)
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        line = lambda *words: print(*words, file=file)
        ref.net_head(line, args.net, layers, shape, CLASSES, args.batch, lengths, 1, lines)
        line("rate", args.rate)
        line("end")
    try:
        out = subprocess.run([os.path.join(args.build, "tests", "nn", "loss_curve"), file.name], check=True,
                             stdout=subprocess.PIPE, universal_newlines=True).stdout
    finally:
        os.unlink(file.name)
    ours, theirs = [float(word) for word in out.split()], []
    for loss in ref.curve(net, parameters, 1, shape, args.batch, lengths, args.rate):
        theirs.append(loss)
        mine = ours[len(theirs) - 1]
        print(f"step {len(theirs):2d}: here {mine:.6f}  PyTorch {loss:.6f}  difference {abs(mine - loss):.1e}", flush=True)
    worst = float(np.max(np.abs(np.array(ours) - np.array(theirs))))
    good = worst <= BOUND and ref.halved(theirs)
    print(f"{args.net}: largest difference {worst:.1e} (allowed {BOUND:.0e}), loss {theirs[0]:.3f} -> {theirs[-1]:.3f}"
          f"{'' if ref.halved(theirs) else ', which is not half'}: {'agrees' if good else 'DIFFERS'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
