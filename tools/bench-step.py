#!/usr/bin/env python3
"""Seconds of a training step and a forward pass of RAVDESS CNN 1, ours and PyTorch's, in turn in one run.

    ninja -C build tests/train/bench_step
    python3 tools/bench-step.py build [--batch 32] [--steps 3] [--rounds 3]

Needs PyTorch (Debian: python3-torch). PyTorch runs with one thread a core and the same Adam."""
import argparse
import os
import statistics
import subprocess
import time

import torch
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("build")
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--rounds", type=int, default=3)
a = parser.parse_args()
top = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
torch.set_num_threads(len(os.sched_getaffinity(0)))

net = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Dropout(0.1), nn.MaxPool2d(2), nn.Flatten(),
                    nn.Linear(64 * 32 * 137, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 6))
adam = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-7)
x = torch.rand(a.batch, 1, 128, 549) * -0.3
target = torch.arange(a.batch) % 6


def train():
    adam.zero_grad(set_to_none=True)
    nn.functional.cross_entropy(net(x), target).backward()
    adam.step()


def forward():
    with torch.no_grad():
        net(x)


def timed(step):
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


theirs, ours = {"train": [], "forward": []}, {"train": [], "forward": []}
train()
for _ in range(a.rounds):
    net.train()
    theirs["train"] += [timed(train) for _ in range(a.steps)]
    net.eval()
    theirs["forward"] += [timed(forward) for _ in range(a.steps)]
    out = subprocess.run([os.path.join(a.build, "tests/train/bench_step"),
                          os.path.join(top, "configs/ravdess_cnn1.yaml"), "549", "128", "6", str(a.batch), str(a.steps)],
                         check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        word, *figures = line.split()
        ours[word] += [float(f) for f in figures]

print(f"RAVDESS CNN 1, batch {a.batch}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}; median (least to most), s")
for what in ("train", "forward"):
    t, o = theirs[what], ours[what]
    print(f"{what:8} PyTorch {statistics.median(t):.3f} ({min(t):.3f} to {max(t):.3f})   "
          f"AudioMood {statistics.median(o):.3f} ({min(o):.3f} to {max(o):.3f})   "
          f"ratio {statistics.median(t) / statistics.median(o):.2f}")
