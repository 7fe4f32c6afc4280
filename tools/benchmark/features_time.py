# SPDX-License-Identifier: MIT
"""Processor time of the features of sound files, one thread, in turn: features_time.py AUDIOMOOD FOLDER [FILES [ROUNDS]]

For a machine that others keep busy, where wall time says little.  AudioMood's is that of the whole process less that of the
process for one file; librosa's is that of the transforms of a warm process.  Run by a Python that has librosa."""
import os
import resource
import subprocess
import sys
import tempfile
import time

for variable in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS":
    os.environ[variable] = "1"
import front
from sounds import FEATURE_CONFIGS, feature_command, sounds_in, write_manifest


def ours(audiomood, what, manifest):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = feature_command(audiomood, FEATURE_CONFIGS[what], manifest) + ["--threads", "1"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def theirs(make, files):
    began = time.process_time()
    for path in files:
        make(path)
    return time.process_time() - began


def main(audiomood, folder, most=240, rounds=5):
    files = sounds_in(folder)[:int(most)]
    with tempfile.TemporaryDirectory() as work:
        all_of_them, first = os.path.join(work, "all.csv"), os.path.join(work, "first.csv")
        write_manifest(files, all_of_them)
        write_manifest(files[:1], first)
        for what, spec in front.SPECS.items():
            make = front.librosa(spec)
            make(files[0])
            a, b = [], []
            for _ in range(int(rounds)):
                a.append(ours(audiomood, what, all_of_them) - ours(audiomood, what, first))
                b.append(theirs(make, files[1:]))
            print(f"{what}, {len(files)} files: AudioMood {min(a):.3f} s, librosa {front.version('librosa')} {min(b):.3f} s, "
                  f"ratio of minima {min(b) / min(a):.1f}, of medians {sorted(b)[len(b) // 2] / sorted(a)[len(a) // 2]:.1f}")


main(*sys.argv[1:])
