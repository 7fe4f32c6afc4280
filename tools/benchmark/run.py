"""tools/bench: ours and every peer that is installed, in turn within one run.  See `tools/bench --help`."""
import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time

import page
import peers
from workers import Worker, take_turns

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PLAIN_ADAM = ["train.optimiser.kind=adam", "train.optimiser.clip_norm=0", "train.optimiser.weight_decay=0"]
ON_SYNTHETIC = ["data.corpus=ravdess", "split.kind=random", "split.test=0", "split.validation=0.25", "train.epochs=1",
                "split.fold_lists=[]", "split.fold=0", "split.validation_speakers_count=0"]
EIGHT = "data.labels=[neutral, calm, happy, sad, angry, fearful, disgust, surprised]"
CNN_FRONT = {"kind": "log_mel", "n_fft": 512, "hop": 256, "mels": 128}
MODELS = [
    {"name": "RAVDESS CNN 1", "config": "configs/ravdess_cnn1.yaml", "kind": "cnn", "frames": 549, "bins": 128, "classes": 6,
     "train_target": 3, "spec": dict(CNN_FRONT, rate=22050, samples=140526), "settings": []},
    {"name": "IEMOCAP CNN 2", "config": "configs/iemocap_cnn2.yaml", "kind": "cnn", "frames": 156, "bins": 128, "classes": 7,
     "train_target": None, "spec": dict(CNN_FRONT, rate=16000, samples=39935),
     "settings": ["data.chunk_seconds=0", "data.labels_from=consensus",
                  "data.labels=[calm, happy, sad, angry, fearful, disgust, surprised]"]},
    {"name": "CNN+LSTM", "config": "configs/ravdess_cnn_lstm.yaml", "kind": "cnn_lstm", "frames": 330, "bins": 64, "classes": 8,
     "train_target": 2.5, "settings": [EIGHT],
     "spec": {"kind": "log_mel", "n_fft": 512, "hop": 256, "mels": 64, "rate": 16000, "trim_db": 35, "normalise": True}},
    {"name": "2-layer BiLSTM", "config": "tests/bench/bilstm.yaml", "kind": "bilstm", "frames": 256, "bins": 128, "classes": 8,
     "train_target": 6, "spec": dict(CNN_FRONT, rate=16000, samples=65280), "settings": [EIGHT]},
]
MEASURES = [("forward", 1), ("forward", 32), ("train", 32), ("train", 1)]


def say(text):
    print("bench: " + text, file=sys.stderr, flush=True)


def threads():
    return len(os.sched_getaffinity(0))


def peer_environment(folder):
    n = str(threads())
    return {"OMP_NUM_THREADS": n, "MKL_NUM_THREADS": n, "OPENBLAS_NUM_THREADS": n, "PYTHONDONTWRITEBYTECODE": "1",
            "TORCHINDUCTOR_COMPILE_THREADS": "1", "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "inductor"),
            "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def build(folder):
    """The release binary and the C half of this program."""
    say("building in " + folder)
    if not os.path.exists(os.path.join(folder, "build.ninja")):
        subprocess.run(["meson", "setup", folder, ROOT, "--buildtype=release"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", folder, "src/cli/audiomood", "tests/bench/bench"], check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "src/cli/audiomood"), os.path.join(folder, "tests/bench/bench")


def machine_peak(bench):
    return json.loads(subprocess.run([bench, "peak"], check=True, capture_output=True, text=True).stdout)


# ---- training steps and forward passes ----

def start_workers(model, bench, found, folder, logs):
    shape = [str(model[key]) for key in ("frames", "bins", "classes")]
    ours = [bench, "model", os.path.join(ROOT, model["config"]), *shape, *PLAIN_ADAM]
    workers = [Worker("AudioMood", ours, {}, os.path.join(logs, "ours.log"))]
    for i, (name, python, script, mode) in enumerate(found):
        if mode == "channels_last" and model["kind"] == "bilstm":
            continue  # there are no channels
        command = [python, os.path.join(HERE, script), model["kind"], *shape, str(threads()), mode]
        workers.append(Worker(name, command, peer_environment(folder), os.path.join(logs, f"peer{i}.log")))
    for worker in workers:
        worker.wait_ready(120)
        for what, batch in MEASURES:
            if "ONNX" in worker.name and what == "train":
                worker.failure[what, batch] = "inference only"
    return workers


def run_model(model, bench, found, folder, seconds):
    say(f"{model['name']}: starting")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as logs:
        workers = start_workers(model, bench, found, folder, logs)
        try:
            peak = machine_peak(bench)
            take_turns([w for w in workers if w.alive()], MEASURES, began + seconds, say)
            layers = workers[0].ask("layers 32 2", 120) if workers[0].alive() else None
        finally:
            for worker in workers:
                worker.end()
        rows = [{"name": w.name, "facts": w.facts, "failure": {" ".join(map(str, k)) if k != "start" else k: v
                                                               for k, v in w.failure.items()},
                 "seconds": {f"{k[0]} {k[1]}": v for k, v in w.seconds.items()},
                 "peak_kb": {f"{k[0]} {k[1]}": v for k, v in w.peaks.items()}} for w in workers]
    return {"model": model["name"], "train_target": model["train_target"], "peak": peak, "rows": rows,
            "layers": (layers or {}).get("layers", [])}


# ---- sounds, features ----

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


def our_features(audiomood, config, manifest):
    out = subprocess.run([audiomood, "features", os.path.join(ROOT, config), "--quiet", "--set", "cache=", "--set",
                          "data.corpus=manifest", "--set", "data.manifest=" + manifest, "--set", "data.root=/", "--set",
                          "data.labels=[]", "--set", "data.merge={}", "--set", "data.parts=[]", "--set", "data.intensity=[]"],
                         check=True, capture_output=True, text=True).stdout
    return float(out.split(" in ")[1].split(" s ")[0])


def run_features(audiomood, files, found_torch, folder, rounds=4):
    """Files a second, decoding and resampling included; every side works on all cores."""
    say(f"features of {len(files)} files")
    configs = {"log_mel": "configs/ravdess_cnn1.yaml", "mfcc": "configs/ravdess_model2.yaml"}
    ours = {"name": "AudioMood", "facts": {"threads": threads(), "note": ""}, "seconds": {}, "failure": {}}
    with tempfile.TemporaryDirectory() as logs:
        names, manifest = os.path.join(logs, "names"), os.path.join(logs, "manifest.csv")
        with open(names, "w") as file:
            file.write("".join(name + "\n" for name in files))
        with open(manifest, "w") as file:
            file.write("path,label\n" + "".join(f'"{name}",{"ab"[i % 2]}\n' for i, name in enumerate(files)))
        workers = []
        for library in ("librosa", "torchaudio") if found_torch else ():
            workers.append(Worker(library, [found_torch, os.path.join(HERE, "features_peer.py"), library, str(threads()), names],
                                  peer_environment(folder), os.path.join(logs, library + ".log")))
        for worker in workers:
            worker.wait_ready(120)
        for _ in range(rounds):
            for what, config in configs.items():
                ours["seconds"].setdefault(f"{what} {len(files)}", []).append(our_features(audiomood, config, manifest))
                for worker in workers:
                    if worker.alive() and (what, len(files)) not in worker.failure:
                        worker.turn(what, len(files), 1, 120)
        for worker in workers:
            worker.end()
    rows = [ours] + [{"name": w.name, "facts": w.facts, "failure": {" ".join(map(str, k)) if k != "start" else k: v for k, v in
                                                                    w.failure.items()},
                      "seconds": {f"{k[0]} {k[1]}": v for k, v in w.seconds.items()}} for w in workers]
    return {"files": len(files), "rows": rows}


# ---- the first prediction of a new process ----

def make_checkpoint(audiomood, model, corpus, work):
    run = os.path.join(work, model["kind"] + str(model["frames"]))
    if not os.path.exists(os.path.join(run, "best.h5")):
        say(f"{model['name']}: an epoch, for its checkpoint")
        settings = [part for s in [f"data.root={corpus}", f"cache={work}/cache", *ON_SYNTHETIC, *model["settings"]]
                    for part in ("--set", s)]
        subprocess.run([audiomood, "train", os.path.join(ROOT, model["config"]), "--out", run, "--quiet", *settings],
                       check=True, stdout=subprocess.DEVNULL)
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
    if not os.path.exists(weights):
        subprocess.run(command + ["none", "{}", *shape, "--save"], check=True, env=dict(os.environ, **peer_environment(folder)))
    environment = dict(peer_environment(folder))
    environment.pop("PYTHONDONTWRITEBYTECODE")  # compiled modules are kept, as a user's are
    for library in "torchaudio", "librosa":
        programs.append((f"PyTorch, {library}", command + [library, json.dumps(model["spec"]), *shape, sound], environment))
    return programs


def run_first(audiomood, model, corpus, work, python, folder, rounds):
    programs = first_programs(audiomood, model, corpus, work, python, folder)
    rows = [{"name": name, "facts": {}, "seconds": {"first 1": []}, "processor": [], "peak_kb": {}, "failure": {}} for name, _, _ in programs]
    for round_number in range(-1, rounds):  # the first one warms the page cache
        for row, (name, command, environment) in zip(rows, programs):
            known, peer = row["seconds"]["first 1"], [s for r in rows[1:] for s in r["seconds"]["first 1"]]
            if row["failure"] or (known and row is not rows[0] and min(known) > 1.5 * min(peer)):
                continue  # a later round is for ours and the fastest
            say(f"first prediction, {model['name']}: {name}")
            for _ in range(5 if name == "AudioMood" else 1):
                try:
                    seconds, processor, peak_kb = timed_process(command, environment)
                except RuntimeError as error:
                    row["failure"]["first 1"] = str(error)
                    break
                if round_number >= 0:
                    row["seconds"]["first 1"].append(seconds)
                    row["processor"].append(processor)
                    row["peak_kb"]["first 1"] = max(peak_kb, row["peak_kb"].get("first 1", 0))
    return {"model": model["name"], "rows": rows}


# ---- all ----

def processor_name():
    for line in open("/proc/cpuinfo"):
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown processor"


def system_name():
    for line in open("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip().strip('"')
    return platform.system()


def run_all(a):
    began, load = time.monotonic(), os.getloadavg()[0]
    work = os.path.join(a.build, "bench-work")
    audiomood, bench = build(a.build)
    os.makedirs(work, exist_ok=True)
    found, python = peers.find(a.peers), peers.python_of(a.peers, "torch")
    python = python if peers.has(python, "torch") else None
    if not found:
        say("no peer is installed (tools/bench --setup); ours alone")
    result = {"date": datetime.date.today().isoformat(), "processor": processor_name(), "system": system_name(), "threads": threads(),
              "command": "tools/bench" + (" --audio DIR" if a.audio else ""), "load_before": load, "models": [], "first": []}
    corpus = make_corpus(audiomood, work)
    files = sounds_in(a.audio or corpus)[:a.files]
    for model in MODELS:
        make_checkpoint(audiomood, model, corpus, work)
    result["audio"] = "the recordings of --audio" if a.audio else "synthetic speech of 48 kHz"
    result["features"] = run_features(audiomood, files, python, a.peers)
    for i, model in enumerate(MODELS):
        left = 60 * a.minutes - (time.monotonic() - began)
        share = 0.8 * left / (len(MODELS) - i)
        result["models"].append(run_model(model, bench, found, a.peers, max(10, share)))
        result["first"].append(run_first(audiomood, model, corpus, work, python, a.peers, a.first_rounds))
        result["minutes"] = (time.monotonic() - began) / 60
        save(result, a)  # an interrupted run leaves what it has measured
    return result


def save(result, a):
    if a.json:
        with open(a.json, "w") as file:
            json.dump(result, file, indent=1)
    return page.write(result, a.page)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description="Speed of AudioMood beside every peer that is installed, in "
                                     "one run on the same cores. Writes docs/benchmarks.md.  Also: tools/bench --quick [BUILD].")
    parser.add_argument("--setup", action="store_true", help="install the peers and end (PyPI; pip's own variables apply)")
    parser.add_argument("--peers", default=peers.default_folder(), metavar="DIR", help="where they are (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write all figures there")
    parser.add_argument("--page", metavar="FILE", default=os.path.join(ROOT, "docs/benchmarks.md"), help="the page to write")
    parser.add_argument("--audio", metavar="DIR", help="recordings for the features; else synthetic speech is made")
    parser.add_argument("--files", type=int, default=240, help="at most so many of them (%(default)s)")
    parser.add_argument("--first-rounds", type=int, default=2, help="predictions in new processes a peer (%(default)s)")
    parser.add_argument("--minutes", type=float, default=9, help="time for all (%(default)s)")
    parser.add_argument("--build", default=os.environ.get("AM_BENCH_BUILD", os.path.join(ROOT, "build-bench")), metavar="DIR")
    a = parser.parse_args()
    if a.setup:
        return peers.setup(a.peers)
    print(save(run_all(a), a))
    return 0


if __name__ == "__main__":
    sys.exit(main())
