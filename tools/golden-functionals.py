#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Numbers of independent programs for tests/audio/test_functionals.c, and how our descriptors go with openSMILE's on real clips.

  tools/golden-functionals.py write
      writes tests/audio/golden/functionals-*.npy: descriptors of a sound that this script makes up, by librosa, numpy, scipy
      and Praat (parselmouth), and functionals of contours that it makes up, by numpy and scipy.
  tools/golden-functionals.py compare BUILD/tests/audio/dump_features [--clips N] [--data FOLDER]
      correlates our contours with those of openSMILE's ComParE_2016 on N clips, and means of clips with Praat's; needs
      opensmile, too (a peer for research, whose licence does not allow more).

The committed files were made with numpy 2.4.6, scipy 1.17.1, librosa 0.11.0 and praat-parselmouth 0.4.7; the table in
docs/functionals.md with opensmile 2.6.0.
"""
import argparse
import pathlib
import re
import subprocess
import tempfile

import librosa
import numpy as np
import scipy.fft
import scipy.linalg
import scipy.signal
import scipy.stats

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "audio" / "golden"
RATE, HOP, N_FFT, WINDOW = 16000, 160, 512, 400
LEAST = 1e-10


def made_up_voice(n=16000):
    """A voice of uneven periods whose F0 glides from 110 to 260 Hz through two formants, a pause, a hiss; int16."""
    rng = np.random.RandomState(7)
    source = np.zeros(n)
    at, low, high = 800.0, 110.0, 260.0
    while at < 9600:
        share = (at - 800) / 8800
        f0 = low + (high - low) * share
        whole = int(at)
        amplitude = 1 + 0.05 * rng.randn()
        source[whole] += amplitude * (1 - (at - whole))  # a pulse between two samples
        source[whole + 1] += amplitude * (at - whole)
        at += RATE / f0 * (1 + 0.008 * rng.randn())
    y = source
    for hertz, width in ((600, 90), (1300, 120), (2600, 200)):
        r, w = np.exp(-np.pi * width / RATE), 2 * np.pi * hertz / RATE
        y = scipy.signal.lfilter([1], [1, -2 * r * np.cos(w), r * r], y)
    y = 0.4 * y / np.abs(y).max()
    hiss = scipy.signal.lfilter([1, -0.9], [1], rng.randn(n)) * 0.02
    y[11200:14400] += (hiss[11200:14400]) * np.hanning(3200)
    y += 2e-4 * rng.randn(n)
    return np.round(np.clip(y, -1, 1) * 32767).astype(np.int16)


def mel_bands(power):
    filters = librosa.filters.mel(sr=RATE, n_fft=N_FFT, n_mels=26, fmin=20, fmax=8000, htk=True, norm=None)
    return filters.astype(np.float64) @ power


def band_centres():
    return librosa.mel_frequencies(28, fmin=20, fmax=8000, htk=True)[1:-1]


def bark(hertz):
    return 13 * np.arctan(0.00076 * hertz) + 3.5 * np.arctan((hertz / 7500) ** 2)


def rasta(x):
    """scipy's filter on contours that go on as they begin and end: (bands, frames)."""
    padded = np.pad(x, ((0, 0), (2, 2)), mode="edge")
    taps = np.array([0.2, 0.1, 0, -0.1, -0.2])
    moved = scipy.signal.lfilter(taps, [1], padded, axis=1)[:, 4:]
    return scipy.signal.lfilter([1], [1, -0.94], moved, axis=1)


def equal_loudness(hertz):
    w2 = (2 * np.pi * hertz) ** 2
    return (w2 + 56.8e6) * w2 ** 2 / ((w2 + 6.3e6) ** 2 * (w2 + 0.38e9))


def slope(khz, levels, low, high):
    keep = (khz >= low) & (khz < high)
    return np.polyfit(khz[keep], levels[keep], 1)[0]


def harmonicity(levels):
    end = int(np.ceil(4000 / (RATE / N_FFT)))
    x = levels[:end]
    peaks, _ = scipy.signal.find_peaks(x)
    starts = np.concatenate([[0], peaks[:-1]])
    return np.mean([x[p] - x[s:p + 1].min() for s, p in zip(starts, peaks)]) if len(peaks) else 0


def descriptors(y):
    """name -> contour (frames): what librosa, numpy and scipy make of y."""
    frames = len(y) // HOP - 1
    window = scipy.signal.get_window("hann", WINDOW)
    power = np.abs(librosa.stft(y.astype(np.float64), n_fft=N_FFT, hop_length=HOP, win_length=WINDOW)) ** 2
    power = power[:, 1:frames + 1] * 4 / window.sum() ** 2
    hertz = np.arange(N_FFT // 2 + 1) * RATE / N_FFT
    khz = hertz / 1000
    levels = 10 * np.log10(np.maximum(power, LEAST))
    share = power / power.sum(axis=0)
    out = {"rms": librosa.feature.rms(y=y, frame_length=2 * HOP, hop_length=HOP, center=False)[0],
           "zero_crossings": librosa.feature.zero_crossing_rate(y, frame_length=2 * HOP, hop_length=HOP, center=False, pad=False, zero_pos=True, threshold=0)[0]}

    def level_of(low, high):
        return 10 * np.log10(np.maximum(power[(hertz >= low) & (hertz < high)].sum(axis=0), LEAST))

    out["band_250_650"], out["band_1000_4000"] = level_of(250, 650), level_of(1000, 4000)
    for part in (25, 50, 75, 90):
        out[f"rolloff{part}"] = librosa.feature.spectral_rolloff(S=power, sr=RATE, n_fft=N_FFT, roll_percent=part / 100)[0] / 1000
    unit = np.sqrt(power) / np.linalg.norm(np.sqrt(power), axis=0)
    out["flux"] = np.concatenate([[0], np.linalg.norm(np.diff(unit, axis=1), axis=0)])
    out["centroid"] = librosa.feature.spectral_centroid(S=power, sr=RATE, n_fft=N_FFT)[0] / 1000
    out["entropy"] = scipy.stats.entropy(share, base=2, axis=0)
    deviations = khz[:, None] - (share * khz[:, None]).sum(axis=0)
    m2, m3, m4 = ((share * deviations ** k).sum(axis=0) for k in (2, 3, 4))
    out["variance"], out["skewness"], out["kurtosis"] = m2, m3 / m2 ** 1.5, m4 / m2 ** 2
    for name, low, high in (("slope", 0, 99), ("slope_0_500", 0, 0.5), ("slope_500_1500", 0.5, 1.5)):
        out[name] = np.array([slope(khz, l, low, high) for l in levels.T])
    out["harmonicity"] = np.array([harmonicity(l) for l in levels.T])
    out["alpha_ratio"] = level_of(50, 1000) - level_of(1000, 5000)
    out["hammarberg"] = levels[hertz < 2000].max(axis=0) - levels[(hertz >= 2000) & (hertz < 5000)].max(axis=0)

    bands = np.maximum(mel_bands(power), LEAST)
    centres = band_centres()
    curve, z = equal_loudness(centres)[:, None], bark(centres)
    auditory = np.cbrt(curve * bands)
    filtered = np.cbrt(curve * np.exp(rasta(np.log(bands))))
    weight = np.where(z <= 16, 1, 0.066 * np.exp(0.171 * z))
    out["loudness"], out["loudness_rasta"] = auditory.sum(axis=0), filtered.sum(axis=0)
    out["sharpness"] = 0.11 * (weight * z) @ auditory / auditory.sum(axis=0)
    cepstra = librosa.feature.mfcc(S=np.log(bands), n_mfcc=15, lifter=22)
    for k in range(26):
        out[f"rasta{k}"], out[f"band{k}"] = filtered[k], np.log(bands[k])
    for k in range(1, 15):  # librosa lifts by 1 + 11 sin(pi (k + 1) / 22)
        index = np.arange(15)
        out[f"mfcc{k}"] = cepstra[k] / (1 + 11 * np.sin(np.pi * (index[k] + 1) / 22)) * (1 + 11 * np.sin(np.pi * k / 22))
    return out


def praat_voice(y, rate):
    """Praat's pitch, and jitter, jitter ddp, shimmer and mean HNR (dB) of the whole sound."""
    import parselmouth
    from parselmouth.praat import call
    sound = parselmouth.Sound(y.astype(np.float64), rate)
    pitch = call(sound, "To Pitch (ac)", 0.01, 75, 15, "no", 0.03, 0.45, 0.01, 0.35, 0.14, 600)
    points = call([sound, pitch], "To PointProcess (cc)")
    jitter = [call(points, f"Get jitter ({kind})", 0, 0, 0.0001, 0.02, 1.3) for kind in ("local", "ddp")]
    shimmer = call([sound, points], "Get shimmer (local)", 0, 0, 0.0001, 0.02, 1.3, 1.6)
    r = np.clip(pitch.selected_array["strength"][pitch.selected_array["frequency"] > 0], 1e-4, 0.9999)
    return pitch, np.array([*jitter, shimmer, np.mean(10 * np.log10(r / (1 - r)))])


def praat(y):
    """F0 (Hz) and strength (frames) at our frames, 0 where Praat has none; jitter, jitter ddp, shimmer of the whole sound."""
    pitch, voice = praat_voice(y, RATE)
    frames = len(y) // HOP - 1
    f0, strength = np.zeros(frames), np.zeros(frames)
    for t, f, s in zip(pitch.xs(), pitch.selected_array["frequency"], pitch.selected_array["strength"]):
        i = round(t / 0.01) - 1
        assert abs(t - 0.01 * (i + 1)) < 1e-6
        f0[i], strength[i] = f, s if f > 0 else 0
    return f0, strength, voice[:3]


def turns(x, least):
    """Peaks and valleys that stand out by more than `least`, in order: (index, +1 or -1)."""
    found = [(i, s) for s in (1, -1) for i in scipy.signal.find_peaks(s * x, prominence=np.nextafter(least, np.inf))[0]]
    return sorted(found)


def functionals(x, step=0.01):
    """name -> number, by numpy and scipy."""
    n, t = len(x), np.arange(len(x)) * step
    q = np.percentile(x, [1, 25, 50, 75, 99])
    low, high = x.min(), x.max()
    out = {"mean": x.mean(), "stddev": x.std(), "skewness": scipy.stats.skew(x), "kurtosis": scipy.stats.kurtosis(x, fisher=False),
           "rqmean": np.sqrt(np.mean(x ** 2)), "centroid": np.average(np.arange(n), weights=x - low) / (n - 1),
           "percentile1": q[0], "quartile1": q[1], "quartile2": q[2], "quartile3": q[3], "percentile99": q[4],
           "iqr1_2": q[2] - q[1], "iqr2_3": q[3] - q[2], "iqr1_3": scipy.stats.iqr(x), "pctlrange1_99": q[4] - q[0],
           "range": np.ptp(x), "min_position": x.argmin() / (n - 1), "max_position": x.argmax() / (n - 1)}
    for level in (25, 50, 75, 90):
        out[f"uptime{level}"] = np.mean(x > low + level / 100 * (high - low))
    d = np.diff(x)
    out["risetime"], out["falltime"], out["leftcurvetime"] = np.mean(d > 0), np.mean(d < 0), np.mean(np.diff(d) > 0)
    line, parabola = np.polyfit(t, x, 1), np.polyfit(t, x, 2)
    out.update({"linreg_slope": line[0], "linreg_offset": line[1], "linreg_error": np.mean((x - np.polyval(line, t)) ** 2),
                "qreg_a": parabola[0], "qreg_b": parabola[1], "qreg_offset": parabola[2],
                "qreg_error": np.mean((x - np.polyval(parabola, t)) ** 2)})
    events = turns(x, 0.1 * (q[4] - q[0]))
    peaks = np.array([i for i, s in events if s > 0])
    valleys = np.array([i for i, s in events if s < 0])
    slopes = {s: [(x[b] - x[a]) / (t[b] - t[a]) for (a, sa), (b, sb) in zip(events, events[1:]) if (sa, sb) == (-s, s)] for s in (1, -1)}
    distances = np.diff(t[peaks])
    out.update({"peaks": len(peaks) / (n * step), "peak_distance_mean": distances.mean(), "peak_distance_stddev": distances.std(),
                "peak_mean": x[peaks].mean(), "peak_over_mean": x[peaks].mean() - x.mean(), "peak_range": np.ptp(x[peaks]),
                "valley_mean": x[valleys].mean(), "rising_slope_mean": np.mean(slopes[1]), "rising_slope_stddev": np.std(slopes[1]),
                "falling_slope_mean": np.mean(slopes[-1]), "falling_slope_stddev": np.std(slopes[-1])})
    above = np.concatenate([[0], (x > (q[0] + q[4]) / 2).astype(int), [0]])
    runs = (np.where(np.diff(above) < 0)[0] - np.where(np.diff(above) > 0)[0]) * step
    out.update({"segments": len(runs) / (n * step), "segment_mean": runs.mean(), "segment_stddev": runs.std(),
                "segment_max": runs.max(), "segment_min": runs.min()})
    c = x - x.mean()
    r = np.array([c[k:] @ c[:n - k] for k in range(6)])
    a = scipy.linalg.solve_toeplitz(r[:5], r[1:])
    out["lp_gain"] = 10 * np.log10(r[0] / (r[0] - a @ r[1:]))
    out.update({f"lpc{k + 1}": a[k] for k in range(5)})
    return out


def contours():
    rng = np.random.RandomState(3)
    smooth = scipy.signal.lfilter([1], [1, -1.6, 0.75], rng.randn(230))[30:]
    return [smooth, rng.rand(60) ** 3, 40 + np.linspace(0, 5, 90) + np.sin(np.arange(90) / 5) + 0.1 * rng.randn(90)]


def names_in(source, macro):
    """The words of an X-macro, in order."""
    text = (ROOT / source).read_text()
    body = text[text.index(f"#define {macro}(X)"):]
    return re.findall(r'X\(\w+, "(\w+)"\)', body[:body.index("\n\n")])


def save(name, x):
    np.save(GOLDEN / f"functionals-{name}.npy", np.ascontiguousarray(x))


def write(_):
    pcm = made_up_voice()
    y = (pcm / np.float32(32768)).astype(np.float32)
    save("voice", pcm)
    found = descriptors(y)
    save("lld", np.array(list(found.values()), np.float32))
    (GOLDEN / "functionals-lld.txt").write_text("\n".join(found) + "\n")
    f0, strength, voice = praat(y)
    save("f0", np.stack([f0, strength]).astype(np.float32))
    save("voice-quality", voice.astype(np.float64))
    words = names_in("src/audio/contour.h", "AM_FUNCTIONALS")
    for i, x in enumerate(contours()):
        x = x.astype(np.float32)
        found = functionals(x.astype(np.float64))
        save(f"contour{i}", x)
        save(f"numbers{i}", np.array([found[w] for w in words]))
    files = list(GOLDEN.glob("functionals-*"))
    print(f"{len(files)} files, {sum(p.stat().st_size for p in files)} bytes in {GOLDEN}")


# Our descriptor -> a contour of openSMILE's ComParE_2016, and what is done to theirs.
PEERS = {"loudness": "audspec_lengthL1norm_sma", "loudness_rasta": "audspecRasta_lengthL1norm_sma", "rms": "pcm_RMSenergy_sma",
         "zero_crossings": "pcm_zcr_sma", "sharpness": "pcm_fftMag_psySharpness_sma", "band_250_650": "log pcm_fftMag_fband250-650_sma",
         "band_1000_4000": "log pcm_fftMag_fband1000-4000_sma", "rolloff25": "pcm_fftMag_spectralRollOff25.0_sma",
         "rolloff50": "pcm_fftMag_spectralRollOff50.0_sma", "rolloff75": "pcm_fftMag_spectralRollOff75.0_sma",
         "rolloff90": "pcm_fftMag_spectralRollOff90.0_sma", "flux": "pcm_fftMag_spectralFlux_sma",
         "centroid": "pcm_fftMag_spectralCentroid_sma", "entropy": "pcm_fftMag_spectralEntropy_sma",
         "variance": "pcm_fftMag_spectralVariance_sma", "skewness": "pcm_fftMag_spectralSkewness_sma",
         "kurtosis": "pcm_fftMag_spectralKurtosis_sma", "slope": "pcm_fftMag_spectralSlope_sma",
         "harmonicity": "pcm_fftMag_spectralHarmonicity_sma", "voicing": "voicingFinalUnclipped_sma", "f0": "log F0final_sma",
         "jitter": "jitterLocal_sma", "jitter_ddp": "jitterDDP_sma", "shimmer": "shimmerLocal_sma", "hnr": "logHNR_sma",
         **{f"rasta{k}": f"audSpec_Rfilt_sma[{k}]" for k in range(26)}, **{f"mfcc{k}": f"mfcc_sma[{k}]" for k in range(1, 15)}}
VOICED = ("f0", "jitter", "jitter_ddp", "shimmer", "hnr")  # where both have an F0


def our_contours(program, files, rate):
    """Of each file (descriptors, frames), by dump_features; smoothed as the functionals are made from."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        subprocess.run([program, out, "lld", f"rate={rate}"], input="\n".join(map(str, files)), text=True, check=True)
        raw, at = out.read_bytes(), 0
        while at < len(raw):
            rows, columns = np.frombuffer(raw, np.int32, 2, at)
            yield np.frombuffer(raw, np.float32, rows * columns, at + 8).reshape(rows, columns)
            at += 8 + 4 * rows * columns


def smoothed(x):
    return np.convolve(np.pad(x, 1, mode="edge"), np.ones(3) / 3, "valid")


def compare(args):
    import opensmile
    import soundfile
    smile = opensmile.Smile(opensmile.FeatureSet.ComParE_2016, opensmile.FeatureLevel.LowLevelDescriptors)
    files = sorted(pathlib.Path(args.data).rglob("*.flac"))
    files = files[::max(1, len(files) // args.clips)][:args.clips]
    names = (GOLDEN / "functionals-lld.txt").read_text().split() + ["voicing", "f0", "jitter", "jitter_ddp", "shimmer", "hnr"]
    order = {n: i for i, n in enumerate(lld_order(names))}
    pairs, clips = {n: ([], []) for n in PEERS}, []
    for path, ours in zip(files, our_contours(args.program, files, 22050)):
        y, rate = soundfile.read(path, dtype="float32")
        assert rate == 22050
        theirs = smile.process_signal(y, rate)
        start = theirs.index.get_level_values("start").total_seconds().to_numpy()
        voiced, spoken = ours[order["f0"]] > 0, theirs["F0final_sma"].to_numpy() > 0
        clips.append([[ours[order[n]][voiced].mean() for n in VOICED[1:]], praat_voice(y, rate)[1],
                      [theirs[PEERS[n]].to_numpy()[spoken].mean() for n in VOICED[1:]]])
        # openSMILE gives every frame 20 ms from its start, and F0 that of the frame of 60 ms that begins there.
        for name, column in PEERS.items():
            late = 0.03 if name in VOICED or name == "voicing" else 0.01
            at = np.round((start + late) * 100).astype(int) - 1
            keep = (at >= 0) & (at < ours.shape[1])
            a, b = ours[order[name]][at[keep]], theirs[column.split()[-1]].to_numpy()[keep]
            if name not in VOICED:
                a = smoothed(ours[order[name]])[at[keep]]
            else:
                both = (ours[order["f0"]][at[keep]] > 0) & (theirs["F0final_sma"].to_numpy()[keep] > 0)
                a, b = a[both], b[both]
            if column.startswith("log"):
                b = np.log(np.maximum(b, 1e-12))
            pairs[name][0].append(a)
            pairs[name][1].append(b)
    print("| descriptor | correlation with openSMILE's |\n|---|---|")
    groups = {}
    for name, (a, b) in pairs.items():
        r = scipy.stats.spearmanr(np.concatenate(a), np.concatenate(b)).statistic
        groups.setdefault(re.sub(r"^(mfcc|rasta)\d+$", r"\1", name), []).append(r)
    for name, r in groups.items():
        print(f"| `{name}` | {r[0]:.3f} |" if len(r) == 1 else f"| `{name}` (all {len(r)}) | {min(r):.3f} to {max(r):.3f} |")
    print("\n| mean of a clip | ours and Praat's | openSMILE's and Praat's |\n|---|---|---|")
    ours, wanted, theirs = np.moveaxis(np.array(clips), 1, 0)
    for i, name in enumerate(VOICED[1:]):
        a, b = (scipy.stats.spearmanr(x[:, i], wanted[:, i]).statistic for x in (ours, theirs))
        print(f"| `{name}` | {a:.3f} | {b:.3f} |")


def lld_order(names):
    """Names as am_lld_index has them: the table in src/audio/lld.c."""
    table = re.findall(r'\{"(\w+)", (\w+), (\d)\}', (ROOT / "src/audio/lld.c").read_text())
    counts = {"AM_AUDITORY_BANDS": 26, "AM_AUDITORY_CEPSTRA": 14, "1": 1}
    order = [n if counts[c] == 1 else f"{n}{int(first) + i}" for n, c, first in table for i in range(counts[c])]
    assert sorted(order) == sorted(names), set(order) ^ set(names)
    return order


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("write").set_defaults(run=write)
    p = commands.add_parser("compare")
    p.add_argument("program")
    p.add_argument("--clips", type=int, default=48)
    p.add_argument("--data", default=ROOT.parent / "shared" / "data" / "ravdess")
    p.set_defaults(run=compare)
    args = parser.parse_args()
    args.run(args)
