#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/model/golden_dimensions.h: concordance, correlation and errors of made-up values of three dimensions, by
audmetric 1.4 and scipy.

    python3 -m venv ENV && ENV/bin/pip install audmetric==1.4.2 scipy==1.17.1 numpy==2.4.6
    ENV/bin/python tools/golden-dimensions.py > tests/model/golden_dimensions.h
"""
import audmetric
import numpy as np
from scipy import stats

N, K, SPEAKERS = 48, 3, 6
rng = np.random.RandomState(5)
speaker = np.arange(N) % SPEAKERS
truth = np.round(rng.uniform(1, 5, size=(N, K)) * 4) / 4
predicted = 3 + [[0.7, 0.3, -0.2]] * (truth - 3) + rng.normal(scale=0.6, size=(N, K)) + np.array([0.0, 0.4, 0.1])
predicted = predicted.astype(np.float32).astype(np.float64)
truth[rng.uniform(size=(N, K)) < 0.15] = np.nan  # not known


def figures(t, y):
    known = ~np.isnan(t)
    t, y = t[known], y[known]
    return (audmetric.concordance_cc(t, y), stats.pearsonr(t, y).statistic, audmetric.mean_squared_error(t, y) ** 0.5,
            audmetric.mean_absolute_error(t, y), known.sum())


def put(name, values, kind="double"):
    text = ", ".join("NAN" if v != v else repr(float(v)) if kind == "double" else str(int(v)) for v in np.ravel(values))
    print(f"static const {kind} {name}[] = {{{text}}};")


all_of = np.array([figures(truth[:, k], predicted[:, k]) for k in range(K)])
print("/* Written by tools/golden-dimensions.py; do not edit. */")
print("// clang-format off")
print("#include <math.h>")
print(f"enum {{ GOLDEN_N = {N}, GOLDEN_K = {K}, GOLDEN_SPEAKERS = {SPEAKERS} }};")
put("golden_truth", truth)
put("golden_predicted", predicted)
put("golden_speakers", speaker, "int")
for i, name in enumerate(["ccc", "pearson", "rmse", "mae"]):
    put("golden_" + name, all_of[:, i])
put("golden_known", all_of[:, 4], "int")
put("golden_speaker_rmse", [[figures(truth[speaker == s, k], predicted[speaker == s, k])[2] for k in range(K)]
                            for s in range(SPEAKERS)])
put("golden_speaker_ccc", [[figures(truth[speaker == s, k], predicted[speaker == s, k])[0] for k in range(K)]
                           for s in range(SPEAKERS)])
