# SPDX-License-Identifier: MIT
"""Tables of the rows without peers, and the words of the history."""
import statistics

import figures
from over_time import CLIENTS, REQUESTS, SECONDS, STREAM_SECONDS, STREAMS
from sections import figure, table


def stream_row(row):
    """Times faster than real time (lower quartile of the clock), processor seconds a minute, delays."""
    walls = [r["wall"] / r["sound"] for r in row["rounds"]]
    delays = sorted(d for r in row["rounds"] for d in r["delays"])
    return {"n": len(walls), "factor": figures.quartile(walls), "least": min(walls), "most": max(walls), "processor": figures.quartile(
        [60 * r["processor"] / r["sound"] for r in row["rounds"]]), "hops": len(delays), "median": statistics.median(delays),
            "late": delays[len(delays) * 99 // 100], "peak": max(r["peak_kb"] for r in row["rounds"]) / 1024}


def stream_section(rows):
    body = []
    for row in rows:
        got = stream_row(row)
        if got["n"] < figures.LEAST or got["hops"] < figures.LEAST:
            body.append([str(row["threads"]), row["speech"], f"not reported: {got['n']} rounds, {got['hops']} measurements"] + [""] * 5)
            continue
        body.append([str(row["threads"]), row["speech"], f"{got['factor']:.4f} ({got['least']:.4f} to {got['most']:.4f})",
                     figure(got["processor"]), str(got["hops"]), figure(got["median"]), figure(got["late"]), f"{got['peak']:.0f}"])
    return ["## Streaming", "", f"The engine of `live`, `serve` and `predict --segments` by the model that comes with AudioMood, windows of 3 s, a "
            f"measurement a second. {SECONDS} s of synthetic speech of 48 kHz a round, in tenths of a second, resampled; "
            f"{figures.LEAST} rounds. The real-time factor is the lower quartile of the rounds (least to most); the delay is from the push of "
            "the last chunk of a stretch to its event.", ""] + table(
                ["threads", "speech by", "real-time factor", "processor time a minute", "measurements", "delay, median", "99 of 100", "peak MiB"],
                body) + [""]


def server_section(s):
    lines = ["## Server", ""]
    if "failure" in s:
        return lines + [f"Not measured: {s['failure']}", ""]
    rates = s["rates"]
    return lines + [f"`audiomood serve` with the model that comes with AudioMood; server and clients share the cores (`tests/serve/load.c`).", "",
                    f"- Uploads of 3 s by {CLIENTS} clients: {figures.quartile(rates, 0.75):.0f} a second (upper quartile of {len(rates)} rounds of "
                    f"{REQUESTS}; {min(rates):.0f} to {max(rates):.0f}); {s['wrong']:.0f} wrong answers.",
                    f"- {STREAMS} streams of {STREAM_SECONDS} s in real time: {s['ended']:.0f} ended well, {s['measured']:.0f} measurements, late by "
                    f"{s['late']:.0f} ms (median), {s['late_99']:.0f} ms (99 of 100); {s['cores']:.2f} cores; {s['memory']:.0f} MB.", ""]


def words(result):
    """The last cell of the history: times faster than real time, delay, uploads a second."""
    rows, server = result.get("stream"), result.get("server")
    one = next((stream_row(r) for r in rows or () if r["threads"] == 1 and r["speech"] == "model"), None)
    return [f"{1 / one['factor']:.0f}" if one else "-", figure(one["median"]) if one else "-",
            f"{figures.quartile(server['rates'], 0.75):.0f}" if server and "rates" in server else "-"]
