# SPDX-License-Identifier: MIT
"""Training steps and forward passes of one model, ours and the peers' in turn."""
import json
import os
import subprocess
import tempfile
import time

import peers
from machine import ROOT, say, threads
from models import MEASURES, row_name
from workers import Worker, take_turns

HERE = os.path.dirname(os.path.abspath(__file__))
PLAIN_ADAM = ["train.optimiser.kind=adam", "train.optimiser.clip_norm=0", "train.optimiser.weight_decay=0"]


def machine_peak(bench):
    return json.loads(subprocess.run([bench, "peak"], check=True, capture_output=True, text=True).stdout)


def start_workers(model, bench, found, folder, logs):
    shape = [str(model[key]) for key in ("frames", "bins", "classes")]
    ours = [bench, "model", os.path.join(ROOT, model["config"]), *shape, *PLAIN_ADAM]
    workers = [Worker("AudioMood", ours, {}, os.path.join(logs, "ours.log"))]
    for i, (name, python, script, mode) in enumerate(found):
        if mode == "channels_last" and model["kind"] == "bilstm":
            continue  # there are no channels
        command = [python, os.path.join(HERE, script), model["kind"], *shape, str(threads()), mode]
        workers.append(Worker(name, command, peers.environment(folder), os.path.join(logs, f"peer{i}.log")))
    for worker in workers:
        worker.wait_ready(120)
        for key in MEASURES:
            if "ONNX" in worker.side["name"] and key.startswith("train"):
                worker.side["failure"][key] = "inference only"
    return workers


def run_model(model, bench, found, folder, rows, seconds):
    """The measures of the model among `rows`, in so many seconds; starting takes at most half of them, and a row that has not
    enough steps by then has as much again and once more."""
    began = time.monotonic()
    keys = [key for key in MEASURES if row_name(model, key) in rows]
    say(f"{model['name']}: starting")
    with tempfile.TemporaryDirectory() as logs:
        workers = start_workers(model, bench, found, folder, logs)
        try:
            if not workers[0].alive():
                raise RuntimeError(f"{model['name']}: {workers[0].side['failure']['start']}")
            peak = machine_peak(bench)
            soft = max(began + seconds, time.monotonic() + seconds / 2)
            take_turns([w for w in workers if w.alive()], keys, soft, soft + 2 * seconds, say)
            layers = workers[0].ask("layers 32 2", 120) if workers[0].alive() and "train 32" in keys else None
        finally:
            for worker in workers:
                worker.end()
    return {"id": model["id"], "model": model["name"], "targets": model["targets"], "peak": peak, "keys": keys,
            "sides": [w.side for w in workers], "layers": (layers or {}).get("layers", [])}
