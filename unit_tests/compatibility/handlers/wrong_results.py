"""Returns what is no list of one result a row."""

from ts.torch_handler.base_handler import BaseHandler


class WrongResults(BaseHandler):
    results = {
        "none": None,
        "dictionary": {"a": 1},
        "text": "text",
        "number": 3,
        "too many": [1, 2, 3],
        "too few": [],
    }

    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        return data[0]["body"].decode()

    def inference(self, name):
        return self.results[name]

    def postprocess(self, result):
        return result


CASES = {
    # 0.12 says in other words that it cannot tell what was meant: 503 too.
    "wrong results": {
        "batches": [[{"body": name.encode()}] for name in WrongResults.results],
        "expected": {
            number: [{"status": 503, "message": "Prediction failed"}]
            for number in range(len(WrongResults.results))
        },
    }
}
