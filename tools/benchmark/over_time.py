# SPDX-License-Identifier: MIT
"""Rows without peers: the streaming engine and the server, by the model that comes with AudioMood."""
import json
import os
import re
import subprocess
import tempfile
import time
import wave

import figures
from machine import ROOT, say, threads

SECONDS, REQUESTS, CLIENTS, STREAMS, STREAM_SECONDS = 60, 60, 4, 20, 15
SHIPPED = {"AUDIOMOOD_MODEL": os.path.join(ROOT, "checkpoints", "ravdess-nemo.h5"),
           "AUDIOMOOD_DETECTOR": os.path.join(ROOT, "checkpoints", "speech_detector.h5")}


def run_stream(program, files):
    """Each way of listening in turn, figures.LEAST rounds of a minute of sound each, in a process of its own."""
    ways = [(1, "level"), (1, "model")] + ([(threads(), "model")] if threads() > 1 else [])
    rows = [{"threads": n, "speech": speech, "rounds": []} for n, speech in ways]
    for number in range(figures.LEAST):
        for row in rows:
            say(f"streaming, round {number + 1}: {row['threads']} threads, speech by {row['speech']}")
            out = subprocess.run([program, str(row["threads"]), row["speech"], str(SECONDS), *files], check=True, capture_output=True,
                                 text=True, env=dict(os.environ, **SHIPPED)).stdout
            row["rounds"].append(json.loads(out))
    return rows


# ---- the server ----

def make_sounds(files, folder):
    """A minute of 16 kHz for the streams, without a header, and a clip of 3 s for the uploads."""
    samples = b""
    for name in files:
        with wave.open(name) as file:
            every = file.getframerate() // 16000
            frames = file.readframes(file.getnframes())
            step = every * file.getsampwidth() * file.getnchannels()
            samples += b"".join(frames[i:i + 2] for i in range(0, len(frames) - 1, step))
        if len(samples) > 2 * 16000 * 60:
            break
    raw, clip = os.path.join(folder, "talk.raw"), os.path.join(folder, "clip.wav")
    with open(raw, "wb") as file:
        file.write(samples[:2 * 16000 * 60])
    with wave.open(clip, "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(16000)
        file.writeframes(samples[:2 * 16000 * 3])
    return raw, clip


def start_server(audiomood, folder):
    """The process and its port."""
    where = open(os.path.join(folder, "where"), "w+")
    said = open(os.path.join(folder, "said"), "w+")
    server = subprocess.Popen([audiomood, "serve", "--port", "0", "--sessions", "200", "--per-client", "200"], stdout=where, stderr=said,
                              env=dict(os.environ, **SHIPPED))
    for _ in range(200):
        found = re.search(r":(\d+)/$", open(where.name).read(), re.M)
        if found or server.poll() is not None:
            break
        time.sleep(0.1)
    if not found:
        server.kill()
        server.wait()
        raise RuntimeError((open(said.name).read().strip().splitlines() or ["it did not start"])[-1][:200])
    return server, found.group(1)


def numbers(pattern, text):
    found = re.search(pattern, text)
    if not found:
        raise RuntimeError("unexpected: " + text.strip()[:200])
    return [float(x) for x in found.groups()]


def ask_load(load, *arguments):
    run = subprocess.run([load, *map(str, arguments)], capture_output=True, text=True)
    return run.stdout + run.stderr


def run_server(audiomood, load, files):
    """Uploads a second, figures.LEAST rounds, then streams in real time; or why not."""
    with tempfile.TemporaryDirectory() as folder:
        raw, clip = make_sounds(files, folder)
        server = None
        try:
            server, port = start_server(audiomood, folder)
            rates = []
            for number in range(-1, figures.LEAST):  # the first one warms
                say(f"server, round {number + 1}: {REQUESTS} uploads")
                began = time.monotonic()
                wrong, = numbers(r": (\d+) wrong", ask_load(load, "requests", port, server.pid, clip, REQUESTS, CLIENTS))
                if number >= 0:
                    rates.append(REQUESTS / (time.monotonic() - began))
            say(f"server: {STREAMS} streams of {STREAM_SECONDS} s")
            text = ask_load(load, "streams", port, server.pid, raw, STREAMS, STREAM_SECONDS)
            ended, measured = numbers(r"(\d+) ended well, (\d+) measurements", text)
            median, late, cores, memory = numbers(r"late by (\S+) ms \(median\), (\S+) ms \(99.*; (\S+) cores;.* (\S+) MB at the", text)
        except RuntimeError as error:
            return {"failure": str(error)}
        finally:
            if server:
                server.terminate()
                server.wait()
    return {"rates": rates, "wrong": wrong, "ended": ended, "measured": measured, "late": median, "late_99": late, "cores": cores,
            "memory": memory}
