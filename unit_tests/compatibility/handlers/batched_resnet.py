"""A class with no base of torchserve's, behind a function `handle` of the module."""

import io
import json
import os

import torch
from PIL import Image
from samples import labels, picture
from torchvision import transforms


class BatchedResNet:
    def __init__(self):
        self.initialized = False

    def initialize(self, context):
        model_dir = context.system_properties.get("model_dir")
        from convnet import ConvNet

        self.model = ConvNet()
        path = os.path.join(model_dir, context.manifest["model"]["serializedFile"])
        self.model.load_state_dict(torch.load(path, map_location="cpu"))
        self.model.eval()
        with open(os.path.join(model_dir, "index_to_name.json")) as file:
            self.mapping = json.load(file)
        self.initialized = True

    def preprocess(self, requests):
        prepare = transforms.Compose(
            [
                transforms.Resize(64),
                transforms.CenterCrop(48),
                transforms.ToTensor(),
                transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            ]
        )
        batch = None
        for request in requests:
            image = request.get("data")
            if image is None:
                image = request.get("body")
            image = prepare(Image.open(io.BytesIO(image))).unsqueeze(0)
            batch = image if batch is None else torch.cat((batch, image), 0)
        return batch

    def inference(self, batch):
        return self.model.forward(batch)

    def postprocess(self, output):
        rows, _ = output.shape
        return [self.mapping[str(output[row].unsqueeze(0).max(1)[1].item())] for row in range(rows)]


_service = BatchedResNet()


def handle(data, context):
    if not _service.initialized:
        _service.initialize(context)
    if data is None:
        return None
    data = _service.preprocess(data)
    data = _service.inference(data)
    return _service.postprocess(data)


CASES = {
    "batched resnet": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [
            [{"data": picture(0)}],
            [{"body": picture(1)}, {"data": picture(2)}, {"data": picture(3, form="JPEG")}],
        ],
    }
}
