"""Makes something else of the TorchScript model that the base has loaded."""

import copy

import torch

from ts.torch_handler.base_handler import BaseHandler


class RemadeModel(BaseHandler):
    def initialize(self, context):
        super().initialize(context)
        way = context.model_yaml_config["way"]
        if way == "frozen":
            self.model = torch.jit.freeze(self.model)
        elif way == "optimized":
            self.model = torch.jit.optimize_for_inference(self.model)
        elif way == "parallel":
            self.model = torch.nn.DataParallel(self.model)
        elif way == "copied":
            self.model = copy.deepcopy(self.model)
        elif way == "traced":
            self.model = torch.jit.trace(self.model, torch.zeros(1, 4))
        elif way == "function":
            model = self.model
            self.model = lambda numbers: model(numbers) * 2

    def preprocess(self, data):
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)


def case(way):
    return {
        "model": "linear",
        "scripted": True,
        "config": {"way": way},
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }


CASES = {
    f"remade model: {way}": case(way)
    for way in ("frozen", "optimized", "parallel", "copied", "traced", "function")
}
