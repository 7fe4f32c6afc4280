#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is in a checkpoint (checkpoints/README.md), by h5py: labels, settings, weights, and the history of last.h5 by pandas.

    python3 checkpoint.py RUN/last.h5
"""
import sys

import h5py
import pandas

with h5py.File(sys.argv[1]) as file:
    assert file.attrs["format"] == b"audiomood-checkpoint", "not a checkpoint of AudioMood"
    labels = [name.decode() for name in file.attrs["labels"]]
    config = file["config"][()].decode()  # YAML, with every default
    weights = {}
    file["weights"].visititems(lambda name, item: weights.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    history = None
    if "training/history" in file:
        rows = file["training/history"]
        history = pandas.DataFrame(rows[()], columns=[c.decode() for c in rows.attrs["columns"]])

print("labels", *labels)
print(config.splitlines()[0], "...")
for name, array in weights.items():
    print(f"{name:38} {str(array.shape):18} mean {array.mean():+.4f} deviation {array.std():.4f}")
if history is not None:
    print(history[["epoch", "train_loss", "validation_loss", "validation_uar"]].tail(3).to_string(index=False))
