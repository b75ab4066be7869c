"""A TorchScript model with outputs in a structure, called in the several ways that there are."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class ScriptOutputs(BaseHandler):
    def preprocess(self, data):
        return torch.as_tensor([row["body"] for row in data], dtype=torch.float32)

    def inference(self, data):
        named = super().inference(data)
        scaled = super().inference(data, scale=2.0)
        forward = self.model.forward(data, 3.0)
        return [
            {
                "names": sorted(named),
                "twice": (scaled["scores"] - named["scores"]).tolist()[row],
                "pair": [part.tolist() for part in forward["pair"][row]],
                "layer": self.model.linear(data)[row].tolist(),
                "count": named["count"].tolist(),
            }
            for row in range(len(data))
        ]

    def postprocess(self, data):
        return data


CASES = {
    "outputs of TorchScript": {
        "model": "structured",
        "scripted": True,
        "batches": [[{"body": [1, 2, 3, 4]}], [{"body": [4, 3, 2, 1]}, {"body": [0, 0, 0, 1]}]],
    }
}
