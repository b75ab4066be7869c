"""Hands rows to the base that it has decoded itself, and drops those that are no picture."""

import io

import numpy as np
from PIL import Image
from samples import base64_picture, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class DecodedRows(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def preprocess(self, data):
        rows, self.kept = [], []
        for index, row in enumerate(data):
            content = row.get("data") or row.get("body")
            if isinstance(content, (bytes, bytearray)):
                try:
                    image = Image.open(io.BytesIO(content)).resize((40, 40))
                except Exception:
                    continue
                content = (np.asarray(image, dtype=np.float32).transpose(2, 0, 1) / 255).tolist()
            rows.append({"data": content})
            self.kept.append(index)
        self.rows = len(data)
        return super().preprocess(rows)

    def postprocess(self, data):
        answers = ["no picture"] * self.rows
        for index, answer in zip(self.kept, super().postprocess(data)):
            answers[index] = answer
        return answers


CASES = {
    "decoded rows": {
        "model": "convnet",
        "batches": [
            [{"data": picture(0)}],
            [{"body": picture(seed)} for seed in range(3)],
            [{"body": b"no picture"}, {"body": picture(1)}, {"body": base64_picture(2)}],
        ],
    }
}
