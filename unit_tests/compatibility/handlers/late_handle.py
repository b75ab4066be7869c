"""Replaces `handle` in `initialize`: too late, since TorchServe has taken it by then."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class LateHandle(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        self.handle = lambda data, context: ["late" for _ in data]

    def preprocess(self, data):
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)


CASES = {
    "handle that is replaced in initialize": {
        "model": "linear",
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }
}
