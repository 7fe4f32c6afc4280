#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the trained net of small.yaml as a graph, clips of any length: python to_onnx.py OUTPUT_FOLDER FILE.onnx."""
import os
import sys

import torch
from hyperpyyaml import load_hyperpyyaml

folder, to = sys.argv[1:]
with open(os.path.join(folder, "hyperparams.yaml")) as text:
    hparams = load_hyperpyyaml(text)
hparams["checkpointer"].recover_if_possible(min_key="error")
net = torch.nn.Sequential(hparams["embedding_model"], hparams["classifier"], torch.nn.Flatten(0, 1)).eval()
torch.onnx.export(net, (torch.randn(2, 150, 64),), to, input_names=["x"], dynamic_axes={"x": {0: "batch", 1: "frames"}}, dynamo=False)
