#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/study/golden_compare.h: McNemar's test by scipy's binomial distribution, and the exact distribution of a
paired bootstrap over three speakers (all 27 draws).

    python3 tools/golden-compare.py > tests/study/golden_compare.h
"""
import itertools

import numpy as np
from scipy import stats

pairs = [(0, 0), (1, 0), (0, 5), (3, 3), (10, 3), (3, 10), (59, 31), (121, 59), (700, 640), (2500, 2000)]


def mcnemar(b, c):
    if b == c:
        return 1.0, 1.0
    exact = stats.binomtest(min(b, c), b + c, 0.5).pvalue
    return exact, 2 * stats.binom.cdf(min(b, c), b + c, 0.5) - stats.binom.pmf(min(b, c), b + c, 0.5)


# Three speakers, three classes, A and B right or wrong; speaker 2 never says class 2.
rng = np.random.RandomState(5)
speakers, labels = [], []
for speaker, counts in enumerate([(4, 2, 3), (2, 5, 1), (3, 3, 0)]):
    for label, count in enumerate(counts):
        speakers += [speaker] * count
        labels += [label] * count
speakers, labels = np.array(speakers), np.array(labels)
a = rng.rand(len(labels)) < np.array([0.8, 0.4, 0.5])[speakers]
b = rng.rand(len(labels)) < np.array([0.5, 0.9, 0.7])[speakers]


def differences(clips):
    d, label = b[clips].astype(float) - a[clips], labels[clips]
    return d.mean(), np.mean([d[label == k].mean() for k in range(3) if (label == k).any()])


draws = [
    differences(np.concatenate([np.flatnonzero(speakers == s) for s in chosen]))
    for chosen in itertools.product(range(3), repeat=3)
]
# Each draw has probability 1/27 = 3.7 % and so each end of the 95 % interval is the extreme draw.
accuracy, uar = differences(np.arange(len(labels)))


def emit(kind, name, values):
    text = [f"{v:.17g}" if kind == "double" else str(int(v)) for v in values]
    print(f"static const {kind} {name}[{len(text)}] = {{")
    for i in range(0, len(text), 5):
        print("    " + " ".join(t + "," for t in text[i : i + 5]))
    print("};")


print("/* Made by tools/golden-compare.py; do not edit. */")
print("static const struct { uint64_t b, c; double exact, mid; } golden_mcnemar[] = {")
for b_only, c_only in pairs:
    exact, mid = mcnemar(b_only, c_only)
    print(f"    {{{b_only}, {c_only}, {exact:.17g}, {mid:.17g}}},")
print("};")
print(f"enum {{ GOLDEN_N = {len(labels)} }};")
emit("int", "golden_speakers", speakers)
emit("int", "golden_labels", labels)
emit("double", "golden_a", a)
emit("double", "golden_b", b)
for name, value, column in (("accuracy", accuracy, 0), ("uar", uar, 1)):
    values = [d[column] for d in draws]
    print(f"static const double golden_{name}[3] = {{{value:.17g}, {min(values):.17g}, {max(values):.17g}}};")
