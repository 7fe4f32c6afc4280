#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Accuracy and unweighted average recall of files of answers, by one code for all programs, as a table in Markdown.

usage: scores.py WORK reads what tools/compare-toolkits left there: answers (nkululeko/*.csv, speechbrain/*/predictions.csv, ours/*/predictions.csv) and
times/*.seconds.  Runs whose names differ in the fold or the seed alone are one row: mean, lowest and highest.
scores.py --same FILE OTHER... says how many answers of each other file are those of the first one.
"""
import csv
import glob
import os
import re
import sys


def read(path):
    """(rows, column of the labels, column of the answers)"""
    with open(path, newline="") as text:
        rows = list(csv.DictReader(text))
    true = next(c for c in ("emotion", "label", "true") if c in rows[0])
    return rows, true, next(c for c in ("predicted", "predictions") if c in rows[0])


def by_clip(path):
    rows, _, answer = read(path)
    clip = next(c for c in ("clip", "id") if c in rows[0])
    return {os.path.splitext(os.path.basename(row[clip]))[0]: row[answer] for row in rows}


def say_same(first, others):
    wanted = by_clip(first)
    print(f"{first}: {len(wanted)} answers, accuracy {score(first)[0]:.1f} %")
    for path in others:
        same = sum(wanted[clip] == answer for clip, answer in by_clip(path).items())
        print(f"{path}: {same} the same, accuracy {score(path)[0]:.1f} %")


def score(path):
    rows, true, answer = read(path)
    by = {}
    for row in rows:
        by.setdefault(row[true], []).append(row[true] == row[answer])
    right = [x for of in by.values() for x in of]
    return 100 * sum(right) / len(right), 100 * sum(sum(of) / len(of) for of in by.values()) / len(by)


def answers(work):
    """(name of the run, file of its answers)"""
    for path in sorted(glob.glob(os.path.join(work, "nkululeko", "*.csv"))):
        yield "nkululeko-" + os.path.basename(path)[:-4], path
    for program in ("speechbrain", "ours"):
        for path in sorted(glob.glob(os.path.join(work, program, "*", "predictions.csv"))):
            yield program + "-" + os.path.basename(os.path.dirname(path)), path


def seconds(work, name):
    path = os.path.join(work, "times", name + ".seconds")
    if not os.path.exists(path):
        return None
    with open(path) as text:
        wall, user, system = map(float, text.read().split())
    return wall, user + system


def spread(values):
    mean = sum(values) / len(values)
    return f"{mean:.1f}" if len(values) == 1 else f"{mean:.1f} ({min(values):.1f} to {max(values):.1f})"


def main():
    if sys.argv[1] == "--same":
        say_same(sys.argv[2], sys.argv[3:])
        return
    work, groups = sys.argv[1], {}
    for name, path in answers(work):
        what = re.sub(r"-\d+(?=-|$)", "", name, count=1)
        groups.setdefault(what, []).append((*score(path), seconds(work, name)))
    print("| run | times | accuracy, % | UAR, % | processor seconds | seconds |\n|---|---|---|---|---|---|")
    for what, runs in groups.items():
        took = [r[2] for r in runs if r[2]]
        times = (spread([t[1] for t in took]), spread([t[0] for t in took])) if took else ("", "")
        print(f"| {what} | {len(runs)} | {spread([r[0] for r in runs])} | {spread([r[1] for r in runs])} | {times[0]} | {times[1]} |")


main()
