"""YOLOv3-tiny as YOLO's exporters leave networks: a square of pixels in, raw boxes out, and nothing around it."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.ops import box_convert

from examples.object_detector.model import ANCHORS, STRIDES, YOLOv3Tiny


class BareYOLO(YOLOv3Tiny):
    """The network without letterbox, suppression and photo sizes."""

    def forward(self, squares: Tensor) -> Tensor:  # type: ignore[override]
        """Predicts a box at each anchor of each cell.

        Args:
            squares: [N, 3, 416, 416], values in [0, 1].

        Returns:
            [N, 2535, 5 + classes]: cx, cy, width and height in pixels of the square, objectness, and how probable
            each class is of an object.
        """
        fine = self.fine_trunk(squares)
        coarse = self.coarse_trunk(fine)
        maps = (self.coarse_head(coarse), self.fine_head(torch.cat([self.upsampling(coarse), fine], dim=1)))
        return torch.cat([self.rows(*level) for level in zip(maps, ANCHORS, STRIDES)], dim=1)

    def rows(self, outputs: Tensor, anchors: tuple[tuple[int, int], ...], stride: int) -> Tensor:
        """The rows of one map [N, anchors * (5 + classes), rows, columns]; see `forward`."""
        boxes = box_convert(self.decode(outputs, anchors, stride)[..., :4], "xyxy", "cxcywh")
        cells = outputs.reshape(len(outputs), len(anchors), 5 + self.num_classes, *outputs.shape[-2:])
        return torch.cat([boxes, cells[:, :, 4:].sigmoid().movedim(2, -1).flatten(1, 3)], dim=-1)
