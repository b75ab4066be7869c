"""Counts what a detector of another library finds; of the base it has `preprocess`, `inference` and `handle`."""

import os
from collections import Counter
from types import SimpleNamespace

import torch
from samples import picture
from torchvision import transforms

from ts.torch_handler.object_detector import ObjectDetector


class YoloHandler(ObjectDetector):
    image_processing = transforms.Compose(
        [transforms.Resize(64), transforms.CenterCrop(64), transforms.ToTensor()]
    )

    def __init__(self):
        super().__init__()

    def initialize(self, context):
        self.device = torch.device("cpu")
        self.manifest = context.manifest
        model_dir = context.system_properties.get("model_dir")
        self.model_pt_path = None
        if "serializedFile" in self.manifest["model"]:
            self.model_pt_path = os.path.join(model_dir, self.manifest["model"]["serializedFile"])
        self.model = self._load_torchscript_model(self.model_pt_path)
        self.initialized = True

    def _load_torchscript_model(self, model_pt_path):
        from detector import Detector

        detector = Detector()
        detector.load_state_dict(torch.load(model_pt_path))
        names = {1: "red", 2: "green", 3: "blue"}

        def predict(images):
            found = detector(images)
            return [
                SimpleNamespace(boxes=SimpleNamespace(cls=one["labels"].float()), names=names)
                for one in found
            ]

        return predict

    def postprocess(self, res):
        output = []
        for data in res:
            names = data.names
            output.append(dict(Counter(map(lambda cls: names[int(cls)], data.boxes.cls.tolist()))))
        return output


CASES = {
    "yolo": {
        "model": "detector",
        "batches": [[{"data": picture(0)}], [{"body": picture(seed)} for seed in range(3)]],
    }
}
