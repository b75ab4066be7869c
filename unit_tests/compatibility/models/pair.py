"""A score of dense and sparse features, as recommendation models take them."""

import torch
from torch import nn


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(3, 4)
        self.sparse = nn.EmbeddingBag(10, 4)

    def forward(self, dense, values, offsets):
        return torch.sigmoid((self.dense(dense) * self.sparse(values, offsets)).sum(dim=1))
