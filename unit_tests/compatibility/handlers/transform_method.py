"""`image_processing` as a method, and a preprocess that feeds the base with what it has decoded itself."""

import io

import torch
from PIL import Image
from samples import picture
from torchvision.transforms import functional

from ts.torch_handler.image_classifier import ImageClassifier


class MethodTransform(ImageClassifier):
    topk = 3

    def image_processing(self, image):
        return functional.to_tensor(functional.resize(image.convert("RGB"), [32, 32]))

    def preprocess(self, data):
        flipped = []
        batch = super().preprocess(data)
        for row in data:
            image = Image.open(io.BytesIO(row.get("data") or row.get("body")))
            flipped.append({"data": self.image_processing(functional.hflip(image)).tolist()})
        batch = torch.cat([batch, super().preprocess(flipped)])
        batch.mul_(2).sub_(1)
        return batch

    def postprocess(self, data):
        first, second = data.chunk(2)
        return super().postprocess((first + second) / 2)


CASES = {
    "transform as a method": {
        "model": "convnet",
        "batches": [
            [{"data": picture(0)}],
            [{"body": picture(1, mode="RGBA")}, {"body": picture(2, mode="L")}, {"body": picture(3)}],
        ],
    }
}
