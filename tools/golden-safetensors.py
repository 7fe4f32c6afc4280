#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""State dicts of PyTorch small enough to commit, and checks of import and export against the real PyTorch.

    golden-safetensors.py make           writes tests/exchange/golden/torch_*.safetensors and the inputs and outputs beside them
    golden-safetensors.py matrix BUILD   nets of every layer that can be imported, in both layouts and sequences, with drawn
                                         weights: what the import answers against PyTorch, and what PyTorch answers when it
                                         loads our export by load_state_dict(strict=True).  BUILD: the build folder, with
                                         tests/exchange/keras_outputs

Needs torch, safetensors, numpy and h5py (2.15.0, 0.8.0, 2.4.6 and 3.16.0 made the committed files).  Lengths of axes differ, so
that no wrong order can pass.
"""
import os
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
GOLDEN = os.path.join(ROOT, "tests", "exchange", "golden")
LABELS = ["calm", "happy", "sad", "angry"]


def pair(v):
    return list(v) if isinstance(v, list) else [v, v]


class Inside(nn.Module):
    """What a block is: a name with modules in it."""


class Net(nn.Module):
    """The modules that our list of layers stands for, under the names of our export.  Pictures are (N,C,mel,frames), or with
    time_mel (N,C,frames,mel); sequences (N,T,C)."""

    def __init__(self, layers, x, turned, sequence):
        super().__init__()
        self.turned, self.sequence, self.steps = turned, sequence, []
        with torch.no_grad():
            self.build(layers, self, x)

    def build(self, layers, into, x):
        counts, first = {}, len(self.steps)
        for entry in layers:
            kind, o = (entry, {}) if isinstance(entry, str) else next(iter(entry.items()))
            o = dict(o or {})
            counts[kind] = counts.get(kind, 0) + 1
            name, then = o.pop("name", f"{kind}_{counts[kind]}"), o.pop("activation", None)
            x = self.layer(kind, o, name, into, x)
            if then and then != "none":
                x = self.layer(then, {}, name, into, x)
        steps = self.steps[first:]
        del self.steps[first:]
        self.steps += steps
        return x

    def add(self, f, x):
        self.steps.append(f)
        return f(x)

    def order(self, v):  # [time, mel] as height, width
        return tuple(reversed(v)) if self.turned else tuple(v)

    def layer(self, kind, o, name, into, x):
        def module(m, name=name):
            into.add_module(name, m)
            for p in m.parameters():  # nothing may be 0 or the same
                p.data = torch.randn(p.shape) * (0.6 / max(1, p[0].numel()) ** 0.5 if p.dim() > 1 else 0.3)
            if isinstance(m, (nn.BatchNorm1d, nn.BatchNorm2d)):
                m.running_mean.normal_()
                m.running_var.uniform_(0.3, 2)
                m.weight.data.uniform_(0.5, 2)
            return m
        if kind == "conv2d":
            padding = {"valid": 0, "same": "same", "explicit": self.order(pair(o.get("pad", 0)))}[o.get("padding", "valid")]
            return self.add(module(nn.Conv2d(x.shape[1], o["filters"], self.order(pair(o.get("kernel", 3))), self.order(pair(o.get("stride", 1))),
                                             padding, self.order(pair(o.get("dilation", 1))), bias=o.get("bias", True))), x)
        if kind == "conv1d":
            m = module(nn.Conv1d(x.shape[2], o["filters"], o.get("kernel", 3), o.get("stride", 1), {"valid": 0, "same": "same"}[o.get("padding", "valid")],
                                 bias=o.get("bias", True)))
            return self.add(lambda x: m(x.transpose(1, 2)).transpose(1, 2), x)
        if kind in ("max_pool2d", "average_pool2d"):
            f, size = (F.max_pool2d if kind[0] == "m" else F.avg_pool2d), self.order(pair(o.get("size", 2)))
            return self.add(lambda x: f(x, size, self.order(pair(o["stride"])) if "stride" in o else None), x)
        if kind == "max_pool1d":
            return self.add(lambda x: F.max_pool1d(x.transpose(1, 2), o.get("size", 2)).transpose(1, 2), x)
        if kind == "batch_norm":
            if x.dim() == 4:
                return self.add(module(nn.BatchNorm2d(x.shape[1], eps=o.get("epsilon", 1e-3))).eval(), x)
            m = module(nn.BatchNorm1d(x.shape[-1], eps=o.get("epsilon", 1e-3))).eval()
            return self.add((lambda x: m(x.transpose(1, 2)).transpose(1, 2)) if x.dim() == 3 else m, x)
        if kind == "layer_norm":
            m = module(nn.LayerNorm(x.shape[1] if x.dim() == 4 else x.shape[-1]))
            return self.add((lambda x: m(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)) if x.dim() == 4 else m, x)
        if kind == "dense":
            m = module(nn.Linear(x.shape[1] if x.dim() == 4 else x.shape[-1], o.get("units") or len(LABELS), bias=o.get("bias", True)))
            return self.add((lambda x: m(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)) if x.dim() == 4 else m, x)
        if kind in ("lstm", "gru"):
            m = module((nn.LSTM if kind == "lstm" else nn.GRU)(x.shape[2], o["units"], o.get("layers", 1), batch_first=True, bidirectional=o.get("bidirectional", False)))

            def run(x):
                y, state = m(x)
                h = state[0] if kind == "lstm" else state
                return y if o.get("return", "sequence") == "sequence" else torch.cat([h[-2], h[-1]], 1) if m.bidirectional else h[-1]
            return self.add(run, x)
        if kind == "attention_pool":
            inside = Inside()
            into.add_module(name, inside)
            hidden = nn.Linear(x.shape[2], o["units"]) if o.get("units") else None
            score = nn.Linear(o.get("units") or x.shape[2], o.get("heads", 1), bias=False)
            if hidden:
                inside.hidden = hidden
            inside.score = score

            def attend(x):
                a = torch.softmax(score(torch.tanh(hidden(x)) if hidden else x), 1)  # (N,T,heads)
                mean = torch.einsum("nth,ntc->nhc", a, x)
                if o.get("statistics") != "mean_std":
                    return mean.flatten(1)
                variance = torch.einsum("nth,nthc->nhc", a, (x[:, :, None] - mean[:, None]) ** 2)
                return torch.cat([mean, torch.sqrt(variance + o.get("epsilon", 1e-5))], 2).flatten(1)
            return self.add(attend, x)
        if kind == "to_sequence":
            def frames(x):
                x = x.permute(0, 3, 1, 2) if self.turned else x.permute(0, 2, 1, 3)  # (N,T,C,mel)
                return (x if self.sequence == "channels_mel" else x.transpose(2, 3)).flatten(2)
            return self.add(frames, x)
        if kind == "flatten":
            return self.add(lambda x: x.flatten(1), x)
        if kind == "global_average_pool":
            if o.get("over") == "time":
                def over_time(x):
                    x = x.mean(3 if self.turned else 2)  # (N,C,mel)
                    return (x if self.sequence == "channels_mel" else x.transpose(1, 2)).flatten(1)
                return self.add(over_time if x.dim() == 4 else lambda x: x.mean(1), x)
            return self.add(lambda x: x.mean((2, 3)) if x.dim() == 4 else x.mean(1), x)
        if kind in ("relu", "tanh", "sigmoid", "silu", "gelu"):
            return self.add(getattr(torch, kind) if hasattr(torch, kind) else getattr(F, kind), x)
        if kind == "glu":
            return self.add(lambda x: F.glu(x, 1 if x.dim() == 4 else -1), x)
        if kind == "dropout":
            return x
        return self.block(kind, o, name, into, x)

    def block(self, kind, o, name, into, x):
        inside = Inside()
        into.add_module(name, inside)
        if kind == "squeeze_excite":
            c = x.shape[1] if x.dim() == 4 else x.shape[2]
            inside.reduce, inside.expand = nn.Linear(c, max(1, c // o.get("reduction", 8))), nn.Linear(max(1, c // o.get("reduction", 8)), c)

            def excite(x):
                s = torch.sigmoid(inside.expand(torch.relu(inside.reduce(x.mean((2, 3)) if x.dim() == 4 else x.mean(1)))))
                return x * (s[:, :, None, None] if x.dim() == 4 else s[:, None])
            return self.add(excite, x)
        outer, parts, ys = self.steps, [], []
        for i, layers in enumerate([o["layers"]] if kind == "residual" else o["branches"]):
            self.steps, branch = [], inside
            if kind == "parallel":
                branch = Inside()
                inside.add_module(f"branch_{i + 1}", branch)
            ys.append(self.build(layers, branch, x))
            parts.append(self.steps)
        self.steps = outer

        def run(steps, x):
            for f in steps:
                x = f(x)
            return x
        if kind == "parallel":
            return self.add(lambda x: torch.cat([run(p, x) for p in parts], 1 if x.dim() == 4 else -1), x)
        if ys[0].shape != x.shape:
            if x.dim() == 4:
                stride = tuple(-(-a // b) for a, b in zip(x.shape[2:], ys[0].shape[2:]))
                inside.projection = nn.Conv2d(x.shape[1], ys[0].shape[1], 1, stride)
            else:
                inside.projection = nn.Conv1d(x.shape[2], ys[0].shape[2], 1)
        project = getattr(inside, "projection", lambda x: x)
        if x.dim() == 3 and project in inside.children():
            return self.add(lambda x: torch.relu(run(parts[0], x) + project(x.transpose(1, 2)).transpose(1, 2)), x)
        return self.add(lambda x: torch.relu(run(parts[0], x) + project(x)), x)

    def forward(self, x):
        for f in self.steps:
            x = f(x)
        return x


CNN = [{"conv2d": {"filters": 3, "kernel": [3, 2], "activation": "relu"}}, {"batch_norm": {"epsilon": 1e-5}}, {"max_pool2d": {"size": [2, 3]}},
       {"conv2d": {"filters": 2, "kernel": [1, 2], "bias": False}}, "tanh"]
# name -> bins, frames, layers; a map of the input where `picture`
NETS = {
    "flatten": (13, 11, True, CNN + ["flatten", {"batch_norm": {"epsilon": 1e-5}}, {"dense": {"units": 6, "activation": "relu"}}, "dense"]),
    "strides": (14, 17, True, [{"conv2d": {"filters": 4, "kernel": [2, 3], "stride": [2, 1], "padding": "explicit", "pad": [1, 2]}}, "gelu",
                               {"conv2d": {"filters": 5, "kernel": [3, 2], "dilation": [2, 1]}}, {"average_pool2d": {"size": [2, 2]}}, "silu",
                               "layer_norm", {"dense": {"units": 3}}, "flatten", "layer_norm", "dense"]),
    "crnn": (9, 12, True, [{"conv2d": {"filters": 4, "kernel": 3, "padding": "same", "activation": "relu"}}, {"max_pool2d": {"size": [2, 2]}}, "to_sequence",
                           {"batch_norm": {"epsilon": 1e-5}}, {"lstm": {"units": 5, "bidirectional": True, "layers": 2}},
                           {"attention_pool": {"units": 3, "heads": 2}}, "dense"]),
    "gru": (7, 10, True, [{"conv2d": {"filters": 3, "kernel": [3, 2]}}, "to_sequence", {"gru": {"units": 4, "bidirectional": True}},
                          {"gru": {"units": 6, "layers": 2, "return": "last"}}, "dense"]),
    "last": (7, 10, True, [{"conv2d": {"filters": 3, "kernel": [3, 2]}}, "to_sequence", {"lstm": {"units": 4, "bidirectional": True, "return": "last"}}, "dense"]),
    "scores": (8, 9, True, [{"conv2d": {"filters": 3, "kernel": [2, 3]}}, "to_sequence", "layer_norm",
                            {"attention_pool": {"heads": 3, "statistics": "mean_std"}}, "dense"]),
    "conv1d": (6, 14, True, [{"conv2d": {"filters": 2, "kernel": 2}}, "to_sequence", {"conv1d": {"filters": 5, "kernel": 3, "activation": "relu"}},
                             {"max_pool1d": {"size": 2}}, {"conv1d": {"filters": 3, "kernel": 2, "bias": False}}, "global_average_pool", "dense"]),
    "sequence": (6, 14, False, [{"lstm": {"units": 5}}, {"dense": {"units": 7, "activation": "tanh"}}, {"residual": {"layers": [{"dense": {"units": 7}}, "relu"]}},
                                {"residual": {"layers": [{"dense": {"units": 4}}]}}, "global_average_pool", "dense"]),
    "bins": (8, 9, True, [{"conv2d": {"filters": 3, "kernel": 2}}, {"global_average_pool": {"over": "time"}}, {"batch_norm": {"epsilon": 1e-5}}, "dense"]),
    "glu": (8, 9, True, [{"conv2d": {"filters": 6, "kernel": 2}}, "glu", "to_sequence", {"lstm": {"units": 4}}, "glu", "global_average_pool", {"dense": {"units": 6}},
                         "glu", "dense"]),
    "blocks": (10, 12, True, [{"conv2d": {"filters": 4, "kernel": 3}},
                              {"residual": {"layers": [{"conv2d": {"filters": 4, "kernel": 3, "padding": "same"}}, {"batch_norm": {"epsilon": 1e-5}}]}},
                              {"residual": {"layers": [{"conv2d": {"filters": 6, "kernel": [3, 1], "padding": "same"}}]}},
                              {"squeeze_excite": {"reduction": 2}},
                              {"parallel": {"branches": [[{"conv2d": {"filters": 2, "kernel": 1}}], [{"conv2d": {"filters": 3, "kernel": [1, 3], "padding": "same"}}, "relu"]]}},
                              "flatten", "dense"]),
}


def config(bins, frames, layers):
    import json
    return (f"name: torch\ndata: {{corpus: manifest, root: nowhere, labels: [{', '.join(LABELS)}]}}\n"
            f"features: {{sample_rate: 16000, n_fft: 64, hop: 32, mels: {bins}, samples: {32 * (frames - 1)}}}\n"
            f"model:\n  layers: {json.dumps(layers)}\n")


def draw(name, turned=True, sequence="channels_mel", seed=1):
    """A net, five clips (N,T,bins) of features, and its outputs."""
    torch.manual_seed(seed)
    bins, frames, picture, layers = NETS[name]
    x = torch.randn(5, frames, bins)
    theirs = (x.transpose(1, 2) if turned else x)[:, None] if picture else x
    net = Net(layers, theirs, turned, sequence).eval()
    with torch.no_grad():
        return net, x, theirs, torch.softmax(net(theirs), 1)


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def answers(build, checkpoint, x, folder):
    path = os.path.join(folder, "data.h5")
    with h5py.File(path, "w") as file:
        file["x"] = x.numpy()
    done = run(os.path.join(build, "tests", "exchange", "keras_outputs"), checkpoint, path)
    if done.returncode:
        sys.exit(f"{checkpoint}: {done.stderr}")
    with h5py.File(path) as file:
        return file["y"][()]


def matrix(build):
    audiomood, worst, n = os.path.join(build, "src", "cli", "audiomood"), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = lambda name: os.path.join(folder, name)
        for name, (bins, frames, _, layers) in NETS.items():
            for layout in ("mel_time", "time_mel"):
                for sequence in ("channels_mel", "mel_channels"):
                    net, x, theirs, y = draw(name, layout == "mel_time", sequence, seed=n + 7)
                    open(path("config.yaml"), "w").write(config(bins, frames, layers))
                    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, path("theirs.safetensors"))
                    done = run(audiomood, "import", path("theirs.safetensors"), "--config", path("config.yaml"), "--layout", layout, "--sequence", sequence,
                               "--out", path("ours.h5"), "--quiet")
                    if done.returncode:
                        sys.exit(f"{name} {layout} {sequence}: {done.stderr}")
                    difference = [np.abs(answers(build, path("ours.h5"), x, folder) - y.numpy()).max()]
                    done = run(audiomood, "export", path("ours.h5"), "--to", "safetensors", "--names", "pytorch", "--layout", layout, "--sequence", sequence,
                               "--out", path("again.safetensors"), "--quiet")
                    if done.returncode:
                        sys.exit(f"{name} {layout} {sequence}: {done.stderr}")
                    again = draw(name, layout == "mel_time", sequence, seed=n + 1000)[0]
                    with torch.no_grad():
                        assert (torch.softmax(again(theirs), 1) - y).abs().max() > 0.01
                    again.load_state_dict(load_file(path("again.safetensors")), strict=True)
                    with torch.no_grad():
                        difference.append((torch.softmax(again(theirs), 1) - y).abs().max().item())
                    print(f"{name:9} {layout} {sequence:12} imported {difference[0]:.1e}, exported and loaded {difference[1]:.1e}, outputs from {y.min():.3f} to {y.max():.3f}")
                    worst, n = max(worst, *difference), n + 1
    print(f"{n} nets, largest difference {worst:.1e}")
    sys.exit(1 if worst > 1e-5 else 0)  # a bool of NumPy is no exit code


def keep(name, state, x, y, dtype=None):
    state = {k: (v.to(dtype) if dtype and v.is_floating_point() else v).contiguous() for k, v in state.items()}
    os.umask(0o22)
    save_file(state, os.path.join(GOLDEN, f"torch_{name}.safetensors"))
    save_file({"x": x.contiguous(), "y": y.contiguous()}, os.path.join(GOLDEN, f"torch_{name}_xy.safetensors"))


def make():
    # A Sequential, whose tensors are numbered.
    net, x, _, y = draw("flatten")
    modules = [m for m in net.modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d, nn.BatchNorm1d, nn.Linear))]
    places = [0, 2, 4, 7, 8, 10]  # 10 is behind 8, as a number
    keep("order", {f"{i}.{k}": v for i, m in zip(places, modules) for k, v in m.state_dict().items()}, x, y)
    # Names of somebody's own, and one module more; stacked and bidirectional.
    net, x, _, y = draw("crnn")
    names = {"conv2d_1": "features.conv", "batch_norm_1": "norm", "lstm_1": "rnn", "attention_pool_1.hidden": "attend", "attention_pool_1.score": "pool", "dense_1": "head"}
    state = {names[k.rpartition(".")[0]] + "." + k.rpartition(".")[2]: v for k, v in net.state_dict().items()}
    state["speaker.weight"] = torch.randn(3, 20)
    keep("map", state, x, y)
    # Our names behind a prefix, as bfloat16.
    net, x, theirs, _ = draw("gru", turned=False, sequence="mel_channels")
    net.to(torch.bfloat16).to(torch.float32)
    with torch.no_grad():
        y = torch.softmax(net(theirs), 1)
    keep("names", {"module." + k: v for k, v in net.state_dict().items()}, x, y, torch.bfloat16)
    for golden, net in (("order", "flatten"), ("map", "crnn"), ("names", "gru")):
        bins, frames, _, layers = NETS[net]
        open(os.path.join(GOLDEN, f"torch_{golden}.yaml"), "w").write(config(bins, frames, layers))


if sys.argv[1:2] == ["matrix"] and len(sys.argv) == 3:
    matrix(sys.argv[2])
elif sys.argv[1:] == ["make"]:
    make()
else:
    sys.exit(__doc__)
