#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/io/foreign.h5 with h5py: what Keras's files hold, and what must be refused.

Usage: tools/make_foreign_h5.py tests/io/foreign.h5
"""
import sys

import h5py
import numpy as np

kernel = np.arange(6, dtype="f4").reshape(2, 3) - 2.5
with h5py.File(sys.argv[1], "w") as f:
    w = f.create_group("w")
    w["dense/kernel:0"] = kernel
    w["double"] = kernel.astype("f8")
    w["half"] = kernel.astype("f2")
    w["big_endian"] = kernel.astype(">f4")
    w.create_dataset("chunked", data=kernel, chunks=(1, 3), compression="gzip")
    w["short"] = np.array([1, 2, -3], dtype="i2")
    w.attrs["fixed"] = np.array([b"dense", b"conv2d_1"])
    w.attrs.create("variable", ["dense", "conv2d_1"], dtype=h5py.string_dtype())
    text = '{"class_name": "S\u00e4quential"}'
    f.attrs["one_fixed"] = np.bytes_(text.encode())
    f.attrs["one_variable"] = text
    f["text"] = "variable text"
    # Claims 4 TB and holds nothing: storage of chunks is made when they are written.
    f.create_dataset("huge", shape=(1 << 20, 1 << 20), dtype="f4", chunks=(1024, 1024))
    f["soft"] = h5py.SoftLink("/w/double")
    f["external"] = h5py.ExternalLink("foreign.h5", "/w/double")
    f.create_dataset("outside", shape=(6,), dtype="f4", external=[("/dev/zero", 0, 24)])
    f["six"] = np.zeros((1,) * 6, "f4")
    f["null"] = h5py.Empty("f4")
