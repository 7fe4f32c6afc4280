#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes tests/data/golden/lists: lists of clips by the programs whose formats they are, and what those read of them.

    python3 tools/golden-lists.py        # audformat 1.4.3, datasets 3.6.0, pandas 2.3.3, soundfile

audformat writes a database and reads it back; the rows (file, start, length, emotion, speaker, gender, part) that its own reader
gives are in audformat.rows and, of a table of segments, in turns.rows.  datasets (Hugging Face) reads the metadata of an audio folder; its rows are in metadata_csv.rows and metadata_jsonl.rows.
Times are in seconds; the sounds have no samples, as nobody listens to them.
"""
import json
import os
import shutil
import wave

import audformat
import datasets
import pandas as pd

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "data", "golden", "lists")
FILES = [f"wav/{speaker}{take}.wav" for speaker in ("03", "08") for take in "abc"]
EMOTION = {"a": "anger", "b": "joy", "c": "neutral"}


def seconds(time):
    return "" if pd.isna(time) else repr(round(time.total_seconds(), 9)).removesuffix(".0")


def make_database(folder):
    db = audformat.Database("tiny", source="generated", usage="commercial", languages=["deu"], license="CC-BY-4.0",
                            author="A. Author, B. Author")
    db.schemes["emotion"] = audformat.Scheme("str", labels=["anger", "joy", "neutral"])
    db.schemes["felt"] = audformat.Scheme("int", labels={0: "anger", 1: "joy"})
    db["speaker"] = audformat.MiscTable(pd.Index(["03", "08"], name="speaker", dtype="string"))
    db["speaker"]["gender"] = audformat.Column()
    db["speaker"]["gender"].set(["male", "female"])
    db.schemes["speaker"] = audformat.Scheme("str", labels="speaker")
    db["files"] = audformat.Table(audformat.filewise_index(FILES))
    db["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    db["files"]["speaker"].set([f[4:6] for f in FILES])
    for split, files in (("train", FILES[:3]), ("dev", FILES[3:4]), ("test", FILES[4:])):
        db.splits[split] = audformat.Split(split)
        table = db[f"emotion.{split}"] = audformat.Table(audformat.filewise_index(files), split_id=split)
        table["emotion"] = audformat.Column(scheme_id="emotion")
        table["emotion"].set([EMOTION[f[6]] for f in files])
    index = audformat.segmented_index(["wav/03a.wav", "wav/03a.wav", "wav/08b.wav", "wav/08c.wav"],
                                      [0, 1.25, 86400.5, 0], [1.25, pd.NaT, 86403.125, 2])
    db["turns"] = audformat.Table(index)
    db["turns"]["felt"] = audformat.Column(scheme_id="felt")
    db["turns"]["felt"].set([0, 1, 0, None])
    db.save(folder, storage_format="csv")


def audformat_rows(folder, names):
    db = audformat.Database.load(folder)
    speaker, gender = db["files"]["speaker"].get(), db["speaker"]["gender"].get()
    lines = []
    for name in names:
        column = "felt" if name == "turns" else "emotion"
        for row, value in db[name][column].get(as_segmented=True, allow_nat=True).items():
            if pd.isna(value):
                continue
            label = db.schemes["felt"].labels[value] if column == "felt" else value
            who = speaker[row[0]]
            length = "" if pd.isna(row[2]) else seconds(row[2] - row[1])
            part = db[name].split_id or "none"
            lines.append("|".join([row[0], seconds(row[1]), length, label, who, gender[who], {"dev": "validation"}.get(part, part)]))
    return lines


def make_folder(folder, lines):
    for part, files in (("train", FILES[:4]), ("test", FILES[4:])):
        os.makedirs(os.path.join(folder, part))
        rows = [{"file_name": f[4:], "emotion": EMOTION[f[6]], "speaker_id": "s" + f[4:6], "gender": "male" if f[4:6] == "03" else "female",
                 "transcription": f"the \"text\", {f}\nof two lines"} for f in files]
        for row in rows:
            with wave.open(os.path.join(folder, part, row["file_name"]), "wb") as sound:
                sound.setparams((1, 2, 16000, 0, "NONE", ""))
        if not lines:
            pd.DataFrame(rows).to_csv(os.path.join(folder, part, "metadata.csv"), index=False)
        else:
            with open(os.path.join(folder, part, "metadata.jsonl"), "w") as out:
                out.writelines(json.dumps(row) + "\n" for row in rows)


def folder_rows(folder):
    lines = []
    for part in ("train", "test"):
        data = datasets.load_dataset("audiofolder", data_dir=folder, split=part).cast_column("audio", datasets.Audio(decode=False))
        for row in sorted(data, key=lambda row: row["audio"]["path"]):
            lines.append("|".join([f"{part}/{os.path.basename(row['audio']['path'])}", "0", "", row["emotion"],
                                   str(row["speaker_id"]), row["gender"], part]))
    return lines


def write(name, lines):
    with open(os.path.join(HERE, name), "w") as out:
        out.writelines(line + "\n" for line in lines)


shutil.rmtree(HERE, ignore_errors=True)
os.makedirs(HERE)
make_database(os.path.join(HERE, "audformat"))
write("audformat.rows", audformat_rows(os.path.join(HERE, "audformat"), ("emotion.train", "emotion.dev", "emotion.test")))
write("turns.rows", audformat_rows(os.path.join(HERE, "audformat"), ("turns",)))
for name in ("metadata_csv", "metadata_jsonl"):
    make_folder(os.path.join(HERE, name), name == "metadata_jsonl")
    write(name + ".rows", folder_rows(os.path.join(HERE, name)))
for path, _, names in os.walk(HERE):
    for name in names:
        if name.endswith((".wav", ".pkl")):
            os.remove(os.path.join(path, name))
