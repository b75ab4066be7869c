"""A small transformer with the heads of four tasks, called as those of Hugging Face are."""

import torch
from torch import nn


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(64, 16)
        layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.classes = nn.Linear(16, 2)
        self.tags = nn.Linear(16, 3)
        self.spans = nn.Linear(16, 2)
        self.words = nn.Linear(16, 64)

    def hidden(self, input_ids, attention_mask):
        return self.layers(self.embeddings(input_ids), src_key_padding_mask=attention_mask == 0)

    def forward(self, input_ids, attention_mask, task="sequence_classification"):
        hidden = self.hidden(input_ids, attention_mask)
        if task == "sequence_classification":
            return (self.classes(hidden[:, 0]),)
        if task == "token_classification":
            return (self.tags(hidden),)
        return self.spans(hidden).unbind(dim=2)

    @torch.no_grad()
    def generate(self, input_ids, attention_mask, max_new_tokens):
        for _ in range(max_new_tokens):
            following = self.words(self.hidden(input_ids, attention_mask)[:, -1]).argmax(dim=1, keepdim=True)
            input_ids = torch.cat([input_ids, following], dim=1)
            attention_mask = torch.cat([attention_mask, torch.ones_like(following)], dim=1)
        return input_ids
