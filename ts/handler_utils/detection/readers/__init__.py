"""What detectors return, read: a file for each kind of output, which registers its reader under a name.

`ts.handler_utils.detection.readers.registry` finds them by it, or by what an output looks like.
"""

from ts.handler_utils.detection.readers import detr, torchvision

__all__ = ["detr", "torchvision"]
