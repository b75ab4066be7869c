"""What detectors return, read: a file for each kind of output, which registers its readers under names.

`ts.handler_utils.detection.readers.registry` finds them by these, or by what an output looks like.
"""

from ts.handler_utils.detection.readers import anchors, detr, suppressed, torchvision, yolo

__all__ = ["anchors", "detr", "suppressed", "torchvision", "yolo"]
