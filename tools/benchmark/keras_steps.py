# SPDX-License-Identifier: MIT
"""Timed steps of Keras on TensorFlow, asked for by tools/bench: keras_steps.py KIND FRAMES BINS CLASSES THREADS jit|graph"""
import os
import sys

kind, frames, bins, classes, threads = sys.argv[1], *map(int, sys.argv[2:6])
os.environ.update(KERAS_BACKEND="tensorflow", TF_ENABLE_ONEDNN_OPTS="1", TF_CPP_MIN_LOG_LEVEL="3",
                  TF_NUM_INTRAOP_THREADS=str(threads), TF_NUM_INTEROP_THREADS="1")
import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

import answer

jit = sys.argv[6] == "jit"


def conv(filters, **more):
    return L.Conv2D(filters, 3, padding="same", **more)


def residual(x, filters):
    y = L.ReLU()(L.BatchNormalization()(conv(filters, use_bias=False)(x)))
    y = L.BatchNormalization()(conv(filters, use_bias=False)(y))
    return L.ReLU()(L.Add()([y, L.Conv2D(filters, 1)(x)]))


def cnn():
    x = inputs = keras.Input((frames, bins, 1))
    x = L.MaxPool2D(2)(conv(32, activation="relu")(x))
    x = L.MaxPool2D(2)(L.Dropout(0.1)(conv(64, activation="relu")(x)))
    x = L.Dropout(0.2)(L.Dense(128, activation="relu")(L.Flatten()(x)))
    return keras.Model(inputs, L.Dense(classes)(x))


def cnn_lstm():
    x = inputs = keras.Input((frames, bins, 1))
    x = L.MaxPool2D(2)(L.ReLU()(L.BatchNormalization()(conv(24, use_bias=False)(x))))
    x = L.MaxPool2D((1, 2))(residual(L.MaxPool2D(2)(residual(x, 48)), 96))
    x = L.MaxPool2D((1, 2))(residual(x, 128))
    x = L.Dropout(0.2)(L.Reshape((x.shape[1], x.shape[2] * x.shape[3]))(x))
    y = L.Bidirectional(L.LSTM(64, return_sequences=True))(x)
    weight = L.Softmax(axis=1)(L.Dense(1, use_bias=False)(L.Dense(64, activation="tanh")(y)))
    pooled = L.Reshape((128,))(L.Dot(axes=(1, 1))([weight, y]))
    x = L.Dropout(0.4)(L.Concatenate()([pooled, L.GlobalMaxPool1D()(y)]))
    return keras.Model(inputs, L.Dense(classes)(x))


def bilstm():
    x = inputs = keras.Input((frames, bins))
    for _ in range(2):
        x = L.Bidirectional(L.LSTM(128, return_sequences=True))(x)
    return keras.Model(inputs, L.Dense(classes)(L.GlobalAveragePooling1D()(x)))


keras.utils.set_random_seed(1)
net = {"cnn": cnn, "cnn_lstm": cnn_lstm, "bilstm": bilstm}[kind]()
net.compile(optimizer=keras.optimizers.Adam(1e-4, epsilon=1e-7), jit_compile=jit,
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))


def make_step(what, batch):
    shape = (batch, frames, bins) + ((1,) if kind != "bilstm" else ())
    x = tf.constant(np.random.rand(*shape).astype("float32") * -0.3)
    y = tf.constant(np.arange(batch) % classes)
    if what == "train":
        return lambda: net.train_on_batch(x, y)
    call = tf.function(lambda: net(x, training=False), jit_compile=jit)
    return lambda: call().numpy()


answer.serve({"version": f"{keras.__version__} on TensorFlow {tf.__version__}", "threads": threads,
              "note": ("jit" if jit else "graph") + ", oneDNN on"}, make_step)
