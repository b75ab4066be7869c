"""YOLOv3-tiny, the network of the object_detector example.

TorchServe wants exactly one class in a model file, so functions build the parts of the network.

Source: Redmon & Farhadi, "YOLOv3: An Incremental Improvement" (2018), https://arxiv.org/abs/1804.02767; layers,
in their order, as in the published yolov3-tiny.cfg.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import batched_nms, box_convert, clip_boxes_to_image

INPUT_SIZE = 416  # pixels; the network sees each photo on a grey square of this side
GREY = 0.5
# Width and height of each anchor in pixels of that square: those of the coarse map (stride 32), of the fine (16).
# The fine map has (10, 14) in the .cfg file, and not (81, 82); but with these the weights were trained, and only
# with these its boxes fit the objects (https://github.com/pjreddie/darknet/issues/851).
ANCHORS = (((81, 82), (135, 169), (344, 319)), ((23, 27), (37, 58), (81, 82)))
STRIDES = (32, 16)


def convolution(channels_in: int, channels_out: int, kernel: int) -> nn.Sequential:
    """A convolution that keeps height and width, batch normalization, and a leaky rectifier."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.LeakyReLU(0.1),
    )


def fine_trunk() -> nn.Sequential:
    """The layers down to stride 16, whose features both maps use."""
    layers: list[nn.Module] = [convolution(3, 16, 3)]
    for channels in (16, 32, 64, 128):
        layers += [nn.MaxPool2d(2), convolution(channels, 2 * channels, 3)]
    return nn.Sequential(*layers)


def coarse_trunk() -> nn.Sequential:
    """The layers from there to stride 32. Darknet pads a pooling of stride 1 at the right and the bottom."""
    return nn.Sequential(
        nn.MaxPool2d(2),
        convolution(256, 512, 3),
        nn.ReplicationPad2d((0, 1, 0, 1)),
        nn.MaxPool2d(2, stride=1),
        convolution(512, 1024, 3),
        convolution(1024, 256, 1),
    )


def head(channels_in: int, channels: int, outputs: int) -> nn.Sequential:
    """The layers that predict the boxes of one map."""
    return nn.Sequential(convolution(channels_in, channels, 3), nn.Conv2d(channels, outputs, 1))


def letterbox(image: Tensor) -> Tensor:
    """A photo [3, H, W], resized to fit into the middle of a grey square [3, 416, 416].

    Without antialiasing, as darknet resizes: the weights were trained on such photos, and know more in them.
    """
    height, width = image.shape[-2:]
    scale = INPUT_SIZE / max(height, width)
    size = [max(1, int(height * scale)), max(1, int(width * scale))]
    resized = functional.interpolate(image[None], size, mode="bilinear", align_corners=False)[0]
    top, left = (INPUT_SIZE - size[0]) // 2, (INPUT_SIZE - size[1]) // 2
    square = image.new_full((image.shape[0], INPUT_SIZE, INPUT_SIZE), GREY)
    square[:, top : top + size[0], left : left + size[1]] = resized
    return square


def undo_letterbox(boxes: Tensor, height: int, width: int) -> Tensor:
    """Boxes [N, 4] (x1, y1, x2, y2) in pixels of the square, in pixels of the photo and cut at its edges."""
    scale = INPUT_SIZE / max(height, width)
    left, top = ((INPUT_SIZE - int(side * scale)) // 2 for side in (width, height))
    moved = (boxes - boxes.new_tensor([left, top, left, top])) / scale
    return clip_boxes_to_image(moved, (height, width))


class YOLOv3Tiny(nn.Module):
    """YOLOv3-tiny, a detector of 8.9 million parameters.

    Args:
        num_classes: how many classes it tells apart; the published weights know the 80 of COCO.
        score_threshold: the lowest score of a detection.
        iou_threshold: of two boxes of one class that overlap by more, the one of lower score is dropped.
        detections_per_image: at most so many, the best ones.
    """

    def __init__(
        self,
        num_classes: int = 80,
        score_threshold: float = 0.05,
        iou_threshold: float = 0.45,
        detections_per_image: int = 100,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.score_threshold = score_threshold
        self.iou_threshold = iou_threshold
        self.detections_per_image = detections_per_image
        outputs = len(ANCHORS[0]) * (5 + num_classes)
        self.fine_trunk = fine_trunk()
        self.coarse_trunk = coarse_trunk()
        self.coarse_head = head(256, 512, outputs)
        self.upsampling = nn.Sequential(convolution(256, 128, 1), nn.Upsample(scale_factor=2))
        self.fine_head = head(128 + 256, 256, outputs)

    def forward(self, images: list[Tensor]) -> list[dict[str, Tensor]]:
        """Detect objects in RGB photos of any sizes.

        Args:
            images: float tensors [3, H, W] with values in [0, 1].

        Returns:
            For each photo, its detections, best first: `boxes` [N, 4], float, x1, y1, x2, y2 in pixels of the
            photo; `labels` [N], int64, class indexes from 0; `scores` [N], float, in [0, 1].
        """
        fine = self.fine_trunk(torch.stack([letterbox(image) for image in images]))
        coarse = self.coarse_trunk(fine)
        maps = (self.coarse_head(coarse), self.fine_head(torch.cat([self.upsampling(coarse), fine], dim=1)))
        decoded = torch.cat([self.decode(*level) for level in zip(maps, ANCHORS, STRIDES)], dim=1)
        return [self.detections(boxes, *image.shape[-2:]) for boxes, image in zip(decoded, images)]

    def decode(self, outputs: Tensor, anchors: tuple[tuple[int, int], ...], stride: int) -> Tensor:
        """Boxes and scores out of one map: the equations of section 2.1 of the paper.

        Args:
            outputs: [N, anchors * (5 + classes), rows, columns].
            anchors: width and height of each, in pixels of the square.
            stride: pixels of the square between two cells of the map.

        Returns:
            [N, boxes, 4 + classes]: x1, y1, x2, y2 in pixels of the square, and the score of each class.
        """
        rows, columns = outputs.shape[-2:]
        cells = outputs.reshape(len(outputs), len(anchors), 5 + self.num_classes, rows, columns)
        x, y, width, height, objectness = cells[:, :, :5].unbind(2)
        x = (x.sigmoid() + torch.arange(columns, device=x.device)) * stride
        y = (y.sigmoid() + torch.arange(rows, device=y.device)[:, None]) * stride
        sides = outputs.new_tensor(anchors)[:, :, None, None]
        centred = torch.stack([x, y, width.exp() * sides[:, 0], height.exp() * sides[:, 1]], dim=-1)
        scores = (objectness.sigmoid()[:, :, None] * cells[:, :, 5:].sigmoid()).movedim(2, -1)
        return torch.cat([box_convert(centred, "cxcywh", "xyxy"), scores], dim=-1).flatten(1, 3)

    def detections(self, decoded: Tensor, height: int, width: int) -> dict[str, Tensor]:
        """The detections in one photo: for each class, of boxes that overlap the best.

        Args:
            decoded: [boxes, 4 + classes], as `decode` returns them.
            height: of the photo, in pixels.
            width: of the photo, in pixels.
        """
        cell, label = (decoded[:, 4:] >= self.score_threshold).nonzero(as_tuple=True)
        boxes, scores = undo_letterbox(decoded[cell, :4], height, width), decoded[cell, 4 + label]
        keep = batched_nms(boxes, scores, label, self.iou_threshold)[: self.detections_per_image]
        return {"boxes": boxes[keep], "labels": label[keep], "scores": scores[keep]}
