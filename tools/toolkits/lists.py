#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes RAVDESS speech as the lists of other toolkits, by the five actor folds of Luna-Jimenez et al. (2021).

usage: lists.py RAVDESS FOLDER [WAVS]

For each fold K, the tested one:
  FOLDER/nkululeko/K/ravdess_train.csv ravdess_test.csv            file,emotion,speaker,gender
  FOLDER/speechbrain/K/train.json valid.json test.json             {id: {wav, length, emo, spk_id}}, as the IEMOCAP recipe's; fold K + 1 is for validation
With WAVS it also writes the clips there as WAV of 16 kHz, which the recipes of SpeechBrain expect (needs numpy, scipy, soundfile).
"""
import csv
import json
import os
import sys

FOLDS = [["02", "05", "14", "15", "16"], ["03", "06", "07", "13", "18"], ["10", "11", "12", "19", "20"], ["08", "17", "21", "23", "24"],
         ["01", "04", "09", "22"]]
LABELS = ["neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised"]  # 01 ... 08 in the names of the files
RATE = 16000


def clips(root):
    """(path below the root, emotion, actor, gender) of each clip of speech."""
    found = []
    for folder, _, names in os.walk(root):
        for name in names:
            stem, ending = os.path.splitext(name)
            codes = stem.split("-")
            if ending in (".flac", ".wav") and len(codes) == 7 and codes[:2] == ["03", "01"]:
                gender = "male" if int(codes[6]) % 2 else "female"
                found.append((os.path.relpath(os.path.join(folder, name), root), LABELS[int(codes[2]) - 1], codes[6], gender))
    return sorted(found)


def resample(root, files, to):
    import soundfile
    from math import gcd
    from scipy.signal import resample_poly
    for file in files:
        path = os.path.join(to, os.path.splitext(file)[0] + ".wav")
        if os.path.exists(path):
            continue
        sound, rate = soundfile.read(os.path.join(root, file), dtype="float64")
        sound = sound if sound.ndim == 1 else sound.mean(1)
        common = gcd(rate, RATE)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        soundfile.write(path, resample_poly(sound, RATE // common, rate // common), RATE, subtype="PCM_16")


def write_nkululeko(folder, name, rows):
    with open(os.path.join(folder, f"ravdess_{name}.csv"), "w", newline="") as out:
        lines = csv.writer(out, lineterminator="\n")
        lines.writerow(["file", "emotion", "speaker", "gender"])
        lines.writerows(rows)


def write_speechbrain(folder, name, rows, wavs):
    import soundfile
    said = {}
    for file, emotion, speaker, _ in rows:
        stem = os.path.splitext(file)[0]
        length = soundfile.info(os.path.join(wavs, stem + ".wav")).duration
        said[os.path.basename(stem)] = {"wav": "{data_root}/" + stem + ".wav", "length": length, "emo": emotion, "spk_id": speaker}
    with open(os.path.join(folder, name + ".json"), "w") as out:
        json.dump(said, out, indent=2)


def main():
    root, to = sys.argv[1:3]
    wavs = sys.argv[3] if len(sys.argv) > 3 else None
    rows = clips(root)
    if len(rows) != 1440:
        sys.exit(f"{root}: {len(rows)} clips of speech; wanted the 1440 of RAVDESS")
    if wavs:
        resample(root, [r[0] for r in rows], wavs)
    for k, fold in enumerate(FOLDS):
        test = [r for r in rows if r[2] in fold]
        rest = [r for r in rows if r[2] not in fold]
        folder = os.path.join(to, "nkululeko", str(k))
        os.makedirs(folder, exist_ok=True)
        write_nkululeko(folder, "train", rest)
        write_nkululeko(folder, "test", test)
        if wavs:
            folder, other = os.path.join(to, "speechbrain", str(k)), FOLDS[(k + 1) % len(FOLDS)]
            os.makedirs(folder, exist_ok=True)
            write_speechbrain(folder, "train", [r for r in rest if r[2] not in other], wavs)
            write_speechbrain(folder, "valid", [r for r in rest if r[2] in other], wavs)
            write_speechbrain(folder, "test", test, wavs)


main()
