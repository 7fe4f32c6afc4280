# SPDX-License-Identifier: MIT
"""python_wrapper.py AUDIOMOOD RUN SOUND VALUES - docs/python/audiomood.py against the command, one line "ok NAME" or "not ok NAME:
WHY" a case.  VALUES is a run of dimensions.  Without numpy the samples are arrays of the module array; with it some cases more."""
import gc
import json
import os
import struct
import subprocess
import sys
import threading
import wave
from array import array

import audiomood

command, run, sound, values, scaled = sys.argv[1:]
samples, rate = audiomood.read(sound)


def case(name, good, why=""):
    print(f"ok {name}" if good else f"not ok {name}: {why}")


def as_printed(value):
    """A figure of the command is the shortest text of a float32; ours is that float32."""
    if isinstance(value, dict):
        return {key: as_printed(v) for key, v in value.items()}
    return struct.unpack("f", struct.pack("f", value))[0] if isinstance(value, float) else value


def same(name, rows, *options, run=run):
    out = subprocess.run([command, "predict", run, sound, "--json", "--quiet", *options], check=True, stdout=subprocess.PIPE).stdout
    told = [json.loads(line) for line in out.splitlines()]
    keys = rows[0].keys() & told[0].keys() if rows and told else {"rows"}
    found, wanted = ([{k: as_printed(r.get(k)) for k in sorted(keys)} for r in x] for x in (rows, told))
    case(name, found == wanted and len(keys) > 4, f"{found}, wanted {wanted}")


def fails(name, status, words, call):
    try:
        case(name, False, f"gave {call()!r}")
    except audiomood.Error as e:
        case(name, e.status == status and words in str(e), f"{e.status}: {e}")


with audiomood.Model(run, threads=1) as model:
    whole = model.predict(samples)
    same("predict is what the command predicts", [whole])
    same("windows are those of the command", model.windows(samples, rate, 0.5, 0.25), "--window", "0.5", "--hop", "0.25")
    same("segments are those of the command", model.segments(samples, rate, speech="level"), "--segments", "--vad", "energy")
    case("labels are told", list(whole["probabilities"]) == model.labels and whole["label"] in model.labels, model.labels)
    silent, short = model.predict([0.0] * 16000), model.predict([0.1] * 100)
    case("nothing to hear has a reason", (silent["reason"], silent["label"], short["reason"]) == ("silent", None, "too short"),
         f"{silent} {short}")
    fails("NaN is refused", "AM_E_NUMERIC", "sample 7", lambda: model.predict([0.1, -0.1] * 3 + [0.1, float("nan")] + [0.1, -0.1] * 4500))
    fails("no samples are refused", "AM_E_USAGE", "0 samples", lambda: model.predict([]))
    fails("a window of no length is refused", "AM_E_USAGE", "window", lambda: model.windows(samples, rate, -1))
    fails("a rate that cannot be is refused", "AM_E_USAGE", "Hz", lambda: model.predict(samples, -5))
    twice = array("f", (x for x in samples for _ in range(2)))
    case("another rate is resampled", abs(model.predict(twice, 2 * rate)["seconds"] - whole["seconds"]) < 0.01)
    frames = model.features(samples)
    case("features are given", len(frames) > 100)

    def broken(*arguments):
        raise KeyError("mine")
    model._told = broken
    try:
        model.windows(samples, rate, 0.5, 0.25)
        case("an exception passes through the library", False)
    except KeyError as e:
        case("an exception passes through the library", e.args == ("mine",))
    del model._told
    answers = []
    threads = [threading.Thread(target=lambda: answers.extend(model.predict(samples) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    case("threads may share a model", answers == [whole] * 20)
with audiomood.Model(values, threads=1) as other:
    same("values are what the command predicts", [other.predict(samples)], run=values)
    same("values over time are those of the command", other.segments(samples, rate, speech="level"), "--segments", "--vad", "energy",
         run=values)
    silent = other.predict([0.0] * 16000)
    case("dimensions are told, and their scale", (other.labels, other.scale, silent["dimensions"], silent["reason"]) ==
         (["arousal"], (1.0, 5.0), None, "silent"), f"{other.labels} {other.scale} {silent}")
with audiomood.Model(scaled, threads=1) as other:
    same("so are values on scales of their own", [other.predict(samples)], run=scaled)
    same("and those over time", other.segments(samples, rate, speech="level"), "--segments", "--vad", "energy", run=scaled)
    case("each scale is told", (other.scale, other.scales) == (None, {"valence": (-3.0, 3.0), "arousal": (1.0, 5.0)}), f"{other.scale} {other.scales}")
fails("a closed model says so", "AM_E_USAGE", "closed", lambda: model.predict(samples))
model.close()
with audiomood.Model(run, os.path.join(run, "last.h5")) as both:
    p = both.predict(samples)["probabilities"]
    case("several models are averaged", abs(sum(p.values()) - 1) < 1e-5)
fails("a file that is not there", "AM_E_IO", "nothing.h5", lambda: audiomood.Model("nothing.h5"))
fails("a file that is no checkpoint", "AM_E_FORMAT", "HDF5", lambda: audiomood.Model(sound))
fails("a file that is no sound", "AM_E_FORMAT", "", lambda: audiomood.read(__file__))
fails("a storage that is none", "AM_E_USAGE", "float16", lambda: audiomood.Model(run, storage="int4"))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


if os.path.exists("/proc/self/statm"):
    sizes = []
    for _ in range(3):
        for _ in range(15):
            again = audiomood.Model(run, threads=1)
            again.windows(samples, rate, 0.5, 0.25)
            again.segments(samples, rate, speech="level")
        del again
        gc.collect()
        sizes.append(resident())
    case("memory is given back", sizes[-1] - sizes[0] < 2 << 20, sizes)

settings = {"kind": "log_mel", "sample_rate": 16000, "n_fft": 512, "hop": 256, "mels": 24}  # those of the run, before normalisation
with audiomood.Features(settings) as maker:
    case("features by settings are given", len(maker.compute(samples, rate)) == len(frames))
fails("settings that are not known are refused", "AM_E_CONFIG", "mels", lambda: audiomood.Features({"kind": "log_mel", "melz": 24}))
fails("features that are closed are refused", "AM_E_USAGE", "closed", lambda: maker.compute(samples, rate))

try:
    import numpy as np
except ImportError:
    sys.exit()
with wave.open(sound) as file:
    pcm = np.frombuffer(file.readframes(file.getnframes()), dtype=np.int16)
with audiomood.Model(run, threads=1) as model:
    case("integers are heard as floats are", model.predict(pcm, rate) == whole)
    case("channels are averaged", model.predict(np.stack([pcm, pcm], axis=1), rate) == whole)
    case("float64 is float32", model.predict(np.asarray(samples, dtype=np.float64)) == whole)
    case("a view with steps is read", model.predict(np.repeat(pcm, 2)[::2], rate) == whole)
    case("features are a table", model.features(samples).ndim == 2)
    raw, seen = audiomood.Features(settings).compute(samples, rate), model.features(samples)
    case("and are those by its settings, where it does not normalise", np.array_equal(seen, raw), f"{seen[0][:3]}, not {raw[0][:3]}")
    fails("channels first are refused", "AM_E_USAGE", "transpose", lambda: model.predict(pcm[None, :]))
    fails("complex samples are refused", "AM_E_USAGE", "complex", lambda: model.predict(pcm.astype(complex)))
