"""Digits: a transform of its own, and the digit alone as the answer."""

from samples import base64_picture, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class DigitClassifier(ImageClassifier):
    image_processing = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])

    def postprocess(self, data):
        return data.argmax(1).flatten().tolist()


def digit(seed):
    return picture(seed, size=(28, 28), mode="L")


BATCHES = [
    [{"data": digit(0)}],
    [{"data": digit(seed)} for seed in range(5)],
    [{"body": digit(3), "target": 2, "headers": {"explain": "True"}}],
    [{"body": [[[0.5] * 28] * 28]}],
]

DIGIT, OTHER_DIGIT = (base64_picture(seed, size=(28, 28), mode="L") for seed in (0, 1))

CASES = {
    "mnist": {"model": "digits", "batches": BATCHES},
    "mnist, TorchScript": {"model": "digits", "scripted": True, "batches": BATCHES},
    "mnist, json envelope": {
        "model": "digits",
        "envelope": "json",
        "batches": [[{"body": {"instances": [{"data": [[[0.25] * 28] * 28]}]}}]],
    },
    "mnist, kserve envelope": {
        "model": "digits",
        "envelope": "kserve",
        "batches": [[{"body": {"instances": [{"data": DIGIT}, {"data": OTHER_DIGIT}]}}]],
    },
}
