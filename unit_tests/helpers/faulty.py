"""A handler with faults of every kind, in each of its hooks."""

# Its rows say what goes wrong with them, and in which hook: "inference value".
FAULTY = '''
import functools

import torch

from ts.handler_utils.errors import InvalidInput
from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import PredictionException


class Mute(RuntimeError):
    """It fails to say what is wrong."""

    def __str__(self):
        raise ValueError("secret")

    __repr__ = __str__


ERRORS = {
    "value": lambda: ValueError("secret"),
    "key": lambda: KeyError("secret"),
    "assertion": lambda: AssertionError("secret"),
    "disk": lambda: OSError(28, "No space left on device: secret"),
    "recursion": lambda: RecursionError("secret"),
    "stop": lambda: StopIteration("secret"),
    "unicode": lambda: UnicodeDecodeError("utf-8", b"secret", 0, 1, "secret"),
    "mute": Mute,
    "memory": lambda: MemoryError("secret"),
    "refused": lambda: InvalidInput("told"),
    "teapot": lambda: PredictionException("told", 418),
    "no status": lambda: PredictionException("told", "secret"),
    "no text": lambda: PredictionException(Mute(), 400),
    "exit": lambda: SystemExit("secret"),
}
RESULTS = {
    "nan": lambda: {"score": float("nan")},
    "infinity": lambda: [float("inf")],
    "set": lambda: {1},
    "deep": lambda: functools.reduce(lambda deep, _: [deep], range(100_000), 1),
    "meta": lambda: {"score": torch.zeros(2, device="meta")},
    "half a pair": lambda: "\\ud800",
    "an error": lambda: ValueError("secret"),
}


class Faulty(BaseHandler):
    def initialize(self, context):
        self.context, self.manifest, self.initialized = context, context.manifest, True

    def preprocess(self, data):
        return self.passed("preprocess", [bytes(row["body"]).decode() for row in data])

    def inference(self, data):
        return self.passed("inference", data)

    def postprocess(self, data):
        rows = self.passed("postprocess", data)
        for index, row in enumerate(rows):
            if row == "status":
                self.context.set_response_status("404", "Nope", index)
            if row == "phrase":
                self.context.set_response_status(404, "nöthing", index)
            if row == "type":
                self.context.set_response_content_type(index, "text/pläin")
            if row == "split":
                self.context.set_response_header(index, "X-Count", "5\\r\\nX-Other: 1")
            if row == "flood":
                print(("x" * 9_999 + "\\n") * 1_200)
            if row == "header":
                self.context.set_response_header(index, "X-Count", 5)
            if row.startswith("size "):
                rows[index] = "x" * int(row[5:])
        return [RESULTS[row]() if row in RESULTS else row for row in rows if row != "none"]

    def passed(self, hook, rows):
        for row in rows:
            if row.startswith(hook):
                raise ERRORS[row[len(hook) + 1 :]]()
        return rows
'''
