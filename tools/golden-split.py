#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/data/golden_split.h: splits drawn by scikit-learn, for tests/data/test_split.c.

usage: tools/golden-split.py > tests/data/golden_split.h

Needs scikit-learn; the present file is of
  python3 -m venv golden && golden/bin/pip install scikit-learn==1.9.1 numpy==2.4.6
"""
import warnings

import numpy as np
import sklearn
from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold, train_test_split

warnings.simplefilter("ignore")  # a class with fewer clips than folds


def labels_of(n, classes, kind):
    """The same rule stands in test_split.c."""
    if kind == 0:
        return None
    if kind == 1:
        return [i % classes for i in range(n)]
    return [(i * i + 3 * i) // 7 % classes for i in range(n)]


def digest(indices):
    """Polynomial hash modulo 2^32."""
    h = 0
    for i in indices:
        h = (h * 31 + int(i)) & 0xFFFFFFFF
    return h


CASES = [  # n, test size, seed, classes, kind of labels (0: plain)
    (2, 0.5, 0, 1, 0), (10, 0.25, 42, 1, 0), (100, 0.3, 7, 1, 0), (1132, 0.25, 42, 1, 0), (1440, 0.2, 123456789, 1, 0),
    (20228, 0.25, 42, 1, 0), (19929, 0.25, 42, 1, 0), (1440, 0.25, 4294967295, 1, 0),
    (20, 0.5, 0, 2, 1), (100, 0.25, 42, 3, 1), (1132, 0.25, 42, 6, 1), (1440, 0.2, 1, 8, 1), (97, 0.33, 5, 7, 1),
    (100, 0.25, 42, 4, 2), (1132, 0.25, 42, 6, 2), (535, 0.3, 99, 7, 2), (211, 0.11, 3, 5, 2), (1440, 0.5, 42, 8, 2),
]
GROUPS = [(24, 0.25, 42), (24, 0.2, 1), (10, 0.34, 7), (91, 0.1, 42)]

print("/* Written by tools/golden-split.py with scikit-learn %s and numpy %s. */" % (sklearn.__version__, np.__version__))
print("static const struct {\n  unsigned n;\n  double test_size;\n  uint32_t seed;\n  int classes, kind;")
print("  unsigned n_train, n_test;\n  uint32_t train_digest, test_digest, train_first[2], test_first[1];\n} golden_splits[] = {")
for n, size, seed, classes, kind in CASES:
    train, test = train_test_split(np.arange(n), test_size=size, random_state=seed, stratify=labels_of(n, classes, kind))
    print("  {%d, %r, %du, %d, %d, %d, %d, %du, %du, {%s}, {%d}}," % (
        n, size, seed, classes, kind, len(train), len(test), digest(train), digest(test),
        ", ".join(str(i) for i in (list(train) + [0])[:2]), test[0]))
print("};\n\n/* GroupShuffleSplit over groups 0..n-1: the groups of the test part, ascending. */")
print("static const struct {\n  int n;\n  double test_size;\n  uint32_t seed;\n  int n_test, test[16];\n} golden_groups[] = {")
for n, size, seed in GROUPS:
    groups = np.repeat(np.arange(n), 3)
    split = GroupShuffleSplit(n_splits=1, test_size=size, random_state=seed)
    test = sorted(set(groups[next(split.split(groups, groups=groups))[1]]))
    print("  {%d, %r, %du, %d, {%s}}," % (n, size, seed, len(test), ", ".join(str(i) for i in test)))
print("};")


def item(kind, i, groups, classes):
    """Group and class of item i; the same rule stands in test_split.c."""
    if kind == 0:  # RAVDESS's speech: 4 neutral clips of each actor, 8 of each other emotion
        return i // 60, 0 if i % 60 < 4 else 1 + (i % 60 - 4) // 8
    h = (i * 2654435761 & 0xFFFFFFFF) >> 8
    if kind == 1:
        return i % groups, h % classes
    return i if i < groups else min(h % groups, h // groups % groups), h // 7 % classes * (h // 7 % classes) // classes  # unequal groups and classes


FOLDS = [  # items, groups, classes, kind, folds, seed
    (1440, 24, 8, 0, 5, 42), (1440, 24, 8, 0, 5, 1), (1440, 24, 8, 0, 6, 7), (1440, 24, 8, 0, 4, 0), (1440, 24, 8, 0, 2, 4294967295),
    (535, 10, 7, 1, 5, 42), (535, 10, 7, 2, 5, 42), (300, 6, 4, 1, 3, 9), (300, 6, 4, 2, 3, 9), (588, 6, 7, 2, 6, 3),
    (7442, 91, 6, 2, 5, 42), (7442, 91, 6, 2, 10, 42), (2000, 40, 12, 2, 5, 11), (2000, 40, 17, 1, 7, 12), (999, 33, 2, 2, 4, 5),
    (700, 30, 20, 2, 3, 6), (4000, 60, 150, 2, 4, 8), (480, 4, 7, 2, 2, 1), (90, 9, 3, 1, 9, 2), (1000, 200, 5, 2, 8, 77),
]
print("\n/* StratifiedGroupKFold with shuffle: the fold of each group, a digit each. */")
print("static const struct {\n  int n, groups, classes, kind, folds;\n  uint32_t seed;\n  const char *fold_of;\n} golden_folds[] = {")
for n, groups, classes, kind, folds, seed in FOLDS:
    pairs = np.array([item(kind, i, groups, classes) for i in range(n)])
    assert len(set(pairs[:, 0])) == groups, (n, groups)
    fold_of = np.full(groups, -1)
    split = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    for k, (_, test) in enumerate(split.split(pairs[:, 1], pairs[:, 1], pairs[:, 0])):
        fold_of[pairs[test, 0]] = k
    print('  {%d, %d, %d, %d, %d, %du, "%s"},' % (n, groups, classes, kind, folds, seed, "".join(str(k) for k in fold_of)))
print("};")
