"""A segmenter that keeps the base's answers, [class, probability] a pixel, and rounds them."""

from samples import picture
from torchvision import transforms

from ts.torch_handler.image_segmenter import ImageSegmenter


class RoundedSegmenter(ImageSegmenter):
    image_processing = transforms.Compose([transforms.Resize((5, 7)), transforms.ToTensor()])

    def postprocess(self, data):
        masks = super().postprocess(data)
        return [[[[int(kind), round(value, 3)] for kind, value in line] for line in mask] for mask in masks]


CASES = {
    "whole masks": {
        "model": "segmenter",
        "batches": [[{"data": picture(0)}], [{"body": picture(1)}, {"body": picture(2)}]],
    }
}
