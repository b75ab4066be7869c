"""Timed hooks, settings of its own, and an answer that is pickled."""

import base64
import io
import pickle

import numpy as np
from PIL import Image
from samples import base64_picture, picture

from ts.handler_utils.timer import timed
from ts.torch_handler.base_handler import BaseHandler


class MaskGenerator(BaseHandler):
    def __init__(self):
        super().__init__()
        self.mask_generator = None
        self.initialized = False

    def initialize(self, ctx):
        self.device = "cpu"
        settings = ctx.model_yaml_config["handler"]
        level = settings["model_type"]["level"]
        self.mask_generator = lambda image: {"mask": (image.mean(axis=2) > level).tolist()}
        self.initialized = True

    @timed
    def preprocess(self, data):
        images = []
        for row in data:
            image = row.get("data") or row.get("body")
            if isinstance(image, str):
                image = base64.b64decode(image)
            images.append(np.array(Image.open(io.BytesIO(image)).convert("RGB").resize((4, 4))))
        return images

    @timed
    def inference(self, data):
        assert len(data) == 1, "one picture at a time"
        return self.mask_generator(data[0])

    @timed
    def postprocess(self, data):
        return [base64.b64encode(pickle.dumps(data)).decode("utf-8")]


CASES = {
    "pickled masks": {
        "config": {"handler": {"profile": True, "model_type": {"level": 100}, "sam_checkpoint": "sam.pth"}},
        "batches": [[{"data": picture(0)}], [{"body": base64_picture(1)}]],
    }
}
