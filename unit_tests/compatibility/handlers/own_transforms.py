"""`image_processing` in the forms that people give it."""

import numpy as np
import torch
from PIL import Image
from samples import picture
from torchvision import transforms
from torchvision.transforms import v2

from ts.torch_handler.image_classifier import ImageClassifier


class TransformedPictures(ImageClassifier):
    form = "method"

    def initialize(self, context):
        super().initialize(context)
        self.form = context.model_yaml_config["form"]
        own = {
            "compose of ours": lambda: transforms.Compose(
                [transforms.Grayscale(3), *ImageClassifier.image_processing.transforms]
            ),
            "tail of ours": lambda: transforms.Compose(
                [transforms.Resize((40, 40)), *ImageClassifier.image_processing.transforms[-2:]]
            ),
            "numpy": lambda: self.by_numpy,
            "v2": lambda: v2.Compose(
                [v2.ToImage(), v2.Resize((40, 40), antialias=True), v2.ToDtype(torch.float32, scale=True)]
            ),
        }
        if self.form in own:
            self.image_processing = own[self.form]()

    def by_numpy(self, image):
        pixels = np.asarray(image.convert("RGB").resize((40, 40), Image.Resampling.NEAREST))
        return torch.from_numpy(pixels.transpose(2, 0, 1).copy()).float().div(255)


def case(form):
    return {
        "model": "convnet",
        "config": {"form": form},
        "batches": [[{"data": picture(0)}], [{"body": picture(seed)} for seed in range(3)]],
    }


CASES = {
    f"image_processing: {form}": case(form) for form in ("compose of ours", "tail of ours", "numpy", "v2")
}
