# SPDX-License-Identifier: MIT
"""tools/bench: ours and every peer that is installed, in turn within one run.  See `tools/bench --help`."""
import argparse
import datetime
import json
import os
import sys
import time

import history
import over_time_sections
import page
import peers
from kernels import run_kernels
from machine import ROOT, build, commit, processor_name, say, system_name, threads
from models import MEASURES, MODELS, all_rows, choose, row_name
from over_time import run_server, run_stream
from sounds import make_checkpoint, make_corpus, run_features, run_first, sounds_in
from steps import run_model

MODEL_SHARE = 0.8  # of the time left for a model and its first prediction


def run_all(a, rows):
    began, load = time.monotonic(), os.getloadavg()[0]
    work = os.path.join(a.build, "bench-work")
    audiomood, bench = build(a.build, "src/cli/audiomood", "tests/bench/bench")
    os.makedirs(work, exist_ok=True)
    found, python = peers.find(a.peers, a.against), peers.python_of(a.peers, "torch")
    python = python if peers.has(python, "torch") else None
    if not found:
        say("no peer is installed (tools/bench --setup); ours alone")
    models = [m for m in MODELS if any(row_name(m, key) in rows for key in MEASURES)]
    firsts = [m for m in MODELS if m["id"] + "/first" in rows]
    result = {"date": datetime.date.today().isoformat(), "commit": commit(), "processor": processor_name(), "system": system_name(),
              "threads": threads(), "command": "tools/bench" + (" --audio DIR" if a.audio else ""), "load_before": load, "models": [],
              "first": [], "audio": "the recordings of --audio" if a.audio else "synthetic speech of 48 kHz", "flac": False, "minutes": 0}
    if firsts or rows & {"features", "stream", "server"}:
        corpus = make_corpus(audiomood, work)
        for model in firsts:
            make_checkpoint(audiomood, model, corpus, work)
    if "features" in rows:
        files = sounds_in(os.path.abspath(a.audio) if a.audio else corpus)[:a.files]
        result["flac"] = files[0].lower().endswith(".flac")
        result["features"] = run_features(audiomood, files, python, a.peers)
    if "stream" in rows:
        result["stream"] = run_stream(build(a.build, "tests/bench/stream")[0], sounds_in(corpus))
    if "server" in rows:
        result["server"] = run_server(audiomood, build(a.build, "tests/serve/load")[0], sounds_in(corpus))
    if "kernels" in rows:
        result["kernels"] = run_kernels(a.build)
    result["over_time"] = over_time_sections.words(result)
    keep(result, a, began)
    for i, model in enumerate(models):
        left = max(10, began + 60 * a.minutes - time.monotonic())
        share = (MODEL_SHARE if firsts else 1) * left / (len(models) - i)
        result["models"].append(run_model(model, bench, found, a.peers, rows, share))
        result["path"] = result["models"][0]["peak"]["path"]
        keep(result, a, began)
    for model in firsts:
        result["first"].append(run_first(audiomood, model, corpus, work, python, a.peers))
        keep(result, a, began)
    return result


def keep(result, a, began):
    """An interrupted run leaves what it has measured."""
    result["minutes"] = (time.monotonic() - began) / 60
    if a.json:
        with open(a.json, "w") as file:
            json.dump(result, file, indent=1)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description="Speed of AudioMood beside every peer that is installed, in "
                                     "one run on the same cores. Writes docs/benchmarks.md.  Also: tools/bench --quick [BUILD].")
    parser.add_argument("--setup", action="store_true", help="install the peers and end (PyPI; pip's own variables apply)")
    parser.add_argument("--peers", default=peers.default_folder(), metavar="DIR", help="where they are (%(default)s)")
    parser.add_argument("--only", metavar="ROW[,ROW]", help="these rows alone, printed; a page only by --page. A row is a name, a pattern "
                        "(*/forward1) or a model: " + ", ".join(all_rows()))
    parser.add_argument("--against", metavar="PEER[,PEER]", help="peers whose names have one of these parts (keras, onnx, contiguous)")
    parser.add_argument("--minutes", type=float, default=12, help="time for all; rows that are unsure get what is left (%(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write all figures there")
    parser.add_argument("--from", dest="source", metavar="FILE", help="measure nothing; make the page of such a file")
    parser.add_argument("--page", metavar="FILE", help="the page to write (docs/benchmarks.md)")
    parser.add_argument("--history", metavar="FILE", default=history.STANDARD, help="a whole run appends its line there (%(default)s)")
    parser.add_argument("--audio", metavar="DIR", help="recordings for the features; else synthetic speech is made")
    parser.add_argument("--files", type=int, default=240, help="at most so many of them (%(default)s)")
    parser.add_argument("--build", default=os.environ.get("AM_BENCH_BUILD", os.path.join(ROOT, "build-bench")), metavar="DIR")
    a = parser.parse_args()
    if a.setup:
        return peers.setup(a.peers)
    a.build = os.path.abspath(a.build)  # a manifest's root is /
    a.against = a.against.split(",") if a.against else None
    try:
        rows = choose(a.only) if a.only else set(all_rows())
    except ValueError as error:
        parser.error(str(error))
    if a.source:
        with open(a.source) as file:
            result = json.load(file)
    else:
        result = run_all(a, rows)
    target = a.page or (None if a.only or a.against else page.STANDARD_PAGE)
    if target:
        page.write(result, target)
    if not (a.source or a.only or a.against):
        for text in history.append(result, a.history):
            say("slower than before: " + text)
    print(page.text_of(result, target) if target else page.rows_of(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
