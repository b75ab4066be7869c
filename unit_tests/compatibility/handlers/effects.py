"""Counts the rows that it has read, in each of the places that there are for it; a row that is no number fails."""

import json
from types import SimpleNamespace

import numpy as np
import torch

from ts.torch_handler.base_handler import BaseHandler

TOTALS = {"rows": 0}


class CountingRows(BaseHandler):
    rows = 0

    def initialize(self, context):
        context.cache = {"rows": 0}
        self.place = context.model_yaml_config["place"]
        self.total = 0
        self.tensor = torch.zeros(1, dtype=torch.int64)
        self.array = np.zeros(1, dtype=np.int64)
        self.object = SimpleNamespace(inner={"rows": [0]})
        self.seen = []
        self.initialized = True

    def count(self):
        if self.place == "attribute":
            self.total += 1
        elif self.place == "tensor":
            self.tensor += 1
        elif self.place == "array":
            self.array[0] += 1
        elif self.place == "object":
            self.object.inner["rows"][0] += 1
        elif self.place == "list":
            self.seen.append(None)
        elif self.place == "class":
            type(self).rows += 1
        elif self.place == "module":
            TOTALS["rows"] += 1
        elif self.place == "context":
            self.context.cache["rows"] += 1
        elif self.place == "metrics":
            self.context.metrics.add_counter("Rows", 1)

    def counted(self):
        return (
            self.total
            + int(self.tensor)
            + int(self.array[0])
            + self.object.inner["rows"][0]
            + len(self.seen)
            + self.rows
            + TOTALS["rows"]
            + self.context.cache["rows"]
        )

    def preprocess(self, data):
        numbers = []
        for row in data:
            self.count()
            numbers.append(json.loads(bytes(row["body"])))
        return numbers

    def inference(self, data, *args, **kwargs):
        return data

    def postprocess(self, data):
        return [self.counted() for _ in data]


def batch(*texts):
    return [{"body": text.encode()} for text in texts]


PLACES = ["attribute", "tensor", "array", "object", "list", "class", "module", "context", "metrics"]

CASES = {
    f"effects in {place}": {
        "config": {"place": place},
        # Of a batch that fails in its last row, 0.12 has counted each row once.
        "batches": [batch("1", "2"), batch("3", "4", "x"), batch("5")],
        "own test": True,
    }
    for place in PLACES
}
