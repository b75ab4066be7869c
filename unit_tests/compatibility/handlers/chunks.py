"""Answers a large batch in chunks, by the base's `handle`; and looks at more of each picture in `inference`."""

import torch
from samples import labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class ChunkedClassifier(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])
    chunk = 2
    topk = 2

    def handle(self, data, context):
        answers = []
        for start in range(0, len(data), self.chunk):
            self.part = data[start : start + self.chunk]
            answers += super().handle(self.part, context)
        return answers

    def inference(self, data, *args, **kwargs):
        again = super().preprocess(self.part)
        return (super().inference(data) + super().inference(torch.flip(again, [3]))) / 2


CASES = {
    "chunks": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [[{"data": picture(0)}], [{"data": picture(seed)} for seed in range(5)]],
    }
}
