#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Logistic regression with L2 on one vector a clip, the five actor folds of RAVDESS speech: the yardstick of docs/functionals.md.

  audiomood features configs/ravdess_functionals.yaml --csv >table.csv
  tools/linear-baseline.py table.csv [--drop REGEX]
  tools/linear-baseline.py --opensmile RAVDESS        the same of openSMILE's ComParE_2016

Features are standardised over the training part, or over each speaker's own clips.  C, the inverse of L2 as scikit-learn counts
it, is chosen for each test fold by the mean recall over the other folds, each held out in turn.  The fit is on the training
part turned to its principal axes, which L2 does not see, in float32 by L-BFGS.  Needs numpy and scipy (2.4.6 and 1.17.1 made
the figures); for openSMILE's opensmile (2.6.0) and soundfile, too."""
import argparse
import csv
import pathlib
import re

import numpy as np
from scipy.optimize import minimize

FOLDS = [[2, 5, 14, 15, 16], [3, 6, 7, 13, 18], [10, 11, 12, 19, 20], [8, 17, 21, 23, 24], [1, 4, 9, 22]]
EMOTIONS = "neutral calm happy sad angry fearful disgust surprised".split()
CS = [3e-4, 1e-3, 3e-3, 1e-2]


def read_table(path, drop):
    with open(path, encoding="utf-8") as file:
        rows = csv.reader(file)
        head = next(rows)
        keep = np.array([not (drop and re.search(drop, name)) for name in head[3:]])
        speakers, labels, x = [], [], []
        for row in rows:
            speakers.append(int(row[1]))
            labels.append(EMOTIONS.index(row[2]))
            x.append(np.array(row[3:], np.float32)[keep])
    return np.array(x), np.array(labels), np.array(speakers)


def read_opensmile(root):
    import opensmile
    import soundfile
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.Functionals)
    files = sorted(p for end in ("flac", "wav") for p in pathlib.Path(root).rglob(f"03-01-*.{end}"))
    codes = [[int(c) for c in p.stem.split("-")] for p in files]
    x = [smile.process_signal(*soundfile.read(p, dtype="float32")).to_numpy()[0] for p in files]
    return np.array(x, np.float32), np.array([c[2] - 1 for c in codes]), np.array([c[6] for c in codes])


def standardise(x, rows):
    deviation = x[rows].std(axis=0)
    deviation[deviation < 1e-6] = 1
    return (x - x[rows].mean(axis=0)) / deviation


def by_speaker(x, speakers):
    out = np.empty_like(x)
    for s in np.unique(speakers):
        out[speakers == s] = standardise(x[speakers == s], slice(None))
    return out


def on_axes(gram, train, test):
    values, vectors = np.linalg.eigh(gram[np.ix_(train, train)])
    keep = values > values.max() * 1e-6
    roots, vectors = np.sqrt(values[keep]), vectors[:, keep]
    return (vectors * roots).astype(np.float32), (gram[np.ix_(test, train)] @ vectors / roots).astype(np.float32)


def answers(gram, labels, train, test):
    """C -> the label of each test clip."""
    a, b = (np.hstack([m, np.ones((len(m), 1), np.float32)]) for m in on_axes(gram, train, test))
    target, w, out = np.eye(len(EMOTIONS), dtype=np.float32)[labels[train]], np.zeros(a.shape[1] * len(EMOTIONS)), {}
    for c in CS:
        def cost(flat):
            z = a @ flat.reshape(-1, len(EMOTIONS)).astype(np.float32)
            z -= z.max(axis=1, keepdims=True)
            e = np.exp(z)
            total = e.sum(axis=1, keepdims=True)
            loss = (np.log(total[:, 0]) - (z * target).sum(axis=1)).sum(dtype=np.float64)
            decayed = flat.reshape(-1, len(EMOTIONS)).copy()
            decayed[-1] = 0
            gradient = c * (a.T @ (e / total - target)).astype(np.float64) + decayed
            return c * loss + 0.5 * (decayed ** 2).sum(), gradient.ravel()
        w = minimize(cost, w, jac=True, method="L-BFGS-B", options={"maxiter": 80, "gtol": 1e-5, "maxcor": 20}).x
        out[c] = (b @ w.reshape(-1, len(EMOTIONS)).astype(np.float32)).argmax(axis=1)
    return out


def uar(labels, found):
    return np.mean([np.mean(found[labels == k] == k) for k in np.unique(labels)])


def evaluate(name, x, labels, speakers):
    fold = np.array([next(k for k, f in enumerate(FOLDS) if s in f) for s in speakers])
    chosen, final, fixed = [], np.zeros_like(labels), {c: [] for c in CS}
    if name == "speaker":
        x = by_speaker(x, speakers)
    for k in range(len(FOLDS)):
        train, test = np.where(fold != k)[0], np.where(fold == k)[0]
        z = x if name == "speaker" else standardise(x, train)
        gram = (z @ z.T).astype(np.float64)
        inner = {c: np.zeros_like(labels) for c in CS}
        for j in set(fold[train]):
            held = train[fold[train] == j]
            for c, found in answers(gram, labels, train[fold[train] != j], held).items():
                inner[c][held] = found
        best = max(CS, key=lambda c: uar(labels[train], inner[c][train]))
        found = answers(gram, labels, train, test)
        final[test] = found[best]
        chosen.append(best)
        for c in CS:
            fixed[c].append(uar(labels[test], found[c]))
    folds = [uar(labels[fold == k], final[fold == k]) for k in range(len(FOLDS))]
    print(f"{name}: {x.shape[1]} features, UAR {100 * np.mean(folds):.1f} % (mean over folds), {100 * uar(labels, final):.1f} % (pooled);",
          "C", *(f"{c:g}" for c in chosen))
    print("  the same C for all folds:", ", ".join(f"{c:g}: {100 * np.mean(u):.1f} %" for c, u in fixed.items()))
    print("  recall:", ", ".join(f"{e} {100 * np.mean(final[labels == i] == i):.0f} %" for i, e in enumerate(EMOTIONS)), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("table", nargs="?")
    p.add_argument("--drop", help="features whose names match are left out")
    p.add_argument("--opensmile")
    a = p.parse_args()
    if not a.table and not a.opensmile:
        p.error("a table or --opensmile FOLDER is wanted")
    data = read_opensmile(a.opensmile) if a.opensmile else read_table(a.table, a.drop)
    for name in ("train", "speaker"):
        evaluate(name, *data)


if __name__ == "__main__":
    main()
