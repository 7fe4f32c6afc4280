#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/fuzz-seeds.py - writes the binary seeds of tests/fuzz: sounds (soundfile), films (ffmpeg) and shards of the feature cache (h5py).

The text seeds beside them are written by hand; checkpoints and Keras models are the golden files of tests/model and tests/exchange.
Run from the source tree; the files are committed, so nobody needs to run it to build or test.
"""
import os
import subprocess
import zipfile

import h5py
import numpy as np
import soundfile

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fuzz", "seeds")


def crc32c(data):
    """Castagnoli CRC-32 (RFC 3720)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sounds():
    folder = os.path.join(here, "sound")
    os.makedirs(folder, exist_ok=True)
    t = np.arange(300) / 8000
    mono = 0.4 * np.sin(2 * np.pi * 440 * t)
    stereo = np.stack([mono, 0.5 * mono], axis=1)
    for name, x, container, subtype in (
        ("pcm16.wav", mono, "WAV", "PCM_16"), ("stereo24.wav", stereo[:100], "WAV", "PCM_24"),
        ("float.wav", mono[:80], "WAV", "FLOAT"), ("ulaw.wav", mono, "WAV", "ULAW"), ("ima.wav", mono, "WAV", "IMA_ADPCM"),
        ("msadpcm.wav", mono, "WAV", "MS_ADPCM"), ("gsm.wav", mono, "WAV", "GSM610"), ("rf64.wav", mono[:60], "RF64", "PCM_16"),
        ("w64.w64", mono[:60], "W64", "PCM_16"), ("pcm.aiff", mono[:100], "AIFF", "PCM_16"), ("pcm.au", mono[:100], "AU", "PCM_16"),
        ("alac.caf", mono, "CAF", "ALAC_16"), ("pcm.flac", stereo, "FLAC", "PCM_16"), ("vorbis.ogg", mono, "OGG", "VORBIS"),
        ("voc.voc", mono[:80], "VOC", "PCM_16"), ("nist.wav", mono[:80], "NIST", "PCM_16"),
        ("mp3.mp3", mono, "MP3", "MPEG_LAYER_III"), ("opus.ogg", mono, "OGG", "OPUS"),
    ):
        try:
            soundfile.write(os.path.join(folder, name), x, 8000, format=container, subtype=subtype)
        except (RuntimeError, ValueError) as why:
            print(f"{name}: {why}")


def derived():
    """Files that no library writes: joined, tagged, with lengths that were never filled in, with other letters in front."""
    folder = os.path.join(here, "sound")

    def read(name):
        return open(os.path.join(folder, name), "rb").read()

    tag = b"ID3\4\0\0\0\0\0\x14" + b"TIT2\0\0\0\2\0\0\0a" + b"\0" * 8
    wav, rf64, mp3 = read("pcm16.wav"), read("rf64.wav"), read("mp3.mp3")
    for name, data in (
        ("twice.ogg", read("vorbis.ogg") + read("opus.ogg")), ("twice.mp3", mp3 + mp3), ("twice.flac", read("pcm.flac") * 2),
        ("id3.wav", tag + wav), ("id3.mp3", tag + mp3 + b"TAG" + b"x" * 125), ("zero.wav", wav[:40] + b"\0\0\0\0" + wav[44:]),
        ("ones.wav", wav[:4] + b"\xff" * 4 + wav[8:40] + b"\xff" * 4 + wav[44:]), ("zero-rf64.wav", rf64[:20] + b"\0" * 24 + rf64[44:]),
        ("bw64.wav", b"BW64" + rf64[4:]), ("zero.aiff", read("pcm.aiff")[:4] + b"\0" * 4 + read("pcm.aiff")[8:]),
        ("second.wav", wav + b"data\x10\0\0\0" + bytes(16)),
    ):
        with open(os.path.join(folder, name), "wb") as out:
            out.write(data)


def shard(name, sizes, damage=None):
    os.makedirs(os.path.join(here, "cache"), exist_ok=True)
    values = [np.arange(r * c, dtype="<f4") / 7 for r, c in sizes]
    n = len(sizes)
    arrays = {"key": np.arange(1, n + 1, dtype="<i8"), "rows": np.array([s[0] for s in sizes], "<i8"),
              "columns": np.array([s[1] for s in sizes], "<i8"),
              "crc32c": np.array([crc32c(v.tobytes()) for v in values], "<i8"), "unheard": np.zeros(n, "<i8"),
              "digest": np.arange(n, dtype="<i8"), "seconds": np.full(n, 0.25), "file_rate": np.full(n, 16000.0),
              "values": np.concatenate(values)}
    if damage:
        damage(arrays)
    with h5py.File(os.path.join(here, "cache", name), "w", libver=("v108", "v108"), track_order=False) as f:
        f.attrs["format"] = "audiomood features"
        f.attrs["version"] = np.int64(3)
        for key, a in arrays.items():
            f.create_dataset(key, data=a, track_times=False).attrs["crc32c"] = np.uint32(crc32c(a.tobytes()))


def overflow(a):
    """Sizes whose product wraps to what is there."""
    a["rows"][0], a["columns"][0] = 1 << 32, 1 << 32


def negative(a):
    a["rows"][0] = -2


def table(a):
    """Rows of eleven values, where entries count single ones: the first would be read as eleven."""
    a["values"] = a["values"].reshape(2, 11)


def media():
    """Films and the like, by ffmpeg."""
    folder = os.path.join(here, "media")
    os.makedirs(folder, exist_ok=True)
    first, second = ("-f lavfi -i sine=%d:r=16000:d=0.15" % f for f in (440, 660))
    film = "-f lavfi -i testsrc=s=16x16:r=10:d=0.2 %s %s -map 0 -map 1 -c:v mpeg4 -b:a 16k " % (first, second)
    for name, options in (
        ("aac.m4a", first + " -c:a aac -b:a 16k"), ("two.mp4", film + "-map 2 -c:a aac"),
        ("parts.mp4", film + "-c:a aac -movflags +frag_keyframe+empty_moov"), ("opus.mkv", film + "-c:a libopus"),
        ("vorbis.webm", first + " -c:a libvorbis"), ("pcm.mov", first + " -c:a pcm_s16le -ar 8000"),
        ("mp3.avi", film + "-c:a libmp3lame"), ("mp2.ts", first + " -c:a mp2 -b:a 32k"),
        ("x.wma", first + " -c:a wmav2 -b:a 32k"), ("x.wv", first + " -c:a wavpack"),
        ("x.aac", first + " -c:a aac -b:a 16k"), ("g722.wav", first + " -c:a g722"),
        ("x.ac3", first + " -c:a ac3 -b:a 32k"),
    ):
        exact = "-map_metadata -1 -fflags +bitexact -flags:v +bitexact -flags:a +bitexact"
        subprocess.run(["ffmpeg", "-v", "error", "-y"] + options.split() + exact.split() + [os.path.join(folder, name)],
                       check=True)


def archives():
    """The parts of a golden archive of Keras as one input (tests/fuzz/keras.c)."""
    golden, folder = os.path.join(here, "..", "..", "exchange", "golden"), os.path.join(here, "keras")
    with zipfile.ZipFile(os.path.join(golden, "archive_chain.keras")) as z, open(os.path.join(folder, "archive_chain.wrapped"), "wb") as out:
        out.write(b"<" + z.read("config.json") + b"\0" + z.read("model.weights.h5"))
    with zipfile.ZipFile(os.path.join(golden, "archive_branches.keras")) as z, open(os.path.join(folder, "archive_branches.json"), "wb") as out:
        out.write(z.read("config.json"))


sounds()
archives()
media()
derived()
shard("two.h5", [(3, 4), (2, 5)])
shard("overflow.h5", [(3, 4), (2, 5)], overflow)
shard("negative.h5", [(3, 4), (2, 5)], negative)
shard("table.h5", [(1, 1), (3, 7)], table)
