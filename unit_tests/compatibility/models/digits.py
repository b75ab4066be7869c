"""A classifier of grey digits, 28 x 28."""

import torch
from torch import nn


class Digits(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.dropout = nn.Dropout2d(0.25)
        self.linear = nn.Linear(4 * 13 * 13, 10)

    def forward(self, images):
        hidden = torch.max_pool2d(torch.relu(self.conv(images)), 2)
        return torch.log_softmax(self.linear(self.dropout(hidden).flatten(1)), dim=1)
