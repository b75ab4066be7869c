"""torchvision's kinds of detectors with tiny networks, as model files: their random weights find something."""

from __future__ import annotations

_COMMON = """
import torch
from torch import nn
from torchvision.models.detection import FCOS, FasterRCNN, KeypointRCNN, MaskRCNN, RetinaNet
from torchvision.models.detection.anchor_utils import AnchorGenerator, DefaultBoxGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.detection.ssd import SSD, SSDHead
from torchvision.ops import MultiScaleRoIAlign


def layer(channels, more):
    convolution = nn.Conv2d(channels, more, 3, 2, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(more), nn.ReLU(inplace=True))


def pyramid():
    torch.manual_seed(0)
    trunk = nn.Sequential(layer(3, 8), layer(8, 8), layer(8, 16))
    return BackboneWithFPN(trunk, {{"1": "0", "2": "1"}}, [8, 16], 32)


def anchors():
    return AnchorGenerator(((16,), (32,), (48,)), ((0.5, 1.0),) * 3)


def pool(size):
    return MultiScaleRoIAlign(["0", "1"], size, 2)


SIZES = {{"min_size": 64, "max_size": 96}}
REGIONS = {{**SIZES, "rpn_post_nms_top_n_test": 40, "box_score_thresh": 0.15, "box_detections_per_img": 8}}


def regions():
    return {{**REGIONS, "rpn_anchor_generator": anchors(), "box_roi_pool": pool(7)}}


class Network({base}):
    def __init__(self):
        super().__init__({arguments})
        for name, parameter in self.named_parameters():
            if name.startswith("head") and parameter.dim() > 1:
                nn.init.kaiming_normal_(parameter)
            if name.endswith("cls_score.weight"):
                nn.init.normal_(parameter, std=1.0)
            if name.startswith("head.classification_head") and name.endswith("bias"):
                nn.init.constant_(parameter, {bias})
"""

_KEYPOINTS = "from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads\n"
_MASKS = "from torchvision.models.detection.mask_rcnn import MaskRCNNHeads\n"


def _code(base: str, arguments: str, bias: float = 0.0, imports: str = "") -> str:
    return imports + _COMMON.format(base=base, arguments=arguments, bias=bias)


# By their names: the code, and the parts of which OpenVINO computes each.
DETECTORS = {
    "fasterrcnn": (_code("FasterRCNN", "pyramid(), 5, **regions()"), ["backbone", "rpn.head"]),
    "maskrcnn": (
        _code(
            "MaskRCNN",
            "pyramid(), 5, mask_roi_pool=pool(14), mask_head=MaskRCNNHeads(32, (8, 256), 1), **regions()",
            imports=_MASKS,
        ),
        ["backbone", "rpn.head", "roi_heads.mask_head", "roi_heads.mask_predictor"],
    ),
    "keypointrcnn": (
        _code(
            "KeypointRCNN",
            "pyramid(), 2, keypoint_roi_pool=pool(14), keypoint_head=KeypointRCNNHeads(32, (8, 512)), **regions()",
            imports=_KEYPOINTS,
        ),
        ["backbone", "rpn.head", "roi_heads.keypoint_head", "roi_heads.keypoint_predictor"],
    ),
    "retinanet": (
        _code("RetinaNet", "pyramid(), 5, anchor_generator=anchors(), score_thresh=0.05, **SIZES"),
        ["backbone", "head"],
    ),
    "fcos": (
        _code(
            "FCOS",
            "pyramid(), 5, anchor_generator=AnchorGenerator(((8,), (16,), (32,)), ((1.0,),) * 3), **SIZES",
        ),
        ["backbone", "head"],
    ),
    "ssd": (
        _code(
            "SSD",
            "pyramid(), DefaultBoxGenerator([[2]] * 3), (64, 64), 5,"
            " head=SSDHead([32] * 3, [4] * 3, 5), score_thresh=0.3",
        ),
        ["backbone", "head"],
    ),
}
