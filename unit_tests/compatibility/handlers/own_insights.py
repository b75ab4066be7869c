"""Explains pictures in its own way, by the default one's method or its captum object."""

import torch
from samples import picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class OwnInsights(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((24, 24)), transforms.ToTensor()])

    def initialize(self, context):
        super().initialize(context)
        self.way = context.model_yaml_config["way"]

    def get_insights(self, tensor_data, raw, target=0):
        if self.way == "captum":
            attributions = self.ig.attribute(tensor_data, target=target, n_steps=5)
        elif self.way == "base":
            attributions = torch.tensor(super().get_insights(tensor_data, raw, target))
        else:
            attributions = tensor_data * target
        by_channel = attributions.sum(dim=(2, 3)).tolist()
        return [{"channels": row, "target": target, "bytes": len(raw)} for row in by_channel]


def case(way):
    return {
        "model": "convnet",
        "config": {"way": way},
        "batches": [
            [{"data": picture(0), "target": 3, "headers": {"explain": "True"}}],
            [{"body": picture(1), "target": 1, "headers": {"explain": "True"}}],
            [{"data": picture(0)}],
        ],
    }


CASES = {f"own insights by {way}": case(way) for way in ("captum", "base", "itself")}
