"""U^2-Net-p, the network of the image_segmenter example.

TorchServe wants exactly one class in a model file, so functions build and run the parts of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

CHANNELS = 64  # of each block's output: Figure 5 of Qin et al., "U^2-Net" (2020), in the small variant
INNER_CHANNELS = 16

# The dilations of the convolutions down a residual U-block, and whether it halves the size between them.
RSU7 = ((1, 1, 1, 1, 1, 1, 2), True)
RSU6 = ((1, 1, 1, 1, 1, 2), True)
RSU5 = ((1, 1, 1, 1, 2), True)
RSU4 = ((1, 1, 1, 2), True)
RSU4F = ((1, 2, 4, 8), False)
ENCODER = (RSU7, RSU6, RSU5, RSU4, RSU4F, RSU4F)
DECODER = (RSU4F, RSU4, RSU5, RSU6, RSU7)


def convolution(channels_in: int, channels_out: int, dilation: int = 1) -> nn.Sequential:
    """A 3x3 convolution that keeps the size, and its activation; batch normalization is folded into it."""
    layer = nn.Conv2d(channels_in, channels_out, 3, padding=dilation, dilation=dilation)
    return nn.Sequential(layer, nn.ReLU())


def halving() -> nn.MaxPool2d:
    """Halves height and width, rounded up."""
    return nn.MaxPool2d(2, stride=2, ceil_mode=True)


def residual_u_block(channels_in: int, dilations: Sequence[int], halves: bool) -> nn.ModuleDict:
    """A U-Net of its own: down through a convolution for each dilation, and up again but for the last of them."""
    widths = [CHANNELS] + [INNER_CHANNELS] * (len(dilations) - 1)
    ups = [INNER_CHANNELS] * (len(dilations) - 2) + [CHANNELS]
    return nn.ModuleDict(
        {
            "entry": convolution(channels_in, CHANNELS),
            "down": nn.ModuleList(
                convolution(width, INNER_CHANNELS, dilation) for width, dilation in zip(widths, dilations)
            ),
            "up": nn.ModuleList(
                convolution(2 * INNER_CHANNELS, width, dilation)
                for width, dilation in zip(ups, dilations[-2::-1])
            ),
            "between": halving() if halves else nn.Identity(),
        }
    )


def run_residual_u_block(block: Any, images: Tensor) -> Tensor:
    """Runs what `residual_u_block` built: [N, channels_in, H, W] to [N, 64, H, W]."""
    entry = block["entry"](images)
    levels = [block["down"][0](entry)]
    for layer in block["down"][1:-1]:
        levels.append(layer(block["between"](levels[-1])))
    inner = block["down"][-1](levels[-1])
    for layer, level in zip(block["up"], reversed(levels)):
        inner = layer(torch.cat([resize_to(inner, level), level], dim=1))
    return inner + entry


def resize_to(images: Tensor, other: Tensor) -> Tensor:
    """Scales images to the height and width of others."""
    return functional.interpolate(images, other.shape[-2:], mode="bilinear", align_corners=False)


class U2NetP(nn.Module):
    """U^2-Net-p, which tells the salient objects of a photo from its background; 1.1 million parameters.

    The order of its parts is that of the published ONNX file's weights.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sides = nn.ModuleList(nn.Conv2d(CHANNELS, 1, 3, padding=1) for _ in ENCODER)
        self.fuse = nn.Conv2d(len(ENCODER), 1, 1)
        widths = [3] + [CHANNELS] * (len(ENCODER) - 1)
        self.encoder = nn.ModuleList(residual_u_block(width, *shape) for width, shape in zip(widths, ENCODER))
        self.decoder = nn.ModuleList(residual_u_block(2 * CHANNELS, *shape) for shape in DECODER)
        self.between = halving()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Segments normalized RGB images.

        Args:
            images: float tensor [N, 3, H, W]; trained at 320.

        Returns:
            `{"out": logits [N, 2, H, W]}` of background and object.
        """
        levels = [run_residual_u_block(self.encoder[0], images)]
        for block in self.encoder[1:]:
            levels.append(run_residual_u_block(block, self.between(levels[-1])))
        maps = [levels[-1]]  # the decoder's, smallest first
        for block, level in zip(self.decoder, levels[-2::-1]):
            maps.append(run_residual_u_block(block, torch.cat([resize_to(maps[-1], level), level], dim=1)))
        sides = [side(features) for side, features in zip(self.sides, reversed(maps))]
        saliency = self.fuse(torch.cat([resize_to(side, sides[0]) for side in sides], dim=1))
        # The sigmoid of the saliency is the softmax of [0, saliency].
        return {"out": torch.cat([torch.zeros_like(saliency), saliency], dim=1)}
