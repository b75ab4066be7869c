"""A network of timm's, by its name."""

NAME = "tf_efficientnet_lite0"
