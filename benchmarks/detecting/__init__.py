"""torchvision's detectors: how fast the handler answers with each of them, beside torchserve's."""
