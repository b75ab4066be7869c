"""A tokenizer of whole words, with the files of an archive; what the transformers library's does to short texts."""

import torch

WORDS = "\n".join("[PAD] [CLS] [SEP] [UNK] the a cat dog who where is are not here there and or good bad".split())


class Tokenizer:
    pad_token_id = 0

    def __init__(self, path):
        with open(path) as file:
            self.words = file.read().split("\n")

    def encode(self, *texts, max_length):
        words = ["[CLS]"] + [word for text in texts for word in [*text.lower().split(), "[SEP]"]]
        ids = [self.words.index(word) if word in self.words else 3 for word in words][:max_length]
        padding = max_length - len(ids)
        return torch.tensor([ids + [0] * padding]), torch.tensor([[1] * len(ids) + [0] * padding])

    def tokens(self, ids):
        return [self.words[index] if index < len(self.words) else str(index) for index in ids]
