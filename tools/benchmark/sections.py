# SPDX-License-Identifier: MIT
"""The tables of the benchmark page: each function gives lines of Markdown and adds (met, text) of each target to `verdicts`."""
import statistics

import figures
from models import FEATURES, row_name

ADAM_BYTES = 4 * (2 + 1 + 7)  # a weight: read forward and backward, gradient written, then Adam: w g m v read, w m v written


def figure(x):
    """Three digits of seconds, in the unit that suits."""
    for unit, factor in ("s", 1), ("ms", 1e3), ("us", 1e6):
        if x * factor >= 1 or unit == "us":
            return f"{x * factor:.3g} {unit}" if x * factor < 1000 else f"{x * factor:.0f} {unit}"


def spread(seconds):
    return f"{figure(min(seconds))} to {figure(max(seconds))}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def between(around, digits=2):
    return f"{around[0]:.{digits}f} to {around[1]:.{digits}f}" if around else "-"


def why_not(side, key):
    return side["failure"].get(key) or side["failure"].get("start") or "not measured"


def ratio_cells(ours, side, key, digits=2):
    """n, ratio of medians, ratio of lower quartiles, its interval; few steps of a side far behind are marked."""
    n = len(figures.seconds_of(side, key))
    if n < figures.LEAST:
        return [f"{n} (far behind)", f"{figures.median_ratio(ours, side, key):.1f}", "", ""]
    if side is ours:
        return [str(n), "1", "1", ""]
    return [str(n), f"{figures.median_ratio(ours, side, key):.{digits}f}", f"{figures.ratio(ours, side, key):.{digits}f}",
            between(figures.interval(ours, side, key), digits)]


RATIO_HEAD = ["n", "ratio", "of lower quartiles", "95 % interval"]


def beside(value, wanted):
    """Two digits, or three where two would look like the bound."""
    return f"{value:.3f}" if value != wanted and f"{value:.2f}" == f"{wanted:.2f}" else f"{value:.2f}"


def judge(verdicts, what, wanted, ours, peers, key):
    """A target of so many times the fastest peer: met by the lower quartiles."""
    peer, why = figures.fastest(peers, key), figures.refusal(ours, peers, key)
    if why or not peer:
        verdicts.append((None, f"{what}: wanted {wanted:g} times; " + (why or "no peer was there to compare with")))
        return
    value = figures.ratio(ours, peer, key)
    verdicts.append((value >= wanted, f"{what}: {beside(value, wanted)} times {peer['name']} by lower quartiles "
                     f"({between(figures.interval(ours, peer, key))}), {figures.median_ratio(ours, peer, key):.2f} by medians, wanted {wanted:g}"))


# ---- steps of the models ----

def floor_seconds(facts, peak, key):
    what, batch = key.split()
    flops = (facts["forward_flops"] + (facts["backward_flops"] if what == "train" else 0)) * int(batch)
    traffic = facts["parameters"] * (ADAM_BYTES if what == "train" else 4)
    return flops, flops / peak["sgemm_flops"] + traffic / peak["copy_bytes"], traffic


def rate_cells(side, peak, key, median):
    if "forward_flops" not in side["facts"]:
        return ["", "", "", ""]
    flops, floor, traffic = floor_seconds(side["facts"], peak, key)
    return [f"{flops / median * 1e-9:.0f}", f"{100 * flops / median / peak['sgemm_flops']:.0f} %",
            f"{100 * traffic / median / peak['copy_bytes']:.0f} %", f"{median / floor:.2f}"]


def measure_lines(m, key):
    ours, what, body = m["sides"][0], key.split()[0], []
    lines = [f"{'Training step' if what == 'train' else 'Forward pass'}, batch {key.split()[1]}:", ""]
    why = figures.refusal(ours, m["sides"][1:], key)
    if why:
        return lines + [f"Not reported: {why}.", ""]
    for side in m["sides"]:
        seconds = figures.seconds_of(side, key)
        name = side["name"] + (f" {side['facts']['version']}" if side["facts"].get("version") and side is not ours else "")
        if not seconds:
            if why_not(side, key) != "inference only":
                body.append([name, "-", why_not(side, key)] + [""] * 9)
            continue
        median = statistics.median(seconds)
        body.append([name, figure(median), spread(seconds), *ratio_cells(ours, side, key), f"{side['peak_kb'].get(key, 0) / 1024:.0f}",
                     *rate_cells(side, m["best"], key, median)])
    return lines + table(["", "median", "least to most", *RATIO_HEAD, "peak MiB", "GFLOP/s", "of sgemm", "of copying", "to floor"], body) + [""]


def model_section(m, verdicts):
    ours, peers = m["sides"][0], m["sides"][1:]
    lines = [f"### {m['model']}", "", f"{ours['facts'].get('parameters', 0):,} parameters; measured just before it: sgemm "
             f"{m['peak']['sgemm_flops'] * 1e-9:.0f} GFLOP/s, copying {m['peak']['copy_bytes'] * 1e-9:.1f} GB/s.", ""]
    for key in sorted(m["keys"], key=["train 32", "forward 32", "forward 1", "train 1"].index):
        lines += measure_lines(m, key)
        what = f"{m['model']}, {'training step' if key.startswith('train') else 'forward pass'}, batch {key.split()[1]}"
        if key in m["targets"]:
            judge(verdicts, what, m["targets"][key], ours, peers, key)
        if key.endswith("32"):
            memory_verdict(m, key, verdicts)
    if "copying" in m["targets"] and len(figures.seconds_of(ours, "forward 1")) >= figures.LEAST:
        share = ours["facts"]["parameters"] * 4 / figures.quartile(figures.seconds_of(ours, "forward 1")) / m["best"]["copy_bytes"]
        wanted = m["targets"]["copying"]
        verdicts.append((share >= wanted, f"{m['model']}, forward pass, batch 1: weights read at {100 * share:.0f} % of copying, "
                         f"wanted {100 * wanted:.0f} %"))
    return lines + layer_lines(m)


def memory_verdict(m, key, verdicts):
    own, peaks = m["sides"][0]["peak_kb"].get(key), [s["peak_kb"][key] for s in m["sides"][1:] if s["peak_kb"].get(key)]
    if own and peaks:
        verdicts.append((own <= min(peaks), f"{m['model']}, peak memory, {key}: {own / 1024:.0f} MiB, least of the peers "
                         f"{min(peaks) / 1024:.0f}"))


def layer_lines(m):
    body = []
    for layer in m["layers"]:
        cells = [layer["name"], str(layer["channels"])]
        for way in "forward", "backward":
            rate = layer[way + "_flops"] / layer[way] if layer[way] > 0 else 0
            cells += [figure(layer[way]), f"{rate * 1e-9:.0f}", f"{100 * rate / m['best']['sgemm_flops']:.0f} %"]
        body.append(cells)
    if not body:
        return []
    return ["AudioMood's layers in a training step of 32 (with what is fused into them):", ""] + table(
        ["", "channels in", "forward", "GFLOP/s", "of sgemm", "backward", "GFLOP/s", "of sgemm"], body) + [""]


def conv_verdicts(models, verdicts):
    """Shares of sgemm, counted as direct convolution: 180 % from 32 channels on where a tap has neighbours, else 60 %."""
    for wide, wanted in (True, 1.8), (False, 0.6):
        slow, seen = [], 0
        for m in models:
            for layer in m["layers"]:
                if not layer["type"].startswith("conv") or (layer["channels"] >= 32 and "projection" not in layer["name"]) != wide:
                    continue
                for way in "forward", "backward":
                    share = layer[way + "_flops"] / layer[way] / m["best"]["sgemm_flops"] if layer[way] > 0 else 0
                    seen += 1
                    if share < wanted:
                        slow.append(f"{m['model']} {layer['name']} {way} {100 * share:.0f} %")
        if seen:
            name = "convolutions of 32 channels or more" if wide else "other convolutions and shortcuts"
            verdicts.append((not slow, f"{name} at {100 * wanted:.0f} % of sgemm: {seen - len(slow)} of {seen}" +
                             ("; below: " + ", ".join(slow) if slow else "")))


# ---- from sound files ----

def features_section(f, verdicts):
    lines = ["## Features", "", f"{f['files']} files ({f['audio']}), decoded, resampled to 22,050 Hz; files a second on all cores.", ""]
    ours, peers = f["sides"][0], f["sides"][1:]
    for what, title in FEATURES.items():
        key, body = f"{what} {f['files']}", []
        why = figures.refusal(ours, peers, key)
        if why:
            lines += [f"{title}: not reported, {why}.", ""]
            continue
        for side in f["sides"]:
            seconds = figures.seconds_of(side, key)
            if not seconds:
                body.append([side["name"], "-", why_not(side, key), "", "", "", ""])
                continue
            body.append([f"{side['name']} {side['facts'].get('version', '')}".strip(), f"{f['files'] / statistics.median(seconds):.0f}",
                         f"{f['files'] / max(seconds):.0f} to {f['files'] / min(seconds):.0f}", *ratio_cells(ours, side, key, 1)])
            if side["name"] == "librosa":
                judge(verdicts, f"features, {title}", f["wanted"], ours, [side], key)
        lines += [f"{title}:", ""] + table(["", "files/s", "least to most", *RATIO_HEAD], body) + [""]
    return lines


def first_section(firsts, verdicts):
    body, key = [], "first 1"
    for f in firsts:
        ours, peers = f["sides"][0], f["sides"][1:]
        why = figures.refusal(ours, peers, key)
        if why:
            body.append([f["model"], "not reported: " + why] + [""] * 8)
            continue
        for side in f["sides"]:
            seconds = figures.seconds_of(side, key)
            if not seconds:
                body.append([f["model"], side["name"], "-", why_not(side, key)] + [""] * 6)
                continue
            body.append([f["model"], side["name"], figure(statistics.median(seconds)), spread(seconds), *ratio_cells(ours, side, key, 1),
                         figure(statistics.median(side["processor"])), f"{side['peak_kb'][key] / 1024:.0f}"])
        if peers:
            judge(verdicts, f"{f['model']}, first prediction", 20, ours, peers, key)
    return ["## First prediction", "", "A new process, from its start to its end: sound file, features, model and weights, probabilities; page "
            "cache warm. The PyTorch program maps its weights and makes features by librosa or torchaudio.", ""] + table(
                ["model", "", "median", "least to most", *RATIO_HEAD, "processor time", "peak MiB"], body) + [""]


# ---- one ratio a row, for the history ----

def ratios(result):
    """{row: (ratio of lower quartiles, interval)} to the fastest peer (features: to librosa), or None where it may not be reported."""
    found = {}
    for m in result["models"]:
        for key in m["keys"]:
            found[row_name(m, key)] = one_ratio(m["sides"], key)
    for f in result["first"]:
        found[f["id"] + "/first"] = one_ratio(f["sides"], "first 1")
    f = result.get("features")
    for what in FEATURES if f else ():
        found["features/" + what] = one_ratio(f["sides"][:1] + [s for s in f["sides"] if s["name"] == "librosa"], f"{what} {f['files']}")
    return found


def one_ratio(sides, key):
    peer = figures.fastest(sides[1:], key)
    if not peer or figures.refusal(sides[0], sides[1:], key):
        return None
    return figures.ratio(sides[0], peer, key), figures.interval(sides[0], peer, key)
