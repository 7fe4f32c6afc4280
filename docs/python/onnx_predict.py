#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Emotions of sounds by a graph of ONNX in ONNX Runtime, also by one whose features no graph has: the library computes them,
by the settings that the graph's metadata holds.

    audiomood export RUN|FILE.h5 -o model.onnx
    python3 onnx_predict.py model.onnx SOUND... [--compare RUN|FILE.h5]

--compare asks AudioMood's own predictor, too, and fails where a probability differs by more than 1e-5.
"""
import argparse
import json
import sys

import numpy as np
import onnxruntime

import audiomood

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("graph")
parser.add_argument("sounds", nargs="+")
parser.add_argument("--compare", metavar="MODEL")
options = parser.parse_args()

session = onnxruntime.InferenceSession(options.graph, providers=["CPUExecutionProvider"])
meta = session.get_modelmeta().custom_metadata_map
if meta["input_is"] != "features":
    sys.exit("its input is samples: give it those at its sample_rate")
labels, inputs = json.loads(meta["labels"]), json.loads(meta["inputs"])
if any(i["normalise"] == "outside" for i in inputs):
    sys.exit("its features are normalised outside of the graph, by what you know of the voice")
features = [audiomood.Features(i["features"]) for i in inputs]
shapes = {i.name: i.shape for i in session.get_inputs()}
peer = audiomood.Model(options.compare) if options.compare else None
most = 0.0

for path in options.sounds:
    feed = {}
    for about, maker in zip(inputs, features):
        x = maker.compute(*audiomood.read(path, maker.rate))[: about.get("most_frames")]
        shape = shapes[about["input"]]
        feed[about["input"]] = x.reshape([1, len(x)] + shape[2:] if len(shape) > 2 else [1, -1])
        if about["lengths"] in shapes:
            feed[about["lengths"]] = np.array([len(x)])
    p = session.run(["probabilities"], feed)[0][0]
    line = f"{path}  {labels[p.argmax()]} {p.max():.3f}"
    if peer:
        wanted = peer.predict(*audiomood.read(path, peer.rate))["probabilities"]
        difference = max(abs(wanted[label] - float(q)) for label, q in zip(labels, p))
        most = max(most, difference)
        line += f"  differs by {difference:.1e}"
    print(line)
if peer:
    print(f"{len(options.sounds)} sounds, largest difference {most:.1e}")
sys.exit(1 if most > 1e-5 else 0)
