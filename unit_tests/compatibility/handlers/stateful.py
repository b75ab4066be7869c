"""Running sums by sequence: state that each request changes, in an order of its own."""

from ts.torch_handler.base_handler import BaseHandler


class StatefulHandler(BaseHandler):
    DEFAULT_CAPACITY = 10

    def __init__(self):
        super().__init__()
        self.cache = None
        self.sequence_ids = None
        self.context = None

    def initialize(self, ctx):
        super().initialize(ctx)
        self.context = ctx
        if self.context.model_yaml_config["handler"] is not None:
            self.capacity = int(self.context.model_yaml_config["handler"]["cache"]["capacity"])
            self.cache = {}
        self.initialized = True

    def preprocess(self, data):
        self.sequence_ids = {}
        results = []
        for index, row in enumerate(data):
            sequence = self.context.get_sequence_id(index)
            previous = int(self.cache.get(sequence, 0))
            request = row.get("data") or row.get("body")
            if isinstance(request, (bytes, bytearray)):
                request = request.decode("utf-8")
            value = previous + int(request)
            self.cache[sequence] = value
            results.append(value)
        return results

    def inference(self, data, *args, **kwargs):
        return data

    def postprocess(self, data):
        return data


def step(sequence, value):
    return {"body": str(value).encode(), "headers": {"ts_request_sequence_id": sequence}}


CASES = {
    "stateful": {
        "model": "linear",
        "config": {
            "sequenceBatching": True,
            "maxNumSequence": 4,
            "handler": {"cache": {"capacity": 4}},
        },
        "batches": [
            [step("a", 1)],
            [step("a", 2), step("b", 10)],
            [step("b", 5), step("c", 7), step("a", 3)],
            [step("a", 1), step("b", 1)],
        ],
    }
}
