# SPDX-License-Identifier: MIT
"""From sound files: features, and the first prediction of a new process."""
import json
import os
import subprocess
import tempfile
import time

import figures
import peers
from machine import ROOT, say, threads
from models import FEATURES
from workers import Worker

HERE = os.path.dirname(os.path.abspath(__file__))
FEATURE_CONFIGS = {"log_mel": "configs/ravdess_cnn1.yaml", "mfcc": "configs/ravdess_model2.yaml"}
ON_SYNTHETIC = ["data.corpus=ravdess", "split.kind=random", "split.test=0", "split.validation=0.25", "train.epochs=1",
                "split.fold_lists=[]", "split.fold=0", "split.validation_speakers_count=0"]


def sounds_in(folder):
    found = [os.path.join(base, name) for base, _, names in os.walk(folder) for name in names
             if name.lower().endswith((".wav", ".flac", ".ogg"))]
    return sorted(found)


def make_corpus(audiomood, work):
    corpus = os.path.join(work, "corpus")
    if not os.path.exists(os.path.join(corpus, "SYNTHETIC")):
        say("making a corpus of synthetic speech")
        subprocess.run([audiomood, "synth", corpus, "--actors", "2", "--repetitions", "1", "--rate", "48000", "--quiet"],
                       check=True, stdout=subprocess.DEVNULL)
    return corpus


def feature_command(audiomood, config, manifest):
    return [audiomood, "features", os.path.join(ROOT, config), "--quiet", "--set", "cache=", "--set",
            "data={corpus: manifest, root: /}", "--set", "data.manifest=" + manifest]


def our_features(audiomood, config, manifest):
    out = subprocess.run(feature_command(audiomood, config, manifest), check=True, capture_output=True, text=True).stdout
    return float(out.split(" in ")[1].split(" s ")[0])


def write_manifest(files, path):
    with open(path, "w") as file:
        file.write("path,label\n" + "".join(f'"{name}",{"ab"[i % 2]}\n' for i, name in enumerate(files)))


def run_features(audiomood, files, python, folder):
    """Seconds for all files, decoding and resampling included; every side works on all cores."""
    say(f"features of {len(files)} files")
    ours = {"name": "AudioMood", "facts": {"threads": threads(), "note": ""}, "turns": {}, "failure": {}, "peak_kb": {}}
    with tempfile.TemporaryDirectory() as logs:
        names, manifest = os.path.join(logs, "names"), os.path.join(logs, "manifest.csv")
        with open(names, "w") as file:
            file.write("".join(name + "\n" for name in files))
        write_manifest(files, manifest)
        workers = []
        for library in ("librosa", "torchaudio") if python else ():
            workers.append(Worker(library, [python, os.path.join(HERE, "features_peer.py"), library, str(threads()), names],
                                  peers.environment(folder), os.path.join(logs, library + ".log")))
        for worker in workers:
            worker.wait_ready(120)
        for number in range(figures.LEAST):
            for what in FEATURES:
                key = f"{what} {len(files)}"
                ours["turns"].setdefault(key, []).append((number, [our_features(audiomood, FEATURE_CONFIGS[what], manifest)]))
                for worker in workers:
                    if worker.alive() and key not in worker.side["failure"]:
                        worker.turn(key, 1, 120, number)
        for worker in workers:
            worker.end()
    return {"files": len(files), "sides": [ours] + [w.side for w in workers]}


# ---- the first prediction of a new process ----

def synthetic_settings(model, corpus, work):
    """Arguments that train the model of a config on the synthetic corpus, whatever its own was."""
    settings = [*model["settings"], f"data.root={corpus}", f"cache={work}/cache", *ON_SYNTHETIC]
    return [part for s in settings for part in ("--set", s)]


def make_checkpoint(audiomood, model, corpus, work):
    run = os.path.join(work, model["kind"] + str(model["frames"]))
    if not os.path.exists(os.path.join(run, "best.h5")):
        say(f"{model['name']}: an epoch, for its checkpoint")
        subprocess.run([audiomood, "train", os.path.join(ROOT, model["config"]), "--out", run, "--quiet",
                        *synthetic_settings(model, corpus, work)], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(run, "best.h5")


def timed_process(command, environment):
    """Wall and processor seconds of a process from start to end, and its peak memory in KB."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **environment))
    process.stdout.read()
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close(), process.stderr.close()
    if process.returncode:
        raise RuntimeError((errors.decode(errors="replace").strip().splitlines() or ["failed"])[-1][:160])
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def first_programs(audiomood, model, corpus, work, python, folder):
    sound = sounds_in(corpus)[0]
    programs = [("AudioMood", [audiomood, "predict", make_checkpoint(audiomood, model, corpus, work), sound, "--json"], {})]
    if not python:
        return programs
    weights = os.path.join(work, model["kind"] + str(model["frames"]) + ".pt")
    shape = [model["kind"], str(model["frames"]), str(model["bins"]), str(model["classes"]), weights]
    command = [python, os.path.join(HERE, "first_torch.py")]
    environment = peers.environment(folder)
    if not os.path.exists(weights):
        subprocess.run(command + ["none", "{}", *shape, "--save"], check=True, env=dict(os.environ, **environment))
    environment.pop("PYTHONDONTWRITEBYTECODE")  # compiled modules are kept, as a user's are
    for library in "torchaudio", "librosa":
        programs.append((f"PyTorch, {library}", command + [library, json.dumps(model["spec"]), *shape, sound], environment))
    return programs


def run_first(audiomood, model, corpus, work, python, folder):
    programs = first_programs(audiomood, model, corpus, work, python, folder)
    sides = [{"name": name, "facts": {}, "turns": {}, "processor": [], "peak_kb": {}, "failure": {}} for name, _, _ in programs]
    key = "first 1"
    for number in range(-1, figures.LEAST):  # the first one warms the page cache
        for side, (name, command, environment) in zip(sides, programs):
            if side["failure"] or (key in side["turns"] and side is not sides[0] and
                                   not any(side is p for p in figures.contenders(sides[1:], key))):
                continue
            say(f"first prediction, {model['name']}: {name}")
            try:
                runs = [timed_process(command, environment) for _ in range(5 if side is sides[0] else 1)]
            except RuntimeError as error:
                side["failure"][key] = str(error)
                continue
            if number >= 0:
                side["turns"].setdefault(key, []).append((number, [run[0] for run in runs]))
                side["processor"] += [run[1] for run in runs]
                side["peak_kb"][key] = max([side["peak_kb"].get(key, 0)] + [run[2] for run in runs])
    return {"id": model["id"], "model": model["name"], "sides": sides}
