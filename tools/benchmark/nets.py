# SPDX-License-Identifier: MIT
"""The four nets of tools/bench in PyTorch, as the configs describe them (input (B,1,F,T) or (B,T,F))."""
import torch
from torch import nn


def cnn(frames, bins, classes):
    """configs/ravdess_cnn1.yaml, configs/iemocap_cnn2.yaml"""
    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Dropout(0.1), nn.MaxPool2d(2), nn.Flatten(),
                         nn.Linear(64 * (bins // 4) * (frames // 4), 128), nn.ReLU(), nn.Dropout(0.2),
                         nn.Linear(128, classes))


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
                                  nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs))
        self.projection = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return torch.relu(self.body(x) + self.projection(x))


class CnnLstm(nn.Module):
    """configs/ravdess_cnn_lstm.yaml"""

    def __init__(self, frames, bins, classes):
        super().__init__()
        self.front = nn.Sequential(nn.Conv2d(1, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.MaxPool2d(2),
                                   Residual(24, 48), nn.MaxPool2d(2), Residual(48, 96), nn.MaxPool2d((2, 1)),
                                   Residual(96, 128), nn.MaxPool2d((2, 1)))
        self.drop, self.drop2 = nn.Dropout(0.2), nn.Dropout(0.4)
        self.lstm = nn.LSTM(128 * (bins // 16), 64, bidirectional=True, batch_first=True)
        self.hidden, self.score = nn.Linear(128, 64), nn.Linear(64, 1, bias=False)
        self.out = nn.Linear(256, classes)

    def forward(self, x):
        x = self.front(x)
        x = x.permute(0, 3, 2, 1).flatten(2)
        y, _ = self.lstm(self.drop(x))
        weight = torch.softmax(self.score(torch.tanh(self.hidden(y))), 1)
        return self.out(self.drop2(torch.cat([(weight * y).sum(1), y.amax(1)], 1)))


class BiLstm(nn.Module):
    """tests/bench/bilstm.yaml"""

    def __init__(self, frames, bins, classes):
        super().__init__()
        self.lstm = nn.LSTM(bins, 128, num_layers=2, bidirectional=True, batch_first=True)
        self.out = nn.Linear(256, classes)

    def forward(self, x):
        y, _ = self.lstm(x)
        return self.out(y.mean(1))


def make(kind, frames, bins, classes):
    return {"cnn": cnn, "cnn_lstm": CnnLstm, "bilstm": BiLstm}[kind](frames, bins, classes)


def clips(kind, frames, bins, batch):
    return torch.rand(batch, frames, bins) * -0.3 if kind == "bilstm" else torch.rand(batch, 1, bins, frames) * -0.3
