#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Golden numbers for tests/audio, and the comparison of our features with librosa's on real clips.

  tools/golden-audio.py write
      writes tests/audio/golden/*.npy from a sound that this script makes up.
  tools/golden-audio.py pin BUILD/tests/audio/dump_features
      writes digest-vN.npy, what AM_FEATURES_VERSION N gives for what librosa does not define.
  tools/golden-audio.py compare BUILD/tests/audio/dump_features [--clips N] [--data FOLDER]
      runs both on N clips (0: all) of FOLDER (default ../shared/data/ravdess) and prints the largest
      and mean differences; exits 1 when one is over its bound.

Needs numpy, scipy, soundfile, soxr and librosa (0.11.0 made the committed files).
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import librosa
import numpy as np
import soundfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "audio" / "golden"


def made_up_sound(rate=22050, n=13230):
    """A chirp, a vowel of many harmonics, coloured noise, a soft tone; silence at both ends. int16."""
    rng = np.random.RandomState(1)
    t = np.arange(n) / rate
    third = n // 4
    y = 1e-4 * rng.randn(n)
    chirp = 0.5 * np.sin(2 * np.pi * (300 * t + 8000 * t * t))
    vowel = sum(np.sin(2 * np.pi * 130 * k * t) / k for k in range(1, 40)) * 0.25
    noise = np.convolve(rng.randn(n), [0.25, 0.5, 0.25], "same") * 0.1
    start = 2000
    for part, sound in enumerate((chirp, vowel, noise)):
        at = slice(start + part * third, start + (part + 1) * third)
        y[at] += (sound * 1.0)[at] * np.hanning(at.stop - at.start)
    y[start:-2000] += 0.003 * np.sin(2 * np.pi * 3000 * t[start:-2000])
    return np.round(np.clip(y, -1, 1) * 32767).astype(np.int16)


def as_float(pcm):
    return (pcm / np.float32(32768)).astype(np.float32)


# name -> (options as our config writes them, the same by librosa). y is float32.
def log_mel(y, sr=22050, ref=np.max, top_db=80.0, log="decibel", amin=1e-10, **kw):
    m = librosa.feature.melspectrogram(y=y, sr=sr, **kw)
    if log == "natural":
        return np.log(np.maximum(m, amin)).T
    return librosa.power_to_db(m, ref=ref, amin=amin, top_db=top_db).T


def mfcc(y, sr=22050, **kw):
    return librosa.feature.mfcc(y=y, sr=sr, **kw).T


def padded(y, n=140526):
    return np.pad(y, (0, max(0, n - len(y))))[:n]


def mfcc_deltas(y):
    m = librosa.feature.mfcc(y=y, sr=22050, n_mfcc=13)
    return np.vstack([m, librosa.feature.delta(m), librosa.feature.delta(m, order=2)]).T


def trimmed(y, top_db):
    return librosa.effects.trim(y, top_db=top_db)[0]


CASES = {
    "logmel512": ("n_fft=512 hop=256 samples=140526", lambda y: log_mel(padded(y), n_fft=512, hop_length=256)),
    "logmel2048": ("", lambda y: log_mel(y)),
    "mfcc40": ("kind=mfcc mfcc=40 ref=one", lambda y: mfcc(y, n_mfcc=40)),
    "htk": ("mels=64 mel_scale=htk mel_norm=none ref=one top_db=0 f_min=50 f_max=8000 window=1024",
            lambda y: log_mel(y, ref=1.0, top_db=None, n_mels=64, htk=True, norm=None, fmin=50, fmax=8000,
                              win_length=1024)),
    "deltas": ("kind=mfcc mfcc=13 ref=one deltas=delta_delta", mfcc_deltas),
    "meanmfcc": ("kind=mfcc mfcc=40 ref=one mean_over_time=true divide=255",
                 lambda y: (mfcc(y, n_mfcc=40).mean(axis=0) / 255)[:, None]),
    "melrate": ("mel_rate=30000 n_fft=2048 hop=1024",
                lambda y: log_mel(y, sr=30000, n_fft=2048, hop_length=1024)),
    "natural": ("n_fft=512 hop=400 mels=40 center=false pre_emphasis=0.97 log=natural amin=1e-8",
                lambda y: log_mel(librosa.effects.preemphasis(y, coef=0.97), log="natural", amin=1e-8, n_fft=512,
                                  hop_length=400, n_mels=40, center=False)),
    "power": ("kind=mel n_fft=1024 hop=512 mels=32", lambda y: log_mel_power(y)),
    "trimmel": ("trim_db=30 n_fft=512 hop=512 mels=32",
                lambda y: log_mel(trimmed(y, 30), n_fft=512, hop_length=512, n_mels=32)),
}


def log_mel_power(y):
    return librosa.feature.melspectrogram(y=y, sr=22050, n_fft=1024, hop_length=512, n_mels=32).T


def save(name, x):
    np.save(GOLDEN / f"{name}.npy", np.ascontiguousarray(x))


def write(_):
    GOLDEN.mkdir(parents=True, exist_ok=True)
    pcm = made_up_sound()
    y = as_float(pcm)
    save("sound", pcm)
    for name, (options, reference) in CASES.items():
        x = reference(y).astype(np.float32)
        if name == "logmel512":  # every third frame of the sound, and two of the padding
            x = x[np.r_[0:57:3, 100, 548]]
        save(name, x)
    for scale, htk, norm in (("slaney", False, "slaney"), ("htk", True, None)):
        save(f"filters-{scale}", librosa.filters.mel(sr=16000, n_fft=256, n_mels=20, fmin=20, fmax=7600, htk=htk, norm=norm))
    for width in (3, 6, 9):  # fewer frames than the usual 9: the nearest odd width
        x = mfcc(y, n_mfcc=5)[:width].astype(np.float64)  # librosa fits the ends in the precision of x
        odd = width if width % 2 else width - 1
        save(f"delta{width}", np.stack([x] + [librosa.feature.delta(x, width=odd, order=o, axis=0) for o in (1, 2)]).astype(np.float32))
    save("trim", np.array([[db, *librosa.effects.trim(y, top_db=db)[1]] for db in (10, 20, 30, 40, 60)], np.int32))
    for a, b, n in ((48000, 22050, 12000), (16000, 22050, 4001), (44100, 16000, 11999)):
        save(f"resample-{a}-{b}", librosa.resample(y[:n], orig_sr=a, target_sr=b, res_type="soxr_hq"))
    stretch = librosa.effects.time_stretch(y, rate=1.25)
    save("stretch", stretch[3000:6000])
    total = sum(p.stat().st_size for p in GOLDEN.iterdir())
    print(f"{len(list(GOLDEN.iterdir()))} files, {total} bytes in {GOLDEN}")


def read_dump(path):
    raw, at, out = path.read_bytes(), 0, []
    while at < len(raw):
        rows, columns = np.frombuffer(raw, np.int32, 2, at)
        out.append(np.frombuffer(raw, np.float32, rows * columns, at + 8).reshape(rows, columns))
        at += 8 + 4 * rows * columns
    return out


def dump(program, mode, settings, files):
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        done = subprocess.run([program, out, mode, *settings], input="\n".join(map(str, files)), text=True,
                              stderr=subprocess.PIPE)
        if done.returncode:
            sys.exit(done.stderr)
        return read_dump(out), float(re.search(r"took ([0-9.]+)", done.stderr).group(1))


# What the digest pins: results that librosa does not define, or only roughly.
PINNED = ["n_fft=512 hop=256 max_frames=20 mels=24 f_min=100", "kind=mfcc mfcc=12 deltas=delta window=400 n_fft=512 hop=400",
          "log=natural mels=16 hop=1500 trim_db=25 pre_emphasis=0.9"]


def pin(args):
    version = re.search(r"AM_FEATURES_VERSION (\d+)", (ROOT / "src/audio/features.h").read_text()).group(1)
    with tempfile.TemporaryDirectory() as folder:
        wav = pathlib.Path(folder) / "sound.wav"
        soundfile.write(wav, np.load(GOLDEN / "sound.npy"), 22050, subtype="PCM_16")
        parts = [dump(args.program, "features", options.split(), [wav])[0][0].ravel()[::5] for options in PINNED]
    save(f"digest-v{version}", np.concatenate(parts))
    print(f"digest-v{version}.npy: {sum(map(len, parts))} numbers")


def over_bounds(name, ours, theirs, bounds, kind):
    """Prints one line; bounds: (loud, soft, mean) in dB, or (all, -, -)."""
    loud = soft = total = 0.0
    count = 0
    for a, b in zip(ours, theirs):
        if a.shape != b.shape:
            print(f"{name}: shapes {a.shape} and {b.shape}")
            return True
        d = np.abs(a.astype(np.float64) - b)
        above = b > b.max() - 60 if kind == "db" else np.ones_like(b, bool)
        loud, soft = max(loud, d[above].max()), max(soft, d[~above].max(initial=0))
        total, count = total + d.sum(), count + d.size
    mean = total / count
    bad = loud > bounds[0] or soft > bounds[1] or mean > bounds[2]
    split = f"above -60 dB {loud:.2e} (<= {bounds[0]:g}), below {soft:.2e} (<= {bounds[1]:g})" if kind == "db" else \
        f"largest {loud:.2e} (<= {bounds[0]:g})"
    print(f"{name:10} {len(ours)} clips  {split}, mean {mean:.2e} (<= {bounds[2]:g}){'  OVER' if bad else ''}", flush=True)
    return bad


def compare(args):
    files = sorted(pathlib.Path(args.data).rglob("*.flac")) + sorted(pathlib.Path(args.data).rglob("*.wav"))
    if not files:
        sys.exit(f"no .flac or .wav files under {args.data}")
    step = max(1, len(files) // args.clips) if args.clips else 1
    files = files[::step][:args.clips or None]
    db, linear = (1e-3, 5e-3, 1e-4), (1e-3, np.inf, 1e-4)
    bounds = {"logmel512": ("db", db), "logmel2048": ("db", db), "htk": ("db", db), "mfcc40": ("linear", linear),
              "deltas": ("linear", linear), "meanmfcc": ("linear", linear), "trimmel": ("db", db)}
    sounds, rate = [], 22050
    for f in files:
        sounds.append(librosa.load(f, sr=rate)[0])
    failed = False
    for name, (kind, bound) in bounds.items():
        options, reference = CASES[name]
        start = time.perf_counter()
        theirs = [reference(y) for y in sounds]
        librosa_time = time.perf_counter() - start
        ours, our_time = dump(args.program, "features", options.split(), files)
        failed |= over_bounds(name, ours, theirs, bound, kind)
        print(f"{'':10} librosa {librosa_time / len(files) * 1e3:.2f} ms a clip, ours {our_time / len(files) * 1e3:.2f}")
    sys.exit(1 if failed else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("write").set_defaults(run=write)
    p = commands.add_parser("pin")
    p.add_argument("program")
    p.set_defaults(run=pin)
    p = commands.add_parser("compare")
    p.add_argument("program")
    p.add_argument("--clips", type=int, default=50)
    p.add_argument("--data", default=ROOT.parent / "shared" / "data" / "ravdess")
    p.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
