#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The features of a run's clips out of the feature cache, by h5py: one (frames, bins) array a clip, before normalisation.

    python3 cache.py CACHE RUN

An entry of the cache has no name but the digest of the sound that it was computed from; clips.csv of the run says which clip has
which digest.  Of a folder that was used with several settings one cannot tell which entry is of which, so give the run a cache
of its own (--set cache=FOLDER).
"""
import pathlib
import sys

import h5py
import numpy as np
import pandas


def shards(folder):
    for path in sorted(pathlib.Path(folder).glob("features-*.h5")):
        with h5py.File(path) as file:
            if file.attrs["format"] != b"audiomood features" or file.attrs["version"] != 3:
                continue
            values, first = file["values"][()], 0
            for digest, rows, columns in zip(file["digest"][()].view(np.uint64), file["rows"][()], file["columns"][()]):
                yield f"{digest:016x}", values[first:first + rows * columns].reshape(rows, columns)
                first += rows * columns


clips = pandas.read_csv(pathlib.Path(sys.argv[2]) / "clips.csv", dtype=str)
features = dict(shards(sys.argv[1]))
found = clips[clips.sound.isin(features)]
print(f"{len(found)} of {len(clips)} clips are in the cache")
for clip, sound in found.itertuples(index=False):
    x = features[sound]
    print(f"{clip:45} {x.shape[0]:5} frames {x.shape[1]:4} bins  mean {x.mean():9.4f}")
