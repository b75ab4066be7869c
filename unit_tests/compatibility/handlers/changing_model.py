"""Changes the weights of its model while it answers, as adapters that are switched by request do."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class SwitchedWeights(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        self.original = {name: value.clone() for name, value in self.model.state_dict().items()}

    def preprocess(self, data):
        factor = data[0]["body"]["factor"]
        way = data[0]["body"]["way"]
        if way == "load_state_dict":
            self.model.load_state_dict({name: value * factor for name, value in self.original.items()})
        elif way == "copy":
            with torch.no_grad():
                self.model.linear.weight.copy_(self.original["linear.weight"] * factor)
        elif way == "data":
            self.model.linear.weight.data.copy_(self.original["linear.weight"] * factor)
        return torch.as_tensor([row["body"]["numbers"] for row in data], dtype=torch.float32)


def asked(factor, way):
    return [{"body": {"factor": factor, "way": way, "numbers": [1, 2, 3, 4]}}]


def case(way, scripted):
    factors = (1, 1, 2, 3, 3, 1)
    return {"model": "linear", "scripted": scripted, "batches": [asked(factor, way) for factor in factors]}


CASES = {
    f"switched weights by {way}{', TorchScript' if scripted else ''}": case(way, scripted)
    for way in ("load_state_dict", "copy", "data")
    for scripted in (False, True)
}
