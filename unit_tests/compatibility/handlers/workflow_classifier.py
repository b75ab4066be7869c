"""A node of a workflow: it gets pictures as base64 text, and passes on a name, or nothing for what is no dog."""

import base64

from samples import base64_picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier

LABELS = ["cat", "dog", "wolf", "fox", "hare", "owl", "bat", "ant", "bee", "elk"]


class CatDogClassifier(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def preprocess(self, data):
        self.is_dog = True
        rows = []
        for row in data:
            content = row.get("data") or row.get("body") or row.get("pre_processing")
            rows.append({"body": base64.b64decode(content)})
        return ImageClassifier.preprocess(self, rows)

    def postprocess(self, data):
        return [LABELS[row.argmax()] for row in data]


CASES = {
    "node that classifies": {
        "model": "convnet",
        "batches": [
            [{"body": base64_picture(0).encode()}],
            [{"pre_processing": base64_picture(seed).encode()} for seed in range(1, 4)],
        ],
    }
}
