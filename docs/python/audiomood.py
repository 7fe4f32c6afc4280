# SPDX-License-Identifier: MIT
"""AudioMood's predictor for Python: one file over the shared library, by ctypes.

    import audiomood, soundfile

    samples, rate = soundfile.read("voice.wav")
    with audiomood.Model("runs/mine/best.h5") as model:
        print(model.predict(samples, rate))
        # {'label': 'calm', 'probabilities': {'calm': 0.81, ...}, 'reason': None, 'seconds': 2.3, ...}

Copy it beside your program.  It needs Python 3.8 and libaudiomood (0.2); numpy is used where it is there, and soundfile or
librosa only by you, if at all: `audiomood.read` reads sound files, too.  The library is looked for in the environment variable
AUDIOMOOD_LIBRARY (a file), then where the system keeps libraries.

Sounds are numpy arrays of samples (n) or (n, channels), of which the mean is heard: floats of full scale 1, or integers of their
own full scale.  Failures are `audiomood.Error`, whose text says what is wrong and what to do.  A Model may be used by several
threads, one after another; to predict in parallel, make one in each thread.  During a call other threads of Python run.
Memory is given back when an object is closed (`with`, `close()`), or is no longer used.
"""
import ctypes
import ctypes.util
import json
import os
import re
import threading
import weakref
from array import array

# What is used of the library, in the words of its headers.  It is read below, and tests/api/test_python.sh has it compiled
# together with these headers: a function or struct that differs is an error there.
HEADERS = """
typedef struct am_error { size_t size; am_status status; char message[1024]; } am_error;
typedef struct am_settings {
  size_t size; int threads; const char *cpu;
  void (*log)(void *user, am_log_level level, const char *line);
  void (*progress)(void *user, const am_progress *progress);
  void *user;
  void *(*resize)(void *memory_user, void *pointer, size_t bytes);
  void *memory_user; bool read_in_child;
} am_settings;
typedef struct am_sound {
  size_t size; am_context *context; float *samples; size_t n; double rate; double file_rate; int file_channels; uint64_t digest;
} am_sound;
typedef struct am_heard { size_t size; am_unheard unheard; bool cut; double seconds; } am_heard;
typedef struct am_window {
  size_t size; size_t index; double start; double end; double seconds; bool last; const float *probabilities; am_heard heard;
} am_window;
typedef struct am_stream_options {
  size_t size; double window; double hop; double first; double whole; am_stream_speech speech; double threshold;
  double min_speech; double min_silence; double padding; double longest; const am_stream_turn *turns; size_t n_turns;
  bool learn_voice; double voice_seconds; am_checkpoint *detector;
} am_stream_options;
typedef struct am_stream_event {
  size_t size; am_stream_kind kind; size_t utterance; size_t index; double start; double end; bool last; bool whole;
  const float *probabilities; am_heard heard; const char *text;
} am_stream_event;
typedef struct am_segment_options { size_t size; double switch_penalty; double shortest; bool values; } am_segment_options;
typedef struct am_segment {
  size_t size; size_t index; size_t utterance; double start; double end; int label; const float *probabilities; double margin;
  double share;
} am_segment;
typedef am_status (*am_window_fn)(void *user, const am_window *window, am_error *err);
typedef am_status (*am_stream_fn)(void *user, const am_stream_event *event, am_error *err);
typedef am_status (*am_segment_fn)(void *user, const am_segment *segment, am_error *err);

const char *am_version(void);
const char *am_status_name(am_status status);
am_status am_context_create(const am_settings *settings, am_context **out, am_error *err);
void am_context_free(am_context *ctx);

am_status am_sound_read(am_context *ctx, const char *path, double rate, double max_seconds, am_sound *out, am_error *err);
am_status am_sound_resample(am_context *ctx, am_sound *sound, double rate, am_error *err);
void am_sound_free(am_sound *sound);
am_status am_config_from_text(am_context *ctx, const char *yaml, const char *name, const char *const *overrides, size_t n,
                              am_config **out, am_error *err);
am_status am_config_features(const am_config *config, const float *samples, size_t n, float *out, size_t room, int *t, int *f,
                             am_error *err);
void am_config_free(am_config *config);
const char *am_unheard_name(am_unheard reason);

am_status am_checkpoint_load(am_context *ctx, const char *path, am_checkpoint **out, am_error *err);
am_status am_checkpoint_shipped(am_context *ctx, am_checkpoint **out, am_error *err);
am_status am_checkpoint_shipped_detector(am_context *ctx, am_checkpoint **out, am_error *err);
void am_checkpoint_free(am_checkpoint *checkpoint);
int am_checkpoint_classes(const am_checkpoint *checkpoint);
const char *am_checkpoint_label(const am_checkpoint *checkpoint, int k);
am_target am_checkpoint_target(const am_checkpoint *checkpoint);
void am_checkpoint_dimension_scale(const am_checkpoint *checkpoint, int dimension, double *low, double *high);
double am_checkpoint_rate(const am_checkpoint *checkpoint);
double am_checkpoint_temperature(const am_checkpoint *checkpoint);
double am_checkpoint_threshold(const am_checkpoint *checkpoint, int k);
int am_checkpoint_decide(const am_checkpoint *checkpoint, const float *probabilities);
bool am_checkpoint_synthetic(const am_checkpoint *checkpoint);
bool am_checkpoint_noncommercial(const am_checkpoint *checkpoint);
const char *am_checkpoint_title(const am_checkpoint *checkpoint);
const char *am_checkpoint_licence(const am_checkpoint *checkpoint);
const char *am_checkpoint_attribution(const am_checkpoint *checkpoint);
am_status am_checkpoint_set_storage(am_checkpoint *checkpoint, am_storage storage, am_error *err);
bool am_checkpoint_wants_speaker(const am_checkpoint *checkpoint);
bool am_checkpoint_knows_speaker(const am_checkpoint *checkpoint);
am_status am_checkpoint_add_speaker(am_checkpoint *checkpoint, const float *samples, size_t n, am_error *err);
void am_checkpoint_forget_speaker(am_checkpoint *checkpoint);
am_status am_checkpoint_features(const am_checkpoint *checkpoint, const float *samples, size_t n, float *out, size_t room,
                                 int *t, int *f, am_error *err);

am_status am_ensemble_create(am_context *ctx, am_ensemble **out, am_error *err);
void am_ensemble_free(am_ensemble *ensemble);
am_status am_ensemble_add(am_ensemble *ensemble, am_checkpoint *model, const char *name, am_error *err);
am_status am_ensemble_predict(am_ensemble *ensemble, const float *samples, size_t n, float *probabilities, am_heard *heard,
                              am_error *err);
am_status am_ensemble_windows(am_ensemble *ensemble, const float *samples, size_t n, double window, double hop,
                              am_window_fn each, void *user, am_error *err);

am_status am_stream_create(am_ensemble *ensemble, const am_stream_options *options, am_stream_fn each, void *user,
                           am_stream **out, am_error *err);
void am_stream_free(am_stream *stream);
am_status am_stream_push(am_stream *stream, const float *samples, size_t n, double rate, am_error *err);
am_status am_stream_end(am_stream *stream, am_error *err);
am_status am_segmenter_create(am_context *ctx, int classes, const am_segment_options *options, am_segment_fn each,
                              void *user, am_segmenter **out, am_error *err);
void am_segmenter_free(am_segmenter *segmenter);
am_status am_segmenter_take(am_segmenter *segmenter, const am_stream_event *event, am_error *err);
"""

# Checked likewise.
CONSTANTS = {
    "AM_OK": 0, "AM_E_USAGE": -1, "AM_E_CONFIG": -2, "AM_E_NOMEM": -3, "AM_E_IO": -4, "AM_E_FORMAT": -5, "AM_E_SHAPE": -6,
    "AM_E_DATA": -7, "AM_E_NUMERIC": -8, "AM_E_STOPPED": -9, "AM_E_UNSUPPORTED": -10, "AM_LOG_WARNING": 1, "AM_SPEECH_BY_LEVEL": 0,
    "AM_SPEECH_ALL": 1, "AM_SPEECH_BY_MODEL": 3, "AM_STORE_FLOAT16": 1, "AM_TARGET_DIMENSIONS": 1,
}


class Error(Exception):
    """A failure, in the library's words.  `status` is its name, such as AM_E_FORMAT (audiomood/base.h)."""

    def __init__(self, message, status="AM_E_USAGE"):
        super().__init__(message)
        self.status = status


# ---- the library ----

class _Library:
    """The functions of HEADERS, each of them checked: what gives an am_status raises Error instead."""
    _plain = {"void": None, "char": ctypes.c_char, "int": ctypes.c_int, "bool": ctypes.c_bool, "float": ctypes.c_float,
              "double": ctypes.c_double, "size_t": ctypes.c_size_t, "uint64_t": ctypes.c_uint64}
    _enums = {"am_status", "am_log_level", "am_unheard", "am_storage", "am_stream_speech", "am_stream_kind",
              "am_target"}

    def __init__(self):
        self.types = dict(self._plain, **{name: ctypes.c_int for name in self._enums})
        self._library = self._load()
        for text in re.sub(r"\s+", " ", HEADERS).split(";"):
            self._text = getattr(self, "_text", "") + text + ";"
            if self._text.count("{") == self._text.count("}"):
                self._declare(self._text.strip(" ;"))
                self._text = ""

    @staticmethod
    def _load():
        given = os.environ.get("AUDIOMOOD_LIBRARY")
        names = [given] if given else [ctypes.util.find_library("audiomood"), "libaudiomood.so.0", "libaudiomood.so"]
        for name in filter(None, names):
            try:
                return ctypes.CDLL(name)
            except OSError as e:
                why = e
        raise Error(f"libaudiomood cannot be loaded ({why}); install it, or set AUDIOMOOD_LIBRARY to the file", "AM_E_IO")

    def _type(self, text):
        """Of `const char *`, `am_error *`, `size_t`: texts are bytes, what is only handed on is an address."""
        stars, name = text.count("*"), text.replace("const", "").replace("*", "").strip()
        if not stars:
            return self.types[name]
        if stars == 1 and name == "char":
            return ctypes.c_char_p
        known = self.types.get(name)
        return ctypes.POINTER(known) if stars == 1 and known else ctypes.c_void_p

    def _arguments(self, text):
        return [self._type(a[:re.search(r"\w+$", a).start()]) for a in text.split(", ") if a != "void"]

    def _member(self, text):
        function = re.fullmatch(r"(.+)\(\*(\w+)\)\((.+)\)", text)
        if function:
            return function[2], ctypes.CFUNCTYPE(self._type(function[1]), *self._arguments(function[3]))
        kind, name, count = re.fullmatch(r"(.+?)(\w+)(?:\[(\d+)\])?", text).groups()
        return name, self._type(kind) * int(count) if count else self._type(kind)

    def _declare(self, text):
        struct = re.fullmatch(r"typedef struct (\w+) \{(.+)\} \w+", text)
        if struct:
            members = [self._member(m.strip()) for m in struct[2].split(";") if m.strip()]
            self.types[struct[1]] = type(struct[1], (ctypes.Structure,), {"_fields_": members})
        elif text.startswith("typedef"):
            name, kind = self._member(text[len("typedef "):])
            self.types[name] = kind
        elif text:
            result, name, arguments = re.fullmatch(r"(.+?)(\w+)\((.+)\)", text).groups()
            function = getattr(self._library, name)
            function.restype, function.argtypes = self._type(result), self._arguments(arguments)
            setattr(self, name, self._checked(function) if result.strip() == "am_status" else function)

    def _checked(self, function):
        def call(*arguments):
            err = self.new("am_error")
            status = function(*arguments, ctypes.byref(err))
            if status:
                names = [name for name, value in CONSTANTS.items() if name.startswith("AM_E_") and value == status]
                raise Error(err.message.decode(errors="replace"), names[0] if names else str(status))
        return call

    def new(self, struct, **members):
        """A struct that begins with its size."""
        return self.types[struct](size=ctypes.sizeof(self.types[struct]), **members)

    def make(self, create, *arguments):
        """What `create` puts into its last argument."""
        out = ctypes.c_void_p()
        create(*arguments, ctypes.byref(out))
        return out


_lock = threading.Lock()
_library = None


def _lib():
    global _library
    with _lock:
        if _library is None:
            _library = _Library()
        return _library


def version():
    """Of the library that runs."""
    return _lib().am_version().decode()


# ---- sounds ----

def _floats(values):
    """(what keeps the memory, its address, how many) of float32, one after another."""
    if hasattr(values, "dtype"):
        values = values.astype("float32", order="C", copy=False)
        return values, ctypes.cast(values.ctypes.data, ctypes.POINTER(ctypes.c_float)), values.size
    values = values if isinstance(values, array) and values.typecode == "f" else array("f", values)
    return values, ctypes.cast(values.buffer_info()[0], ctypes.POINTER(ctypes.c_float)), len(values)


def _mono(samples):
    """Floats of full scale 1 and one channel."""
    if not hasattr(samples, "dtype"):
        return samples
    if samples.ndim not in (1, 2):
        raise Error(f"samples have the shape {samples.shape}; wanted (n) or (n, channels)")
    if samples.ndim == 2 and samples.shape[1] > 64:
        raise Error(f"samples have the shape {samples.shape}, that of {samples.shape[1]} channels; wanted (n, channels): transpose them")
    if samples.dtype.kind in "iu":
        half = 2.0 ** (8 * samples.dtype.itemsize - 1)
        samples = samples.astype("float64") / half - (1 if samples.dtype.kind == "u" else 0)
    elif samples.dtype.kind != "f":
        raise Error(f"samples are of type {samples.dtype}; wanted floats of full scale 1, or integers")
    return samples.mean(axis=1) if samples.ndim == 2 else samples


def _copied(pointer, shape):
    """A numpy array where there is numpy, else an array of the module array."""
    n = 1
    for size in shape:
        n *= size
    data = ctypes.string_at(pointer, 4 * n) if n else b""
    try:
        import numpy
    except ImportError:
        values = array("f")
        values.frombytes(data)
        return values
    return numpy.frombuffer(bytearray(data), dtype=numpy.float32).reshape(shape)


class _Context:
    """Memory, threads and the log of the library, for what is made from it."""

    def __init__(self, threads, log, read_in_child):
        lib = _lib()
        settings = lib.new("am_settings", threads=threads, read_in_child=read_in_child)
        kinds = dict(lib.types["am_settings"]._fields_)

        def told(user, level, line):
            if log and level <= CONSTANTS["AM_LOG_WARNING"]:
                log(line.decode(errors="replace"))
        self._log = kinds["log"](told)  # kept as long as the library may call it
        settings.log = self._log
        self.at = lib.make(lib.am_context_create, ctypes.byref(settings))
        self.close = weakref.finalize(self, _end_context, lib, self.at, self._log)


def _end_context(lib, at, log):
    lib.am_context_free(at)


def _resampled(lib, context, samples, rate, wanted):
    """Samples at the wanted rate, as _floats."""
    held = _floats(_mono(samples))
    if rate is None or rate == wanted:
        return held
    values = held[0]
    sound = lib.new("am_sound", samples=held[1], n=held[2], rate=rate)
    try:
        lib.am_sound_resample(context.at, ctypes.byref(sound), wanted)
        return _floats(_copied(sound.samples, (sound.n,)))
    finally:
        lib.am_sound_free(ctypes.byref(sound))
        del values  # was borrowed until now


def read(path, rate=0, max_seconds=0, log=None, read_in_child=False):
    """The samples of a sound file (WAV, FLAC, MP3, Ogg, ...) as float32, mono, and their rate in Hz.  `rate`: what they are resampled
    to; 0: the file's own.  With `read_in_child`, films (MP4, MKV, ...) are read, too."""
    lib, context = _lib(), _Context(1, log, read_in_child)
    sound = lib.new("am_sound")
    try:
        lib.am_sound_read(context.at, os.fsencode(path), rate, max_seconds, ctypes.byref(sound))
        return _copied(sound.samples, (sound.n,)), sound.rate
    finally:
        lib.am_sound_free(ctypes.byref(sound))
        context.close()


# ---- features ----

class Features:
    """Features of sounds by the settings of a config's section `features`, before normalisation: what a graph of ONNX takes whose
    metadata holds these settings (onnx_predict.py).

    settings  a dict: {"kind": "log_mel", "sample_rate": 16000, ...}
    log       as of Model
    """

    def __init__(self, settings, log=None):
        lib = self._lib = _lib()
        self._lock = threading.Lock()
        self._context = _Context(1, log, False)
        self._owned = []
        self._end = weakref.finalize(self, _end_model, self._owned, self._context)
        whole = {"data": {"corpus": "manifest", "root": "none"}, "model": {"layers": ["dense"]}, "split": {"kind": "speaker"}}
        text = json.dumps(dict(whole, features=dict(settings)))  # JSON is YAML, too; a config has these sections, but they are not used
        self._config = lib.make(lib.am_config_from_text, self._context.at, text.encode(), b"features", None, 0)
        self._owned.append((lib.am_config_free, self._config))
        #: Hz of the samples that they are made of; others are resampled
        self.rate = float(settings.get("sample_rate", 16000))

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def close(self):
        """Gives the memory back."""
        with self._lock:
            self._end()

    def compute(self, samples, rate=None):
        """(frames, bins) of float32.  `rate`: Hz of the samples; None: `rate` of these features."""
        lib = self._lib
        with self._lock:
            if not self._end.alive:
                raise Error("these features are closed")
            keep, pointer, n = _resampled(lib, self._context, samples, rate, self.rate)
            t, f = ctypes.c_int(), ctypes.c_int()
            lib.am_config_features(self._config, pointer, n, None, 0, ctypes.byref(t), ctypes.byref(f))
            out = (ctypes.c_float * (t.value * f.value))()
            lib.am_config_features(self._config, pointer, n, out, len(out), ctypes.byref(t), ctypes.byref(f))
            return _copied(out, (t.value, f.value))


# ---- models ----

class Model:
    """A trained model, or several whose probabilities are averaged.

    paths    checkpoints (best.h5), or folders of runs; none: the model that comes with AudioMood, whose licence
             (`model.licence`) does not allow commercial use
    threads  that work on one prediction; 0: one for each processor
    storage  "float32", or "float16": large dense kernels are rounded, which halves what a prediction reads
    log      is called with each warning; None: they are not shown
    read_in_child  a child process (fork) reads the files first, so that one that makes HDF5 crash is refused: for files of others
    """

    def __init__(self, *paths, threads=0, storage="float32", log=None, read_in_child=False):
        if storage not in ("float32", "float16"):
            raise Error(f"storage is {storage!r}; wanted 'float32' or 'float16'")
        lib = self._lib = _lib()
        self._lock = threading.Lock()
        self._context = _Context(threads, log, read_in_child)
        self._models, self._detector = [], None
        self._owned = []  # (function that frees, address), in the order of making
        self._end = weakref.finalize(self, _end_model, self._owned, self._context)
        for path in paths or (None,):
            if path is None:
                model = lib.make(lib.am_checkpoint_shipped, self._context.at)
            else:
                file = os.path.join(path, "best.h5") if os.path.isdir(path) else path
                model = lib.make(lib.am_checkpoint_load, self._context.at, os.fsencode(file))
            self._models.append(self._own(lib.am_checkpoint_free, model))
            if storage == "float16":
                lib.am_checkpoint_set_storage(model, CONSTANTS["AM_STORE_FLOAT16"])
        self._ensemble = self._own(lib.am_ensemble_free, lib.make(lib.am_ensemble_create, self._context.at))
        for path, model in zip(paths or ("the model in the box",), self._models):
            lib.am_ensemble_add(self._ensemble, model, os.fsencode(path))
        first = self._models[0]
        #: names of the classes, or of the dimensions, in the order of the model's output
        self.labels = [lib.am_checkpoint_label(first, k).decode() for k in range(lib.am_checkpoint_classes(first))]
        #: name -> (lowest, highest) of the values of a model of dimensions (valence, arousal, ...); None: it tells classes
        self.scales = None
        if lib.am_checkpoint_target(first) == CONSTANTS["AM_TARGET_DIMENSIONS"]:
            low, high = ctypes.c_double(), ctypes.c_double()
            self.scales = {}
            for k, name in enumerate(self.labels):
                lib.am_checkpoint_dimension_scale(first, k, ctypes.byref(low), ctypes.byref(high))
                self.scales[name] = low.value, high.value
        alike = set((self.scales or {}).values())
        #: the same, where all dimensions have one scale; None: they have several, or it tells classes
        self.scale = alike.pop() if len(alike) == 1 else None
        #: Hz of the samples that it hears; others are resampled
        self.rate = lib.am_checkpoint_rate(first)
        #: what it is, of the first model
        self.title = lib.am_checkpoint_title(first).decode()
        #: licences of all that the models were trained on, each once
        self.licence = "; ".join(dict.fromkeys(lib.am_checkpoint_licence(m).decode() for m in self._models))
        #: whom to name: a line for each corpus
        self.attribution = "".join(dict.fromkeys(lib.am_checkpoint_attribution(m).decode() for m in self._models))
        #: whether one of these licences is for non-commercial use alone
        self.noncommercial = any(lib.am_checkpoint_noncommercial(m) for m in self._models)
        #: whether one was trained on synthetic speech, which says nothing about people
        self.synthetic = any(lib.am_checkpoint_synthetic(m) for m in self._models)

    def _own(self, free, address):
        self._owned.append((free, address))
        return address

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    def __repr__(self):
        return f"<audiomood.Model {self.title!r} of {len(self.labels)} {'dimensions' if self.scales else 'classes'} at {self.rate:g} Hz>"

    def close(self):
        """Gives the memory back; waits for a prediction that another thread is making."""
        with self._lock:
            self._end()

    def _use(self):
        if not self._end.alive:
            raise Error("the model is closed")

    def _samples(self, samples, rate):
        return _resampled(self._lib, self._context, samples, rate, self.rate)

    def _decided(self, p):
        """The label, "uncertain" where the probability is below the model's threshold; of several models the most probable."""
        if len(self._models) == 1:
            k = self._lib.am_checkpoint_decide(self._models[0], p)
        else:
            k = max(range(len(self.labels)), key=lambda k: p[k])
        return self.labels[k] if k >= 0 else "uncertain"

    def _answer(self, p, unheard):
        numbers = None if unheard else {name: p[k] for k, name in enumerate(self.labels)}
        if self.scale:
            return {"dimensions": numbers, "scale": list(self.scale)}
        if self.scales:
            return {"dimensions": numbers, "scales": {name: list(ends) for name, ends in self.scales.items()}}
        return {"label": None if unheard else self._decided(p), "probabilities": numbers}

    def _told(self, p, heard, seconds):
        """As `audiomood predict --json` tells it."""
        reason = self._lib.am_unheard_name(heard.unheard).decode() or None
        return {**self._answer(p, reason), "reason": reason, "seconds": seconds, "seconds_heard": heard.seconds}

    def predict(self, samples, rate=None):
        """What the sound is: a dict with `label`, `probabilities` (label -> probability), or of a model of dimensions `dimensions`
        (name -> value) and `scale`, or `scales` where they have several, `reason` (None, or why there is nothing
        to hear: "silent", "too short"), `seconds` and `seconds_heard`.  `rate`: Hz of the samples; None: `model.rate`."""
        lib = self._lib
        with self._lock:
            self._use()
            keep, pointer, n = self._samples(samples, rate)
            p, heard = (ctypes.c_float * len(self.labels))(), lib.new("am_heard")
            lib.am_ensemble_predict(self._ensemble, pointer, n, p, ctypes.byref(heard))
            return self._told(p, heard, n / self.rate)

    def windows(self, samples, rate=None, window=3.0, hop=1.0):
        """A list of such dicts, with `start` and `end` in seconds: of windows that begin `hop` s apart, the last of which ends with
        the sound."""
        lib, rows = self._lib, []

        def each(user, w, err):
            w = w[0]
            rows.append(dict(start=w.start, end=w.end, **self._told(w.probabilities, w.heard, w.seconds)))
        with self._lock:
            self._use()
            keep, pointer, n = self._samples(samples, rate)
            with _Calls(lib) as calls:
                calls.run(lib.am_ensemble_windows, self._ensemble, pointer, n, window, hop,
                          calls.make("am_window_fn", each), None)
        return rows

    def segments(self, samples, rate=None, window=3.0, hop=1.0, switch_penalty=1.0, shortest=0.5, speech=None):
        """A list of dicts, one for each stretch of one emotion where somebody speaks: `start`, `end`, `label`, `probabilities`,
        `margin`, `share`, `utterance`; of a model of dimensions one for each step: `start`, `end`, `dimensions`, `scale`,
        `utterance`.  `speech`: how speech is found: "model" (the detector that comes with AudioMood), "level"
        (what is louder than the noise around it), "all" (the whole sound); None: by the model where it is there, else by level.  As
        `audiomood predict --segments`."""
        lib, rows = self._lib, []
        if speech not in (None, "level", "all", "model"):
            raise Error(f"speech is {speech!r}; wanted 'model', 'level', 'all' or None")

        def each(user, s, err):
            s = s[0]
            p = s.probabilities
            unheard = s.label < 0
            sure = {} if self.scales else {"margin": None if unheard else s.margin, "share": s.share}
            rows.append({"start": s.start, "end": s.end, **self._answer(p, unheard), **sure, "utterance": s.utterance})
        with self._lock:
            self._use()
            speech = self._find_detector(speech)
            keep, pointer, n = _floats(_mono(samples))
            how = lib.new("am_stream_options", window=window, hop=hop, first=min(window, 1.0),
                          speech=CONSTANTS[{"level": "AM_SPEECH_BY_LEVEL", "all": "AM_SPEECH_ALL"}.get(speech, "AM_SPEECH_BY_MODEL")],
                          detector=self._detector if speech == "model" else None)
            # 0 is the library's default, so "none" is below it
            cut = lib.new("am_segment_options", switch_penalty=switch_penalty or -1, shortest=shortest or -1,
                          values=self.scales is not None)
            segmenter = stream = None
            try:
                with _Calls(lib) as calls:
                    segmenter = lib.make(lib.am_segmenter_create, self._context.at, len(self.labels), ctypes.byref(cut),
                                         calls.make("am_segment_fn", each), None)

                    def take(user, event, err):
                        calls.run(lib.am_segmenter_take, segmenter, event)
                    stream = lib.make(lib.am_stream_create, self._ensemble, ctypes.byref(how),
                                      calls.make("am_stream_fn", take), None)
                    calls.run(lib.am_stream_push, stream, pointer, n, self.rate if rate is None else rate)
                    calls.run(lib.am_stream_end, stream)
            finally:
                if stream:
                    lib.am_stream_free(stream)
                if segmenter:
                    lib.am_segmenter_free(segmenter)
        return rows

    def _find_detector(self, speech):
        try:
            if speech in (None, "model") and self._detector is None:
                self._detector = self._own(self._lib.am_checkpoint_free,
                                           self._lib.make(self._lib.am_checkpoint_shipped_detector, self._context.at))
        except Error as e:
            if speech or e.status != "AM_E_IO":
                raise
            return "level"
        return speech or "model"

    def features(self, samples, rate=None, which=0):
        """(frames, bins) of float32: what model number `which` sees of the sound, normalised."""
        lib = self._lib
        with self._lock:
            self._use()
            keep, pointer, n = self._samples(samples, rate)
            t, f = ctypes.c_int(), ctypes.c_int()
            lib.am_checkpoint_features(self._models[which], pointer, n, None, 0, ctypes.byref(t), ctypes.byref(f))
            out = (ctypes.c_float * (t.value * f.value))()
            lib.am_checkpoint_features(self._models[which], pointer, n, out, len(out), ctypes.byref(t), ctypes.byref(f))
            return _copied(out, (t.value, f.value))

    @property
    def wants_speaker(self):
        """Whether a model hears a sound against the speaker's voice, and so has to `enrol` first."""
        with self._lock:
            self._use()
            return any(self._lib.am_checkpoint_wants_speaker(m) for m in self._models)

    def enrol(self, samples, rate=None):
        """Adds a sound to what is known of the speaker's voice."""
        with self._lock:
            self._use()
            keep, pointer, n = self._samples(samples, rate)
            for model in self._models:
                self._lib.am_checkpoint_add_speaker(model, pointer, n)

    def forget_speaker(self):
        """The sounds that follow are of another speaker."""
        with self._lock:
            self._use()
            for model in self._models:
                self._lib.am_checkpoint_forget_speaker(model)


def _end_model(owned, context):
    for free, address in reversed(owned):  # the last was made from those before it
        free(address)
    context.close()


class _Calls:
    """Functions of Python that the library calls.  An exception in one ends the call of the library, and is raised after it."""

    def __init__(self, lib):
        self._lib, self._kept, self._raised = lib, [], None

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self._kept.clear()

    def make(self, kind, function):
        def called(*arguments):
            try:
                if not self._raised:
                    function(*arguments)
            except BaseException as e:  # also KeyboardInterrupt: it must not pass through C
                self._raised = self._raised or e
            return CONSTANTS["AM_E_STOPPED"] if self._raised else 0
        self._kept.append(self._lib.types[kind](called))
        return self._kept[-1]

    def run(self, function, *arguments):
        try:
            function(*arguments)
        except Error:
            if not self._raised:
                raise
        if self._raised:
            raise self._raised
