# SPDX-License-Identifier: MIT
"""Single layers of the models by other libraries beside ours, on one core and on all: tests/bench/kernels.c."""
import os
import subprocess
import tempfile
import time

import figures
from machine import build, say, threads
from workers import Worker, take_turns

# Debian's packages; a library that is not there is left out (the build never needs one).
LIBRARIES = {"oneDNN": ("dnnl", "libdnnl-dev"), "LIBXSMM": ("xsmm", "libxsmm-dev"), "BLIS": ("blis", "libblis-dev")}
SHAPES = [
    ("RAVDESS CNN 1, conv2d_1", "conv/32/549/128/1/32/3"), ("RAVDESS CNN 1, conv2d_2", "conv/32/274/64/32/64/3"),
    ("IEMOCAP CNN 2, conv2d_2", "conv/32/78/64/32/64/3"), ("CNN+LSTM, residual_1/conv2d_1", "conv/32/165/32/24/48/3"),
    ("CNN+LSTM, residual_1/conv2d_2", "conv/32/165/32/48/48/3"), ("CNN+LSTM, residual_2/conv2d_2", "conv/32/82/16/96/96/3"),
    ("CNN+LSTM, residual_3/conv2d_2", "conv/32/82/8/128/128/3"), ("CNN+LSTM, residual_1/projection", "conv/32/165/32/24/48/1"),
    ("CNN+LSTM, residual_3/projection", "conv/32/82/8/96/128/1"), ("one clip of RAVDESS CNN 1, conv2d_2", "conv/1/274/64/32/64/3"),
    ("RAVDESS CNN 1, dense_1", "dense/32/280576/128"), ("one clip of RAVDESS CNN 1, dense_1", "dense/1/280576/128"),
    ("a dense layer as large as the BiLSTM's inputs", "dense/8192/256/1024"),
    ("BiLSTM, lstm_1", "lstm/32/256/128/128"), ("BiLSTM, lstm_2", "lstm/32/256/256/128"), ("one clip of the BiLSTM, lstm_2", "lstm/1/256/256/128"),
    ("CNN+LSTM, lstm_1", "lstm/32/82/512/64"),
]


def keys():
    """(what it is, measure): forward of all, backward of what is trained on, which one clip is not."""
    return [(name, way + " " + shape) for name, shape in SHAPES for way in ("forward", "backward") if way == "forward" or shape.split("/")[1] != "1"]


def operations(key):
    """Of the definition: multiply-adds count twice, a backward pass makes two products for each of the forward one."""
    way, shape = key.split()
    kind, *n = shape.split("/")
    n = [int(x) for x in n]
    if kind == "conv":
        forward = 2 * n[0] * n[1] * n[2] * n[3] * n[4] * n[5] ** 2
    elif kind == "dense":
        forward = 2 * n[0] * n[1] * n[2]
    else:
        forward = 2 * n[0] * n[1] * 2 * 4 * n[3] * (n[2] + n[3])
    return forward * (2 if way == "backward" else 1)


def programs(folder):
    """[(name, program)] of ours and of every library that is there, and the packages of the others."""
    found, missing = [("AudioMood", build(folder, "tests/bench/kernels")[0])], []
    for name, (short, package) in LIBRARIES.items():
        target = "tests/bench/kernels_" + short
        if subprocess.run(["ninja", "-C", folder, "-t", "query", target], capture_output=True).returncode == 0:
            found.append((name, build(folder, target)[0]))
        else:
            missing.append(f"{name} ({package})")
    return found, missing


def run_cores(found, cores, logs):
    """All measures on these cores; each has figures.LEAST rounds before the next one, since a shape is made anew when it changes."""
    n = str(len(cores))
    environment = {"OMP_NUM_THREADS": n, "BLIS_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": "1"}
    workers = [Worker(name, ["taskset", "-c", ",".join(map(str, cores)), program], environment, os.path.join(logs, name)) for name, program in found]
    try:
        for worker in workers:
            worker.wait_ready(60)
        for _, key in keys():
            now = time.monotonic()
            take_turns([w for w in workers if w.alive()], [key], now, now + 60, lambda text: None, aim=0.12, limit=60, most_rounds=2 * figures.LEAST)
    finally:
        for worker in workers:
            worker.end()
    return [w.side for w in workers]


def run_kernels(folder):
    found, missing = programs(folder)
    all_cores, result = sorted(os.sched_getaffinity(0)), {"missing": missing, "runs": []}
    for cores in [all_cores[:1]] + ([all_cores] if threads() > 1 else []):
        say(f"single layers on {len(cores)} cores: {', '.join(name for name, _ in found)}")
        with tempfile.TemporaryDirectory() as logs:
            result["runs"].append({"cores": len(cores), "sides": run_cores(found, cores, logs)})
    return result
