"""Finds the bright squares of a picture: the answer of a torchvision detector, by the means of pixels."""

import torch
from torch import nn


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, images):
        return [self.detect(image) for image in images]

    def detect(self, image):
        cells = torch.nn.functional.adaptive_avg_pool2d(image, 4).flatten(1)
        scores, channels = (cells * self.scale).clamp(0, 1).max(dim=0)
        height, width = image.shape[1] / 4, image.shape[2] / 4
        corners = torch.tensor([[x * width, y * height] for y in range(4) for x in range(4)])
        boxes = torch.cat([corners, corners + torch.tensor([width, height])], dim=1)
        return {"boxes": boxes, "labels": channels + 1, "scores": scores}
