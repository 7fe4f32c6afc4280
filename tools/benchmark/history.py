# SPDX-License-Identifier: MIT
"""docs/benchmark-history.md: a line a whole run, appended by tools/bench, so that a slower commit shows."""
import os
import re

from machine import ROOT
from models import FEATURES, MODELS
from sections import ratios

STANDARD = os.path.join(ROOT, "docs", "benchmark-history.md")
MEASURES = ["train32", "forward32", "forward1", "train1", "first"]
HEAD = ["date", "commit", "machine"] + [m["name"] for m in MODELS] + ["features", "streaming, server"]


def cells():
    """The rows of the benchmark in each cell of a line, from the fourth."""
    return [[m["id"] + "/" + measure for measure in MEASURES] for m in MODELS] + [["features/" + what for what in FEATURES]]


def machine_of(result):
    return f"{result['threads']} cores, {re.sub(r'[(][^)]*[)]|@.*', '', result['processor']).strip()}, {result['path']}"


def parse(line):
    """{row: ratio or None}, commit, date and machine of a line of the table.  A ratio with a star is not one to compare with."""
    parts = [part.strip() for part in line.strip().strip("|").split("|")]
    found = {}
    for rows, cell in zip(cells(), parts[3:]):
        for row, text in zip(rows, cell.split(" / ")):
            text = text.strip("* ") if "\\*" not in text else "-"
            found[row] = float(text) if re.fullmatch(r"[0-9.]+", text) else None
    return {"date": parts[0], "commit": parts[1], "machine": parts[2], "ratios": found}


def lines_of(text):
    return [line for line in text.splitlines() if re.match(r"\| \d{4}-\d\d-\d\d \|", line)]


def before(text, machine):
    """The last line of the same machine, or None."""
    same = [known for known in map(parse, lines_of(text)) if known["machine"] == machine]
    return same[-1] if same else None


def line(result, last):
    """The line of a run, and what fell: rows whose whole interval lies below the ratio of `last`."""
    now, fell, parts = ratios(result), [], [result["date"], result["commit"], machine_of(result)]
    for rows in cells():
        words = []
        for row in rows:
            got = now.get(row)
            word = f"{got[0]:.0f}" if got and got[0] >= 20 else f"{got[0]:.2f}" if got else "-"
            old = last["ratios"].get(row) if last else None
            if got and got[1] and old and float(f"{got[1][1]:.2f}") < old:
                fell.append(f"{row}: {got[0]:.2f} ({got[1][0]:.2f} to {got[1][1]:.2f}), was {old:g} at {last['commit']} of {last['date']}")
                word = f"**{word}**"
            words.append(word)
        parts.append(" / ".join(words))
    parts.append(" / ".join(result.get("over_time") or ["-"]))
    return "| " + " | ".join(parts) + " |", fell


def append(result, path=STANDARD):
    """Appends the run; what fell since the last one of the same machine."""
    with open(path) as file:
        text = file.read()
    new, fell = line(result, before(text, machine_of(result)))
    at = text.rindex(lines_of(text)[-1]) + len(lines_of(text)[-1]) if lines_of(text) else text.rindex("|") + 1
    with open(path, "w") as file:
        file.write(text[:at] + "\n" + new + text[at:])
    return fell
