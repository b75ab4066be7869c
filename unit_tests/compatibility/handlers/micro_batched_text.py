"""Micro batches whose hooks look up their requests in the context of the whole batch."""

from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.base_handler import BaseHandler


class MicroBatchedText(BaseHandler):
    def __init__(self):
        super().__init__()
        self.handle = MicroBatching(self)

    def initialize(self, ctx):
        self.handle.micro_batch_size = ctx.model_yaml_config["micro_batching"]["micro_batch_size"]
        self.initialized = True

    def preprocess(self, requests):
        texts = [(row.get("data") or row.get("body")).decode() for row in requests]
        if len(texts) > self.handle.micro_batch_size:
            raise ValueError("more rows than the model was compiled for")
        return texts + [""] * (self.handle.micro_batch_size - len(texts))

    def inference(self, texts):
        requests = self.requests_of_part(self.handle.get_micro_batch_idx())
        rows = list(self.context.request_ids.values())
        return [f"{rows.index(request)}: {text}" for request, text in zip(requests.values(), texts)]

    def postprocess(self, data):
        return data

    def requests_of_part(self, index):
        start = index * self.handle.micro_batch_size
        batch = range(start, start + self.handle.micro_batch_size)
        return {
            position: self.context.request_ids[row]
            for position, row in enumerate(batch)
            if row in self.context.request_ids
        }


CASES = {
    "micro batches and request ids": {
        "config": {"micro_batching": {"micro_batch_size": 2}},
        "batches": [[{"body": b"one"}], [{"body": text} for text in (b"a", b"b", b"c", b"d", b"e")]],
    }
}
