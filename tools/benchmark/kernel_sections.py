# SPDX-License-Identifier: MIT
"""The bars of single layers beside other libraries."""
import figures
from kernels import keys, operations
from sections import between

WIDTH = 40  # of the longest bar


def shape_words(key):
    """ "forward conv/32/274/64/32/64/3" for people."""
    way, shape = key.split()
    kind, *n = shape.split("/")
    if kind == "conv":
        return f"{way}, {n[5]} x {n[5]} taps, {n[0]} maps of {n[1]} x {n[2]}, {n[3]} to {n[4]} channels"
    if kind == "dense":
        return f"{way}, {n[0]} rows, {n[1]} to {n[2]}"
    return f"{way}, {n[0]} sequences of {n[1]} frames of {n[2]}, {n[3]} units both ways"


def bars(sides, key):
    """A line a library: operations a second by the lower quartile, a bar, how many times as long as ours it takes."""
    rates = {id(s): operations(key) / figures.quartile(figures.seconds_of(s, key)) * 1e-9 for s in sides if figures.seconds_of(s, key)}
    lines = []
    for side in sides:
        if id(side) not in rates:
            continue
        rate, n = rates[id(side)], len(figures.seconds_of(side, key))
        words = "" if side is sides[0] else f"{figures.ratio(sides[0], side, key):.2f}" + (
            f" ({between(figures.interval(sides[0], side, key))})" if n >= figures.LEAST else f" (far behind, {n} passes)")
        bar = "#" * max(1, round(WIDTH * rate / max(rates.values())))
        lines.append(f"    {side['name']:10} {rate:6.1f} {bar:{WIDTH}} {words}".rstrip())
    return lines


def kernels_section(k):
    names = [f"{s['name']} {s['facts'].get('version', '')}".strip() for s in k["runs"][0]["sides"]] if k["runs"] else []
    lines = ["## Single layers", "", "Layers of the models by other libraries, each in the layout that it likes best: converting to it is not counted, "
             "AudioMood's packing of weights is. Backward: gradients of input and weights. GFLOP/s of the definition by lower quartiles; behind "
             "the bar is how many times as long as AudioMood it takes (95 % interval). LIBXSMM has convolutions here, BLIS products. "
             f"{'; '.join(names)}." + (f" Not installed: {', '.join(k['missing'])}." if k["missing"] else ""), ""]
    for run in k["runs"]:
        body = []
        for name, key in keys():
            why = figures.refusal(run["sides"][0], run["sides"][1:], key)
            body += [f"{name}: {shape_words(key)}"] + (bars(run["sides"], key) if not why else [f"    not reported: {why}"])
        lines += [f"{run['cores']} core{'s' * (run['cores'] > 1)}:", "", "```"] + body + ["```", ""]
    return lines
