"""A BaseHandler whose `initialize` never calls the base's, on TorchScript where there is some."""

import json
import os

import torch
from samples import base64_picture, labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class OwnInitialize(ImageClassifier):
    image_processing = transforms.Compose(
        [transforms.Resize((40, 40)), transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)]
    )

    def __init__(self):
        super().__init__()
        self._context = None
        self.topk = 3

    def initialize(self, context):
        self.manifest = context.manifest
        properties = context.system_properties
        model_dir = properties.get("model_dir")
        self.device = torch.device("cpu")
        path = os.path.join(model_dir, self.manifest["model"]["serializedFile"])
        if not os.path.isfile(path):
            raise RuntimeError("Missing the model.pt file")
        try:
            self.model = torch.jit.load(path)
        except Exception:
            from convnet import ConvNet

            self.model = ConvNet()
            self.model.load_state_dict(torch.load(path, map_location=self.device))
        self.model.eval()
        with open(os.path.join(model_dir, "index_to_name.json")) as file:
            self.mapping = json.load(file)
        self.initialized = True


BATCHES = [
    [{"data": picture(0)}],
    [{"body": picture(seed)} for seed in range(4)],
    [{"body": base64_picture(1)}],
]

CASES = {
    "own initialize": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": BATCHES,
    },
    "own initialize, TorchScript": {
        "model": "convnet",
        "scripted": True,
        "files": {"index_to_name.json": labels(10)},
        "batches": BATCHES,
    },
}
