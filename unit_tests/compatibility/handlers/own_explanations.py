"""Explains in its own way, by each of the hooks that there are for it."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class OwnExplanations(BaseHandler):
    def preprocess(self, data):
        self.rows = len(data)
        return torch.as_tensor([row["body"]["numbers"] for row in data], dtype=torch.float32)

    def get_insights(self, tensor_data, raw, target=0):
        return [
            {
                "importances": (row * self.model.linear.weight[target].detach()).tolist(),
                "raw": raw,
                "target": target,
            }
            for row in tensor_data
        ]

    def describe_handle(self):
        return {"name": "own", "rows": self.rows if hasattr(self, "rows") else None}


def asked(numbers, explain="True", **row):
    return {"body": {"numbers": numbers}, **row, "headers": {"explain": explain}}


CASES = {
    "own explanations": {
        "model": "linear",
        "batches": [
            [asked([1, 2, 3, 4], target=2)],
            [asked([1, 2, 3, 4])],
            [asked([1, 2, 3, 4], explain="False")],
            [{"body": {}, "headers": {"describe": "True"}}],
        ],
    }
}
