"""Says what is wrong by a PredictionException with a status of its own choice."""

from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


class PickyHandler(BaseHandler):
    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        numbers = []
        for row in data:
            text = bytes(row.get("data") or row.get("body")).decode()
            if text == "teapot":
                raise PredictionException("Short and stout", 418)
            if text == "custom":
                raise PredictionException("Some Prediction Error", 513)
            if text == "plain":
                raise PredictionException("Not today")
            if text == "memory":
                raise MemoryError
            numbers.append(float(text))
        return numbers

    def inference(self, data, *args, **kwargs):
        if 0.0 in data:
            raise PredictionException("Zero", 599)
        return [1 / number for number in data]

    def postprocess(self, data):
        return data


def batch(*texts):
    return [{"body": text.encode()} for text in texts]


def error(status, message):
    return {"status": status, "message": message}


CASES = {
    "exceptions": {
        "batches": [
            batch("2"),
            batch("teapot"),
            batch("custom"),
            batch("plain"),
            batch("0"),
            # 0.12 fails the whole batch, and answers with the same status to all.
            batch("2", "custom", "4", "0"),
            batch("memory"),
        ],
        "expected": {
            5: [
                {"status": 200, "phrase": "", "content_type": "", "headers": {}, "body": 0.5},
                error(513, "Some Prediction Error"),
                {"status": 200, "phrase": "", "content_type": "", "headers": {}, "body": 0.25},
                error(599, "Zero"),
            ],
            # In other words than 0.12's "Out of resources".
            6: [error(507, "Out of memory: the request does not fit")],
        },
    }
}
