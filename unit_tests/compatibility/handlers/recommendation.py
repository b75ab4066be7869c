"""A tuple of tensors; loads by the base's own `_load_pickled_model`, with a device that is a plain string."""

import json
import os

import torch

from ts.torch_handler.base_handler import BaseHandler


class RecommendationHandler(BaseHandler):
    def initialize(self, context):
        properties = context.system_properties
        self.device = "cpu"
        self.manifest = context.manifest
        model_dir = properties.get("model_dir")
        path = os.path.join(model_dir, self.manifest["model"]["serializedFile"])
        model_file = self.manifest["model"].get("modelFile", "")
        if not model_file:
            raise RuntimeError("model.py not specified")
        self.model = self._load_pickled_model(model_dir, model_file, path)
        self.map_location = "cpu"
        self.device = torch.device(self.map_location)
        self.model.to(self.device)
        self.model.eval()
        self.initialized = True

    def preprocess(self, data):
        batch = data[0].get("data") or data[0].get("body")
        if not isinstance(batch, dict):
            batch = json.loads(batch)
        assert "float_features" in batch
        lengths = torch.LongTensor(batch["lengths"])
        offsets = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)[:-1]])
        return torch.FloatTensor(batch["float_features"]), torch.LongTensor(batch["values"]), offsets

    def inference(self, data):
        with torch.no_grad():
            return self.model(*map(lambda tensor: tensor.to(self.device), data))

    def postprocess(self, data):
        scores = {"default": data.squeeze().float().tolist()}
        if data.shape[0] == 1:
            scores["default"] = [scores["default"]]
        return [scores]


ONE = {"float_features": [[0.1, 0.2, 0.3]], "lengths": [2], "values": [3, 4]}
TWO = {"float_features": [[0.1, 0.2, 0.3], [1, 0, 1]], "lengths": [2, 1], "values": [3, 4, 9]}

CASES = {
    "recommendation": {
        "model": "pair",
        "batches": [[{"body": ONE}], [{"data": json.dumps(ONE).encode()}], [{"body": TWO}]],
    }
}
