"""Answers with values of every kind that TorchServe can send."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class ManyResults(BaseHandler):
    values = {
        "text": "h\u00e9llo",
        "bytes": b"\x00\xff",
        "bytearray": bytearray(b"abc"),
        "number": 1.5,
        "integer": 7,
        "none": None,
        "true": True,
        "nested": {"b": [1, {"a": None}], "\u00e9": "\u00e9", "1": (1, 2)},
        "empty": [],
        "empty text": "",
        "empty dictionary": {},
        "tensor": torch.arange(3.0),
    }

    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        return [bytes(row["body"]).decode() for row in data]

    def inference(self, data):
        return data

    def postprocess(self, data):
        return [self.values[name] for name in data]


CASES = {
    "results": {
        "batches": [[{"body": name.encode()}] for name in ManyResults.values]
        + [[{"body": name.encode()} for name in ManyResults.values]]
    }
}
