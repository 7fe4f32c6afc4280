# SPDX-License-Identifier: MIT
"""A small time-delay net of SpeechBrain's layers, as its template for speakers; tools/toolkits/small.yaml is the same net for audiomood."""
import torch
from speechbrain.nnet.CNN import Conv1d
from speechbrain.nnet.normalization import BatchNorm1d


class SmallNet(torch.nn.Module):
    def __init__(self, n_mels=64):
        super().__init__()
        layers, channels = [], n_mels
        for kernel, dilation in ((5, 1), (3, 2), (3, 3)):
            layers += [Conv1d(128, kernel, in_channels=channels, dilation=dilation, padding_mode="constant"), torch.nn.ReLU(),
                       BatchNorm1d(input_size=128)]
            channels = 128
        self.blocks = torch.nn.Sequential(*layers)

    def forward(self, x, lens=None):
        y = self.blocks(x)                        # (batch, time, channels)
        if lens is None:
            return y.mean(1, keepdim=True)
        there = torch.arange(y.shape[1], device=y.device)[None] < torch.round(lens * y.shape[1])[:, None]
        return (y * there[..., None]).sum(1, keepdim=True) / there.sum(1)[:, None, None]
