"""Raises errors that are no client's fault."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class FaultyHandler(BaseHandler):
    faults = {
        "key": lambda: {}["missing"],
        "type": lambda: len(None),
        "index": lambda: [][0],
        "value": lambda: int("x"),
        "file": lambda: open("/no/such/file"),
        "attribute": lambda: None.missing,
        "zero": lambda: 1 / 0,
        "runtime": lambda: torch.zeros(2) @ torch.zeros(3),
        "assertion": lambda: (_ for _ in ()).throw(AssertionError("one row at a time")),
    }

    def initialize(self, context):
        self.initialized = True

    def preprocess(self, data):
        return self.run("preprocess", [row["body"] for row in data])

    def inference(self, data):
        return self.run("inference", data)

    def postprocess(self, data):
        return self.run("postprocess", data)

    def run(self, hook, data):
        for row in data:
            if row["hook"] == hook:
                self.faults[row["fault"]]()
        return data


CASES = {
    f"own faults in {hook}": {
        "batches": [[{"body": {"hook": hook, "fault": fault}}] for fault in FaultyHandler.faults]
    }
    for hook in ("preprocess", "inference", "postprocess")
}
