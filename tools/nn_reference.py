# SPDX-License-Identifier: MIT
"""The layers of libaudiomood in PyTorch float64, for tools/golden-nn.py and tools/loss-curve.py.

A batch is a list of clips, each a tensor (C), (T,C) or (T,F,C) of its own length, so padding never
enters: what the masked batches of the C library must equal.  Weights come in the library's canonical
layout and order."""
import json
import math

import numpy as np
import torch
import torch.nn.functional as F


def splitmix64(x):
    x = (x + np.uint64(0x9E3779B97F4A7C15)) & np.uint64(0xFFFFFFFFFFFFFFFF)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def numbers(seed, stream, n):
    """Uniform on [-1, 1) in steps of 2^-23: exact in float32.  tests/nn/harness.h has the same."""
    with np.errstate(over="ignore"):
        key = splitmix64(np.array([seed * 256 + stream], np.uint64))[0]
        words = splitmix64(key + np.arange(n, dtype=np.uint64))
    return ((words >> np.uint64(40)).astype(np.float64) - 8388608.0) / 8388608.0


class Rng:
    """Philox4x32-10 streams of src/base/rng.h, for dropout's masks."""
    DROPOUT = 3

    @staticmethod
    def mask(seed, layer_id, epoch, draw, n, rate):
        mix = lambda v: splitmix64(np.array([v & 0xFFFFFFFFFFFFFFFF], np.uint64))[0]
        with np.errstate(over="ignore"):
            key = mix(int(mix(seed)) + Rng.DROPOUT)
            fixed = mix(int(mix(int(mix(layer_id)) + epoch)) + draw)
            words = Rng.philox(int(key), int(fixed), (n + 3) // 4)[:n]
        return words >= np.uint32(int(rate * 4294967296.0))

    @staticmethod
    def philox(key, fixed, blocks):
        low = np.uint64(0xFFFFFFFF)
        count = np.arange(blocks, dtype=np.uint64)
        c = [count & low, count >> np.uint64(32), np.full(blocks, fixed & 0xFFFFFFFF, np.uint64),
             np.full(blocks, fixed >> 32, np.uint64)]
        k0, k1 = key & 0xFFFFFFFF, key >> 32
        for _ in range(10):
            p0, p1 = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
            c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & low,
                 (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & low]
            k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
        return np.stack(c, 1).reshape(-1).astype(np.uint32)


# Options

def pair(value, rank):
    """[time, frequency] from one number or a list; a sequence has no frequency."""
    value = list(value) if isinstance(value, (list, tuple)) else [value]
    return (value * 2)[:2] if rank == 3 else [value[0], None]


def window(o, rank):
    """size, stride, dilation, padding of a convolution or a pool, per dimension."""
    size = pair(o.get("kernel", o.get("size", 3 if "filters" in o else 2)), rank)
    stride = pair(o["stride"], rank) if "stride" in o else (size if "filters" not in o else pair(1, rank))
    dilation, pad = pair(o.get("dilation", 1), rank), pair(o.get("pad", 0), rank)
    if rank == 2:
        size, stride, dilation, pad = [size[0], 1], [stride[0], 1], [dilation[0], 1], [pad[0], 0]
    return size, stride, dilation, pad, o.get("padding", "valid")


def around(n, size, stride, dilation, padding, pad):
    """Zeros before and after n elements."""
    if padding == "valid":
        return 0, 0
    if padding == "explicit":
        return pad, pad
    if padding == "causal":
        return (size - 1) * dilation, 0
    total = max((math.ceil(n / stride) - 1) * stride + (size - 1) * dilation + 1 - n, 0)
    return total // 2, total - total // 2


def as_map(x):
    """(T,C) or (T,F,C) -> (1,C,T,F)."""
    return (x if x.dim() == 3 else x[:, None]).permute(2, 0, 1)[None]


def from_map(y, rank):
    y = y[0].permute(1, 2, 0)
    return y if rank == 3 else y[:, 0]


def padded(x, o, value, rank):
    size, stride, dilation, pad, padding = window(o, rank)
    t = around(x.shape[2], size[0], stride[0], dilation[0], padding, pad[0])
    f = around(x.shape[3], size[1], stride[1], dilation[1], padding, pad[1])
    x = F.pad(x, (f[0], f[1], t[0], t[1]), value=value)
    reach = [(size[d] - 1) * dilation[d] + 1 for d in (0, 1)]
    out = [max((x.shape[2 + d] - reach[d]) // stride[d] + 1, 0) for d in (0, 1)]
    return x, size, stride, dilation, out


def empty(x, out, channels, rank):
    return x.new_zeros((0, out[1], channels) if rank == 3 else (0, channels))


# Layers: f(clips of the first input, ..., weights, options) -> clips

def conv(clips, w, o):
    ys = []
    for clip in clips:
        rank, kernel = clip.dim(), w[0]
        if rank == 2:
            kernel = kernel[:, None]
        x, size, stride, dilation, out = padded(as_map(clip), o, 0.0, rank)
        if clip.shape[0] == 0 or out[0] == 0:
            ys.append(empty(clip, out, kernel.shape[-1], rank))
            continue
        bias = w[1] if len(w) > 1 else None
        ys.append(from_map(F.conv2d(x, kernel.permute(3, 2, 0, 1), bias, stride, 0, dilation), rank))
    return ys


def pool(clips, o, kind):
    ys = []
    for clip in clips:
        rank = clip.dim()
        x, size, stride, _, out = padded(as_map(clip), o, -math.inf if kind == "max" else 0.0, rank)
        if clip.shape[0] == 0 or out[0] == 0:
            ys.append(empty(clip, out, clip.shape[-1], rank))
            continue
        if kind == "max":
            y = F.max_pool2d(x, size, stride)
        else:
            ones = padded(torch.ones_like(as_map(clip)), o, 0.0, rank)[0]
            count = 1.0 if o.get("count_include_pad", False) else F.avg_pool2d(ones, size, stride)
            y = F.avg_pool2d(x, size, stride) / count
        ys.append(from_map(y, rank))
    return ys


def global_pool(clips, o, kind):
    ys = []
    for x in clips:
        if o.get("over", "all") == "time":
            x = x.reshape(x.shape[0], math.prod(x.shape[1:]))
        else:
            x = x.reshape(-1, x.shape[-1])
        if x.shape[0] == 0:
            ys.append(x.new_zeros(x.shape[1]) + x.sum())
        else:
            ys.append(x.mean(0) if kind == "average" else x.max(0)[0])
    return ys


def dense(clips, w):
    return [x @ w[0] + (w[1] if len(w) > 1 else 0) for x in clips]


def batch_norm(clips, w, statistics, o, training):
    rows = torch.cat([x.reshape(-1, x.shape[-1]) for x in clips])
    keep, unbiased = o.get("momentum", 0.99), o.get("unbiased", False)
    mean, variance = statistics[0].clone(), statistics[1].clone()
    corrected = o.get("statistics", "corrected") == "corrected"
    if corrected:
        return batch_norm_corrected(clips, rows, w, statistics, keep, unbiased, o.get("epsilon", 1e-3), training)
    y = F.batch_norm(rows, mean, variance, w[0], w[1], training, 1 - keep, o.get("epsilon", 1e-3))
    if training:
        if not unbiased:
            variance = keep * statistics[1] + (1 - keep) * rows.detach().var(0, unbiased=False)
        statistics[0], statistics[1] = mean.detach(), variance.detach()
    parts = y.split([x.numel() // x.shape[-1] for x in clips])
    return [p.reshape(x.shape) for p, x in zip(parts, clips)]


def debiased(value, count, batch, keep):
    """TensorFlow's ExponentialMovingAverage with zero_debias: an average that begins at 0, and is divided by its weights.
    `value` is what it gave after `count` batches."""
    if keep == 1:
        return (value * count + batch) / (count + 1)
    biased = value * (1 - keep ** count)
    return (keep * biased + (1 - keep) * batch) / (1 - keep ** (count + 1))


def batch_norm_corrected(clips, rows, w, statistics, keep, unbiased, epsilon, training):
    mean, variance, count = statistics
    y = F.batch_norm(rows, mean.clone(), variance.clone(), w[0], w[1], training, 0, epsilon)
    if training:
        n = float(count[0])
        statistics[0] = debiased(mean, n, rows.detach().mean(0), keep)
        statistics[1] = debiased(variance, n, rows.detach().var(0, unbiased=unbiased), keep)
        statistics[2] = count + 1  # the same for all channels
    parts = y.split([x.numel() // x.shape[-1] for x in clips])
    return [p.reshape(x.shape) for p, x in zip(parts, clips)]


def recurrent(clips, w, o, kind):
    units, layers, both = o["units"], o.get("layers", 1), o.get("bidirectional", False)
    after = o.get("reset_after", True)
    if kind == "gru" and not after:
        return gru_inside(clips, w, o)
    directions, parameters = 2 if both else 1, []
    # PyTorch's GRU has its gates as r, z, n
    swap = lambda m: m if kind == "lstm" else torch.cat([m.split(units, -1)[i] for i in (1, 0, 2)], -1)
    for i in range(layers * directions):
        kernel, recurrent_kernel, bias = w[3 * i:3 * i + 3]
        biases = bias if kind == "gru" else (bias, torch.zeros_like(bias))
        parameters += [swap(kernel).T, swap(recurrent_kernel).T, swap(biases[0]), swap(biases[1])]
    ys = []
    for x in clips:
        if x.shape[0] == 0:
            ys.append(x.new_zeros(units * directions))
            ys[-1] = ys[-1] if o.get("return", "sequence") == "last" else ys[-1][None][:0]
            continue
        zero = x.new_zeros(layers * directions, 1, units)
        run, start = (torch.lstm, (zero, zero)) if kind == "lstm" else (torch.gru, zero)  # what torch.nn.LSTM calls
        y, state = run(x[:, None], start, parameters, True, layers, 0.0, False, both, False)[:2]
        if o.get("return", "sequence") == "last":
            ys.append(torch.cat([state[-2, 0], state[-1, 0]]) if both else state[-1, 0])
        else:
            ys.append(y[:, 0])
    return ys


def gru_inside(clips, w, o):
    """Reset gate before the recurrent product: PyTorch has none, so frame by frame."""
    units, both = o["units"], o.get("bidirectional", False)

    def run(x, kernel, recurrent_kernel, bias):
        h, out = x.new_zeros(units), []
        for frame in x:
            z, r, n = (frame @ kernel + bias).split(units)
            z = torch.sigmoid(z + h @ recurrent_kernel[:, :units])
            r = torch.sigmoid(r + h @ recurrent_kernel[:, units:2 * units])
            n = torch.tanh(n + (r * h) @ recurrent_kernel[:, 2 * units:])
            h = z * h + (1 - z) * n
            out.append(h)
        return torch.stack(out)

    ys = []
    for x in clips:
        parts, last = [], []
        for d in range(2 if both else 1):
            y = run(x.flip(0) if d else x, *w[3 * d:3 * d + 3])
            last.append(y[-1])
            parts.append(y.flip(0) if d else y)
        ys.append(torch.cat(last) if o.get("return", "sequence") == "last" else torch.cat(parts, 1))
    return ys


def attention_pool(clips, w, o):
    deviations, epsilon = o.get("statistics", "mean") == "mean_std", o.get("epsilon", 1e-5)
    ys = []
    for x in clips:
        heads, parts = w[-1].shape[1], []
        score = (torch.tanh(x @ w[0] + w[1]) if len(w) == 3 else x) @ w[-1]
        a = torch.softmax(score, 0)
        for h in range(heads):
            mean = (a[:, h:h + 1] * x).sum(0)
            parts.append(mean)
            if deviations:
                variance = (a[:, h:h + 1] * (x - mean) ** 2).sum(0)
                root = torch.sqrt(variance + epsilon)
                parts.append(root if x.shape[0] else root.new_zeros(root.shape))
        ys.append(torch.cat(parts))
    return ys


ACTIVATIONS = {
    "relu": lambda x, o: torch.relu(x),
    "leaky_relu": lambda x, o: F.leaky_relu(x, o.get("alpha", 0.01)),
    "gelu": lambda x, o: F.gelu(x),
    "silu": lambda x, o: F.silu(x),
    "tanh": lambda x, o: torch.tanh(x),
    "sigmoid": lambda x, o: torch.sigmoid(x),
    "softmax": lambda x, o: torch.softmax(x, -1),
}


class Draw:
    """What dropout needs: the key of the batch."""

    def __init__(self, seed=0, epoch=0, draws=None):
        self.seed, self.epoch, self.draws = seed, epoch, draws


def layer(kind, inputs, w, o, statistics=None, training=True, draw=None, layer_id=0, longest=None):
    """One layer over a batch. inputs: list of lists of clips."""
    x = inputs[0]
    if kind in ("conv1d", "conv2d"):
        return conv(x, w, o)
    if kind in ("max_pool1d", "max_pool2d"):
        return pool(x, o, "max")
    if kind in ("average_pool1d", "average_pool2d"):
        return pool(x, o, "average")
    if kind in ("global_average_pool", "global_max_pool"):
        return global_pool(x, o, kind.split("_")[1])
    if kind == "dense":
        return dense(x, w)
    if kind == "batch_norm":
        return batch_norm(x, w, statistics, o, training)
    if kind == "layer_norm":
        return [F.layer_norm(c, (c.shape[-1],), w[0], w[1], o.get("epsilon", 1e-5)) for c in x]
    if kind in ("lstm", "gru"):
        return recurrent(x, w, o, kind)
    if kind == "attention_pool":
        return attention_pool(x, w, o)
    if kind == "log_probabilities":
        return [torch.log(torch.clamp(c, min=1.1754944e-38)) for c in x]
    if kind in ACTIVATIONS:
        return [ACTIVATIONS[kind](c, o) for c in x]
    if kind == "flatten":
        return [c.reshape(-1) for c in x]
    if kind == "to_sequence":
        return [c.reshape(c.shape[0], math.prod(c.shape[1:])) for c in x]
    if kind == "bins":
        first, count = o.get("first", 0), o.get("count", 0)
        return [c[:, first:first + count if count else None] for c in x]
    if kind == "glu":
        if o.get("gate", "sigmoid") == "sigmoid":
            return [F.glu(c, -1) for c in x]
        return [torch.mul(*c.chunk(2, -1)) for c in x]
    if kind == "add":
        return [sum(parts[1:], parts[0]) for parts in zip(*inputs)]
    if kind == "concat":
        return [torch.cat(parts, -1) for parts in zip(*inputs)]
    if kind == "scale":
        return [c * s for c, s in zip(x, inputs[1])]
    if kind == "dropout":
        rate, ys = o.get("rate", 0.5), []
        if not training:
            return x
        for c, d in zip(x, draw.draws):
            keep = Rng.mask(draw.seed, layer_id, draw.epoch, d, c.numel(), rate)
            ys.append(c * torch.from_numpy(keep.reshape(c.shape)).to(c.dtype) / (1 - rate))
        return ys
    raise ValueError(kind)


def layer_id(name):
    """am_hash64 of the name, folded: what keys a layer's random numbers (src/nn/block.c)."""
    low, h = 0xFFFFFFFFFFFFFFFF, 0xCBF29CE484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001B3 & low
    h = (h ^ h >> 30) * 0xBF58476D1CE4E5B9 & low
    h = (h ^ h >> 27) * 0x94D049BB133111EB & low
    h ^= h >> 31
    return (h ^ h >> 32) & 0xFFFFFFFF


def weight_shapes(kind, o, shape):
    """([(name, dims)], [(name, dims)]): weights and statistics in the library's order, for a clip of `shape`."""
    c = shape[-1]
    if kind in ("conv1d", "conv2d"):
        rank = 2 if kind == "conv1d" else 3
        size = pair(o.get("kernel", 3), rank)
        dims = ([size[0]] if rank == 2 else size) + [c, o["filters"]]
        return [("kernel", dims)] + ([("bias", [o["filters"]])] if o.get("bias", True) else []), []
    if kind == "dense":
        return [("kernel", [c, o["units"]])] + ([("bias", [o["units"]])] if o.get("bias", True) else []), []
    if kind == "batch_norm":
        count = [("updates", [c])] if o.get("statistics", "corrected") == "corrected" else []
        return [("gamma", [c]), ("beta", [c])], [("mean", [c]), ("variance", [c])] + count
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


class Net:
    """A config's list of layers as steps over numbered tensors, with the names that src/nn/block.c gives.

    weights and statistics are lists of [name, dims, tensor], the tensors still to be set."""

    def __init__(self, layers, input_shape, classes):
        self.classes, self.steps, self.weights, self.statistics = classes, [], [], []
        self.shapes = [tuple(input_shape)]
        self.expand(layers, "", 0)

    def add(self, kind, name, o, inputs):
        if kind == "dense" and "units" not in o:
            o = dict(o, units=self.classes)
        weights, statistics = weight_shapes(kind, o, self.shapes[inputs[0]])
        zeros = [torch.zeros(d, dtype=torch.float64) for _, d in weights]
        moments = [torch.ones(d, dtype=torch.float64) for _, d in statistics]
        clips = [[torch.zeros(self.shapes[i], dtype=torch.float64)] for i in inputs]
        y = layer(kind, clips, zeros, o, moments, training=False)[0]
        first, first_statistic = len(self.weights), len(self.statistics)
        self.weights += [[name + "/" + n, d, None] for n, d in weights]
        self.statistics += [[name + "/" + n, d, None] for n, d in statistics]
        self.steps.append((kind, name, o, inputs, range(first, len(self.weights)),
                           range(first_statistic, len(self.statistics))))
        self.shapes.append(tuple(y.shape))
        return len(self.steps)

    def expand(self, layers, prefix, at):
        count = {}
        for item in layers:
            kind, o = (item, {}) if isinstance(item, str) else next(iter(item.items()))
            count[kind] = count.get(kind, 0) + 1
            name, o = f"{prefix}{kind}_{count[kind]}", dict(o)
            activation = o.pop("activation", "relu" if kind == "residual" else None)
            if kind == "residual":
                at = self.residual(name, o, at)
            elif kind == "squeeze_excite":
                at = self.squeeze_excite(name, o, at)
            elif kind == "parallel":
                ends = [self.expand(b, f"{name}/branch_{i + 1}/", at) for i, b in enumerate(o["branches"])]
                at = self.add("concat", name + "/concat", {}, ends)
            else:
                at = self.add(kind, name, o, [at])
            if activation:
                at = self.add(activation, name + "/" + activation, {}, [at])
        return at

    def residual(self, name, o, at):
        body, shortcut = self.expand(o["layers"], name + "/", at), at
        x, y = self.shapes[at], self.shapes[body]
        if x != y:
            if len(x) == 1:
                shortcut = self.add("dense", name + "/projection", {"units": y[0]}, [at])
            else:
                stride = [next(s for s in range(1, 99) if -(-x[d] // s) == y[d]) for d in range(len(x) - 1)]
                kind = "conv2d" if len(x) == 3 else "conv1d"
                shortcut = self.add(kind, name + "/projection", {"filters": y[-1], "kernel": 1, "stride": stride}, [at])
        return self.add("add", name + "/add", {}, [body, shortcut])

    def squeeze_excite(self, name, o, at):
        c = self.shapes[at][-1]
        gate = self.add("global_average_pool", name + "/squeeze", {}, [at])
        gate = self.add("dense", name + "/reduce", {"units": max(c // o.get("reduction", 8), 1)}, [gate])
        gate = self.add("relu", name + "/reduce/relu", {}, [gate])
        gate = self.add("dense", name + "/expand", {"units": c}, [gate])
        gate = self.add("sigmoid", name + "/expand/sigmoid", {}, [gate])
        return self.add("scale", name + "/scale", {}, [at, gate])

    def forward(self, clips, training=True, draw=None):
        """Logits (B,K). Statistics move on in training."""
        values = [clips]
        for kind, name, o, inputs, w, s in self.steps:
            statistics = [self.statistics[i][2] for i in s]
            y = layer(kind, [values[i] for i in inputs], [self.weights[i][2] for i in w], o, statistics, training, draw,
                      layer_id(name))
            for i, value in zip(s, statistics):
                self.statistics[i][2] = value
            values.append(y)
        return torch.stack(values[-1])


def cross_entropy(logits, labels):
    """Sum over the batch."""
    return F.cross_entropy(logits, torch.tensor(labels), reduction="sum")


class Adam:
    """Keras's Adam: epsilon beside the uncorrected root."""

    def __init__(self, parameters, rate, epsilon=1e-7, beta1=0.9, beta2=0.999):
        self.parameters, self.rate, self.epsilon, self.beta1, self.beta2 = parameters, rate, epsilon, beta1, beta2
        self.m = [torch.zeros_like(p) for p in parameters]
        self.v = [torch.zeros_like(p) for p in parameters]
        self.t = 0

    def step(self):
        self.t += 1
        rate = self.rate * math.sqrt(1 - self.beta2 ** self.t) / (1 - self.beta1 ** self.t)
        with torch.no_grad():
            for p, m, v in zip(self.parameters, self.m, self.v):
                m.mul_(self.beta1).add_(p.grad, alpha=1 - self.beta1)
                v.mul_(self.beta2).addcmul_(p.grad, p.grad, value=1 - self.beta2)
                p -= rate * m / (v.sqrt() + self.epsilon)
                p.grad = None


# Cases and curves that the tests of src/nn repeat

def text_of(options):
    """YAML's flow syntax."""
    return json.dumps(options).replace('"', "")


def clip_shape(shape, length):
    rank, t, f, c = shape
    return {1: (c,), 2: (length, c), 3: (length, f, c)}[rank]


def net_weights(net, seed, scale_of):
    """Sets all arrays; returns the parameters and the lines that tell the tests how."""
    lines, parameters = [], []
    for i, w in enumerate(net.weights):
        scale = scale_of(w[0], w[1])
        around = 1.0 if w[0].endswith("gamma") else 0.0
        w[2] = torch.tensor(numbers(seed, 64 + i, int(np.prod(w[1]))).reshape(w[1]) * scale + around,
                            requires_grad=True)
        parameters.append(w[2])
        lines.append(("array", w[0], scale, *w[1]))
    for s in net.statistics:
        s[2] = torch.ones(s[1], dtype=torch.float64) if s[0].endswith("variance") else torch.zeros(s[1], dtype=torch.float64)
    return parameters, lines


def net_input(seed, stream, shape, batch, lengths):
    full = numbers(seed, stream, batch * shape[1] * shape[2] * shape[3]).reshape((batch,) + clip_shape(shape, shape[1]))
    return [torch.tensor(full[b][:lengths[b]] if lengths and shape[0] > 1 else full[b], requires_grad=True)
            for b in range(batch)]


def net_head(line, name, layers, shape, classes, batch, lengths, seed, lines):
    """Writes a net as a case of the golden files, but for its tensors and `end`."""
    line("case", name)
    line("net", text_of(layers))
    line("input", *shape)
    line("clips", batch, *(lengths or []))
    line("classes", classes)
    line("mode", "training")
    line("seed", seed)
    for words in lines:
        line(*words)


def glorot(name, dims):
    """A power of two near Glorot's uniform bound; biases small."""
    if len(dims) < 2:
        return 0.0625
    fan = np.prod(dims[:-2]) * (dims[-2] + dims[-1])
    return float(2.0 ** np.round(np.log2(np.sqrt(6 / fan))))


STEPS, BATCHES = 20, 2


def curve(net, parameters, seed, shape, batch, lengths, rate):
    """Mean losses of 20 steps of Adam over two batches in turn; tests/nn/net.h does the same."""
    adam = Adam(parameters, rate)
    batches = [net_input(seed, i, shape, batch, lengths) for i in range(BATCHES)]
    for step in range(STEPS):
        which = step % BATCHES
        labels = [(5 * (which * batch + b) + 2) % net.classes for b in range(batch)]
        draw = Draw(seed, step // BATCHES, [which * batch + b for b in range(batch)])
        loss = cross_entropy(net.forward([c.detach() for c in batches[which]], True, draw), labels) / batch
        loss.backward()
        adam.step()
        yield loss.item()


def halved(losses):
    return np.mean(losses[-BATCHES:]) < np.mean(losses[:BATCHES]) / 2
