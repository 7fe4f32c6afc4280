#!/usr/bin/env python3
"""Keras models small enough to commit, and a check of our exports by the real Keras.

    golden-keras.py make FOLDER              with Keras 2.15: writes tests/train/golden/keras/*.h5
    golden-keras.py check AUDIOMOOD FOLDER   with Keras 2.15 or 3: imports each of them, exports it again,
                                             loads that with this Keras, and compares the outputs (1e-5)

tools/keras-envs makes both environments.  Each file is what model.save writes, plus /golden/x and /golden/y:
an input batch and the model's output on it.  Lengths of axes all differ, so that no wrong order can pass.
"""
import os
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "jax")
import h5py
import numpy as np
import keras
from keras import layers as L

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
        L.LeakyReLU(0.2),
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


def make(folder):
    rng = np.random.default_rng(20)
    for name, (shape, layers) in MODELS.items():
        keras.backend.clear_session()
        model = keras.Sequential([L.InputLayer(input_shape=shape)] + layers(), name=name)
        # Trained-looking values everywhere: no zero bias, no unit scale, positive variances.
        for w in model.weights:
            values = rng.normal(0, 0.5, w.shape)
            w.assign(np.abs(values) + 0.2 if "variance" in w.name or "gamma" in w.name else values)
        x = rng.normal(0, 1, (3,) + shape).astype("float32")
        path = os.path.join(folder, name + ".h5")
        model.save(path, include_optimizer=False, save_format="h5")
        with h5py.File(path, "a") as f:
            f["golden/x"] = x
            f["golden/y"] = model.predict(x, verbose=0)
        print(path, os.path.getsize(path))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def check(binary, folder):
    worst = 0
    for name, (shape, _) in MODELS.items():
        frames, mels = (shape[1], shape[0]) if len(shape) == 3 else shape
        golden = os.path.join(folder, name + ".h5")
        with h5py.File(golden) as f:
            x, y = f["golden/x"][()], f["golden/y"][()]
        if name == "bidirectional":
            y = softmax(y)  # ours always end in softmax
        with tempfile.TemporaryDirectory() as work:
            ours, back = os.path.join(work, "ours.h5"), os.path.join(work, "back.h5")
            settings = ["--set", f"features.mels={mels}", "--set", f"features.samples={32 * (frames - 1)}"]
            features = os.path.join(folder, "features.yaml")
            subprocess.run([binary, "import", golden, "--config", features, "-o", ours] + settings, check=True)
            subprocess.run([binary, "export", ours, "--to", "keras", "-o", back], check=True)
            got = keras.models.load_model(back, compile=False).predict(x, verbose=0)
        error = float(np.abs(got - y).max())
        worst = max(worst, error)
        print(f"{name:15} {error:.2g}")
    print(f"Keras {keras.__version__}: largest difference {worst:.2g}")
    return 0 if worst <= 1e-5 else 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "make":
        make(sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "check":
        sys.exit(check(sys.argv[2], sys.argv[3]))
    else:
        sys.exit(__doc__)
