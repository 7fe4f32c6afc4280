#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Models that other programs wrote as ONNX, with what ONNX Runtime makes of them.

  golden-onnx.py torch FOLDER [NAMES]   models of PyTorch, written by both of its exporters
  golden-onnx.py keras FOLDER [NAMES]   models of Keras, written by tf2onnx
  golden-onnx.py golden FROM TO         copies those that are committed, without what exporters note beside the graph
  golden-onnx.py check FOLDER BUILD     imports each and compares (tests/exchange/onnx_differences); a line a model

A model is NAME.onnx, and beside it NAME.f32: float32 numbers, records of clips, frames, bins, labels, then the clips
(clips, frames, bins) and their probabilities (clips, labels).  A few of them are in tests/exchange/golden/onnx.

Versions: torch 2.15.0, onnx 1.23.2, onnxscript 0.7.2, onnxruntime 1.32.0; tensorflow 2.15.1, keras 2.15.0,
tf2onnx 1.17.0, onnx 1.16.2, onnxruntime 1.19.2.  Other versions may write other operators.
"""
import copy
import os
import subprocess
import sys
import tempfile

import numpy

BINS, LABELS = 6, 4
LENGTHS = (24, 13, 17)  # of clips, where a model takes any; else the first


def softmax(z):
    e = numpy.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def save(folder, name, run, to_input, lengths, logits, bins=BINS):
    """Runs the model on random clips and writes NAME.f32.  (Runtimes compute float16 models in float16, which says little about
    their weights: those are run in float32.)"""
    rng = numpy.random.default_rng(sum(name.encode()))
    with open(os.path.join(folder, name + ".f32"), "wb") as f:
        for frames in lengths:
            x = rng.standard_normal((2, frames, bins)).astype("float32")
            y = run(to_input(x))
            y = y.reshape(2, -1)
            y = softmax(y) if logits else y
            assert numpy.allclose(y.sum(1), 1, atol=1e-3), (name, y.sum(1))
            numpy.array([2, frames, bins, y.shape[1]], "<f4").tofile(f)
            x.astype("<f4").tofile(f)
            y.astype("<f4").tofile(f)


def runner(path):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    first = session.get_inputs()[0]
    kind = {"tensor(float16)": "float16", "tensor(double)": "float64"}.get(first.type, "float32")
    fixed = first.shape[0] if isinstance(first.shape[0], int) else 0

    def one(x):
        feed = {first.name: x.astype(kind)}
        for other in session.get_inputs()[1:]:  # the lengths of clips
            feed[other.name] = numpy.full(x.shape[0], x.shape[1], "int64")
        return session.run(None, feed)[0]

    def run(x):
        if fixed == 1:
            return numpy.concatenate([one(x[i : i + 1]).reshape(1, -1) for i in range(len(x))])
        return one(x)

    return run


# ---- PyTorch ----

MEL_TIME = lambda x: x.transpose(0, 2, 1)[:, None]  # (B,1,F,T)
TIME_MEL = lambda x: x[:, None]  # (B,1,T,F)
CHANNELS = lambda x: x.transpose(0, 2, 1)  # (B,F,T)
FRAMES = lambda x: x  # (B,T,F)
FRAMES_FIRST = lambda x: x.transpose(1, 0, 2)  # (T,B,F)


def torch_models():
    import torch
    from torch import nn
    import torch.nn.functional as F

    class Call(nn.Module):
        """forward is a function of the module, which keeps its parts."""

        def __init__(self, forward, **parts):
            super().__init__()
            self.run = forward
            for key, part in parts.items():
                setattr(self, key, part)

        def forward(self, *x):
            return self.run(self, *x)

    all = {}

    def model(name, net, to_input, variable=True, opset=17, logits=True, lengths=False, time=None):
        all[name] = dict(net=net, to_input=to_input, variable=variable, opset=opset, logits=logits, lengths=lengths, time=time)

    def conv(a, b, k=3, **more):
        return nn.Sequential(nn.Conv2d(a, b, k, padding=k // 2, **more), nn.BatchNorm2d(b), nn.ReLU())

    model("cnn2d", nn.Sequential(conv(1, 4), nn.MaxPool2d(2), conv(4, 6), nn.AvgPool2d(2), nn.Dropout(0.3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, LABELS)), MEL_TIME)
    model("cnn2d_time", nn.Sequential(conv(1, 4), nn.MaxPool2d((2, 1)), nn.Conv2d(4, 5, (3, 2), stride=(2, 1), dilation=(1, 2)), nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, LABELS), nn.Softmax(-1)), TIME_MEL, logits=False)
    model("cnn2d_flat", nn.Sequential(conv(1, 4), nn.MaxPool2d(2), nn.Flatten(), nn.LayerNorm(4 * 3 * 12), nn.Linear(4 * 3 * 12, 8), nn.ReLU(), nn.Linear(8, LABELS)), MEL_TIME, variable=False)
    model("cnn1d", nn.Sequential(nn.Conv1d(BINS, 8, 5, padding=2, bias=False), nn.BatchNorm1d(8), nn.LeakyReLU(0.2), nn.MaxPool1d(3, 2, 1), nn.Conv1d(8, 8, 3, dilation=2), nn.Tanh(), nn.AvgPool1d(3, 2, 1), nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(8, LABELS), nn.LogSoftmax(-1)), CHANNELS)
    model("gelu", nn.Sequential(nn.Conv1d(BINS, 8, 3), nn.GELU(), nn.Conv1d(8, 8, 1), nn.Sigmoid(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS)), CHANNELS)
    model("gelu20", nn.Sequential(nn.Conv1d(BINS, 8, 3), nn.GELU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, LABELS)), CHANNELS, opset=20)
    model("norm13", Call(lambda m, x: m.out(m.norm(m.a(x)).mean(1)), a=nn.Linear(BINS, 8), norm=nn.LayerNorm(8), out=nn.Linear(8, LABELS)), FRAMES, opset=13)
    model("norm17", Call(lambda m, x: m.out(F.gelu(m.norm(m.a(x))).mean(1)), a=nn.Linear(BINS, 8), norm=nn.LayerNorm(8, eps=1e-3), out=nn.Linear(8, LABELS)), FRAMES)
    for both in (False, True):
        word = "bi" if both else ""
        n = 2 if both else 1
        model(word + "lstm", Call(lambda m, x: m.out(m.rnn(x)[0].mean(1)), rnn=nn.LSTM(BINS, 5, batch_first=True, bidirectional=both), out=nn.Linear(5 * n, LABELS)), FRAMES)
        model(word + "gru", Call(lambda m, x: m.out(m.rnn(x)[0].max(1)[0]), rnn=nn.GRU(BINS, 5, batch_first=True, bidirectional=both), out=nn.Linear(5 * n, LABELS)), FRAMES)
        model(word + "lstm_two", Call(lambda m, x: m.out(m.rnn(x)[0].mean(1)), rnn=nn.LSTM(BINS, 5, num_layers=2, batch_first=True, bidirectional=both, dropout=0.1), out=nn.Linear(5 * n, LABELS)), FRAMES)

        def last(m, x, both=both):
            h = m.rnn(x)[1][0]
            return m.out(torch.cat((h[-2], h[-1]), -1) if both else h[-1])

        model(word + "lstm_last", Call(last, rnn=nn.LSTM(BINS, 5, num_layers=2, batch_first=True, bidirectional=both), out=nn.Linear(5 * n, LABELS)), FRAMES)
    model("lstm_minus", Call(lambda m, x: m.out(m.rnn(x)[0][:, -1]), rnn=nn.LSTM(BINS, 5, batch_first=True), out=nn.Linear(5, LABELS)), FRAMES)
    model("gru_first", Call(lambda m, x: m.out(m.rnn(x)[1][0]), rnn=nn.GRU(BINS, 5), out=nn.Linear(5, LABELS)), FRAMES_FIRST, time=0)

    def crnn(m, x):
        y = m.cnn(x)  # (B,C,F,T)
        y = y.permute(0, 3, 1, 2).flatten(2)
        return m.out(m.rnn(y)[0].mean(1))

    model("crnn", Call(crnn, cnn=nn.Sequential(conv(1, 4), nn.MaxPool2d(2), conv(4, 5), nn.MaxPool2d((1, 2))), rnn=nn.LSTM(15, 6, batch_first=True, bidirectional=True), out=nn.Linear(12, LABELS)), MEL_TIME)

    def crnn_reshape(m, x):
        y = m.cnn(x)  # (B,C,T,F)
        y = y.transpose(1, 2)
        y = y.reshape(y.shape[0], y.shape[1], -1)
        y, h = m.rnn(y)
        return m.out(torch.cat([h[0], h[1]], 1))

    model("crnn_reshape", Call(crnn_reshape, cnn=nn.Sequential(conv(1, 4), nn.MaxPool2d((1, 2))), rnn=nn.GRU(12, 6, batch_first=True, bidirectional=True), out=nn.Linear(12, LABELS)), TIME_MEL)

    def residual(m, x):
        y = m.stem(x)
        y = F.relu(y + m.two(F.relu(m.one(y))))
        y = F.relu(m.side(y) + m.four(F.relu(m.three(y))))
        return m.out(y.mean((2, 3)))

    def plain(a, b, s=1):
        return nn.Sequential(nn.Conv2d(a, b, 3, stride=s, padding=1, bias=False), nn.BatchNorm2d(b))

    model("resnet", Call(residual, stem=conv(1, 4), one=plain(4, 4), two=plain(4, 4), three=plain(4, 6, 2), four=plain(6, 6), side=nn.Sequential(nn.Conv2d(4, 6, 1, stride=2, bias=False), nn.BatchNorm2d(6)), out=nn.Linear(6, LABELS)), MEL_TIME)

    def excite(m, x):
        y = m.stem(x)
        g = torch.sigmoid(m.up(F.relu(m.down(y.mean((2, 3))))))
        y = y * g[:, :, None, None]
        return m.out(y.amax((2, 3)))

    model("excite", Call(excite, stem=conv(1, 8), down=nn.Linear(8, 2), up=nn.Linear(2, 8), out=nn.Linear(8, LABELS)), MEL_TIME)

    def inception(m, x):
        y = torch.cat([F.relu(m.a(x)), m.b(x), m.d(m.c(x))], 1)
        return m.out(y.mean(2))

    model("inception", Call(inception, a=nn.Conv1d(BINS, 4, 3, padding=1), b=nn.Conv1d(BINS, 3, 1), c=nn.Conv1d(BINS, 3, 1), d=nn.Conv1d(3, 5, 5, padding=2), out=nn.Linear(12, LABELS)), CHANNELS)

    def attention(m, x):
        h, _ = m.rnn(x)
        w = torch.softmax(m.v(torch.tanh(m.w(h))), 1)
        return m.out((w * h).sum(1))

    model("attention", Call(attention, rnn=nn.GRU(BINS, 5, batch_first=True), w=nn.Linear(5, 3), v=nn.Linear(3, 1), out=nn.Linear(5, LABELS)), FRAMES)

    def attention_bmm(m, x):
        h = torch.relu(m.conv(x)).transpose(1, 2)
        w = torch.softmax(m.v(h).squeeze(-1) / 2, -1)
        return m.out(torch.bmm(w.unsqueeze(1), h).squeeze(1))

    model("attention_bmm", Call(attention_bmm, conv=nn.Conv1d(BINS, 5, 3), v=nn.Linear(5, 1), out=nn.Linear(5, LABELS)), CHANNELS)

    def heads(m, x):
        h = torch.relu(m.conv(x))  # (B,C,T)
        w = torch.softmax(m.v(h), -1)  # (B,H,T)
        return m.out(torch.matmul(w, h.transpose(1, 2)).flatten(1))

    model("heads", Call(heads, conv=nn.Conv1d(BINS, 5, 3), v=nn.Conv1d(5, 3, 1), out=nn.Linear(15, LABELS)), CHANNELS)

    def masked(m, x, lengths):
        h = torch.relu(m.conv(x.transpose(1, 2))).transpose(1, 2)
        mask = (torch.arange(h.shape[1])[None] < lengths[:, None]).to(h.dtype)[..., None]
        return m.out((h * mask).sum(1) / mask.sum(1).clamp(min=1))

    model("masked", Call(masked, conv=nn.Conv1d(BINS, 5, 3, padding=1), out=nn.Linear(5, LABELS)), FRAMES, lengths=True)

    def packed(m, x, lengths):
        y = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return m.out(m.rnn(y)[1][0][-1])

    model("frame_softmax", Call(lambda m, x: torch.softmax(m.a(x), -1).mean(1), a=nn.Linear(BINS, LABELS)), FRAMES, logits=False)
    model("squeezed", Call(lambda m, x: m.out(torch.relu(m.conv(x.unsqueeze(1))).mean(2).transpose(1, 2).mean(1)), conv=nn.Conv2d(1, 5, 3), out=nn.Linear(5, LABELS)), CHANNELS)
    model("half", nn.Sequential(nn.Conv1d(BINS, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS)).half(), CHANNELS)
    model("double", Call(lambda m, x: m.out(torch.relu(m.a(x)).mean(1)), a=nn.Linear(BINS, 8), out=nn.Linear(8, LABELS)).double(), FRAMES)

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.norm = nn.LayerNorm(width)
            self.a = nn.Linear(width, 2 * width)
            self.b = nn.Linear(2 * width, width)
            self.drop = nn.Dropout(0.1)

        def forward(self, x):
            return x + self.drop(self.b(F.gelu(self.a(self.norm(x)))))

    model("mlp_blocks", Call(lambda m, x: m.out(m.two(m.one(m.a(x))).mean(1)), a=nn.Linear(BINS, 6), one=Block(6), two=Block(6), out=nn.Linear(6, LABELS)), FRAMES)
    model("mlp_flat", nn.Sequential(nn.Flatten(), nn.Linear(BINS * LENGTHS[0], 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, LABELS)), FRAMES, variable=False)
    model("bn_first", Call(lambda m, x: m.out(torch.relu(m.conv(m.norm(x))).mean((2, 3))), norm=nn.BatchNorm2d(1), conv=nn.Conv2d(1, 5, (2, 5), padding=(0, 2)), out=nn.Linear(5, LABELS)), MEL_TIME)
    model("bn_bins", nn.Sequential(nn.BatchNorm1d(BINS), nn.Conv1d(BINS, 8, 3, padding="same"), nn.PReLU(), nn.AvgPool1d(3, 2, 1, count_include_pad=False), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS)), CHANNELS)
    model("standardised", Call(lambda m, x: m.out(m.rnn((x - m.mean) / m.std)[1][0]), mean=nn.Parameter(torch.zeros(BINS)), std=nn.Parameter(torch.zeros(BINS)), rnn=nn.GRU(BINS, 5, batch_first=True), out=nn.Linear(5, LABELS)), FRAMES)
    model("scaled", Call(lambda m, x: m.out(torch.relu(m.conv((x + 40) / 20)).mean((2, 3))), conv=nn.Conv2d(1, 5, 3, padding=1), out=nn.Linear(5, LABELS)), TIME_MEL)

    def distributed(m, x):
        b, t, f = x.shape
        y = torch.relu(m.a(x.reshape(b * t, f))).reshape(b, t, -1)
        return m.out(m.rnn(y)[0].mean(1))

    model("distributed", Call(distributed, a=nn.Linear(BINS, 7), rnn=nn.LSTM(7, 5, batch_first=True), out=nn.Linear(5, LABELS)), FRAMES)

    def ends(m, x):
        y, _ = m.rnn(x)
        return m.out(torch.cat((y[:, -1, :5], y[:, 0, 5:]), -1))

    model("bigru_ends", Call(ends, rnn=nn.GRU(BINS, 5, batch_first=True, bidirectional=True), out=nn.Linear(10, LABELS)), FRAMES)

    def excite_conv(m, x):
        y = m.stem(x)
        return m.out((y * m.gate(y)).mean((2, 3)))

    model("excite_conv", Call(excite_conv, stem=conv(1, 8), gate=nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 1), nn.Sigmoid()), out=nn.Linear(8, LABELS)), MEL_TIME)
    model("bins_mean", Call(lambda m, x: m.out(m.rnn(torch.relu(m.conv(x)).mean(3).transpose(1, 2))[1][0]), conv=nn.Conv2d(1, 5, 3), rnn=nn.GRU(5, 4, batch_first=True), out=nn.Linear(4, LABELS)), TIME_MEL)
    model("pools", nn.Sequential(nn.Conv2d(1, 4, 3), nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(3, 2, 1), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(4, LABELS)), MEL_TIME)
    model("norm_plain", Call(lambda m, x: m.out(m.norm(m.a(x)).mean(1)), a=nn.Linear(BINS, 8), norm=nn.LayerNorm(8, elementwise_affine=False), out=nn.Linear(8, LABELS)), FRAMES, opset=14)
    model("seven", nn.Sequential(nn.Conv1d(BINS, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS), nn.Softmax(1)), CHANNELS, opset=9, logits=False)
    model("glu2d", Call(lambda m, x: m.out(m.net(x).mean((2, 3))), net=nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.GLU(1), nn.Conv2d(4, 6, 3), nn.BatchNorm2d(6), nn.GLU(1)), out=nn.Linear(3, LABELS)), MEL_TIME)
    model("glu", Call(lambda m, x: m.out(F.glu(m.two(F.glu(m.one(x), 1).transpose(1, 2))).mean(1)), one=nn.Conv1d(BINS, 10, 5, padding=2), two=nn.Linear(5, 8), out=nn.Linear(4, LABELS)), CHANNELS)

    def product(m, x):
        a, b = m.rnn(x)[0].chunk(2, -1)
        a, b = m.two(a * b).chunk(2, -1)
        return m.out((b * a).mean(1))

    model("product", Call(product, rnn=nn.LSTM(BINS, 5, batch_first=True, bidirectional=True), two=nn.Linear(5, 6), out=nn.Linear(3, LABELS)), FRAMES)

    def halves(m, x):
        """Both halves, but not as one gate: the second goes through silu, and they change places."""
        a, b = m.one(x).chunk(2, -1)
        return m.out(torch.cat((F.silu(b), a), -1).mean(1))

    model("halves", Call(halves, one=nn.Linear(BINS, 8), out=nn.Linear(8, LABELS)), FRAMES)
    model("causal", nn.Sequential(nn.ConstantPad1d((4, 0), 0.0), nn.Conv1d(BINS, 8, 3, dilation=2), nn.ReLU(), nn.ConstantPad1d((0, 1), 0.0), nn.Conv1d(8, 5, 2), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(5, LABELS)), CHANNELS)
    model("padded", nn.Sequential(nn.ZeroPad2d((1, 1, 2, 2)), nn.Conv2d(1, 4, (3, 5), stride=(1, 2), padding=(0, 1)), nn.ReLU(), nn.ZeroPad2d(1), nn.MaxPool2d(3, 2), nn.Conv2d(4, 5, 2), nn.ZeroPad2d(1), nn.AvgPool2d(3, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(5, LABELS)), MEL_TIME)
    model("padded_uneven", nn.Sequential(nn.ZeroPad2d((3, 1, 0, 2)), nn.Conv2d(1, 4, (3, 5), stride=(1, 2)), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, LABELS)), MEL_TIME)
    model("mirrored", nn.Sequential(nn.ReflectionPad1d(1), nn.Conv1d(BINS, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS)), CHANNELS)
    model("external", nn.Sequential(nn.Conv1d(BINS, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, LABELS)), CHANNELS)
    return all


def write_torch(folder, names):
    import torch

    for name, m in torch_models().items():
        for dynamo in (False, True):
            full = name + ("_dynamo" if dynamo else "")
            if names and full not in names:
                continue
            torch.manual_seed(sum(name.encode()))
            net = m["net"]
            for p in net.parameters():
                p.data = torch.randn(p.shape).to(p.dtype) * 0.4
            for b in net.buffers():
                if b.is_floating_point():
                    b.copy_(torch.rand(b.shape) + 0.5)
            net.eval()
            dtype = next(net.parameters()).dtype
            x = m["to_input"](numpy.random.randn(3, LENGTHS[0], BINS).astype("float32"))
            x = (torch.tensor(x.copy()).to(dtype),)
            time = m["time"] if m["time"] is not None else list(x[0].shape).index(LENGTHS[0])
            batch = 1 if m["time"] == 0 else 0
            if m["lengths"]:
                x += (torch.full((3,), LENGTHS[0]),)
            path = os.path.join(folder, full + ".onnx")
            try:
                if dynamo:
                    shape = {batch: torch.export.Dim("batch")}
                    if m["variable"]:
                        shape[time] = torch.export.Dim("frames", min=4)
                    shapes = [shape] + ([{0: shape[batch]}] if m["lengths"] else [])
                    torch.onnx.export(net, x, path, dynamo=True, dynamic_shapes=(tuple(shapes),) if type(net).__name__ == "Call" else tuple(shapes), opset_version=max(m["opset"], 18), external_data=name == "external", verbose=False)
                else:
                    axes = {"x": {batch: "batch"}}
                    if m["variable"]:
                        axes["x"][time] = "frames"
                    if m["lengths"]:
                        axes["lengths"] = {0: "batch"}
                    torch.onnx.export(net, x, path, dynamo=False, input_names=["x", "lengths"][: len(x)], output_names=["y"], dynamic_axes=axes, opset_version=m["opset"])
                run = runner(path)
                if dtype == torch.float16:
                    wide = copy.deepcopy(net).float()
                    run = lambda x: wide(torch.tensor(x)).detach().numpy()
                save(folder, full, run, m["to_input"], LENGTHS if m["variable"] else LENGTHS[:1], m["logits"])
                print("wrote", full, flush=True)
            except Exception as e:  # one that the exporter cannot
                print("FAILED", full, str(e).splitlines()[0][:300] if str(e) else repr(e), flush=True)
                for end in (".onnx", ".f32"):
                    if os.path.exists(os.path.join(folder, full + end)):
                        os.remove(os.path.join(folder, full + end))


# ---- Keras, by tf2onnx ----


def write_keras(folder, names):
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf
    import tf2onnx
    from tensorflow import keras
    from tensorflow.keras import layers as L

    T = LENGTHS[0]
    S = keras.Sequential
    In = L.InputLayer
    models = {}

    def model(name, build, to_input, variable=True, logits=False):
        models[name] = (build, to_input, variable, logits)

    def k_glu():
        x = L.Input((BINS, None, 1))
        a, b = tf.split(L.Conv2D(8, 3, padding="same")(x), 2, axis=-1)
        return keras.Model(x, L.Dense(LABELS, activation="softmax")(L.GlobalAveragePooling2D()(a * tf.sigmoid(b))))

    picture = lambda x: x.transpose(0, 2, 1)[..., None]  # (B,F,T,1)
    frames = lambda x: x
    model("k_cnn2d", lambda: S([In((BINS, T, 1)), L.Conv2D(4, 3, padding="same", activation="relu"), L.BatchNormalization(), L.MaxPooling2D(2), L.Conv2D(5, (2, 3), strides=(1, 2), padding="same"), L.LeakyReLU(0.2), L.Flatten(), L.Dense(8, activation="relu"), L.Dropout(0.3), L.Dense(LABELS, activation="softmax")]), picture, variable=False)
    model("k_cnn2d_any", lambda: S([In((BINS, None, 1)), L.Conv2D(4, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.AveragePooling2D((2, 2)), L.Conv2D(5, 3, activation="tanh"), L.GlobalAveragePooling2D(), L.Dense(LABELS, activation="softmax")]), picture)
    model("k_conv1d", lambda: S([In((None, BINS)), L.Conv1D(8, 5, padding="same", activation="relu"), L.BatchNormalization(), L.MaxPooling1D(2), L.Conv1D(8, 3, dilation_rate=2), L.Activation("swish"), L.GlobalMaxPooling1D(), L.Dense(LABELS)]), frames, logits=True)
    model("k_conv1d_flat", lambda: S([In((T, BINS)), L.Conv1D(8, 5, strides=2, padding="same", activation="relu"), L.MaxPooling1D(2, padding="same"), L.Flatten(), L.Dense(LABELS, activation="softmax")]), frames, variable=False)
    model("k_lstm", lambda: S([In((None, BINS)), L.LSTM(5), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_lstm_all", lambda: S([In((None, BINS)), L.LSTM(5, return_sequences=True), L.LSTM(4), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_bilstm", lambda: S([In((None, BINS)), L.Bidirectional(L.LSTM(5, return_sequences=True)), L.Bidirectional(L.LSTM(4)), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_gru", lambda: S([In((None, BINS)), L.GRU(5, return_sequences=True), L.GRU(4), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_gru_before", lambda: S([In((None, BINS)), L.GRU(5, reset_after=False), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_bigru", lambda: S([In((None, BINS)), L.Bidirectional(L.GRU(5)), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_product", lambda: S([In((None, BINS)), L.Bidirectional(L.LSTM(5, return_sequences=True), merge_mode="mul"), L.Bidirectional(L.GRU(4), merge_mode="mul"), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_glu", k_glu, picture)
    model("k_causal", lambda: S([In((None, BINS)), L.Conv1D(8, 3, padding="causal", activation="relu"), L.Conv1D(8, 3, padding="causal", dilation_rate=2), L.GlobalAveragePooling1D(), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_padded", lambda: S([In((BINS, None, 1)), L.ZeroPadding2D(((1, 0), (2, 1))), L.Conv2D(4, 3, strides=(1, 2), activation="relu"), L.ZeroPadding2D(1), L.MaxPooling2D(3, strides=2), L.ZeroPadding2D((0, 1)), L.Conv2D(5, 2), L.GlobalAveragePooling2D(), L.Dense(LABELS, activation="softmax")]), picture)
    model("k_norm", lambda: S([In((None, BINS)), L.Dense(8), L.LayerNormalization(), L.Activation("gelu"), L.GlobalAveragePooling1D(), L.Dense(LABELS, activation="softmax")]), frames)
    model("k_norm_map", lambda: S([In((BINS, None, 1)), L.Conv2D(4, 3), L.LayerNormalization(), L.ReLU(), L.GlobalAveragePooling2D(), L.Dense(LABELS, activation="softmax")]), picture)
    model("k_crnn", lambda: S([In((BINS, T, 1)), L.Conv2D(4, 3, padding="same", activation="relu"), L.MaxPooling2D(2), L.Permute((2, 1, 3)), L.Reshape((T // 2, 12)), L.LSTM(6), L.Dense(LABELS, activation="softmax")]), picture, variable=False)
    model("k_mean", lambda: S([In((None, BINS)), L.Dense(LABELS, activation="softmax"), L.GlobalAveragePooling1D()]), frames)

    def residual():
        x = y = L.Input((BINS, None, 1))
        y = z = L.Conv2D(4, 3, padding="same", activation="relu")(y)
        z = L.Conv2D(4, 3, padding="same", activation="relu")(z)
        z = L.Conv2D(4, 3, padding="same")(z)
        y = L.ReLU()(L.Add()([y, z]))
        return keras.Model(x, L.Dense(LABELS, activation="softmax")(L.GlobalAveragePooling2D()(y)))

    model("k_residual", residual, picture)

    def attention():
        x = L.Input((None, BINS))
        h = L.LSTM(5, return_sequences=True)(x)
        w = L.Softmax(axis=1)(L.Dense(1, use_bias=False)(L.Dense(3, activation="tanh")(h)))
        return keras.Model(x, L.Dense(LABELS, activation="softmax")(L.Flatten()(L.Dot(axes=1)([w, h]))))

    model("k_attention", attention, frames)

    def excite():
        x = L.Input((BINS, None, 1))
        y = L.Conv2D(8, 3, padding="same", activation="relu")(x)
        g = L.Dense(8, activation="sigmoid")(L.Dense(2, activation="relu")(L.GlobalAveragePooling2D()(y)))
        y = L.Multiply()([y, L.Reshape((1, 1, 8))(g)])
        return keras.Model(x, L.Dense(LABELS, activation="softmax")(L.GlobalAveragePooling2D()(y)))

    model("k_excite", excite, picture)

    def inception():
        x = L.Input((None, BINS))
        y = L.Concatenate()([L.Conv1D(4, 3, padding="same", activation="relu")(x), L.Conv1D(3, 1)(x)])
        return keras.Model(x, L.Dense(LABELS, activation="softmax")(L.GlobalAveragePooling1D()(y)))

    model("k_inception", inception, frames)
    for name, (build, to_input, variable, logits) in models.items():
        if names and name not in names:
            continue
        keras.backend.clear_session()
        keras.utils.set_random_seed(sum(name.encode()))
        net = build()
        net.set_weights([numpy.random.rand(*w.shape) + 0.5 if "variance" in v.name else numpy.random.randn(*w.shape) * 0.4 for v, w in zip(net.weights, net.get_weights())])
        path = os.path.join(folder, name + ".onnx")
        try:
            tf2onnx.convert.from_keras(net, opset=17, output_path=path)
            save(folder, name, runner(path), to_input, LENGTHS if variable else LENGTHS[:1], logits)
            print("wrote", name, flush=True)
        except Exception as e:
            print("FAILED", name, repr(e)[:300], flush=True)


# ---- what is committed ----

GOLDEN = (
    "cnn2d cnn2d_time_dynamo cnn2d_flat cnn1d gelu gelu20_dynamo norm13 bilstm_last bilstm_two_dynamo gru_dynamo gru_first "
    "lstm_minus crnn crnn_reshape_dynamo resnet excite inception attention_dynamo heads masked half mlp_blocks_dynamo "
    "glu2d glu_dynamo product halves causal padded padded_uneven_dynamo k_product k_causal k_padded k_cnn2d k_bilstm k_gru k_norm k_attention k_excite"
).split()


def golden(source, folder):
    import onnx

    for name in GOLDEN:
        if not os.path.exists(os.path.join(source, name + ".onnx")):
            continue
        model = onnx.load(os.path.join(source, name + ".onnx"))
        model.doc_string = model.graph.doc_string = ""
        del model.metadata_props[:], model.graph.value_info[:], model.graph.metadata_props[:]
        for node in model.graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        for value in list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
            value.doc_string = ""
        for function in list(model.functions):
            model.functions.remove(function)
        onnx.save(model, os.path.join(folder, name + ".onnx"))
        with open(os.path.join(source, name + ".f32"), "rb") as f, open(os.path.join(folder, name + ".f32"), "wb") as g:
            g.write(f.read())


def refused(folder):
    """Models that there are no layers for, for the messages."""
    import onnx
    from onnx import TensorProto as T
    from onnx import helper as h

    os.makedirs(folder, exist_ok=True)
    last = numpy.zeros((6, 4), "float32")
    tail = [
        h.make_node("GlobalAveragePool", ["a"], ["b"], "pool"),
        h.make_node("Flatten", ["b"], ["c"], "flat"),
        h.make_node("MatMul", ["c", "out.weight"], ["y"], "out"),
    ]
    kernel = onnx.numpy_helper.from_array(numpy.zeros((6, 3, 3), "float32"), "conv.weight")
    pads = onnx.numpy_helper.from_array(numpy.array([0, 0, 1, 0, 0, 1]), "pads")
    more = {"groups": [kernel], "mirrored": [pads]}
    for name, first in (
        ("elu", h.make_node("Elu", ["x"], ["a"], "head/act")),
        ("groups", h.make_node("Conv", ["x", "conv.weight"], ["a"], "conv", group=2)),
        ("mirrored", h.make_node("Pad", ["x", "pads"], ["a"], "around", mode="reflect")),
    ):
        graph = h.make_graph(
            [first] + tail,
            "g",
            [h.make_tensor_value_info("x", T.FLOAT, ["batch", 6, "frames"])],
            [h.make_tensor_value_info("y", T.FLOAT, ["batch", 4])],
            [onnx.numpy_helper.from_array(last, "out.weight")] + more.get(name, []),
        )
        onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 17)]), os.path.join(folder, name + ".onnx"))


# ---- the comparison ----

REFUSED = {"k_gru_before": "(Loop)",  # tf2onnx has no GRU without reset_after
           "mirrored": "attribute mode is reflect", "mirrored_dynamo": "attribute mode is reflect"}



def check(build, folder):
    worst, failed, n = 0, 0, 0
    command = os.path.join(build, "src", "cli", "audiomood")
    outputs = os.path.join(build, "tests", "exchange", "onnx_differences")
    config = os.path.join(os.path.dirname(__file__), "..", "tests", "exchange", "golden", "features.yaml")
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".onnx"):
            continue
        name, n = file[:-5], n + 1
        path = os.path.join(folder, file)
        head = numpy.fromfile(path[:-5] + ".f32", "<f4", 4).astype(int)
        sets = ["--set", "features.mels=%d" % head[2], "--set", "data.labels=[%s]" % ",".join("l%d" % i for i in range(head[3]))]
        records = numpy.fromfile(path[:-5] + ".f32", "<f4").size > 4 + head[0] * (head[1] * head[2] + head[3])
        sets += ["--set", "features.max_frames=64", "--set", "features.samples=0"] if records else ["--set", "features.samples=%d" % (32 * (head[1] - 1))]
        with tempfile.TemporaryDirectory() as t:
            got = subprocess.run([command, "import", path, "--from", "onnx", "--config", config, "-o", t + "/m.h5"] + sets, capture_output=True, text=True)
            if got.returncode == 0:
                got = subprocess.run([outputs, t + "/m.h5", path[:-5] + ".f32"], capture_output=True, text=True)
        if got.returncode and REFUSED.get(name, "?") in got.stderr:
            print("%-24s refused, as it should be" % name)
            continue
        if got.returncode:
            failed += 1
            print("%-24s FAILED %s" % (name, got.stderr.strip()), flush=True)
            continue
        difference = float(got.stdout)
        worst = max(worst, difference)
        failed += not difference < 1e-5
        print("%-24s %.2g%s" % (name, difference, "" if difference < 1e-5 else "  TOO MUCH"), flush=True)
    print("%d models, %d failed, largest difference %.2g" % (n, failed, worst))
    return failed > 0


def main():
    what, folder = sys.argv[1], sys.argv[2]
    if what == "check":
        sys.exit(check(sys.argv[3], folder))
    if what == "golden":
        os.makedirs(sys.argv[3], exist_ok=True)
        golden(folder, sys.argv[3])
        return refused(os.path.join(sys.argv[3], "refused"))
    os.makedirs(folder, exist_ok=True)
    {"torch": write_torch, "keras": write_keras}[what](folder, sys.argv[3:])


main()
