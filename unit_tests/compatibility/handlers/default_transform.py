"""Uses the transform of the default classifier as it is: calls it, goes through its steps, changes them."""

import copy
import io

import torch
from PIL import Image
from samples import labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class DefaultTransform(ImageClassifier):
    def initialize(self, context):
        super().initialize(context)
        how = context.model_yaml_config["how"]
        if how != "called":
            self.image_processing = copy.deepcopy(self.image_processing)
        if how == "inserted":
            self.image_processing.transforms.insert(0, transforms.Grayscale(3))
        elif how == "replaced":
            self.image_processing.transforms[0] = transforms.Resize((300, 260))
        elif how == "removed":
            del self.image_processing.transforms[-1]
        elif how == "appended":
            self.image_processing.transforms.append(transforms.Lambda(lambda image: image * 0.5))
        self.steps = [type(step).__name__ for step in self.image_processing.transforms]

    def preprocess(self, data):
        if self.context.model_yaml_config["reader"] == "the base":
            return super().preprocess(data)
        images = []
        for row in data:
            image = row.get("data") or row.get("body")
            image = Image.open(io.BytesIO(image)).convert("RGB")
            images.append(self.image_processing(image))
        return torch.stack(images).to(self.device)

    def postprocess(self, data):
        return [{"steps": self.steps, **row} for row in super().postprocess(data)]


def case(how, reader):
    return {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "config": {"how": how, "reader": reader},
        "batches": [[{"data": picture(0, (300, 280))}], [{"body": picture(seed)} for seed in range(3)]],
    }


CASES = {
    f"default transform, {how}, read by {reader}": case(how, reader)
    for how in ("called", "inserted", "replaced", "removed", "appended")
    for reader in ("the handler", "the base")
}
