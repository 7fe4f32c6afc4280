# SPDX-License-Identifier: MIT
"""Timed steps of PyTorch, asked for by tools/bench: torch_steps.py KIND FRAMES BINS CLASSES THREADS contiguous|channels_last|compile"""
import sys

import torch
from torch import nn

import answer
import nets

kind, frames, bins, classes, threads = sys.argv[1], *map(int, sys.argv[2:6])
layout = sys.argv[6]
torch.set_num_threads(threads)
torch.manual_seed(1)
net = nets.make(kind, frames, bins, classes)
if layout == "channels_last":
    net = net.to(memory_format=torch.channels_last)
run = torch.compile(net) if layout == "compile" else net
fused = {"fused": True} if tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 4) else {}
adam = torch.optim.Adam(net.parameters(), lr=1e-4, eps=1e-7, **fused)


def make_step(what, batch):
    x = nets.clips(kind, frames, bins, batch)
    if layout == "channels_last" and x.dim() == 4:
        x = x.contiguous(memory_format=torch.channels_last)
    target = torch.arange(batch) % classes

    def train():
        net.train()
        adam.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(run(x), target).backward()
        adam.step()

    def forward():
        net.eval()
        with torch.inference_mode():
            run(x)

    return train if what == "train" else forward


answer.serve({"version": torch.__version__.split("+")[0], "threads": torch.get_num_threads(),
              "note": "oneDNN " + ("on" if torch.backends.mkldnn.is_available() else "absent") +
                      (", fused Adam" if fused else "")}, make_step)
