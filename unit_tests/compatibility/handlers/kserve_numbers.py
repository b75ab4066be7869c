"""Numbers in the KServe v2 protocol."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class KServeNumbers(BaseHandler):
    def preprocess(self, data):
        rows = [row.get("data") or row.get("body") if isinstance(row, dict) else row for row in data]
        return torch.as_tensor(rows, dtype=torch.float32)


def tensor(*numbers):
    return {"name": "input-0", "shape": [len(numbers)], "datatype": "FP32", "data": list(numbers)}


CASES = {
    "numbers, kservev2 envelope": {
        "model": "linear",
        "envelope": "kservev2",
        "batches": [[{"body": {"id": "one", "inputs": [tensor(1, 2, 3, 4)]}}]],
    },
    "numbers, json envelope": {
        "model": "linear",
        "envelope": "json",
        "batches": [
            [{"body": {"instances": [[1, 2, 3, 4], [0, 0, 0, 1]]}}, {"body": {"instances": [[1, 1, 1, 1]]}}]
        ],
    },
}
