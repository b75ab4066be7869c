"""Catches what is wrong with a row itself, and answers with a status of its own and the other rows as ever."""

import json

import torch

from ts.torch_handler.base_handler import BaseHandler


class OwnErrors(BaseHandler):
    def preprocess(self, data):
        self.errors, rows = {}, []
        for index, row in enumerate(data):
            try:
                numbers = json.loads(bytes(row.get("data") or row.get("body")))
                if len(numbers) != 4:
                    raise ValueError(f"{len(numbers)} numbers")
                rows.append(numbers)
            except ValueError as error:
                self.errors[index] = str(error)
                self.context.set_response_status(code=422, phrase="Unprocessable", idx=index)
                self.context.set_response_header(index, "X-Error", type(error).__name__)
        return torch.as_tensor(rows, dtype=torch.float32)

    def inference(self, data):
        return super().inference(data) if len(data) else data

    def postprocess(self, data):
        scores = iter(data.tolist())
        count = len(self.errors) + len(data)
        return [
            {"error": self.errors[index]} if index in self.errors else next(scores) for index in range(count)
        ]


def batch(*texts):
    return [{"body": text} for text in texts]


CASES = {
    "own errors": {
        "model": "linear",
        "batches": [
            batch(b"[1, 2, 3, 4]"),
            batch(b"[1, 2]"),
            batch(b"[1, 2, 3, 4]", b"[1]", b"x", b"[4, 3, 2, 1]"),
        ],
    }
}
