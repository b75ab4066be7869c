"""Scores in a dictionary, with an argument that has a default."""

from typing import Dict

import torch
from torch import nn


class Structured(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 3)

    def forward(self, numbers: torch.Tensor, scale: float = 1.0) -> Dict[str, torch.Tensor]:
        scores = self.linear(numbers) * scale
        pair = torch.stack([scores.max(dim=1).values, scores.min(dim=1).values], dim=1)
        return {"scores": scores, "pair": pair, "count": torch.tensor(len(numbers))}
