#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Keras models small enough to commit, and checks of import and export against the real Keras.

    golden-keras.py make FOLDER [WORDS]      writes those of tests/exchange/golden that this version of Keras makes
                                             (see GOLDENS)
    golden-keras.py check AUDIOMOOD FOLDER   imports each of them, exports it again, loads that with this Keras, and
                                             compares the outputs (1e-5)
    golden-keras.py matrix BUILD [WORDS]     models of every layer that can be imported, saved by this Keras as
                                             Sequential and as Functional: what the import answers, and what this Keras
                                             answers when it loads our export of it; then our own layers and configs,
                                             exported.  BUILD: the build folder, with tests/exchange/keras_outputs;
                                             WORDS, a regular expression: only those whose names have it

tools/keras-envs makes the environments.  Each file is what model.save writes, plus /golden/x and /golden/y: an input
batch and the model's output on it; of an archive NAME.keras they are in NAME.io.h5.  Lengths of axes all differ, so
that no wrong order can pass.
"""
import os
import re
import subprocess
import sys
import tempfile
import zipfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
if sys.version_info >= (3, 9):  # Keras 2.3 reads it as well
    os.environ.setdefault("KERAS_BACKEND", "jax")
import h5py
import numpy as np
import keras
from keras import layers as L

NEW = keras.__version__.startswith("3")
OLD = keras.__version__.startswith("2.3.")  # Keras by itself, before it came with TensorFlow
ENDS = (".h5",) if OLD or keras.__version__.startswith("2.6.") else (".h5", ".keras")  # that this Keras loads
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
FEATURES = os.path.join(ROOT, "tests", "exchange", "golden", "features.yaml")


def input_layer(shape):
    return L.InputLayer(shape=shape) if NEW else L.InputLayer(input_shape=shape)


def leaky(slope):
    return L.LeakyReLU(negative_slope=slope) if NEW else L.LeakyReLU(alpha=slope)


def attention(x, units, heads):
    """What keras_graph.c reads as attention_pool."""
    hidden = L.Dense(units, activation="tanh")(x) if units else x
    weights = L.Softmax(axis=1)(L.Dense(heads, use_bias=False)(hidden))
    return L.Flatten()(L.Dot(axes=1)([weights, x]))


# name -> input shape and layers
MODELS = {
    # (mel, frames, 1): strides, same padding, dilation, what stands between flatten and dense
    "conv2d": ((7, 11, 1), lambda: [
        L.Conv2D(3, (3, 2), strides=(2, 1), padding="same", activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling2D((2, 3), strides=(1, 2), padding="same"),
        L.Conv2D(2, (2, 2), dilation_rate=(1, 2), use_bias=False),
        L.Activation("tanh"),
        L.Dropout(0.3),
        L.AveragePooling2D((1, 2), padding="same"),
        L.Flatten(),
        L.BatchNormalization(scale=False),
        leaky(0.2),
        L.Dense(5, activation="gelu"),
        L.Dense(4, activation="softmax")]),
    # (mel, frames, 1) to a sequence of frames
    "permute": ((6, 9, 1), lambda: [
        L.Conv2D(2, (3, 1), strides=(2, 1), padding="same"),
        L.ReLU(),
        L.Permute((2, 1, 3)),
        L.Reshape((9, 6)),
        L.Bidirectional(L.LSTM(3)),
        L.Dense(4),
        L.Softmax()]),
    # (frames, channels)
    "conv1d": ((13, 5), lambda: [
        L.Conv1D(6, 4, strides=2, padding="same", activation="sigmoid"),
        L.BatchNormalization(center=False, epsilon=0.01),
        L.AveragePooling1D(2, strides=1, padding="same"),
        L.LSTM(4, return_sequences=True, use_bias=False),
        L.LayerNormalization(),
        L.GRU(3, return_sequences=True, reset_after=False),
        L.MaxPooling1D(2),
        L.Flatten(),
        L.Dense(4, activation="softmax")]),
    # logits, no softmax
    "bidirectional": ((6, 5), lambda: [
        L.Bidirectional(L.LSTM(3, return_sequences=True)),
        L.Bidirectional(L.GRU(2, return_sequences=True)),
        L.GlobalMaxPooling1D(),
        L.Dense(4)]),
}

# of Keras 3.15: name -> input shape, layers or a function of the input, type of the numbers
NEW_MODELS = {
    "new_map": ((7, 11, 1), lambda: [
        L.Conv2D(2, (3, 2), strides=(2, 1), padding="same", activation="relu"),
        L.BatchNormalization(),
        L.MaxPooling2D((2, 2)),
        L.Flatten(),
        L.Dense(4, activation="softmax")], "float32"),
    "new_chain": ((6, 5), lambda x: L.Dense(4)(L.Bidirectional(L.GRU(2))(L.LSTM(3, return_sequences=True)(x))), "float32"),
    "new_frames": ((9, 5), lambda x: L.Dropout(0.2)(L.GlobalAveragePooling1D()(L.Dense(4, activation="softmax")(x))),
                   "float16"),
    "new_attention": ((9, 5), lambda x: L.Dense(4, activation="softmax")(attention(x, 3, 2)), "bfloat16"),
}

# of Keras 3.6, which puts a Cast behind the input of a Functional model in half precision
CAST_MODELS = {
    "cast_half": ((9, 5), lambda x: L.GlobalMaxPooling1D()(L.Dense(4)(x)), "float16"),
}


def branches(x):
    """All kinds of branches, models inside of models, and layers inside of TimeDistributed."""
    y = L.BatchNormalization()(L.Conv1D(4, 3, padding="same", activation="relu")(x))
    y = L.ReLU()(L.Add()([y, L.Conv1D(4, 1)(x)]))
    y = L.TimeDistributed(L.Dense(6))(L.Bidirectional(L.LSTM(3, return_sequences=True))(y))
    inner = keras.Sequential([L.Dense(4), L.BatchNormalization(), L.Dense(4, trainable=False)], name="inner")
    y = inner(y)
    y = L.Concatenate()([y, L.GRU(3, return_sequences=True, reset_after=False)(y)])
    y = L.Add()([y, L.Conv1D(7, 3, padding="same")(y), L.Dense(7)(y)])
    gate = L.Dense(3, activation="relu")(L.Reshape((1, 7))(L.GlobalAveragePooling1D()(y)))
    y = L.Multiply()([y, L.Dense(7, activation="sigmoid")(gate)])
    return L.Dense(4, activation="softmax")(L.LSTM(2)(y))


def temporal(x):
    """A temporal convolutional network, with what acts in training only."""
    y = L.GaussianNoise(0.1)(x)
    for dilation in (1, 2, 4):
        before = y
        y = L.Conv1D(5, 3, padding="causal", dilation_rate=dilation, activation="relu")(y)
        y = L.Add()([L.SpatialDropout1D(0.1)(L.BatchNormalization()(y)), before])
    y = L.ActivityRegularization(0.1)(L.Conv1D(6, 4, strides=2, padding="causal")(y))
    return L.Dense(4, activation="softmax")(L.GaussianDropout(0.2)(L.GlobalAveragePooling1D()(y)))


def zeros_around(x):
    """(mel, frames, 1): ZeroPadding before each kind of layer that can take its zeros."""
    y = L.Conv2D(4, (3, 5), strides=(2, 1), activation="relu")(L.ZeroPadding2D((1, 2))(x))
    y = L.MaxPooling2D((3, 2), strides=(1, 2))(L.ZeroPadding2D(((1, 1), (0, 0)))(y))
    y = L.AveragePooling2D((2, 3), strides=(1, 1))(L.ZeroPadding2D(1)(L.BatchNormalization()(y)))
    y = L.Reshape((-1, int(y.shape[1]) * int(y.shape[3])))(L.Permute((2, 1, 3))(y))
    y = L.Add()([L.Conv1D(6, 3, dilation_rate=2)(L.ZeroPadding1D((4, 0))(y)), L.Conv1D(6, 3)(L.ZeroPadding1D(1)(y))])
    return L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(L.Activation("tanh")(y)))


def residual_map(x):
    """(mel, frames, 1): a shortcut that is strided, and one that is the map itself."""
    y = L.Conv2D(3, 3, padding="same", strides=(2, 1), activation="relu")(x)
    y = L.Conv2D(3, (2, 3), padding="same")(y)
    y = L.ReLU()(L.Add()([y, L.BatchNormalization()(L.Conv2D(3, 1, strides=(2, 1), use_bias=False)(x))]))
    y = L.Add()([y, L.Conv2D(3, (3, 1), padding="same")(y)])
    y = L.TimeDistributed(L.Flatten())(L.Permute((2, 1, 3))(y))
    return L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(y))


# archives of model.save("x.keras"): name -> input shape, layers, type of the numbers, whether to pack it again by deflate,
# which Keras does not but whoever changes an archive may
ARCHIVES_NEW = {
    "archive_chain": ((6, 5), lambda x: L.Dense(4)(L.GlobalMaxPooling1D()(L.LeakyReLU()(L.Conv1D(3, 2)(x)))),
                      "bfloat16", False),
    "archive_branches": ((9, 5), branches, "float32", True),
    "archive_merge": ((6, 5), lambda x: L.Dense(4, activation="softmax")(L.Bidirectional(L.GRU(3), merge_mode="ave")(
        L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode="sum")(x))), "float32", True),
    "archive_product": ((6, 5), lambda x: L.Dense(4, activation="softmax")(L.Bidirectional(L.GRU(3), merge_mode="mul")(
        L.Bidirectional(L.LSTM(2, return_sequences=True), merge_mode="mul")(x))), "float32", True),
    "archive_causal": ((13, 5), temporal, "float32", True),
    "archive_zeros": ((6, 11, 1), zeros_around, "float32", True),
}
ARCHIVES_OLD = {"archive_old": ((6, 9, 1), residual_map, "float32", True)}


def nested(x):
    """Of Keras 2.6: Functional inside of Functional, which counts its calls from 1."""
    i = keras.Input((9, 5))
    inner = keras.Model(i, L.Add()([L.Dense(5, activation="tanh")(i), i]), name="inner")
    y = L.TimeDistributed(L.Dropout(0.2))(L.TimeDistributed(L.BatchNormalization())(inner(x)))
    return L.Dense(4, activation="softmax")(L.Bidirectional(L.GRU(2))(L.LSTM(3, return_sequences=True)(y)))


def plain(x):
    """Of Keras 2.3: GRU with its default of then, and Model as the class of a Functional model."""
    y = L.add([L.GRU(5, return_sequences=True)(x), x])
    y = L.concatenate([L.Dense(3, activation="relu")(y), L.LSTM(2, return_sequences=True)(y)])
    return L.Dense(4, activation="softmax")(L.GlobalMaxPooling1D()(y))


def cells(cudnn):
    if cudnn:
        from tensorflow.compat.v1.keras.layers import CuDNNGRU, CuDNNLSTM
    lstm, gru = (CuDNNLSTM, CuDNNGRU) if cudnn else (L.LSTM, lambda n: L.GRU(n, reset_after=True))
    return lambda x: L.Dense(4, activation="softmax")(gru(2)(L.Bidirectional(lstm(3, return_sequences=True))(x)))


# cudnn: saved with CuDNN's layers, which need a graphics card to run, and answered by the others, into which Keras itself
# turns their weights
MODELS_26 = {"keras26": ((9, 5), nested, "float32"), "cudnn": ((6, 5), None, "float32")}
MODELS_23 = {"keras23": ((9, 5), plain, "float32")}


def takes_input(layers):
    return layers.__code__.co_argcount > len(layers.__defaults__ or ())


def build(shape, layers, functional=False, name=None):
    """`layers`: makes a list of layers, or the output from the input."""
    if takes_input(layers):
        x = keras.Input(shape)
        return keras.Model(x, layers(x), **({"name": name} if name else {}))
    if not functional:
        return keras.Sequential([input_layer(shape)] + layers(), **({"name": name} if name else {}))
    x = y = keras.Input(shape)
    for layer in layers():
        y = layer(y)
    return keras.Model(x, y)


def randomise(model, rng, deviation=0.5):
    """Trained-looking values everywhere: no zero bias, no unit scale, positive variances."""
    for w in model.weights:
        values = rng.normal(0, deviation, w.shape)
        positive = "variance" in w.name or "gamma" in w.name
        w.assign((np.abs(values) + 0.2 if positive else values).astype("float32"))


def set_policy(name):
    if OLD or keras.__version__.startswith("2.6."):
        return
    (keras.config.set_dtype_policy if NEW else keras.mixed_precision.set_global_policy)(name)


GOLDENS = {"2.3.": MODELS_23, "2.6.": MODELS_26, "2.15": {**{n: m + ("float32",) for n, m in MODELS.items()}, **ARCHIVES_OLD},
           "3.6.": CAST_MODELS, "3.15": {**NEW_MODELS, **ARCHIVES_NEW}}


def make(folder, words=""):
    for name, (shape, layers, policy, *packed) in GOLDENS[keras.__version__[:4]].items():
        if not re.search(words, name):
            continue
        rng = np.random.default_rng([20, *name.encode()]) if packed or name in {**MODELS_23, **MODELS_26} else shared_rng()
        keras.backend.clear_session()
        set_policy(policy)
        model = build(shape, layers or cells(False), name=name)
        randomise(model, rng)
        x = rng.normal(0, 1, (3,) + shape).astype("float32")
        y = in_float32(model, shape, layers or cells(False), name)(x)
        path = os.path.join(folder, name + (".keras" if packed else ".h5"))
        how = {} if packed else {"include_optimizer": False} if NEW or OLD else {"include_optimizer": False, "save_format": "h5"}
        (model if layers else as_cudnn(model)).save(path, **how)
        if packed and packed[0]:
            pack(path)
        with h5py.File(os.path.join(folder, name + ".io.h5") if packed else path, "a") as f:
            f["golden/x"] = x
            f["golden/y"] = y
        print(path, os.path.getsize(path))


def shared_rng(rng=np.random.default_rng(20)):
    return rng


def as_cudnn(model):
    """The model of cells(True) with these weights, turned by Keras's own code."""
    from keras.saving.hdf5_format import preprocess_weights_for_loading
    twin = build(model.input_shape[1:], cells(True), name=model.name)
    for to, of in zip(twin.layers, model.layers):
        to.set_weights(preprocess_weights_for_loading(to, of.get_weights(), "2"))
    return twin


def pack(path):
    with zipfile.ZipFile(path) as z:
        parts = {name: z.read(name) for name in z.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name, data in parts.items():
            z.writestr(name, data)


def in_float32(model, shape, layers, name):
    """The same weights, which may have come from half precision, in float32 arithmetic."""
    set_policy("float32")
    twin = build(shape, layers, name=name)
    twin.set_weights([np.asarray(w).astype("float32") for w in model.get_weights()])
    return lambda x: np.asarray(twin.predict(x, verbose=0), "float32")


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def settings(frames, mels):
    return ["--set", f"features.mels={mels}", "--set", f"features.samples={32 * (frames - 1)}"]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1])


def load_and_answer(path, x):
    model = keras.models.load_model(path, compile=False)
    y = model.predict(x) if OLD else model(x, training=False)
    return np.asarray(y[0] if isinstance(y, list) else y)


def io_of(golden):
    beside = golden[: -len(".keras")] + ".io.h5"
    return beside if golden.endswith(".keras") else golden


def check(binary, folder):
    worst = 0
    for models in GOLDENS.values():
        for name, (shape, _, _, *packed) in models.items():
            frames, mels = (shape[1], shape[0]) if len(shape) == 3 else shape
            golden = os.path.join(folder, name + (".keras" if packed else ".h5"))
            with h5py.File(io_of(golden), "r") as f:
                x, y = f["golden/x"][()], f["golden/y"][()]
            if abs(y.sum(axis=1) - 1).max() > 1e-3:
                y = softmax(y)  # ours always end in softmax
            for end in ENDS:
                with tempfile.TemporaryDirectory() as work:
                    ours, back = os.path.join(work, "ours.h5"), os.path.join(work, "back" + end)
                    run(binary, "import", golden, "--config", FEATURES, "-o", ours, *settings(frames, mels))
                    run(binary, "export", ours, "--to", "keras", "-o", back)
                    try:
                        got = load_and_answer(back, x)
                    except ValueError as e:  # layers and activations that are newer than 2.3
                        if not OLD or "Unknown" not in str(e):
                            raise
                        print(f"{name:17} {end:6} {e}", flush=True)
                        continue
                error = float(np.abs(got - y).max())
                worst = max(worst, error)
                print(f"{name:17} {end:6} {error:.2g}", flush=True)
    print(f"Keras {keras.__version__}: largest difference {worst:.2g}")
    return 0 if worst <= 1e-5 else 1


# ---- matrix ----

FRAMES, MELS = 13, 6
SEQUENCE, PICTURE, VECTOR = (FRAMES, MELS), (MELS, FRAMES, 1), (FRAMES * MELS,)


def last(activation="softmax"):
    return L.Dense(4, activation=activation)


def over_sequence():
    for a in ("linear", "relu", "tanh", "sigmoid", "softmax", "gelu", "swish"):
        yield "Dense", a, lambda a=a: [L.Dense(5, activation=a), L.GlobalAveragePooling1D(), last()]
        yield "Activation", a, lambda a=a: [L.Conv1D(5, 2), L.Activation(a), L.GlobalAveragePooling1D(), last()]
    for padding in ("valid", "same", "causal"):
        for more in ({}, {"strides": 2}, {"dilation_rate": 2}, {"use_bias": False}):
            yield "Conv1D", f"{padding} {more}", lambda p=padding, m=more: [
                L.Conv1D(5, 3, padding=p, activation="relu", **m), L.GlobalMaxPooling1D(), last()]
    for padding in ("valid", "same"):
        for kind in (L.MaxPooling1D, L.AveragePooling1D):
            for strides in (None, 1, 3):
                yield kind.__name__, f"{padding} strides {strides}", lambda k=kind, p=padding, s=strides: [
                    k(2, strides=s, padding=p), L.Flatten(), last()]
    for zeros in (1, (2, 2), (4, 0)):
        yield "ZeroPadding1D", f"{zeros}", lambda z=zeros: [
            L.ZeroPadding1D(z), L.Conv1D(5, 5, activation="relu"), L.ZeroPadding1D(1), L.AveragePooling1D(3), L.Flatten(), last()]
    yield "GlobalAveragePooling1D", "", lambda: [L.GlobalAveragePooling1D(), last()]
    yield "GlobalMaxPooling1D", "", lambda: [L.GlobalMaxPooling1D(), last()]
    yield "Flatten", "sequence", lambda: [L.Flatten(), last()]
    for more in ({}, {"scale": False}, {"center": False}, {"epsilon": 0.1, "momentum": 0.9}):
        for kind in (L.BatchNormalization, L.LayerNormalization):
            if "momentum" in more and kind is L.LayerNormalization:
                continue
            yield kind.__name__, f"{more}", lambda k=kind, m=more: [k(**m), L.Flatten(), k(**m), last()]
    for kind in (L.LSTM, L.GRU):
        options = [{}, {"use_bias": False}, {"dropout": 0.2}, {"kernel_regularizer": "l2"}]
        for more in options + ([{"reset_after": False}] if kind is L.GRU else []):
            for both in (False, True):
                wrap = L.Bidirectional if both else lambda layer: layer
                yield ("Bidirectional " if both else "") + kind.__name__, f"{more}", lambda k=kind, m=more, w=wrap: [
                    w(k(3, return_sequences=True, **m)), w(k(2, **m)), last()]
    for mode in ("sum", "ave", "mul"):
        for kind in (L.LSTM, L.GRU):
            yield "Bidirectional " + mode, kind.__name__, lambda k=kind, m=mode: [
                L.Bidirectional(k(3, return_sequences=True), merge_mode=m), L.Bidirectional(k(2), merge_mode=m), last()]
    yield "ReLU", "", lambda: [L.Dense(5), L.ReLU(), L.Flatten(), last()]
    yield "ReLU", "negative_slope", lambda: [L.Dense(5), L.ReLU(negative_slope=0.1), L.Flatten(), last()]
    yield "LeakyReLU", "", lambda: [L.Dense(5), L.LeakyReLU(), L.Flatten(), last()]
    yield "Softmax", "last", lambda: [L.Flatten(), last(None), L.Softmax()]
    yield "Dropout", "", lambda: [L.Dropout(0.4), L.Flatten(), L.Dropout(0.2, seed=3), last()]
    for kind in (L.SpatialDropout1D, L.GaussianDropout, L.GaussianNoise, L.AlphaDropout, L.ActivityRegularization):
        yield "training only", kind.__name__, lambda k=kind: [L.Conv1D(5, 3), k(0.2), L.Flatten(), last()]
    yield "Dense", "constraint", lambda: [L.Flatten(), L.Dense(5, kernel_constraint="non_neg", trainable=False), last()]
    yield "logits", "", lambda: [L.Flatten(), last(None)]
    yield "softmax inside", "mean", lambda: [last(), L.GlobalAveragePooling1D()]
    yield "softmax inside", "pool and flatten", lambda: [last(), L.AveragePooling1D(FRAMES), L.Flatten()]
    yield "softmax inside", "dropout", lambda: [L.Flatten(), last(), L.Dropout(0.3)]
    yield "softmax inside", "flatten", lambda: [L.Flatten(), last(), L.Flatten()]


def over_picture():
    for padding in ("valid", "same"):
        for more in ({}, {"strides": (2, 1)}, {"dilation_rate": (1, 2)}, {"use_bias": False}):
            yield "Conv2D", f"{padding} {more}", lambda p=padding, m=more: [
                L.Conv2D(3, (2, 3), padding=p, activation="relu", **m), L.Flatten(), last()]
        for kind in (L.MaxPooling2D, L.AveragePooling2D):
            for strides in (None, (1, 2)):
                yield kind.__name__, f"{padding} strides {strides}", lambda k=kind, p=padding, s=strides: [
                    L.Conv2D(2, 2), k((2, 3), strides=s, padding=p), L.Flatten(), last()]
    for zeros in (1, (2, 1), ((1, 1), (2, 2))):
        yield "ZeroPadding2D", f"{zeros}", lambda z=zeros: [
            L.ZeroPadding2D(z), L.Conv2D(3, (4, 5), activation="relu"), L.ZeroPadding2D(1), L.MaxPooling2D(2), L.ZeroPadding2D(1),
            L.AveragePooling2D((2, 3)), L.Flatten(), last()]
    yield "GlobalAveragePooling2D", "", lambda: [L.Conv2D(3, 2), L.GlobalAveragePooling2D(), last()]
    yield "GlobalMaxPooling2D", "", lambda: [L.Conv2D(3, 2), L.GlobalMaxPooling2D(), last()]
    for more in ({}, {"scale": False, "center": False}):
        yield "BatchNormalization", f"map {more}", lambda m=more: [L.Conv2D(3, 2), L.BatchNormalization(**m), L.Flatten(),
                                                                   L.BatchNormalization(**m), last()]
    yield "LayerNormalization", "map", lambda: [L.Conv2D(3, 2), L.LayerNormalization(), L.GlobalAveragePooling2D(), last()]
    yield "Flatten", "map, norm behind", lambda: [L.Conv2D(3, 2), L.Flatten(), L.ReLU(), L.BatchNormalization(), last()]
    yield "Permute, Reshape", "", lambda: [L.Conv2D(3, 2), L.Permute((2, 1, 3)), L.Reshape((-1, 15)), L.LSTM(3), last()]
    yield "softmax inside", "mean over a map", lambda: [L.Conv2D(4, 2, activation="softmax"), L.GlobalAveragePooling2D()]


def over_frames():
    for units, heads in ((5, 1), (5, 3), (0, 1), (0, 2)):
        yield "attention", f"units {units}, heads {heads}", lambda x, u=units, h=heads: last()(attention(x, u, h))
    yield "attention", "behind GRU", lambda x: last()(attention(L.GRU(3, return_sequences=True)(x), 4, 1))
    yield "softmax inside", "attention", lambda x: attention(last()(x), 2, 1)


def over_branches():
    """Of sequences and of maps: what branches, models in models and TimeDistributed are read as."""
    for name, inside in (("Dense", lambda: L.Dense(5, activation="tanh")), ("Dropout", lambda: L.Dropout(0.2)),
                         ("LayerNormalization", lambda: L.LayerNormalization()), ("Softmax", lambda: L.Softmax()),
                         ("BatchNormalization", lambda: L.BatchNormalization()), ("Activation", lambda: L.Activation("relu"))):
        yield SEQUENCE, ("TimeDistributed", name, lambda i=inside: [L.Conv1D(4, 2), L.TimeDistributed(i()), L.Flatten(), last()])
    yield SEQUENCE, ("all branches", "", lambda x: branches(x))
    yield SEQUENCE, ("nested", "", lambda x: last()(L.LSTM(3)(keras.Sequential([L.Dense(4), keras.Sequential(
        [L.BatchNormalization(), L.Dense(3)], name="deep")], name="outer")(x))))
    yield SEQUENCE, ("Add", "same names", lambda x: last()(L.GlobalMaxPooling1D()(L.Add()([
        L.Dense(6)(L.Dense(4)(x)), L.Dense(6)(L.Dense(5)(L.Dense(3)(x)))]))))
    yield SEQUENCE, ("Concatenate", "deep and shallow", lambda x: last()(L.GRU(2)(L.Concatenate()([
        x, L.Conv1D(2, 3, padding="same")(x), L.Conv1D(3, 3, padding="same")(L.Conv1D(4, 3, padding="same")(x))]))))
    yield PICTURE, ("Add", "map", lambda x: last()(L.GlobalAveragePooling2D()(L.Add()([
        L.Conv2D(3, 3, strides=2, padding="same")(x), L.BatchNormalization()(L.Conv2D(3, 1, strides=2)(x))]))))
    yield PICTURE, ("Multiply", "map", lambda x: last()(L.GlobalMaxPooling2D()(gated(L.Conv2D(6, 2)(x)))))
    yield PICTURE, ("TimeDistributed", "Flatten", lambda: [L.Permute((2, 1, 3)), L.TimeDistributed(L.Flatten()), L.GRU(3), last()])


def gated(x):
    gate = L.Dense(2, activation="relu", use_bias=False)(L.Reshape((1, 1, 6))(L.GlobalAveragePooling2D()(x)))
    return L.Multiply()([x, L.Dense(6, activation="sigmoid")(gate)])


def over_half():
    for policy in ("float16", "bfloat16", "float64"):
        yield "weights", policy, lambda: [L.Conv1D(5, 3, activation="relu"), L.BatchNormalization(), L.Flatten(), last()]


def cases():
    for c in over_sequence():
        yield SEQUENCE, c, "float32"
    for c in over_picture():
        yield PICTURE, c, "float32"
    for c in over_frames():
        yield SEQUENCE, c, "float32"
    for shape, c in over_branches():
        yield shape, c, "float32"
    for c in over_half():
        yield SEQUENCE, c, c[1]
    yield VECTOR, ("Dense", "vector input", lambda: [L.Dense(5, activation="relu"), last()]), "float32"


def ours_of(build_folder, checkpoint, x, work):
    data = os.path.join(work, "data.h5")
    with h5py.File(data, "w") as f:
        f["x"] = np.ascontiguousarray(x.transpose(0, 2, 1, 3) if x.ndim == 4 else x, "float32")
    run(os.path.join(build_folder, "tests", "exchange", "keras_outputs"), checkpoint, data)
    with h5py.File(data) as f:
        return f["y"][()]


def run_case(build_folder, shape, layers, policy, functional, end, work):
    """Differences of import and export."""
    rng = np.random.default_rng(7)
    binary, saved = os.path.join(build_folder, "src", "cli", "audiomood"), os.path.join(work, "saved" + end)
    checkpoint, back = os.path.join(work, "ours.h5"), os.path.join(work, "back" + end)
    keras.backend.clear_session()
    set_policy(policy)
    model = build(shape, layers, functional)
    randomise(model, rng)
    model.save(saved, **({} if NEW or OLD or end == ".keras" else {"save_format": "h5"}))
    if policy != "float32":
        set_policy("float32")
        twin = build(shape, layers, functional)
        twin.set_weights([np.asarray(w).astype("float32") for w in model.get_weights()])
        model = twin
    x = rng.normal(0, 1, (3,) + shape).astype("float32")
    y = np.asarray(model.predict(x) if OLD else model(x, training=False), "float64")
    if abs(y.sum(axis=1) - 1).max() > 1e-3:
        y = softmax(y)
    run(binary, "import", saved, "--config", FEATURES, "-o", checkpoint, *settings(FRAMES, MELS))
    imported = np.abs(ours_of(build_folder, checkpoint, x, work) - y).max()
    run(binary, "export", checkpoint, "--to", "keras", "-o", back)
    x = x.reshape((3, FRAMES, MELS)) if len(shape) == 1 else x  # features have frames
    return imported, np.abs(load_and_answer(back, x) - y).max()


# layers of ours, behind features as maps (T,F,1), that Keras builds of several or has under other names
OWN = {
    "attention_pool": "[to_sequence, attention_pool: {units: 5, heads: 2}, dense]",
    "attention_pool, linear": "[conv2d: {filters: 2}, to_sequence, attention_pool, dropout: {rate: 0.1}, dense]",
    "attention_pool behind gru": "[to_sequence, gru: {units: 3}, attention_pool: {units: 2}, batch_norm, dense]",
    "global_average_pool over time": "[conv2d: {filters: 2, kernel: 3}, global_average_pool: {over: time}, dense]",
    "global_max_pool over time": "[conv2d: {filters: 2, kernel: 3}, global_max_pool: {over: time}, dense]",
    "silu, leaky_relu, batch_norm": "[conv2d: {filters: 2, activation: silu}, batch_norm, "
                                    "leaky_relu: {alpha: 0.1}, flatten, dense]",
    "residual, squeeze_excite, parallel": "[conv2d: {filters: 3, padding: same, kernel: 3}, residual: {layers: [conv2d: "
                                          "{filters: 4, kernel: 3, padding: same, activation: relu}, batch_norm, conv2d: "
                                          "{filters: 4, kernel: 3, padding: same}]}, squeeze_excite: {reduction: 2}, "
                                          "parallel: {branches: [[conv2d: {filters: 2, kernel: 3, padding: same}, conv2d: "
                                          "{filters: 2, kernel: 3, padding: same}], [conv2d: {filters: 3, padding: same}], "
                                          "[]]}, global_average_pool, dense]",
    "residual in residual": "[to_sequence, residual: {activation: none, layers: [residual: {layers: [dense: {units: 5}], "
                            "shortcut: [dense: {units: 5}, batch_norm]}], shortcut: [dense: {units: 5}]}, "
                            "squeeze_excite: {reduction: 2}, attention_pool: {units: 3}, dense]",
    "lstm and gru of levels": "[to_sequence, lstm: {units: 3, layers: 2, bidirectional: true}, gru: {units: 2, layers: 3, "
                              "return: last}, dense]",
    "explicit padding": "[conv2d: {filters: 2, kernel: 3, padding: explicit, pad: [2, 1], activation: relu}, average_pool2d: "
                        "{size: 3, padding: explicit, pad: 1, count_include_pad: true}, to_sequence, conv1d: {filters: 4, "
                        "kernel: 5, stride: 2, padding: explicit, pad: 2}, global_average_pool, dense]",
    "causal padding": "[to_sequence, conv1d: {filters: 4, kernel: 3, dilation: 2, padding: causal, activation: relu}, residual: "
                      "{layers: [conv1d: {filters: 4, kernel: 2, padding: causal}]}, global_max_pool, dense]",
    "log_probabilities": "[to_sequence, dense: {units: 4, activation: softmax}, global_average_pool, log_probabilities]",
}


def readme_example():
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        text = f.read()
    start = text.index("name: mine\n")
    return text[start:text.index("```", start)]


def run_own(build_folder, name, config, overrides, frames, mels, work):
    """A run of one epoch over a made-up corpus, exported: outputs here against those of this Keras, by both layouts."""
    binary, out = os.path.join(build_folder, "src", "cli", "audiomood"), os.path.join(work, "run")
    path = os.path.join(work, "own.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write(config)
    common = ["data={corpus: ravdess, root: " + os.path.join(work, "corpus") + ", labels: [calm, happy, sad, angry]}",
              "split={kind: fixed, validation_speakers: ['03'], test_speakers: ['04']}", "cache=''", "train.epochs=1"]
    sets = [word for o in common + overrides for word in ("--set", o)]
    subprocess.run(["rm", "-rf", out], check=True)
    run(binary, "train", path, "--out", out, "--quiet", *sets)
    x = np.random.default_rng(3).normal(0, 1, (3, frames, mels)).astype("float32")
    y, worst = ours_of(build_folder, os.path.join(out, "best.h5"), x, work), 0
    for layout, end in [(f, e) for f in ("mel_time", "time_mel") for e in ENDS]:
        back = os.path.join(work, "back" + end)
        run(binary, "export", out, "--to", "keras", "-o", back, "--layout", layout)
        seen = x[..., None] if layout == "time_mel" else x.transpose(0, 2, 1)[..., None]
        worst = max(worst, np.abs(load_and_answer(back, seen) - y).max())
    return worst


def own_cases():
    with open(FEATURES, encoding="utf-8") as f:
        features = f.read()
    small = settings(FRAMES, MELS)[1::2]
    for name, layers in OWN.items():
        yield name, features + f"model: {{layers: {layers}}}\n", small, FRAMES, MELS
    with open(os.path.join(ROOT, "configs", "demo.yaml"), encoding="utf-8") as f:
        yield "configs/demo.yaml", f.read(), ["features.samples=16000"], 51, 64
    yield "README's example", readme_example(), ["features.samples=16000"], 63, 64


def matrix(build_folder, words=""):
    rows, failures, worst = {}, 0, 0

    def note(name, detail, error):
        nonlocal failures, worst
        bad = not isinstance(error, float) or not error <= 1e-5
        failures += bad
        worst = worst if bad else max(worst, error)
        rows.setdefault(name, []).append(error)
        if bad:
            print(f"FAILED {name} {detail}: {error}", flush=True)

    with tempfile.TemporaryDirectory() as work:
        for shape, (name, detail, layers), policy in cases():
            if not re.search(words, name):
                continue
            forms = (True,) if takes_input(layers) else (False, True)
            for functional, end in [(f, e) for f in forms for e in ENDS]:
                label = f"{detail}, {'Functional' if functional else 'Sequential'}, {end}"
                try:
                    imported, exported = run_case(build_folder, shape, layers, policy, functional, end, work)
                    note(name + " in", label, float(imported))
                    note(name + " out", label, float(exported))
                except Exception as e:  # one case must not hide the others
                    note(name + " in", label, f"{type(e).__name__}: {e}")
        run(os.path.join(build_folder, "src", "cli", "audiomood"), "synth", os.path.join(work, "corpus"), "--actors", "4",
            "--repetitions", "1")
        for name, *case in own_cases():
            if not re.search(words, name):
                continue
            try:
                note(name + " own", "", float(run_own(build_folder, name, *case, work)))
            except Exception as e:
                note(name + " own", "", f"{type(e).__name__}: {e}")
    for name, errors in sorted(rows.items()):
        good = [e for e in errors if isinstance(e, float)]
        print(f"{name:36} {len(errors):3} {max(good) if good else float('nan'):.1e}")
    n = sum(map(len, rows.values()))
    print(f"Keras {keras.__version__}: {n} comparisons, {failures} failures, largest difference {worst:.2g}")
    return 1 if failures else 0


if __name__ == "__main__":
    if len(sys.argv) in (3, 4) and sys.argv[1] == "make":
        make(*sys.argv[2:])
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2], sys.argv[3]))
    elif len(sys.argv) in (3, 4) and sys.argv[1] == "matrix":
        sys.exit(matrix(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
