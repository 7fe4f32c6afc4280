# SPDX-License-Identifier: MIT
"""Timed forward passes of ONNX Runtime, asked for by tools/bench: onnx_steps.py KIND FRAMES BINS CLASSES THREADS any"""
import os
import sys
import tempfile
import warnings

import onnxruntime
import torch

import answer
import nets

warnings.filterwarnings("ignore")
kind, frames, bins, classes, threads = sys.argv[1], *map(int, sys.argv[2:6])
torch.manual_seed(1)
net = nets.make(kind, frames, bins, classes).eval()


def make_step(what, batch):
    if what != "forward":
        raise ValueError("ONNX Runtime is here for inference only")
    x = nets.clips(kind, frames, bins, batch)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "net.onnx")
        torch.onnx.export(net, (x,), path, input_names=["x"], output_names=["y"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    x = x.numpy()
    return lambda: session.run(None, {"x": x})


answer.serve({"version": onnxruntime.__version__, "threads": threads, "note": "all graph optimisations"}, make_step)
