"""EfficientNet-Lite0, the network of the image_classifier example.

TorchServe wants exactly one class in a model file, so functions build the parts of the network.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

# (repeats, kernel, stride, expansion, channels) of each stage: Table 1 of Tan & Le, "EfficientNet: Rethinking
# Model Scaling for Convolutional Neural Networks" (2019). Lite0 keeps these and drops squeeze-and-excitation.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM_CHANNELS = 32
HEAD_CHANNELS = 1280


def same_padding(kernel: int, stride: int) -> nn.ZeroPad2d:
    """TensorFlow's "same" padding for an even height and width, with any odd row and column at the end."""
    total = kernel - stride
    before = total // 2
    return nn.ZeroPad2d((before, total - before, before, total - before))


def batch_norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalization with the epsilon that the weights were trained with."""
    return nn.BatchNorm2d(channels, eps=1e-3)


def inverted_residual(
    channels_in: int, channels_out: int, kernel: int, stride: int, expansion: int
) -> nn.Sequential:
    """One MBConv block without its skip connection: expand, filter each channel by itself, project."""
    hidden = channels_in * expansion
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if expansion > 1:
        layers["_expand_conv"] = nn.Conv2d(channels_in, hidden, 1, bias=False)
        layers["_bn0"] = batch_norm(hidden)
        layers["expand_activation"] = nn.ReLU6()
    layers["padding"] = same_padding(kernel, stride)
    layers["_depthwise_conv"] = nn.Conv2d(hidden, hidden, kernel, stride, groups=hidden, bias=False)
    layers["_bn1"] = batch_norm(hidden)
    layers["depthwise_activation"] = nn.ReLU6()
    layers["_project_conv"] = nn.Conv2d(hidden, channels_out, 1, bias=False)
    layers["_bn2"] = batch_norm(channels_out)
    return nn.Sequential(layers)


def build_blocks() -> nn.ModuleList:
    """The 16 blocks of the seven stages; only the first block of a stage strides and changes the width."""
    blocks = nn.ModuleList()
    channels_in = STEM_CHANNELS
    for repeats, kernel, stride, expansion, channels in STAGES:
        blocks.append(inverted_residual(channels_in, channels, kernel, stride, expansion))
        blocks.extend(inverted_residual(channels, channels, kernel, 1, expansion) for _ in range(repeats - 1))
        channels_in = channels
    return blocks


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0, an ImageNet classifier of 4.7 million parameters.

    The names of its parts are those of the published state dict.
    """

    def __init__(self, num_classes: int = 1000) -> None:
        super().__init__()
        self._stem_padding = same_padding(kernel=3, stride=2)
        self._conv_stem = nn.Conv2d(3, STEM_CHANNELS, 3, stride=2, bias=False)
        self._bn0 = batch_norm(STEM_CHANNELS)
        self._blocks = build_blocks()
        self._conv_head = nn.Conv2d(STAGES[-1][-1], HEAD_CHANNELS, 1, bias=False)
        self._bn1 = batch_norm(HEAD_CHANNELS)
        self._activation = nn.ReLU6()
        self._fc = nn.Linear(HEAD_CHANNELS, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Classify normalized RGB images.

        Args:
            images: float tensor [N, 3, H, W], with H and W multiples of 32; trained at 224.

        Returns:
            Logits [N, num_classes].
        """
        features = self._activation(self._bn0(self._conv_stem(self._stem_padding(images))))
        for block in self._blocks:
            residual = block(features)
            features = features + residual if residual.shape == features.shape else residual
        features = self._activation(self._bn1(self._conv_head(features)))
        return self._fc(torch.mean(features, dim=(2, 3)))
