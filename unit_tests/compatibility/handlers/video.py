"""Each request holds several frames: more images than rows, and as many answers as rows again."""

import base64
import io

import torch
from PIL import Image
from samples import base64_picture, labels
from torch.nn import functional
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier
from ts.utils.util import map_class_to_label


class VideoClassifier(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def __init__(self):
        super().__init__()
        self.frames = []

    def preprocess(self, data):
        images, self.frames = [], []
        for row in data:
            frames = row.get("data") or row.get("body")
            self.frames.append(len(frames))
            for image in frames.values():
                if isinstance(image, str):
                    image = base64.b64decode(image)
                if isinstance(image, (bytearray, bytes)):
                    image = self.image_processing(Image.open(io.BytesIO(image)))
                else:
                    image = torch.FloatTensor(image)
                images.append(image)
        return torch.stack(images).to(self.device)

    def postprocess(self, data):
        probabilities = functional.softmax(data, dim=1)
        values, classes = torch.topk(probabilities, self.topk, dim=1)
        named = map_class_to_label(values.tolist(), self.mapping, classes.tolist())
        result = []
        for count in self.frames:
            result.append(named[:count])
            named = named[count:]
        return result


CASES = {
    "video": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [
            [{"body": {"0": base64_picture(0), "1": base64_picture(1), "2": base64_picture(2)}}],
            [{"body": {"0": base64_picture(3)}}, {"data": {"0": base64_picture(4), "1": base64_picture(5)}}],
        ],
    }
}
