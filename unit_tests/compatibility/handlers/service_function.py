"""A handler of torchserve's behind a function of the module, under a name of its own."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class NumbersHandler(BaseHandler):
    def preprocess(self, data):
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)


_service = NumbersHandler()


def answer(data, context):
    if not _service.initialized:
        _service.initialize(context)
    if data is None:
        return None
    return _service.handle(data, context)


CASES = {
    "function of the module": {
        "handler": "service_function.py:answer",
        "model": "linear",
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }
}
