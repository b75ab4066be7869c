"""Sequences with continuous batching: caches on the context, stopping criteria, headers of the answer."""

from ts.torch_handler.base_handler import BaseHandler


class CountingHandler(BaseHandler):
    def __init__(self):
        super().__init__()
        self.cache = None

    def initialize(self, ctx):
        ctx.cache = {}
        if ctx.model_yaml_config["handler"] is not None:
            self.cache = dict.fromkeys(
                range(ctx.model_yaml_config["handler"].get("cache", {}).get("size", 0))
            )
        self.initialized = True

    def preprocess(self, data):
        results = []
        for index, row in enumerate(data):
            sequence = self.context.get_sequence_id(index)
            self.context.set_response_header(index, self.context.header_key_sequence_id, sequence)
            if self.context.get_request_header(index, self.context.header_key_sequence_start):
                self.cache[sequence] = 0
            request = self.context.get_request_id(index)
            if request not in self.context.cache:
                value = row.get("data") or row.get("body")
                self.cache[sequence] += int(value.decode("utf-8"))
                self.context.cache[request] = {"stopping_criteria": self._criterion(request)}
            results.append(self.cache[sequence])
        return results

    def inference(self, data, *args, **kwargs):
        return data

    def postprocess(self, data):
        self.context.stopping_criteria = [
            self.context.cache[request]["stopping_criteria"] for request in self.context.request_ids.values()
        ]
        return data

    def _criterion(self, request):
        class Criterion:
            def __init__(self, cache):
                self.cache, self.left = cache, 2

            def __call__(self, result):
                self.left -= 1
                if self.left == 0:
                    del self.cache[request]
                return self.left == 0

        return Criterion(self.context.cache)


def request(name, sequence, value, **headers):
    headers["ts_request_sequence_id"] = sequence
    return {"id": name, "body": str(value).encode(), "headers": headers}


FIRST = request("one", "a", 4, ts_request_sequence_start="true")
SECOND = request("two", "b", 6, ts_request_sequence_start="true")

CASES = {
    "continuous batching": {
        "config": {"continuousBatching": True, "handler": {"cache": {"size": 2}}},
        "batches": [[FIRST], [FIRST, SECOND], [SECOND], [request("three", "a", 5)]],
    }
}
