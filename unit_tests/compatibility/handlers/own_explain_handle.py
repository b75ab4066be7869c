"""Overrides `explain_handle`, which gets the batch and the rows."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class ExplainHandle(BaseHandler):
    def preprocess(self, data):
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)

    def explain_handle(self, data_preprocess, raw_data):
        rows = [sorted(row) for row in raw_data]
        return [{"batch": list(data_preprocess.shape), "rows": rows}]


CASES = {
    "own explain_handle": {
        "model": "linear",
        "batches": [
            [{"body": [1, 2, 3, 4], "target": 1, "headers": {"explain": "True"}}],
            [{"body": [1, 2, 3, 4]}],
        ],
    }
}
