#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""AudioMood's features are librosa's: the same numbers in three lines, compared with `audiomood features --csv`.

    python3 librosa_features.py [AUDIOMOOD]     # the command; default: audiomood of the PATH

A made-up sound is written to a folder of its own, and both make log-mel and MFCC of it.
"""
import pathlib
import subprocess
import sys
import tempfile

import librosa
import numpy as np
import pandas
import soundfile


def log_mel(path):  # features: {sample_rate: 22050, n_fft: 1024, hop: 256, mels: 64}
    y, rate = librosa.load(path, sr=22050)
    m = librosa.feature.melspectrogram(y=y, sr=rate, n_fft=1024, hop_length=256, n_mels=64)
    return librosa.power_to_db(m, ref=np.max).T


def mfcc(path):  # features: {kind: mfcc, sample_rate: 22050, mfcc: 20, mels: 128, n_fft: 2048, hop: 512, ref: one}
    y, rate = librosa.load(path, sr=22050)
    return librosa.feature.mfcc(y=y, sr=rate, n_mfcc=20).T


CASES = [(log_mel, "{kind: log_mel, sample_rate: 22050, n_fft: 1024, hop: 256, mels: 64}"),
         (mfcc, "{kind: mfcc, sample_rate: 22050, mfcc: 20, mels: 128, n_fft: 2048, hop: 512, ref: one}")]
command = sys.argv[1] if len(sys.argv) > 1 else "audiomood"
worst = 0
with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    t = np.arange(22050) / 22050
    voice = sum(np.sin(2 * np.pi * 150 * k * t + 3 * np.sin(9 * t)) / k for k in range(1, 30))
    noise = np.random.RandomState(1).randn(len(t))
    soundfile.write(folder / "voice.wav", 0.2 * voice * np.hanning(len(t)) + 0.001 * noise, 22050)
    (folder / "clips.csv").write_text("path,label\nvoice.wav,calm\n")
    for ours, features in CASES:
        (folder / "features.yaml").write_text(
            f"cache: ''\ndata: {{corpus: manifest, root: {folder}, manifest: {folder}/clips.csv}}\nfeatures: {features}\n"
            "model: {layers: [global_average_pool, dense]}\n")
        csv = subprocess.run([command, "features", folder / "features.yaml", "--csv", "--quiet"], check=True, stdout=subprocess.PIPE)
        (folder / "features.csv").write_bytes(csv.stdout)
        table = pandas.read_csv(folder / "features.csv")
        theirs = table.drop(columns=["clip", "speaker", "label", "frame"]).to_numpy()
        x = ours(folder / "voice.wav")
        assert x.shape == theirs.shape, (x.shape, theirs.shape)
        difference = np.abs(x - theirs).max()
        worst = max(worst, difference / np.abs(x).max())
        print(f"{ours.__name__:8} {x.shape[0]} frames, {x.shape[1]} bins: largest difference {difference:.1e}, of values up to {np.abs(x).max():.0f}")
sys.exit(0 if worst < 1e-5 else "the features differ")
