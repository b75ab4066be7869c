"""A tokenizer of whole words, in place of one of the transformers library."""

from __future__ import annotations

import torch

_SPECIAL, _WORDS = "[PAD] [CLS] [SEP] [UNK]", "the a cat dog who where is are not here there and or good bad"
WORDS = f"{_SPECIAL} {_WORDS}".replace(" ", "\n")


class Tokenizer:
    pad_token_id = 0

    def __init__(self, path: str) -> None:
        with open(path) as file:
            self.words = file.read().split("\n")

    def encode(self, *texts: str, max_length: int) -> tuple[torch.Tensor, torch.Tensor]:
        words = ["[CLS]"] + [word for text in texts for word in [*text.lower().split(), "[SEP]"]]
        ids = [self.words.index(word) if word in self.words else 3 for word in words][:max_length]
        padding = max_length - len(ids)
        return torch.tensor([ids + [0] * padding]), torch.tensor([[1] * len(ids) + [0] * padding])

    def tokens(self, ids: list[int]) -> list[str]:
        return [self.words[index] if index < len(self.words) else str(index) for index in ids]
