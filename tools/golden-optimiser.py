#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/optim/golden_optimiser.h: ten steps of each optimiser and whole learning-rate schedules.

PyTorch in float64 is the reference; Keras's conventions, which PyTorch does not offer, are written out in
numpy from the formulas of Keras 2.11 (keras/optimizers/optimizer_experimental: adam.py, sgd.py).

    python3 tools/golden-optimiser.py > tests/optim/golden_optimiser.h
"""
import math

import numpy as np
import torch

STEPS, KERNEL, BIAS = 10, 8, 2  # a dense layer (4, 2): weight decay on the kernel only
rng = np.random.RandomState(7)
start = rng.normal(size=KERNEL + BIAS).astype(np.float32)
gradients = (rng.normal(size=(STEPS, KERNEL + BIAS)) * np.logspace(-4, 1, KERNEL + BIAS)).astype(np.float32)
clipped_to = 2.0


def by_torch(make, decay, clip=0.0):
    kernel = torch.nn.Parameter(torch.tensor(start[:KERNEL], dtype=torch.float64))
    bias = torch.nn.Parameter(torch.tensor(start[KERNEL:], dtype=torch.float64))
    optimiser = make([{"params": [kernel], "weight_decay": decay}, {"params": [bias], "weight_decay": 0.0}])
    for g in gradients:
        kernel.grad = torch.tensor(g[:KERNEL], dtype=torch.float64)
        bias.grad = torch.tensor(g[KERNEL:], dtype=torch.float64)
        if clip:
            norm = math.sqrt(float((g.astype(np.float64) ** 2).sum()))
            factor = min(1.0, clip / norm)
            kernel.grad *= factor
            bias.grad *= factor
        optimiser.step()
    return torch.cat([kernel, bias]).detach().numpy()


def keras_adam(rate, beta1, beta2, epsilon):
    w, m, v = start.astype(np.float64), 0.0, 0.0
    for t, g in enumerate(gradients.astype(np.float64), 1):
        alpha = rate * math.sqrt(1 - beta2**t) / (1 - beta1**t)
        m = m + (g - m) * (1 - beta1)
        v = v + (g * g - v) * (1 - beta2)
        w = w - m * alpha / (np.sqrt(v) + epsilon)
    return w


def average(weights_of_steps, decay):
    a = start.astype(np.float64)
    for t, w in enumerate(weights_of_steps, 1):
        d = min(decay, (1 + t) / (10 + t))
        a = d * a + (1 - d) * w
    return a


def sgd_path(rate):
    w, path = start.astype(np.float64), []
    for g in gradients.astype(np.float64):
        w = w - rate * g
        path.append(w)
    return path


def emit(name, values):
    values = np.asarray(values, dtype=np.float64).ravel()
    print(f"static const double {name}[{len(values)}] = {{")
    for i in range(0, len(values), 4):
        print("    " + " ".join(f"{v:.17g}," for v in values[i : i + 4]))
    print("};")


def schedule(make, steps):
    p = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([p], lr=1.0)
    s, rates = make(optimiser), []
    for _ in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        s.step()
    return rates


o, s = torch.optim, torch.optim.lr_scheduler
print("/* Made by tools/golden-optimiser.py; do not edit. */")
emit("golden_start", start)
emit("golden_gradients", gradients)
emit("golden_sgd", by_torch(lambda p: o.SGD(p, lr=0.05), 0.0))
emit("golden_momentum", by_torch(lambda p: o.SGD(p, lr=0.05, momentum=0.9), 0.1))
emit("golden_nesterov", by_torch(lambda p: o.SGD(p, lr=0.05, momentum=0.9, nesterov=True), 0.1))
emit("golden_adam_pytorch", by_torch(lambda p: o.Adam(p, lr=0.01, betas=(0.9, 0.99), eps=1e-2), 0.1))
emit("golden_adam_keras", keras_adam(0.01, 0.9, 0.99, 1e-2))
emit("golden_adamw", by_torch(lambda p: o.AdamW(p, lr=0.01, betas=(0.9, 0.99), eps=1e-8), 0.1))
emit("golden_clipped", by_torch(lambda p: o.SGD(p, lr=0.05), 0.0, clip=clipped_to))
emit("golden_average", average(sgd_path(0.05), 0.5))
emit("golden_one_cycle", schedule(lambda p: s.OneCycleLR(p, 1.0, total_steps=20, pct_start=0.3, cycle_momentum=False,
                                                         div_factor=25, final_div_factor=0.04 / 0.01), 20))
emit("golden_cosine", schedule(lambda p: s.CosineAnnealingLR(p, T_max=20, eta_min=0.1), 20))
emit("golden_step", schedule(lambda p: s.StepLR(p, step_size=8, gamma=0.3), 20))
