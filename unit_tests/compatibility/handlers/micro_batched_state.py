"""Micro batches of a handler with state, properties, locks and helpers of its own."""

import threading

import torch

from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.base_handler import BaseHandler


class StatefulParts(BaseHandler):
    scale = 2

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.rows = 0
        self.seen = []
        self.by_part = {}
        self._factor = 3
        self.handle = MicroBatching(self, micro_batch_size=2)

    @property
    def factor(self):
        return self._factor

    @factor.setter
    def factor(self, value):
        self._factor = value

    @classmethod
    def scaled(cls, numbers):
        return numbers * cls.scale

    @staticmethod
    def numbers_of(row):
        return row.get("data") or row.get("body")

    def initialize(self, context):
        super().initialize(context)
        self.factor = context.model_yaml_config["factor"]

    def preprocess(self, data):
        with self.lock:
            self.rows += len(data)
            self.seen.extend(self.numbers_of(row)[0] for row in data)
        part = self.handle.get_micro_batch_idx()
        self.by_part[part] = len(data)
        return torch.as_tensor([self.numbers_of(row) for row in data], dtype=torch.float32)

    def inference(self, data):
        return super().inference(self.scaled(data)) * self.factor

    def postprocess(self, data):
        part = self.by_part[self.handle.get_micro_batch_idx()]
        return [{"scores": row, "rows of part": part} for row in super().postprocess(data)]

    def describe_handle(self):
        return {"rows": self.rows, "seen": sorted(self.seen), "parts": sorted(self.by_part.items())}


ROWS = [{"data": [number, 2, 3, 4]} for number in range(1, 6)]
DESCRIBED = [{"data": b"", "headers": {"describe": "True"}}]

CASES = {
    "state and micro batches": {
        "model": "linear",
        "config": {"factor": 4},
        "batches": [ROWS[:1], ROWS, DESCRIBED, ROWS[:4], DESCRIBED],
    }
}
