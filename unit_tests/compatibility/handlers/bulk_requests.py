"""Requests with several instances each: `handle` takes them apart, and puts the answers of the base's together."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class BulkHandler(BaseHandler):
    def preprocess(self, data):
        return torch.as_tensor([row["instance"] for row in data], dtype=torch.float32)

    def handle(self, data, context):
        counts = [len(row["body"]["instances"]) for row in data]
        rows = [{"instance": instance} for row in data for instance in row["body"]["instances"]]
        answers = super().handle(rows, context)
        together = []
        for count in counts:
            together.append({"predictions": answers[:count]})
            answers = answers[count:]
        return together


def asked(*instances):
    return {"body": {"instances": list(instances)}}


ONE, TWO, THREE = [1, 2, 3, 4], [4, 3, 2, 1], [0, 0, 0, 1]

CASES = {
    "bulk requests": {
        "model": "linear",
        "batches": [[asked(ONE)], [asked(ONE, TWO, THREE)], [asked(ONE, TWO), asked(THREE)]],
    }
}
