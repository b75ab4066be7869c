"""Calls the base's `handle`, and completes its answers."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class CompletedAnswers(BaseHandler):
    def preprocess(self, data):
        return torch.as_tensor([row.get("body") for row in data], dtype=torch.float32, device=self.device)

    def handle(self, data, context):
        named = context.get_request_header(0, "X-Name")
        results = super().handle(data, context)
        return [
            {"name": named, "version": self.manifest["model"]["modelVersion"], "scores": row}
            for row in results
        ]


CASES = {
    "completed answers": {
        "model": "linear",
        "batches": [
            [{"body": [1, 2, 3, 4], "headers": {"X-Name": "first"}}],
            [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}],
        ],
    }
}
