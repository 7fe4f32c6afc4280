#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Emotions of sounds by one model or the mean of several, each sound by a thread of its own.

    python3 predict.py SOUND... [--model RUN|FILE.h5]... [--window SECONDS] [--threads N]
"""
import argparse
import threading
from concurrent.futures import ThreadPoolExecutor

import audiomood

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("sounds", nargs="+")
parser.add_argument("--model", action="append", default=[], help="none: the one that comes with AudioMood")
parser.add_argument("--window", type=float, help="tell of windows of so many seconds")
parser.add_argument("--threads", type=int, default=2)
options = parser.parse_args()
own = threading.local()  # a Model serves one thread at a time, so each thread has its own


def hear(path):
    if not hasattr(own, "model"):
        own.model = audiomood.Model(*options.model, threads=1)
    samples, rate = audiomood.read(path)
    if options.window:
        return own.model.windows(samples, rate, options.window, options.window / 2)
    return [own.model.predict(samples, rate)]


with ThreadPoolExecutor(options.threads) as pool:
    for path, rows in zip(options.sounds, pool.map(hear, options.sounds)):
        for row in rows:
            where = f" {row['start']:6.2f} to {row['end']:6.2f} s" if "start" in row else ""
            said = row["reason"] or f"{row['label']} {max(row['probabilities'].values()):.3f}"
            print(f"{path}{where}  {said}")
