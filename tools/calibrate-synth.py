#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How hard is a synthetic corpus? Needs numpy, scipy, librosa, soundfile, scikit-learn and PyTorch.

usage: tools/calibrate-synth.py CORPUS [--other CORPUS] [--train 20] [--epochs 14] [--normalise clip|none] [--test]

CORPUS is a folder written by `audiomood synth`. Trains on actors 1..TRAIN and prints the accuracy, speakers held out, of
  - multinomial logistic regression on mean MFCCs over time (what a clip sounds like on average), and
  - a small CNN on log-mel (what happens in time as well).
Held out are: the clips of --other (a corpus of another seed: 24 voices that nobody trained on; use this while
choosing how hard the synthesiser shall be), else actors TRAIN+1..20, or with --test actors 21-24."""
import argparse
import glob
import os
import time

import librosa
import numpy as np
import scipy.fft
import soundfile
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

NAMES = "neutral calm happy sad angry fearful disgust surprised".split()


def features(corpus, hop):
    """Log-mel (clips, mels, frames) with NaN after a clip's end, mean MFCCs, labels, actors."""
    files = sorted(glob.glob(os.path.join(corpus, "Actor_*", "03-01-*.wav")))
    if not files:
        raise SystemExit(f"{corpus}: no Actor_NN/03-01-*.wav; make it with `audiomood synth {corpus}`")
    mels, cepstra, labels, actors = [], [], [], []
    for path in files:
        x, rate = soundfile.read(path, dtype="float32")
        filters = librosa.filters.mel(sr=rate, n_fft=1024, n_mels=64)
        power = filters @ np.abs(librosa.stft(x, n_fft=1024, hop_length=hop)) ** 2
        mels.append(librosa.power_to_db(power, ref=np.max, top_db=80))
        cepstra.append(scipy.fft.dct(librosa.power_to_db(power), axis=0, norm="ortho")[:40].mean(1))
        fields = os.path.basename(path)[:-4].split("-")
        labels.append(int(fields[2]) - 1)
        actors.append(int(fields[6]))
    padded = np.full((len(mels), 64, max(m.shape[1] for m in mels)), np.nan, np.float32)
    for i, m in enumerate(mels):
        padded[i, :, :m.shape[1]] = m
    return padded, np.stack(cepstra), np.array(labels), np.array(actors)


def normalise(x, how):
    """`clip`: mean 0, deviation 1 per clip and mel band. Padding becomes 0."""
    if how == "clip":
        x = (x - np.nanmean(x, 2, keepdims=True)) / (np.nanstd(x, 2, keepdims=True) + 1e-6)
    else:
        x = (x + 40) / 20
    return torch.tensor(np.nan_to_num(x, nan=0.0 if how == "clip" else -2.0))[:, None]


class Net(torch.nn.Module):
    def __init__(self, widths, drop=0.3):
        super().__init__()
        layers, before = [], 1
        for width in widths:
            layers += [torch.nn.Conv2d(before, width, 3, padding=1), torch.nn.BatchNorm2d(width), torch.nn.ReLU(),
                       torch.nn.MaxPool2d(2)]
            before = width
        self.body, self.drop = torch.nn.Sequential(*layers), torch.nn.Dropout(drop)
        self.out = torch.nn.Linear(before * (64 >> len(widths)), len(NAMES))

    def forward(self, x):  # (B,1,F,T); mean over time keeps the bands apart
        return self.out(self.drop(self.body(x).mean(3).flatten(1)))


def train(x, y, epochs, widths, rate=3e-3, batch=32):
    torch.manual_seed(0)
    order = np.random.RandomState(0)
    net = Net(widths)
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-2)
    steps, step = epochs * -(-len(y) // batch), 0
    for epoch in range(epochs):
        net.train()
        total, began = 0.0, time.time()
        for rows in np.array_split(order.permutation(len(y)), -(-len(y) // batch)):
            for group in optimiser.param_groups:
                group["lr"] = rate * min(1, (step + 1) / max(1, steps // 20)) * 0.5 * (1 + np.cos(np.pi * step / steps))
            loss = torch.nn.functional.cross_entropy(net(x[rows]), y[rows], label_smoothing=0.1)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total, step = total + loss.item() * len(rows), step + 1
        print(f"  epoch {epoch + 1}/{epochs} loss {total / len(y):.3f}, {time.time() - began:.1f} s", flush=True)
    return net.eval()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("corpus")
    p.add_argument("--other")
    p.add_argument("--train", type=int, default=20)
    p.add_argument("--epochs", type=int, default=14)
    p.add_argument("--hop", type=int, default=320)
    p.add_argument("--normalise", choices=["clip", "none"], default="clip")
    p.add_argument("--widths", default="16,32,64")
    p.add_argument("--test", action="store_true")
    args = p.parse_args()
    mel, cepstrum, label, actor = features(args.corpus, args.hop)
    rows = actor <= args.train
    if args.other:
        mel2, cepstrum2, label2, _ = features(args.other, args.hop)
    else:
        held = actor > 20 if args.test else (actor > args.train) & (actor <= 20)
        if not held.any():
            raise SystemExit("no actor is held out: lower --train, give --other, or use --test")
        mel2, cepstrum2, label2 = mel[held], cepstrum[held], label[held]
    print(f"{rows.sum()} clips to train, {len(label2)} held out")
    for n in (13, 20, 40):
        scale = StandardScaler().fit(cepstrum[rows, :n])
        linear = LogisticRegression(max_iter=3000).fit(scale.transform(cepstrum[rows, :n]), label[rows])
        print(f"linear, mean of {n} MFCCs: {linear.score(scale.transform(cepstrum2[:, :n]), label2):.3f}")
    net = train(normalise(mel[rows], args.normalise), torch.tensor(label[rows]), args.epochs,
                [int(w) for w in args.widths.split(",")])
    with torch.no_grad():
        guess = torch.cat([net(part).argmax(1) for part in normalise(mel2, args.normalise).split(64)]).numpy()
    print(f"CNN on log-mel: {(guess == label2).mean():.3f}")
    print("  recall " + ", ".join(f"{NAMES[k]} {(guess == label2)[label2 == k].mean():.2f}" for k in range(len(NAMES))))


if __name__ == "__main__":
    main()
