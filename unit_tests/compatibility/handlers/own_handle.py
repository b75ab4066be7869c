"""Writes its own way of a batch, in `handle`."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class OwnHandle(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        self.batches = 0

    def handle(self, data, context):
        self.context = context
        self.batches += 1
        numbers = [row.get("data") or row.get("body") for row in data]
        model_input = self.preprocess(torch.tensor(numbers, dtype=torch.float32))
        output = self.inference(model_input)
        return [{"batch": self.batches, "scores": scores} for scores in self.postprocess(output)]


CASES = {
    "own handle": {
        "model": "linear",
        "batches": [[{"data": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"data": [0, 0, 0, 1]}]],
    },
    "own handle, TorchScript": {
        "model": "linear",
        "scripted": True,
        "batches": [[{"data": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"data": [0, 0, 0, 1]}]],
    },
}
