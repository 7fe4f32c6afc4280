# SPDX-License-Identifier: MIT
"""Features of many files by librosa or torchaudio, asked for by tools/bench: features_peer.py librosa|torchaudio THREADS LIST

A process a core, each with one thread: faster for many short files than threads inside the transforms.  LIST names the files,
one a line.  A request "log_mel N 1" or "mfcc N 1" makes the features of the first N."""
import multiprocessing
import os
import sys

for variable in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS":
    os.environ[variable] = "1"
import soundfile

import answer
import front

library, threads = sys.argv[1], int(sys.argv[2])
files = open(sys.argv[3]).read().split("\n")[:-1]
make = {what: getattr(front, library)(spec) for what, spec in front.SPECS.items()}


def one(job):
    what, path = job
    return float(make[what](path).sum())


if __name__ == "__main__":
    if library == "torchaudio":
        import torch
        torch.set_num_threads(1)
    one(("log_mel", files[0]))
    with multiprocessing.get_context("fork").Pool(threads) as pool:
        def make_step(what, n):
            return lambda: pool.map(one, [(what, path) for path in files[:n]], 4)

        answer.serve({"version": front.version(library), "threads": threads, "note": "a process a core"}, make_step)
