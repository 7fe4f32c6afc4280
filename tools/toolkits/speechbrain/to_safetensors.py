#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the trained weights of small.yaml: python to_safetensors.py OUTPUT_FOLDER FILE.safetensors prints the labels in their order."""
import os
import sys

import torch
from hyperpyyaml import load_hyperpyyaml
from safetensors.torch import save_file
from speechbrain.dataio.encoder import CategoricalEncoder

folder, to = sys.argv[1:]
with open(os.path.join(folder, "hyperparams.yaml")) as text:
    hparams = load_hyperpyyaml(text)
hparams["checkpointer"].recover_if_possible(min_key="error")
net = torch.nn.ModuleDict({"net": hparams["embedding_model"], "out": hparams["classifier"]})
save_file({name: weight.contiguous() for name, weight in net.state_dict().items()}, to)
encoder = CategoricalEncoder()
encoder.load(os.path.join(hparams["save_folder"], "label_encoder.txt"))
print(",".join(encoder.ind2lab[i] for i in range(len(encoder.ind2lab))))
