"""Takes the texts themselves, as a model with a scripted tokenizer in it does."""

from typing import List

import torch
from torch import nn


class Lengths(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 3)

    def forward(self, texts: List[str]):
        features = torch.tensor([[float(len(text)), float(len(text.split(" ")))] for text in texts])
        return self.linear(features / 10.0)
