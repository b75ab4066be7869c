"""Hooks in unusual forms: static ones, more arguments, and a class that passes on what it lacks to its model."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class DelegatingHandler(BaseHandler):
    def __getattr__(self, name):
        return getattr(self.__dict__["model"], name)

    def preprocess(self, data, dtype=torch.float32):
        return torch.as_tensor([row["body"] for row in data], dtype=dtype)

    def inference(self, data, scale=2):
        return super().inference(data) * scale

    @staticmethod
    def postprocess(data):
        return data.tolist()


CASES = {
    "unusual hooks": {
        "model": "linear",
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }
}
