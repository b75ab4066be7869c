"""Networks of torchvision and timm: by name with their weights, and the name of one at hand."""
