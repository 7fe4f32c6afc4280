# SPDX-License-Identifier: MIT
"""docs/benchmarks.md from the figures of one run; what people wrote by hand below the mark is kept."""
import os

from machine import ROOT
from kernel_sections import kernels_section
from over_time_sections import server_section, stream_section
from sections import conv_verdicts, features_section, first_section, model_section

STANDARD_PAGE = os.path.join(ROOT, "docs", "benchmarks.md")
MARK = "<!-- Below this line the page is written by hand and kept by tools/bench. -->"
BY_HAND = MARK + "\n\n## What was tried\n\nNothing is written here yet.\n"


def peers_lines(result):
    known = {}
    for m in result["models"]:
        for side in m["sides"]:
            facts = side["facts"]
            if facts:
                known.setdefault(side["name"], f"{side['name']}: {facts.get('version', '')}, {facts.get('threads')} threads"
                                 + (f", {facts['note']}" if facts.get("note") else ""))
    return ["The programs:", ""] + ["- " + text for text in known.values()] + [""] if known else []


def command_of(r, path):
    """What makes this page again: another than the standard one has to be named."""
    path = os.path.abspath(path)
    if path == STANDARD_PAGE:
        return r["command"]
    return r["command"] + " --page " + (os.path.relpath(path, ROOT) if path.startswith(ROOT + os.sep) else "FILE")


def head_lines(r, path):
    busy = (f"The machine was busy with other work (load {r['load_before']:.1f} before the run), so single figures are far too high; "
            "the ratios hold only roughly." if r["load_before"] > 0.5 else "The machine did nothing else.")
    return ["# Benchmarks", "", f"Made by `{command_of(r, path)}` on {r['date']} at {r['commit']}: {r['threads']} cores of {r['processor']}, "
            f"{r['system']}; {r['minutes']:.0f} minutes. {busy} Runs before it: [benchmark-history.md](benchmark-history.md).", "",
            "AudioMood and all peers take turns, step by step. Each runs in a process of its own, which is stopped "
            "while it is not its turn. All train by Adam. In the tables below:",
            "",
            "- *n* is how many steps or passes were timed, after one of each to warm up. A row in which AudioMood or a peer that could be the "
            "fastest has fewer than 5 is not reported.",
            "- *far behind* is a peer whose least step took over twice that of the quickest. It gets few steps, is not exact and never taken for the fastest.",
            "- *ratio* is the peer's median divided by AudioMood's; *of lower quartiles* likewise, which other work on the machine moves least.",
            "- the *95 % interval* is of the latter (bootstrap over the rounds in which both had a turn).",
            "- *of sgemm* compares the operations of the definition (no short cut counted) with the most that one "
            "large product reached on all cores in the same run, measured before each model.",
            "- *of copying* compares the traffic of weights, gradients and Adam's slots with the most that one large "
            "copy reached, measured in the same way.",
            "- the *floor* is the time of both together at these speeds.",
            "- peak memory is that of the process (ru_maxrss); for a forward pass it is taken before any training.", ""]


def body_of(result, verdicts):
    # One measurement may meet a moment when the machine is slow, which would make floors too high and shares too large.
    best = {key: max(m["peak"][key] for m in result["models"]) for key in ("sgemm_flops", "copy_bytes")} if result["models"] else {}
    body = ["## Training steps and forward passes", ""] if result["models"] else []
    for m in result["models"]:
        m["best"] = best
        body += model_section(m, verdicts)
    if result.get("features"):
        result["features"].update(audio=result["audio"], wanted=5 if result["flac"] else 6)
        body += features_section(result["features"], verdicts)
    if result["first"]:
        body += first_section(result["first"], verdicts)
    if result.get("stream"):
        body += stream_section(result["stream"])
    if result.get("server"):
        body += server_section(result["server"])
    if result.get("kernels"):
        body += kernels_section(result["kernels"])
    conv_verdicts(result["models"], verdicts)
    return body


def summary_of(verdicts):
    summary = ["## Targets", "", "A target is met by lower quartiles.", ""] if verdicts else []
    for title, wanted in ("Met", True), ("Missed", False), ("Not known", None):
        lines = [text for met, text in verdicts if met is wanted]
        if lines:
            summary += [f"{title}:", ""] + ["- " + text for text in lines] + [""]
    return summary


def rows_of(result):
    """The tables and targets alone, for a terminal."""
    verdicts = []
    body = body_of(result, verdicts)
    return "\n".join(body + summary_of(verdicts))


def text_of(result, path):
    verdicts = []
    body = body_of(result, verdicts)
    return "\n".join(head_lines(result, path) + peers_lines(result) + summary_of(verdicts) + body)


def write(result, path):
    by_hand = BY_HAND
    if os.path.exists(path):
        old = open(path).read()
        if MARK in old:
            by_hand = old[old.index(MARK):]
    text = text_of(result, path)
    with open(path, "w") as file:
        file.write(text + "\n" + by_hand)
