#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/nn/golden/{layers,nets,losses,contrastive,curves}.{txt,bin}: what every layer, block and loss computes,
forward and backward, and how the loss falls over 20 steps, by PyTorch in float64.  Inputs, weights and output gradients come from a formula that the tests share (numbers() of
nn_reference.py), so only results are stored, as float32, in the order of the `tensor` lines.

    python3 tools/golden-nn.py        needs numpy and PyTorch (1.13 and later agree)

A case: layer TYPE {options} or net [layers]; input RANK T F C for each input; clips B [lengths]; mode;
tensors.  An array of a net is numbers() times its scale, plus 1 for gamma."""
import json
import os

import numpy as np
import torch
import torch.nn.functional as F

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
    case("conv1d_causal", "conv1d", {"filters": 4, "kernel": 3, "dilation": 2, "padding": "causal"}, (2, 9, 1, 3),
         lengths=[5, 9, 1, 4])
    case("conv1d_causal_stride", "conv1d", {"filters": 3, "kernel": 4, "stride": 3, "padding": "causal"}, (2, 10, 1, 2),
         lengths=[5, 10, 1, 7])
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
    case("conv2d_one_channel", "conv2d", {"filters": 32, "kernel": 3, "padding": "same"}, (3, 6, 7, 1), clips=1,
         lengths=[4, 6])
    case("conv2d_wide", "conv2d", {"filters": 33, "kernel": 3, "padding": "same"}, (3, 4, 6, 17), clips=1,
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
    plain = {"statistics": "plain"}
    case("batch_norm_vector", "batch_norm", plain, VECTOR, clips=5)
    case("batch_norm_sequence", "batch_norm", {"epsilon": 1e-5, "momentum": 0.9, "unbiased": True, **plain}, SEQUENCE,
         lengths=[4, 7, 0, 1])
    case("batch_norm_map", "batch_norm", plain, MAP)
    case("batch_norm_inference", "batch_norm", plain, MAP, mode="inference", lengths=[3, 7])
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
    # moving statistics without a start; of three batches before
    case("batch_norm_corrected_vector", "batch_norm", {}, VECTOR, clips=5)
    case("batch_norm_corrected", "batch_norm", {"epsilon": 1e-5, "momentum": 0.9, "unbiased": True}, SEQUENCE,
         lengths=[4, 7, 0, 1])
    case("batch_norm_corrected_map", "batch_norm", {"statistics": "corrected", "momentum": 0.5}, MAP, masked=False)
    case("batch_norm_corrected_all", "batch_norm", {"momentum": 1}, SEQUENCE, masked=False)
    case("batch_norm_corrected_inference", "batch_norm", {}, MAP, mode="inference", full=False, lengths=[3, 7])
    # some of the bins
    case("bins", "bins", {"first": 1, "count": 3}, MAP, lengths=[4, 7, 1])
    case("bins_sequence", "bins", {"first": 2}, SEQUENCE, lengths=[4, 7, 0])
    # one half of the channels times the other
    case("glu", "glu", {}, (3, 5, 3, 6), lengths=[3, 5, 1])
    case("glu_sequence", "glu", {}, (2, 6, 1, 10), lengths=[4, 6, 0])
    case("glu_vector", "glu", {}, (1, 1, 1, 34), clips=3)
    case("glu_product", "glu", {"gate": "none"}, (3, 5, 3, 6), lengths=[3, 5, 1])
    case("glu_product_vector", "glu", {"gate": "none"}, (1, 1, 1, 8), clips=3)


def array_numbers(seed, stream, name, dims):
    """Scales and variances around 1, the rest around 0."""
    v = ref.numbers(seed, stream, int(np.prod(dims))).reshape(dims) * 0.5
    if name == "updates":  # of the batches before this one
        return np.full(dims, 3.0)
    return v + 1 if name.split("/")[-1] in ("gamma", "variance") else v


def spread(clips, full_shape):
    """Clips side by side at full length, zeros past their ends."""
    out = np.zeros([len(clips)] + list(full_shape))
    for b, clip in enumerate(clips):
        out[(b,) + tuple(slice(0, n) for n in clip.shape)] = clip
    return out


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
        full = ref.numbers(seed, i, batch * shape[1] * shape[2] * shape[3]).reshape((batch,) + ref.clip_shape(shape, shape[1]))
        xs.append([torch.tensor(full[b][:lengths[b]] if lengths and shape[0] > 1 else full[b], requires_grad=True)
                   for b in range(batch)])
    shapes, statistic_shapes = ref.weight_shapes(kind, options, ref.clip_shape(inputs[0], inputs[0][1]))
    w = [torch.tensor(array_numbers(seed, 16 + i, n, d), requires_grad=True) for i, (n, d) in enumerate(shapes)]
    statistics = [torch.tensor(array_numbers(seed, 48 + i, n, d)) for i, (n, d) in enumerate(statistic_shapes)]
    draw = ref.Draw(seed, 3, [11 + 2 * b for b in range(batch)])
    ys = ref.layer(kind, xs, w, options, statistics, mode == "training", draw, layer_id=77)
    # the shape of a full clip's output, from any full run
    whole = [[torch.zeros(ref.clip_shape(s, s[1]), dtype=torch.float64)] for s in inputs]
    full_y = ref.layer(kind, whole, w, options, [s.clone() for s in statistics], False, draw, 77)[0].shape
    out.line("case", name)
    out.line("layer", kind, ref.text_of(options))
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
            out.tensor(f"dx{i}", spread(grads, ref.clip_shape(shape, shape[1])))
        for i, p in enumerate(w):
            out.tensor(f"dw{i}", p.grad.numpy())
    out.line("end")


# Whole nets: blocks, and the way of a batch through many layers

NETS = []


def net_cases():
    conv = lambda filters, **o: {"conv2d": dict({"filters": filters, "padding": "same"}, **o)}
    end = ["global_average_pool", "dense"]
    cnn = [conv(4, activation="relu"), {"max_pool2d": {"size": 2}}, conv(5, activation="relu"),
           {"max_pool2d": {"size": 2}}]
    both = {"lstm": {"units": 3, "bidirectional": True}}
    NETS.extend([
        ("residual", [conv(4), {"residual": {"layers": [conv(4, activation="relu"), "batch_norm"]}}] + end,
         (3, 6, 5, 2), [4, 6, 1]),
        ("residual_projection", [{"residual": {"layers": [conv(4, stride=[2, 1], activation="silu"), conv(5)],
                                               "activation": "gelu"}}] + end, (3, 8, 5, 2), [5, 8, 1, 2]),
        ("residual_sequence", [{"residual": {"layers": [{"conv1d": {"filters": 5, "padding": "same", "stride": 3}},
                                                        "tanh"]}}, "global_max_pool", "dense"], (2, 10, 1, 3), [4, 10, 1]),
        ("residual_dense", [{"residual": {"layers": [{"dense": {"units": 7, "activation": "tanh"}}]}}, "dense"],
         (1, 1, 1, 5), None),
        ("squeeze_excite", [conv(8), {"squeeze_excite": {"reduction": 4}}, "tanh"] + end, (3, 5, 4, 2), [3, 5, 1]),
        ("squeeze_excite_sequence", [{"squeeze_excite": {"reduction": 1}}, "global_max_pool", "dense"],
         (2, 6, 1, 5), [4, 6, 1]),
        ("parallel", [{"parallel": {"branches": [[{"conv1d": {"filters": 4, "kernel": 3, "padding": "same"}}, "relu"],
                                                 [{"conv1d": {"filters": 3, "kernel": 1}}, "layer_norm"], []]}},
                      {"gru": {"units": 4, "return": "last"}}, "dense"], (2, 7, 1, 3), [4, 7, 1]),
        ("cnn", cnn + ["flatten", {"dense": {"units": 9, "activation": "relu"}}, "dense"], (3, 9, 8, 1), None),
        ("cnn_global", cnn + end, (3, 11, 8, 1), [6, 11, 4]),
        ("cnn_lstm", [conv(4, bias=False), "batch_norm", "relu", {"max_pool2d": {"size": 2}},
                      {"residual": {"layers": [conv(5, bias=False), "batch_norm", "relu", conv(5, bias=False),
                                               "batch_norm"]}},
                      {"max_pool2d": {"size": [1, 2]}}, "to_sequence", both,
                      {"parallel": {"branches": [[{"attention_pool": {"units": 4}}], ["global_max_pool"]]}}, "dense"],
         (3, 9, 8, 1), [6, 9, 2, 4]),
        ("dropout", [conv(4, activation="relu"), {"dropout": {"rate": 0.25}}, "to_sequence", {"dropout": {"rate": 0.5}},
                     {"gru": {"units": 3, "bidirectional": True, "return": "last"}}, "dense"], (3, 6, 4, 1), [4, 6, 1]),
        ("softmax_inside", [{"dense": {"activation": "softmax"}}, "global_average_pool", "log_probabilities"],
         (2, 7, 1, 3), [4, 7, 1]),
    ])


def run_net(out, seed, name, layers, shape, lengths):
    classes, batch = 4, len(lengths) if lengths else 3
    net = ref.Net(layers, ref.clip_shape(shape, shape[1]), classes)
    parameters, lines = ref.net_weights(net, seed, lambda n, d: 0.5)
    x = ref.net_input(seed, 0, shape, batch, lengths)
    logits = net.forward(x, True, ref.Draw(seed, 3, [11 + 2 * b for b in range(batch)]))
    ref.net_head(out.line, name + ("_masked" if lengths else ""), layers, shape, classes, batch, lengths, seed, lines)
    out.tensor("y", logits.detach().numpy())
    (logits * torch.tensor(ref.numbers(seed, 8, batch * classes).reshape(batch, classes))).sum().backward()
    out.tensor("dx0", spread([c.grad.numpy() for c in x], ref.clip_shape(shape, shape[1])))
    for i, p in enumerate(parameters):
        out.tensor(f"dw{i}", p.grad.numpy())
    out.line("end")


# Losses

def losses():
    for kind in ("cross_entropy", "focal", "mse", "ccc"):
        for targets in ("hard", "soft"):
            for weighted in (False, True):
                yield {"kind": kind}, targets, weighted
    yield {"kind": "cross_entropy", "label_smoothing": 0.125}, "hard", True
    yield {"kind": "cross_entropy", "label_smoothing": 0.25}, "soft", False
    yield {"kind": "focal", "gamma": 0.5, "label_smoothing": 0.125}, "hard", False
    yield {"kind": "focal", "gamma": 0}, "hard", False


def loss_of(o, y, t, w):
    """Sum over the batch of weight * loss."""
    classes = y.shape[1]
    smoothing = o.get("label_smoothing", 0)
    t = (1 - smoothing) * t + smoothing / classes if o["kind"] in ("cross_entropy", "focal") else t
    if o["kind"] == "cross_entropy":
        each = F.cross_entropy(y, t, reduction="none")
    elif o["kind"] == "focal":
        p = torch.softmax(y, 1)
        each = -(t * (1 - p) ** o.get("gamma", 2.0) * torch.log(p)).sum(1)
    elif o["kind"] == "mse":
        each = F.mse_loss(y, t, reduction="none").mean(1)
    else:  # concordance, Lin 1989
        v = (w / w.sum())[:, None]
        my, mt = (v * y).sum(0), (v * t).sum(0)
        covariance = (v * (y - my) * (t - mt)).sum(0)
        spread_of = (v * (y - my) ** 2).sum(0) + (v * (t - mt) ** 2).sum(0)
        each = (1 - 2 * covariance / (spread_of + (my - mt) ** 2)).mean().expand(len(y))
    return each, (w * each).sum()


def run_loss(out, seed, o, targets, weighted):
    batch, classes = 5, 4
    y = torch.tensor(ref.numbers(seed, 0, batch * classes).reshape(batch, classes) * 4, requires_grad=True)
    t = np.zeros((batch, classes))
    if targets == "hard":
        for b in range(batch):
            t[b, (7 * b + 3) % classes] = 1
    else:
        t = np.abs(ref.numbers(seed, 1, batch * classes)).reshape(batch, classes)
        t = (t / np.array([[sum(row)] for row in t.tolist()])).astype(np.float32).astype(np.float64)
    w = ref.numbers(seed, 2, batch) * 0.5 + 1 if weighted else np.ones(batch)
    each, total = loss_of(o, y, torch.tensor(t), torch.tensor(w))
    total.backward()
    name = "_".join([o["kind"], targets] + (["weighted"] if weighted else []) + [k for k in o if k != "kind"])
    out.line("case", name)
    out.line("layer", targets + ("_weighted" if weighted else ""), ref.text_of(o))
    out.line("clips", batch)
    out.line("classes", classes)
    out.line("seed", seed)
    out.tensor("loss", [total.item()])
    out.tensor("each", each.detach().numpy())
    out.tensor("dy", y.grad.numpy())
    out.line("end")


# The supervised contrastive loss, L_out of Khosla et al. 2020

def contrastives():
    """name, temperature, clips, width, classes, the clip whose embedding is zero"""
    yield "contrastive", 0.1, 9, 5, 3, None
    yield "contrastive_warm", 1.0, 8, 7, 2, None
    yield "contrastive_alone", 0.5, 6, 4, 5, None
    yield "contrastive_zero", 0.25, 8, 4, 3, 2


def run_contrastive(out, seed, name, temperature, batch, width, classes, zero):
    x = ref.numbers(seed, 0, batch * width).reshape(batch, width)
    if zero is not None:
        x[zero] = 0
    x = torch.tensor(x, requires_grad=True)
    kept = [b for b in range(batch) if b != zero]
    labels = torch.tensor([(7 * b + 3) % classes for b in kept])
    z = F.normalize(x[kept], dim=1)
    itself = torch.eye(len(kept), dtype=torch.bool)
    log_p = torch.log_softmax((z @ z.T / temperature).masked_fill(itself, -torch.inf), 1)
    alike = (labels[:, None] == labels[None, :]) & ~itself
    loss = sum(-log_p[i][alike[i]].mean() for i in range(len(kept)) if alike[i].any())
    loss.backward()
    out.line("case", name)
    out.line("layer", "zero" if zero is not None else "plain", ref.text_of({"contrastive_temperature": temperature}))
    out.line("input", 1, 1, 1, width)
    out.line("clips", batch)
    out.line("classes", classes)
    out.line("seed", seed)
    out.tensor("loss", [loss.item()])
    out.tensor("dx", x.grad.numpy())
    out.line("end")


# Loss curves: 20 steps of Adam

def curves():
    conv = lambda filters, **o: {"conv2d": dict({"filters": filters, "kernel": 3, "padding": "same"}, **o)}
    drop = lambda rate, on: [{"dropout": {"rate": rate}}] if on else []
    cnn1 = lambda on: ([conv(6, activation="relu"), {"max_pool2d": {"size": 2}}, conv(10, activation="relu")] +
                       drop(0.1, on) + [{"max_pool2d": {"size": 2}}, "flatten",
                                        {"dense": {"units": 24, "activation": "relu"}}] + drop(0.2, on) + ["dense"])
    body = lambda n: {"residual": {"layers": [conv(n, bias=False), "batch_norm", "relu", conv(n, bias=False),
                                              "batch_norm"]}}
    lstm = lambda on: ([conv(4, bias=False), "batch_norm", "relu", {"max_pool2d": {"size": 2}}, body(6),
                        {"max_pool2d": {"size": [1, 2]}}, "to_sequence"] + drop(0.2, on) +
                       [{"lstm": {"units": 8, "bidirectional": True}},
                        {"parallel": {"branches": [[{"attention_pool": {"units": 5}}], ["global_max_pool"]]}}] +
                       drop(0.2, on) + ["dense"])
    yield "ravdess_cnn1", cnn1(False), (3, 27, 16, 1), None, 0.004
    yield "ravdess_cnn1_dropout", cnn1(True), (3, 27, 16, 1), None, 0.008
    yield "cnn_lstm", lstm(False), (3, 20, 12, 1), [12, 20, 7, 15, 18], 0.01
    yield "cnn_lstm_dropout", lstm(True), (3, 20, 12, 1), [12, 20, 7, 15, 18], 0.02


def run_curve(out, seed, name, layers, shape, lengths, rate):
    classes, batch = 6, len(lengths) if lengths else 5
    net = ref.Net(layers, ref.clip_shape(shape, shape[1]), classes)
    parameters, lines = ref.net_weights(net, seed, ref.glorot)
    curve = list(ref.curve(net, parameters, seed, shape, batch, lengths, rate))
    ref.net_head(out.line, name, layers, shape, classes, batch, lengths, seed, lines)
    out.line("rate", rate)
    out.tensor("curve", curve)
    out.line("end")
    print(f"{name}: loss {curve[0]:.3f} -> {curve[-1]:.3f}")
    assert ref.halved(curve), "the loss must fall by half"


def main():
    torch.set_num_threads(1)
    os.makedirs(FOLDER, exist_ok=True)
    all_cases()
    net_cases()
    out = Writer("layers")
    for i, c in enumerate(CASES):
        run_layer(out, 100 + i, *c)
    out = Writer("nets")
    for i, (name, layers, shape, lengths) in enumerate(NETS):
        run_net(out, 500 + 2 * i, name, layers, shape, None)
        if lengths:
            run_net(out, 501 + 2 * i, name, layers, shape, lengths)
    out = Writer("losses")
    for i, c in enumerate(losses()):
        run_loss(out, 700 + i, *c)
    out = Writer("contrastive")
    for i, c in enumerate(contrastives()):
        run_contrastive(out, 900 + i, *c)
    out = Writer("curves")
    for i, c in enumerate(curves()):
        run_curve(out, 800 + i, *c)


if __name__ == "__main__":
    main()
