"""Four classes for each pixel, as torchvision's segmentation models answer."""

from torch import nn


class Segmenter(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return {"out": self.conv(images)}
