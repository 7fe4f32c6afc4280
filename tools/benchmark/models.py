# SPDX-License-Identifier: MIT
"""The models, measures and targets of tools/bench, and the rows that --only may name."""
import fnmatch

EIGHT = "data.labels=[neutral, calm, happy, sad, angry, fearful, disgust, surprised]"
CNN_FRONT = {"kind": "log_mel", "n_fft": 512, "hop": 256, "mels": 128}
# Targets: times the fastest peer; "copying" is the share of the copying bandwidth that reading the weights alone has to reach.
MODELS = [
    {"id": "cnn1", "name": "RAVDESS CNN 1", "config": "configs/ravdess_cnn1.yaml", "kind": "cnn", "frames": 549, "bins": 128, "classes": 6,
     "targets": {"train 32": 3.5, "forward 32": 2.2, "copying": 0.85},
     "spec": dict(CNN_FRONT, rate=22050, samples=140526), "settings": []},
    {"id": "cnn2", "name": "IEMOCAP CNN 2", "config": "configs/iemocap_cnn2.yaml", "kind": "cnn", "frames": 156, "bins": 128, "classes": 7,
     "targets": {"train 32": 3.5, "forward 32": 2.2, "forward 1": 2}, "spec": dict(CNN_FRONT, rate=16000, samples=39935),
     "settings": ["data={labels: [calm, happy, sad, angry, fearful, disgust, surprised]}"]},  # without the settings of IEMOCAP
    {"id": "cnn_lstm", "name": "CNN+LSTM", "config": "configs/ravdess_cnn_lstm.yaml", "kind": "cnn_lstm", "frames": 330, "bins": 64,
     "classes": 8, "targets": {"train 32": 2.5, "forward 32": 2, "forward 1": 2}, "settings": [EIGHT],
     "spec": {"kind": "log_mel", "n_fft": 512, "hop": 256, "mels": 64, "rate": 16000, "trim_db": 35, "normalise": True}},
    {"id": "bilstm", "name": "2-layer BiLSTM", "config": "tests/bench/bilstm.yaml", "kind": "bilstm", "frames": 256, "bins": 128, "classes": 8,
     "targets": {"train 32": 3, "forward 32": 2, "forward 1": 3}, "spec": dict(CNN_FRONT, rate=16000, samples=65280),
     "settings": [EIGHT]},
]
MEASURES = ["forward 1", "forward 32", "train 32", "train 1"]  # forward first: a process's peak memory only grows
FEATURES = {"log_mel": "log-mel 128", "mfcc": "MFCC 40"}


def row_name(model, key):
    """What --only and the history call a measure of a model: cnn1/train32."""
    return model["id"] + "/" + key.replace(" ", "")


def all_rows():
    rows = [row_name(model, key) for model in MODELS for key in MEASURES] + ["features", "stream", "server", "kernels"]
    return rows + [model["id"] + "/first" for model in MODELS]


def choose(text):
    """The rows of --only ROW[,ROW]: full names, or patterns as of the shell; a model's name means all of its rows."""
    chosen, known = set(), all_rows()
    for word in text.split(","):
        found = [row for row in known if fnmatch.fnmatchcase(row, word) or row.startswith(word + "/")]
        if not found:
            raise ValueError(f"no row is called {word}; there are {', '.join(known)}")
        chosen.update(found)
    return chosen
