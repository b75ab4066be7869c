"""Multiplies and drops rows, and lets the base read what it then hands over."""

from samples import picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class Thumbnails(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def preprocess(self, data):
        rows = []
        for row in data:
            rows += [{"data": row["first"]}, {"data": row["second"]}]
        return super().preprocess(rows)

    def postprocess(self, data):
        best = data.argmax(dim=1).view(-1, 2).tolist()
        return [{"first": first, "second": second} for first, second in best]


CASES = {
    "two pictures a row": {
        "model": "convnet",
        "batches": [
            [{"first": picture(0), "second": picture(1)}],
            [{"first": picture(seed), "second": picture(seed + 1)} for seed in range(3)],
        ],
    }
}
