#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A run's predictions.csv by pandas: its figures, a confusion matrix, the worst speakers and the surest mistakes.

    python3 predictions.py RUN
"""
import json
import pathlib
import sys

import pandas

run = pathlib.Path(sys.argv[1])
table = pandas.read_csv(run / "predictions.csv", dtype={"speaker": str, "fold": str})  # a speaker may be 01
table["right"] = table.true == table.predicted
recall = table.groupby("true").right.mean()
print(f"{len(table)} clips, accuracy {table.right.mean():.4f}, unweighted average recall {recall.mean():.4f}")
print(pandas.crosstab(table.true, table.predicted).to_string())
print(table.groupby("speaker").right.agg(["mean", "size"]).sort_values("mean").head(3).to_string())

labels = [c[2:] for c in table.columns if c.startswith("p_")]
table["sure"] = table[[f"p_{name}" for name in labels]].max(axis=1)
wrong = table[~table.right].sort_values("sure", ascending=False)
print(wrong[["clip", "true", "predicted", "sure"]].head(3).to_string(index=False))

# The same figures as AudioMood's own.
if (run / "metrics.json").exists():
    metrics = json.loads((run / "metrics.json").read_text())
    told = metrics.get("test") or metrics["validation"]
    assert abs(told["accuracy"] - table.right.mean()) < 1e-9 and abs(told["uar"] - recall.mean()) < 1e-9
