# SPDX-License-Identifier: MIT
"""The features of the four nets by librosa or torchaudio, from a file to a tensor or array (F,T)."""


import importlib.metadata

# Those of configs/ravdess_cnn1.yaml and ravdess_model2.yaml.
SPECS = {"log_mel": {"kind": "log_mel", "rate": 22050, "n_fft": 512, "hop": 256, "mels": 128, "samples": 140526},
         "mfcc": {"kind": "mfcc", "rate": 22050, "n_fft": 2048, "hop": 512, "mels": 128, "mfcc": 40}}


def version(library):
    return importlib.metadata.version(library)


def librosa(spec):
    import librosa
    import numpy as np
    same = {"sr": spec["rate"], "n_fft": spec["n_fft"], "hop_length": spec["hop"], "n_mels": spec["mels"]}

    def run(path):
        x, _ = librosa.load(path, sr=spec["rate"])
        if "trim_db" in spec:
            x, _ = librosa.effects.trim(x, top_db=spec["trim_db"])
        if "samples" in spec:
            x = librosa.util.fix_length(x, size=spec["samples"])
        if spec["kind"] == "mfcc":
            return librosa.feature.mfcc(y=x, n_mfcc=spec["mfcc"], **same)
        m = librosa.feature.melspectrogram(y=x, **same)
        m = librosa.power_to_db(m, ref=np.max, top_db=80)
        if spec.get("normalise"):
            return (m - m.mean(1, keepdims=True)) / m.std(1, keepdims=True)
        return m / 255

    return run


def torchaudio(spec):
    import soundfile
    import torch
    torch.version.cuda = None  # torchaudio would refuse a PyTorch built for another CUDA; none is used here
    from torchaudio import functional, transforms
    mel = {"n_fft": spec["n_fft"], "hop_length": spec["hop"], "n_mels": spec["mels"], "norm": "slaney", "mel_scale": "slaney",
           "pad_mode": "constant"}
    decibel, resamplers = transforms.AmplitudeToDB("power", 80), {}
    if spec["kind"] == "mfcc":
        transform = transforms.MFCC(spec["rate"], spec["mfcc"], melkwargs=mel)
    else:
        transform = transforms.MelSpectrogram(spec["rate"], **mel)

    def run(path):
        x, rate = soundfile.read(path, dtype="float32", always_2d=True)
        x = torch.from_numpy(x).mean(1)
        if rate != spec["rate"]:
            if rate not in resamplers:
                resamplers[rate] = transforms.Resample(rate, spec["rate"])
            x = resamplers[rate](x)
        if "trim_db" in spec:
            frames = functional.amplitude_to_DB(x.unfold(0, 2048, 512).square().mean(1), 10, 1e-10, 0)
            loud = torch.nonzero(frames > frames.max() - spec["trim_db"])
            x = x[int(loud[0]) * 512:(int(loud[-1]) + 1) * 512]
        if "samples" in spec:
            x = torch.nn.functional.pad(x[:spec["samples"]], (0, max(0, spec["samples"] - len(x))))
        m = transform(x)
        if spec["kind"] == "mfcc":
            return m
        m = decibel(m)
        if spec.get("normalise"):
            return (m - m.mean(1, keepdim=True)) / m.std(1, keepdim=True)
        return (m - m.max()) / 255

    return run
