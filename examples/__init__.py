"""Examples of torchserve-handlers on real pretrained weights, and what they share."""
