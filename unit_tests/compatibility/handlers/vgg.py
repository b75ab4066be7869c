"""Loads its model itself, and leaves the device and the mode to the base."""

import importlib
import os

import torch
from samples import labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier
from ts.utils.util import list_classes_from_module


class VGGClassifier(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def _load_pickled_model(self, model_dir, model_file, model_pt_path):
        if not os.path.isfile(os.path.join(model_dir, model_file)):
            raise RuntimeError("Missing the model.py file")
        module = importlib.import_module(model_file.split(".")[0])
        classes = list_classes_from_module(module)
        if len(classes) != 1:
            raise ValueError(f"Expected only one class as model definition. {classes}")
        state_dict = torch.load(model_pt_path)
        model = classes[0]()
        model.load_state_dict(state_dict)
        return model


CASES = {
    "vgg": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [[{"data": picture(0)}], [{"data": picture(seed)} for seed in range(4)]],
    }
}
