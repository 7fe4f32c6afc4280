#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""TensorBoard's side of train.tensorboard.

    python3 tools/golden-events.py > tests/run/golden_events.h    # the bytes that TensorBoard's own writer makes
    python3 tools/golden-events.py --read RUN...                  # EventAccumulator's figures of a run against history.csv

Needs tensorboard (made with 2.15.2) and numpy.
"""
import csv
import math
import os
import sys
import tempfile

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

TAGS = {"loss/train": "train_loss", "loss/validation": "validation_loss", "accuracy/train": "train_accuracy",
        "accuracy/validation": "validation_accuracy", "uar/validation": "validation_uar",
        "learning_rate": "learning_rate", "time/seconds": "seconds", "time/clips_per_second": "clips_per_second"}
# Time, epoch and figures in the order of TAGS; None: not taken. The second step has two bytes.
EPOCHS = [(1790000001.25, 1, [2.25, 1.75, 0.125, 0.1, 0.3333333333333333, 1e-3, 1.5, 812.0625]),
          (1790000002.5, 300, [1e-12, None, 1.0, None, None, 5e-324, 0.01, math.inf])]


def golden():
    with tempfile.NamedTemporaryFile() as file:
        writer = RecordWriter(file)
        writer.write(event_pb2.Event(wall_time=1790000000.5, file_version="brain.Event:2").SerializeToString())
        for when, step, figures in EPOCHS:
            event = event_pb2.Event(wall_time=when, step=step)
            for tag, value in zip(TAGS, figures):
                if value is not None:
                    event.summary.value.add(tag=tag, simple_value=float(np.float32(value)))
            writer.write(event.SerializeToString())
        writer.flush()
        file.seek(0)
        data = file.read()
    print("/* Made by tools/golden-events.py; do not edit. */")
    print(f"static const unsigned char golden_events[{len(data)}] = {{")
    for i in range(0, len(data), 16):
        print("    " + ", ".join(f"0x{b:02x}" for b in data[i:i + 16]) + ",")
    print("};")


def read(folder):
    """How many values agree; exits where one does not, or is there twice."""
    seen = EventAccumulator(folder, size_guidance={"scalars": 0})
    seen.Reload()
    with open(os.path.join(folder, "history.csv")) as file:
        rows = list(csv.DictReader(file))
    n = 0
    for tag, column in TAGS.items():
        wanted = [(int(r["epoch"]), np.float32(r[column])) for r in rows if r[column] not in ("", "nan")]
        found = [(s.step, np.float32(s.value)) for s in seen.Scalars(tag)] if wanted else []
        if found != wanted:
            sys.exit(f"{folder}: {tag}: TensorBoard reads {found}, history.csv has {wanted}")
        n += len(found)
    if set(seen.Tags()["scalars"]) - set(TAGS):
        sys.exit(f"{folder}: there are other scalars: {seen.Tags()['scalars']}")
    print(f"{folder}: {len(rows)} epochs, {n} values equal")
    return n


if sys.argv[1:2] == ["--read"]:
    print(sum(read(folder) for folder in sys.argv[2:]), "values equal")
else:
    golden()
