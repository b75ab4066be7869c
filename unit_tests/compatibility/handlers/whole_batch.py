"""Answers depend on the whole batch: ranks, and a mean that all rows share."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class Ranked(BaseHandler):
    def preprocess(self, data):
        self.requests = [self.context.get_request_id(index) for index in range(len(data))]
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)

    def inference(self, data):
        scores = super().inference(data).sum(dim=1)
        return scores - scores.mean()

    def postprocess(self, data):
        order = data.argsort(descending=True).tolist()
        return [
            {
                "rank": order.index(row),
                "best": self.names[order[0]],
                "of": len(data),
                "score": data[row].item(),
            }
            for row in range(len(data))
        ]


CASES = {
    "ranked rows": {
        "model": "linear",
        "batches": [
            [{"body": [1, 2, 3, 4]}],
            [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}, {"body": [1, 1, 1, 1]}],
        ],
    }
}
