"""docs/benchmarks.md from the figures of one run; what people wrote by hand below the mark is kept."""
import os
import statistics

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
STANDARD_PAGE = os.path.join(ROOT, "docs", "benchmarks.md")
MARK = "<!-- Below this line the page is written by hand and kept by tools/bench. -->"
BY_HAND = MARK + "\n\n## What was tried\n\nNothing is written here yet.\n"
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


def first_line(row, key):
    return row["failure"].get(key) or row["failure"].get("start")


def floor_seconds(facts, peak, what, batch):
    flops = (facts["forward_flops"] + (facts["backward_flops"] if what == "train" else 0)) * batch
    traffic = facts["parameters"] * (ADAM_BYTES if what == "train" else 4)
    return flops, flops / peak["sgemm_flops"] + traffic / peak["copy_bytes"], traffic


def rate_columns(row, peak, what, batch, median):
    facts = row["facts"]
    if "forward_flops" not in facts:
        return ["", "", "", ""]
    flops, floor, traffic = floor_seconds(facts, peak, what, batch)
    return [f"{flops / median * 1e-9:.0f}", f"{100 * flops / median / peak['sgemm_flops']:.0f} %",
            f"{100 * traffic / median / peak['copy_bytes']:.0f} %", f"{median / floor:.2f}"]


def fastest(rows, key):
    """(name, median) of the fastest peer that has this measure."""
    medians = [(statistics.median(r["seconds"][key]), r["name"]) for r in rows[1:] if r["seconds"].get(key)]
    return min(medians)[::-1] if medians else (None, None)


def beside(value, wanted):
    """Two digits, or three where two would look like the bound."""
    return f"{value:.3f}" if value != wanted and f"{value:.2f}" == f"{wanted:.2f}" else f"{value:.2f}"


def judge(verdicts, what, wanted, ratio, other=None):
    """One line a target; `other` is the second way of meeting it, as (text, met)."""
    if ratio is None:
        verdicts.append((None, f"{what}: wanted {wanted:g} times, no peer was there to compare with"))
        return
    met = ratio >= wanted or bool(other and other[1])
    text = f"{what}: {beside(ratio, wanted)} times the fastest peer, wanted {wanted:g}" + (f"; {other[0]}" if other else "")
    verdicts.append((met, text))


def model_section(m, verdicts):
    rows, peak = m["rows"], m["best"]
    ours = rows[0]
    lines = [f"### {m['model']}", "", f"{ours['facts'].get('parameters', 0):,} parameters; measured just before it: sgemm "
             f"{m['peak']['sgemm_flops'] * 1e-9:.0f} GFLOP/s, copying {m['peak']['copy_bytes'] * 1e-9:.1f} GB/s.", ""]
    for key in "train 32", "forward 32", "forward 1", "train 1":
        what, batch = key.split()[0], int(key.split()[1])
        if not ours["seconds"].get(key):
            continue
        mine, body = statistics.median(ours["seconds"][key]), []
        for row in rows:
            seconds = row["seconds"].get(key)
            name = row["name"] + (f" {row['facts']['version']}" if row["facts"].get("version") and row is not ours else "")
            if not seconds:
                if first_line(row, key) != "inference only":
                    body.append([name, "-", first_line(row, key) or "not measured", "", "", "", "", "", "", ""])
                continue
            median = statistics.median(seconds)
            body.append([name, figure(median), spread(seconds), str(len(seconds)), f"{median / mine:.2f}",
                         f"{row['peak_kb'].get(key, 0) / 1024:.0f}", *rate_columns(row, peak, what, batch, median)])
        label = "Training step" if what == "train" else "Forward pass"
        lines += [f"{label}, batch {batch}:", ""] + table(
            ["", "median", "least to most", "n", "ratio", "peak MiB", "GFLOP/s", "of sgemm", "of copying", "to floor"], body) + [""]
        add_verdicts(m, key, mine, verdicts)
    return lines + layer_lines(m)


def add_verdicts(m, key, mine, verdicts):
    what, batch = key.split()[0], int(key.split()[1])
    rows = m["rows"]
    _, best = fastest(rows, key)
    ratio = best / mine if best else None
    if key == "train 32" and m["train_target"]:
        _, floor, _ = floor_seconds(rows[0]["facts"], m["best"], what, batch)
        judge(verdicts, f"{m['model']}, training step", m["train_target"], ratio,
              (f"{beside(mine / floor, 1.5)} times the floor, wanted 1.5", mine / floor <= 1.5))
    if what == "forward":
        judge(verdicts, f"{m['model']}, forward pass, batch {batch}", 2 if batch == 32 else 3, ratio)
    if key in ("train 32", "forward 32"):
        peaks = [r["peak_kb"][key] for r in rows[1:] if r["peak_kb"].get(key)]
        if peaks:
            own = rows[0]["peak_kb"][key]
            verdicts.append((own <= min(peaks), f"{m['model']}, peak memory, {key}: {own / 1024:.0f} MiB, least of the peers "
                             f"{min(peaks) / 1024:.0f}"))


def layer_lines(m):
    body = []
    for layer in m["layers"]:
        cells = [layer["name"], str(layer["channels"])]
        for way in "forward", "backward":
            seconds = layer[way]
            rate = layer[way + "_flops"] / seconds if seconds > 0 else 0
            cells += [figure(seconds), f"{rate * 1e-9:.0f}", f"{100 * rate / m['best']['sgemm_flops']:.0f} %"]
        body.append(cells)
    if not body:
        return []
    return ["AudioMood's layers in a training step of 32 (with what is fused into them):", ""] + table(
        ["", "channels in", "forward", "GFLOP/s", "of sgemm", "backward", "GFLOP/s", "of sgemm"], body) + [""]


def conv_verdicts(models, verdicts):
    slow, seen = [], 0
    for m in models:
        for layer in m["layers"]:
            if not layer["type"].startswith("conv") or layer["channels"] < 32:
                continue
            for way in "forward", "backward":
                share = layer[way + "_flops"] / layer[way] / m["best"]["sgemm_flops"] if layer[way] > 0 else 0
                seen += 1
                if share < 0.6:
                    slow.append(f"{m['model']} {layer['name']} {way} {100 * share:.0f} %")
    if seen:
        verdicts.append((not slow, f"convolutions of 32 channels or more at 60 % of sgemm: {seen - len(slow)} of {seen}" +
                         ("; below: " + ", ".join(slow) if slow else "")))


def features_section(f, verdicts):
    lines = ["## Features", "", f"{f['files']} files ({f['audio']}), decoded, resampled to 22,050 Hz; files a second on all cores.", ""]
    for what, title in ("log_mel", "log-mel 128"), ("mfcc", "MFCC 40"):
        key, body = f"{what} {f['files']}", []
        if not f["rows"][0]["seconds"].get(key):
            continue
        mine = statistics.median(f["rows"][0]["seconds"][key])
        for row in f["rows"]:
            seconds = row["seconds"].get(key)
            if not seconds:
                body.append([row["name"], "-", first_line(row, key) or "not measured", ""])
                continue
            median = statistics.median(seconds)
            body.append([f"{row['name']} {row['facts'].get('version', '')}".strip(), f"{f['files'] / median:.0f}",
                         f"{f['files'] / max(seconds):.0f} to {f['files'] / min(seconds):.0f}", f"{median / mine:.1f}"])
            if row["name"] == "librosa":
                verdicts.append((median / mine >= 5, f"features, {title}: {median / mine:.1f} times librosa, wanted 5"))
        lines += [f"{title}:", ""] + table(["", "files/s", "least to most", "ratio"], body) + [""]
    return lines


def first_section(firsts, verdicts):
    body = []
    for f in firsts:
        mine = f["rows"][0]["seconds"]["first 1"]
        for row in f["rows"]:
            seconds = row["seconds"]["first 1"]
            if not seconds or not mine:
                body.append([f["model"], row["name"], "-", first_line(row, "first 1") or "not measured", "", "", ""])
                continue
            median = statistics.median(seconds)
            body.append([f["model"], row["name"], figure(median), spread(seconds), f"{median / statistics.median(mine):.1f}",
                         figure(statistics.median(row["processor"])), f"{row['peak_kb']['first 1'] / 1024:.0f}"])
        name, best = fastest(f["rows"], "first 1")
        if mine and best:
            ratio = best / statistics.median(mine)
            verdicts.append((ratio >= 20, f"{f['model']}, first prediction: {ratio:.1f} times the fastest PyTorch program ({name}), wanted 20"))
    return ["## First prediction", "", "A new process, from its start to its end: sound file, features, model and weights, probabilities; page "
            "cache warm. The PyTorch program maps its weights and makes features by librosa or torchaudio.", ""] + table(
                ["model", "", "median", "least to most", "ratio", "processor time", "peak MiB"], body) + [""]


def peers_lines(result):
    known = {}
    for m in result["models"]:
        for row in m["rows"]:
            facts = row["facts"]
            if facts:
                known.setdefault(row["name"], f"{row['name']}: {facts.get('version', '')}, {facts.get('threads')} threads"
                                 + (f", {facts['note']}" if facts.get("note") else ""))
    return ["The programs:", ""] + ["- " + text for text in known.values()]


def command_of(r, path):
    """What makes this page again: another than the standard one has to be named."""
    path = os.path.abspath(path)
    if path == STANDARD_PAGE:
        return r["command"]
    return r["command"] + " --page " + (os.path.relpath(path, ROOT) if path.startswith(ROOT + os.sep) else "FILE")


def head_lines(r, path):
    busy = (f"The machine was busy with other work (load {r['load_before']:.1f} before the run), so single figures are far too high; "
            "the ratios hold only roughly." if r["load_before"] > 0.5 else "The machine did nothing else.")
    return ["# Benchmarks", "", f"Made by `{command_of(r, path)}` on {r['date']}: {r['threads']} cores of {r['processor']}, {r['system']}; "
            f"{r['minutes']:.0f} minutes. {busy}", "",
            "AudioMood and all peers take turns, step by step. Each runs in a process of its own, which is stopped "
            "while it is not its turn. All train by Adam. In the tables below:",
            "",
            "- *ratio* is the peer's median divided by AudioMood's.",
            "- *n* is how many steps or passes were timed, after one of each to warm up.",
            "- *of sgemm* compares the operations of the definition (no short cut counted) with the most that one "
            "large product reached on all cores in the same run, measured before each model.",
            "- *of copying* compares the traffic of weights, gradients and Adam's slots with the most that one large "
            "copy reached, measured in the same way.",
            "- the *floor* is the time of both together at these speeds.",
            "- peak memory is that of the process (ru_maxrss); for a forward pass it is taken before any training.", ""]


def write(result, path):
    verdicts = []
    result["features"]["audio"] = result["audio"]
    # One measurement may meet a moment when the machine is slow, which would make floors too high and shares too large.
    best = {key: max(m["peak"][key] for m in result["models"]) for key in ("sgemm_flops", "copy_bytes")} if result["models"] else {}
    for m in result["models"]:
        m["best"] = best
    body = ["## Training steps and forward passes", ""]
    for m in result["models"]:
        body += model_section(m, verdicts)
    body += features_section(result["features"], verdicts) + first_section(result["first"], verdicts)
    conv_verdicts(result["models"], verdicts)
    summary = ["## Targets", "", "A training step meets its target when it is faster than the fastest peer by the wanted factor, **or** takes at "
               "most 1.5 times the floor.", ""]
    for title, wanted in ("Met", True), ("Missed", False), ("Not known", None):
        lines = [text for met, text in verdicts if met is wanted]
        if lines:
            summary += [f"{title}:", ""] + ["- " + text for text in lines] + [""]
    text = "\n".join(head_lines(result, path) + peers_lines(result) + [""] + summary + body)
    by_hand = BY_HAND
    if os.path.exists(path):
        old = open(path).read()
        if MARK in old:
            by_hand = old[old.index(MARK):]
    with open(path, "w") as file:
        file.write(text + "\n" + by_hand)
    return text
