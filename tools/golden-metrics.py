#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/model/golden_metrics.h: figures of made-up predictions by scikit-learn, a temperature and thresholds by scipy,
calibration error, Wilson's interval and the area under risk over coverage by formula.

    python3 tools/golden-metrics.py > tests/model/golden_metrics.h
"""
import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp
from scipy.stats import beta
from sklearn import metrics

N, K = 60, 5  # class 4 occurs nowhere in the truth, class 3 is never predicted
rng = np.random.RandomState(3)
truth = rng.randint(0, 4, size=N)
logits = rng.normal(size=(N, K)) + 1.5 * np.eye(K)[truth]
logits[:, 3] -= 30
p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
p = p.astype(np.float32)
guess = p.argmax(axis=1)
labels = list(range(K))
WANTED = [0.5, 0.68, 0.85, 0.95]


def calibration():  # Guo et al. 2017
    total, confidence = 0.0, p.max(axis=1).astype(np.float64)
    edges = np.linspace(0, 1, 16)
    for low, high in zip(edges[:-1], edges[1:]):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += abs((guess == truth)[inside].mean() - confidence[inside].mean()) * inside.mean()
    return total


def temperature():  # the same
    z = np.log(p.astype(np.float64))
    z[:, 3] += 29  # a class that is also predicted
    z = (2.5 * z).astype(np.float32).astype(np.float64)  # too sure
    loss = lambda log_t: (logsumexp(z / np.exp(log_t), axis=1) - z[np.arange(N), truth] / np.exp(log_t)).mean()
    return np.exp(minimize_scalar(loss, bounds=(np.log(0.01), np.log(100)), method="bounded", options={"xatol": 1e-12}).x)


def risks():  # of the first 1, 2, ... clips, surest first: Geifman & El-Yaniv 2017
    order = np.argsort(-p.max(axis=1))
    return p.max(axis=1)[order].astype(np.float64), np.cumsum((guess != truth)[order]) / np.arange(1, N + 1)


def coverage(precision):
    sure, risk = risks()
    last = np.flatnonzero(1 - risk >= precision).max()
    return (last + 1) / N, sure[last]


def lowest(sure, right, good):  # threshold: between the last clip that is in, and the first that is out
    last = np.flatnonzero(good(np.cumsum(right), np.arange(1, len(sure) + 1)))
    if not len(last):
        return 2.0
    return (sure[last[-1]] + sure[last[-1] + 1]) / 2 if last[-1] + 1 < len(sure) else 0.0


def thresholds(precision):  # Clopper & Pearson's one-sided 90 % limit for all, then the share itself for each class
    order = np.argsort(-p.max(axis=1))
    sure, said, right = p.max(axis=1)[order].astype(np.float64), guess[order], (guess == truth)[order]
    everything = lowest(sure, right, lambda r, n: np.where(r > 0, beta.ppf(0.1, r, n - r + 1), 0) >= precision)
    out = []
    for k in range(K):
        own = (said == k) & (sure >= everything)
        enough = own.sum() >= 10
        out.append(max(everything, lowest(sure[own], right[own], lambda r, n: r / n >= precision)) if enough else everything)
    return out


def wilson(hits, n, z=1.959963984540054):
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def emit(kind, name, values):
    values = np.asarray(values).ravel()
    text = [f"{v:.17g}" if kind == "double" else f"{v:.9g}f" if kind == "float" else str(int(v)) for v in values]
    print(f"static const {kind} {name}[{len(values)}] = {{")
    for i in range(0, len(text), 5):
        print("    " + " ".join(t + "," for t in text[i : i + 5]))
    print("};")


print("/* Made by tools/golden-metrics.py; do not edit. */")
print(f"enum {{ GOLDEN_N = {N}, GOLDEN_K = {K} }};")
emit("double", "golden_probabilities", p.astype(np.float64))
emit("int", "golden_truth", truth)
precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, guess, labels=labels, zero_division=0)
emit("double", "golden_precision", precision)
emit("double", "golden_recall", recall)
emit("double", "golden_f1", f1)
emit("int", "golden_support", support)
emit("int", "golden_confusion", metrics.confusion_matrix(truth, guess, labels=labels))
print(f"static const double golden_accuracy = {metrics.accuracy_score(truth, guess):.17g};")
print(f"static const double golden_uar = {metrics.balanced_accuracy_score(truth, guess):.17g};")
present = sorted(set(truth))  # the classes that balanced_accuracy_score counts
print(f"static const double golden_macro_f1 = {metrics.f1_score(truth, guess, labels=present, average='macro', zero_division=0):.17g};")
print(f"static const double golden_loss = {-np.log(p[np.arange(N), truth].astype(np.float64)).mean():.17g};")
print(f"static const double golden_ece = {calibration():.17g};")
print(f"static const double golden_temperature = {temperature():.9g};")
low, high = wilson((guess == truth).sum(), N)
print(f"static const double golden_low = {low:.17g}, golden_high = {high:.17g};")
print(f"static const double golden_aurc = {risks()[1].mean():.17g};")
emit("double", "golden_coverage", coverage(0.8) + coverage(0.9))
print(f"enum {{ GOLDEN_PRECISIONS = {len(WANTED)} }};")
emit("double", "golden_precisions", WANTED)
emit("double", "golden_thresholds", [thresholds(precision) for precision in WANTED])
