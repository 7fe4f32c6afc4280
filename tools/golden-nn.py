#!/usr/bin/env python3
"""Writes tests/nn/golden/layers.{txt,bin}: what every layer computes, forward and backward, by PyTorch in
float64.  Inputs, weights and output gradients come from a formula that the tests share (numbers() of
nn_reference.py), so only results are stored, as float32, in the order of the `tensor` lines.

    python3 tools/golden-nn.py        needs numpy and PyTorch (1.13 and later agree)

A case: layer TYPE {options}; input RANK T F C for each input; clips B [lengths]; mode; tensors."""
import json
import os

import numpy as np
import torch

import nn_reference as ref

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "nn", "golden")
SEQUENCE, MAP, VECTOR = (2, 7, 1, 3), (3, 7, 5, 3), (1, 1, 1, 6)
LENGTHS = [4, 7, 1, 5]

# name, type, options, inputs (rank, T, F, C), lengths or the number of full clips, mode
CASES = []


def case(name, kind, options, inputs, masked=True, clips=2, mode="training", lengths=None, full=True):
    inputs = inputs if isinstance(inputs, list) else [inputs]
    if full:
        CASES.append((name, kind, options, inputs, clips, mode))
    if masked and any(i[0] > 1 for i in inputs):
        CASES.append((name + "_masked", kind, options, inputs, lengths or LENGTHS, mode))


def all_cases():
    # conv1d and conv2d
    case("conv1d_valid", "conv1d", {"filters": 4, "kernel": 3}, (2, 9, 1, 3), lengths=[5, 9, 2, 3])
    case("conv1d_same_stride", "conv1d", {"filters": 4, "kernel": 4, "stride": 3, "padding": "same"}, (2, 10, 1, 3),
         lengths=[5, 10, 1, 6])
    case("conv1d_same_dilation", "conv1d", {"filters": 5, "kernel": 3, "dilation": 2, "padding": "same"}, (2, 9, 1, 2),
         lengths=[5, 9, 1, 4])
    case("conv1d_explicit", "conv1d", {"filters": 2, "kernel": 5, "stride": 2, "padding": "explicit", "pad": 2},
         (2, 9, 1, 3), lengths=[5, 9, 1, 4])
    case("conv1d_no_bias", "conv1d", {"filters": 3, "kernel": 1, "bias": False}, (2, 5, 1, 4), masked=False)
    case("conv2d_valid", "conv2d", {"filters": 4, "kernel": 3}, (3, 7, 6, 2), lengths=[4, 7, 2, 3])
    case("conv2d_same", "conv2d", {"filters": 5, "kernel": 3, "padding": "same"}, (3, 7, 5, 2))
    case("conv2d_same_even", "conv2d", {"filters": 3, "kernel": [4, 2], "padding": "same"}, (3, 7, 5, 2))
    case("conv2d_stride", "conv2d", {"filters": 4, "kernel": [3, 5], "stride": [2, 3], "padding": "same"}, (3, 8, 7, 3),
         lengths=[4, 8, 1, 5])
    case("conv2d_dilation", "conv2d", {"filters": 3, "kernel": 3, "dilation": [2, 1], "padding": "same"}, (3, 8, 5, 3),
         lengths=[4, 8, 1, 5])
    case("conv2d_stride_valid", "conv2d", {"filters": 3, "kernel": [2, 3], "stride": 2}, (3, 9, 8, 2),
         lengths=[4, 9, 1, 5])
    case("conv2d_explicit", "conv2d", {"filters": 3, "kernel": [3, 4], "stride": [1, 2], "padding": "explicit",
                                       "pad": [1, 2]}, (3, 7, 6, 2))
    case("conv2d_pointwise", "conv2d", {"filters": 6, "kernel": 1, "bias": False}, (3, 5, 4, 7), lengths=[2, 5])
    case("conv2d_one_channel", "conv2d", {"filters": 32, "kernel": 3, "padding": "same"}, (3, 9, 11, 1), clips=1,
         lengths=[6, 9])
    case("conv2d_wide", "conv2d", {"filters": 33, "kernel": 3, "padding": "same"}, (3, 6, 9, 17), clips=1,
         masked=False)
    # pools
    case("max_pool1d", "max_pool1d", {"size": 2}, (2, 9, 1, 3), lengths=[5, 9, 1, 4])
    case("max_pool1d_same", "max_pool1d", {"size": 3, "stride": 2, "padding": "same"}, (2, 8, 1, 3),
         lengths=[5, 8, 1, 4])
    case("max_pool2d", "max_pool2d", {"size": 2}, (3, 7, 6, 5), lengths=[5, 7, 1, 4])
    case("max_pool2d_overlap", "max_pool2d", {"size": [3, 2], "stride": [2, 1]}, (3, 9, 5, 3), lengths=[5, 9, 2, 4])
    case("max_pool2d_same", "max_pool2d", {"size": 3, "stride": 2, "padding": "same"}, (3, 7, 6, 3))
    case("max_pool2d_explicit", "max_pool2d", {"size": 3, "stride": 2, "padding": "explicit", "pad": 1}, (3, 7, 6, 3))
    case("average_pool1d", "average_pool1d", {"size": 3, "stride": 2, "padding": "same"}, (2, 8, 1, 3),
         lengths=[5, 8, 1, 4])
    case("average_pool1d_valid", "average_pool1d", {"size": 4}, (2, 9, 1, 3), lengths=[5, 9, 1, 4])
    case("average_pool2d", "average_pool2d", {"size": 2}, (3, 7, 6, 5), lengths=[5, 7, 1, 4])
    case("average_pool2d_same", "average_pool2d", {"size": [3, 2], "stride": [2, 1], "padding": "same"}, (3, 7, 5, 3))
    case("average_pool2d_explicit", "average_pool2d", {"size": 3, "stride": 2, "padding": "explicit", "pad": 1},
         (3, 7, 6, 3))
    case("average_pool2d_include", "average_pool2d", {"size": 3, "stride": 2, "padding": "explicit", "pad": 1,
                                                      "count_include_pad": True}, (3, 7, 6, 3))
    for kind in ("global_average_pool", "global_max_pool"):
        case(kind, kind, {}, MAP, lengths=[4, 7, 1, 0])
        case(kind + "_sequence", kind, {}, SEQUENCE, lengths=[4, 7, 1, 0])
        case(kind + "_time", kind, {"over": "time"}, MAP, lengths=[4, 7, 1, 0])
    # dense, shapes, activations
    case("dense", "dense", {"units": 5}, VECTOR, clips=3)
    case("dense_no_bias", "dense", {"units": 4, "bias": False}, VECTOR, clips=1)
    case("dense_sequence", "dense", {"units": 5}, SEQUENCE)
    case("dense_map", "dense", {"units": 5}, MAP)
    case("flatten", "flatten", {}, MAP, masked=False)
    case("to_sequence", "to_sequence", {}, MAP)
    for kind in ref.ACTIVATIONS:
        case(kind, kind, {}, (3, 4, 3, 5), lengths=[3, 4, 1])
    case("softmax_vector", "softmax", {}, VECTOR, clips=3)
    case("leaky_relu_alpha", "leaky_relu", {"alpha": 0.25}, VECTOR, clips=3)
    case("dropout", "dropout", {"rate": 0.3}, MAP, lengths=[3, 7])
    case("dropout_inference", "dropout", {"rate": 0.3}, SEQUENCE, mode="inference", full=False, lengths=[3, 7])
    # norms
    case("batch_norm_vector", "batch_norm", {}, VECTOR, clips=5)
    case("batch_norm_sequence", "batch_norm", {"epsilon": 1e-5, "momentum": 0.9, "unbiased": True}, SEQUENCE,
         lengths=[4, 7, 0, 1])
    case("batch_norm_map", "batch_norm", {}, MAP)
    case("batch_norm_inference", "batch_norm", {}, MAP, mode="inference", lengths=[3, 7])
    case("layer_norm_vector", "layer_norm", {}, VECTOR, clips=3)
    case("layer_norm_sequence", "layer_norm", {"epsilon": 1e-3}, SEQUENCE)
    case("layer_norm_map", "layer_norm", {}, MAP, lengths=[3, 7, 1])
    # recurrent
    for kind in ("lstm", "gru"):
        case(kind, kind, {"units": 5}, SEQUENCE)
        case(kind + "_last", kind, {"units": 4, "return": "last"}, SEQUENCE, lengths=[4, 7, 1, 0, 5])
        case(kind + "_both", kind, {"units": 4, "bidirectional": True}, SEQUENCE, lengths=[4, 7, 1, 0, 5])
        case(kind + "_both_last", kind, {"units": 5, "bidirectional": True, "return": "last"}, SEQUENCE)
        case(kind + "_stacked", kind, {"units": 4, "layers": 3}, SEQUENCE)
        case(kind + "_both_stacked", kind, {"units": 3, "bidirectional": True, "layers": 2}, (2, 6, 1, 5),
             lengths=[4, 6, 1, 5])
        case(kind + "_both_stacked_last", kind, {"units": 3, "bidirectional": True, "layers": 2, "return": "last"},
             (2, 6, 1, 5), lengths=[4, 6, 1, 5])
        case(kind + "_one_frame", kind, {"units": 4, "bidirectional": True}, (2, 1, 1, 3), masked=False)
        # more clips than one group of the recurrence, and units past a vector register
        case(kind + "_groups", kind, {"units": 17, "bidirectional": True, "return": "last"}, (2, 5, 1, 2), full=False,
             lengths=[(5 * i + 3) % 6 for i in range(19)])
    case("gru_before", "gru", {"units": 5, "reset_after": False}, SEQUENCE)
    case("gru_before_both_last", "gru", {"units": 4, "reset_after": False, "bidirectional": True, "return": "last"},
         SEQUENCE)
    # attention
    case("attention_linear", "attention_pool", {}, SEQUENCE, lengths=[4, 7, 1, 0])
    case("attention_hidden", "attention_pool", {"units": 5}, SEQUENCE, lengths=[4, 7, 1, 0])
    case("attention_heads", "attention_pool", {"units": 4, "heads": 2}, SEQUENCE)
    case("attention_statistics", "attention_pool", {"units": 4, "statistics": "mean_std", "epsilon": 1e-3}, SEQUENCE)
    case("attention_heads_statistics", "attention_pool", {"heads": 3, "statistics": "mean_std", "epsilon": 1e-2},
         SEQUENCE)
    # joins
    case("add", "add", {}, [MAP, MAP], lengths=[3, 7])
    case("concat", "concat", {}, [(3, 6, 2, 3), (3, 6, 2, 1), (3, 6, 2, 4)], lengths=[3, 6, 1])
    case("scale", "scale", {}, [MAP, (1, 1, 1, 3)])
    case("scale_sequence", "scale", {}, [SEQUENCE, (1, 1, 1, 3)])


def weight_shapes(kind, o, shape):
    """[(name, dims)] in the library's order; statistics apart."""
    rank, t, f, c = shape
    if kind in ("conv1d", "conv2d"):
        size = ref.pair(o.get("kernel", 3), rank)
        dims = ([size[0]] if rank == 2 else size) + [c, o["filters"]]
        return [("kernel", dims)] + ([("bias", [o["filters"]])] if o.get("bias", True) else []), []
    if kind == "dense":
        return [("kernel", [c, o["units"]])] + ([("bias", [o["units"]])] if o.get("bias", True) else []), []
    if kind == "batch_norm":
        return [("gamma", [c]), ("beta", [c])], [("mean", [c]), ("variance", [c])]
    if kind == "layer_norm":
        return [("gamma", [c]), ("beta", [c])], []
    if kind in ("lstm", "gru"):
        h, both, out, gates = o["units"], o.get("bidirectional", False), [], 4 if kind == "lstm" else 3
        after = kind == "gru" and o.get("reset_after", True)
        for level in range(o.get("layers", 1)):
            for d in range(2 if both else 1):
                end, start = "" if level == 0 else f"_{level + 1}", "backward_" if d else ""
                out += [(start + "kernel" + end, [c, gates * h]), (start + "recurrent_kernel" + end, [h, gates * h]),
                        (start + "bias" + end, [2, gates * h] if after else [gates * h])]
            c = h * (2 if both else 1)
        return out, []
    if kind == "attention_pool":
        d, heads = o.get("units", 0), o.get("heads", 1)
        hidden = [("kernel", [c, d]), ("bias", [d])] if d else []
        return hidden + [("score", [d or c, heads])], []
    return [], []


def array_numbers(seed, stream, name, dims):
    """Scales and variances around 1, the rest around 0."""
    v = ref.numbers(seed, stream, int(np.prod(dims))).reshape(dims) * 0.5
    return v + 1 if name.split("/")[-1] in ("gamma", "variance") else v


def text_of(options):
    """YAML's flow syntax."""
    return json.dumps(options).replace('"', "")


def spread(clips, full_shape):
    """Clips side by side at full length, zeros past their ends."""
    out = np.zeros([len(clips)] + list(full_shape))
    for b, clip in enumerate(clips):
        out[(b,) + tuple(slice(0, n) for n in clip.shape)] = clip
    return out


def clip_shape(shape, length):
    rank, t, f, c = shape
    return {1: (c,), 2: (length, c), 3: (length, f, c)}[rank]


class Writer:
    def __init__(self, name):
        self.text = open(os.path.join(FOLDER, name + ".txt"), "w")
        self.data = open(os.path.join(FOLDER, name + ".bin"), "wb")

    def line(self, *words):
        print(*words, file=self.text)

    def tensor(self, name, values):
        values = np.ascontiguousarray(values, np.float32)
        assert np.isfinite(values).all(), name
        self.line("tensor", name, values.size)
        self.data.write(values.tobytes())


def run_layer(out, seed, name, kind, options, inputs, clips, mode):
    lengths = clips if isinstance(clips, list) else None
    batch = len(lengths) if lengths else clips
    xs = []
    for i, shape in enumerate(inputs):
        full = ref.numbers(seed, i, batch * shape[1] * shape[2] * shape[3]).reshape((batch,) + clip_shape(shape, shape[1]))
        xs.append([torch.tensor(full[b][:lengths[b]] if lengths and shape[0] > 1 else full[b], requires_grad=True)
                   for b in range(batch)])
    shapes, statistic_shapes = weight_shapes(kind, options, inputs[0])
    w = [torch.tensor(array_numbers(seed, 16 + i, n, d), requires_grad=True) for i, (n, d) in enumerate(shapes)]
    statistics = [torch.tensor(array_numbers(seed, 48 + i, n, d)) for i, (n, d) in enumerate(statistic_shapes)]
    draw = ref.Draw(seed, 3, [11 + 2 * b for b in range(batch)])
    ys = ref.layer(kind, xs, w, options, statistics, mode == "training", draw, layer_id=77)
    # the shape of a full clip's output, from any full run
    whole = [[torch.zeros(clip_shape(s, s[1]), dtype=torch.float64)] for s in inputs]
    full_y = ref.layer(kind, whole, w, options, [s.clone() for s in statistics], False, draw, 77)[0].shape
    out.line("case", name)
    out.line("layer", kind, text_of(options))
    for shape in inputs:
        out.line("input", *shape)
    out.line("clips", batch, *(lengths or []))
    out.line("mode", mode)
    out.line("seed", seed)
    for n, d in shapes:
        out.line("weight", n, *d)
    out.tensor("y", spread([y.detach().numpy() for y in ys], full_y))
    if mode == "training":
        for s, (n, _) in zip(statistics, statistic_shapes):
            out.tensor("statistic", s.numpy())
        dy = ref.numbers(seed, 8, batch * int(np.prod(full_y))).reshape((batch,) + tuple(full_y))
        loss = sum((y * torch.tensor(d[tuple(slice(0, n) for n in y.shape)])).sum() for y, d in zip(ys, dy))
        loss.backward()
        for i, shape in enumerate(inputs):
            grads = [np.zeros(tuple(x.shape)) if x.grad is None else x.grad.numpy() for x in xs[i]]
            out.tensor(f"dx{i}", spread(grads, clip_shape(shape, shape[1])))
        for i, p in enumerate(w):
            out.tensor(f"dw{i}", p.grad.numpy())
    out.line("end")


def main():
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    all_cases()
    out = Writer("layers")
    for i, c in enumerate(CASES):
        run_layer(out, 100 + i, *c)


if __name__ == "__main__":
    main()
