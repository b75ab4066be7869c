"""Several bases, and calls of a base by its name."""

from abc import ABC

import torch

from ts.torch_handler.base_handler import BaseHandler


class Counted(BaseHandler, ABC):
    def initialize(self, context):
        BaseHandler.initialize(self, context)
        self.calls = []

    def _note(self, name):
        self.calls = (self.calls + [name])[-3:]

    def preprocess(self, data):
        self._note("preprocess")
        rows = [row["body"] for row in data]
        return BaseHandler.preprocess(self, rows).float()

    def inference(self, data, *args, **kwargs):
        self._note("inference")
        with torch.no_grad():
            return BaseHandler.inference(self, data, *args, **kwargs)

    def postprocess(self, data):
        self._note("postprocess")
        return [{"scores": row, "calls": self.calls} for row in BaseHandler.postprocess(self, data)]


CASES = {
    "calls of the base by its name": {
        "model": "linear",
        "batches": [[{"body": [1.0, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }
}
