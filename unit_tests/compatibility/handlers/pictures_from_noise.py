"""Answers with pictures: the base's __init__ is not called, the batch is a list, the output a tuple of tensors."""

import io

import torch
from torchvision.utils import save_image

from ts.torch_handler.base_handler import BaseHandler


class PictureGenerator(BaseHandler):
    def __init__(self):
        self.initialized = False
        self.map_location = None
        self.device = None
        self.use_gpu = True
        self.generator = None
        self.default_number_of_images = 1

    def initialize(self, context):
        model_dir = context.system_properties.get("model_dir")
        self.map_location, self.device, self.use_gpu = "cpu", torch.device("cpu"), False
        from generator import Generator

        self.generator = Generator()
        self.generator.load_state_dict(torch.load(model_dir + "/model.pt", map_location=self.map_location))
        self.initialized = True

    def preprocess(self, requests):
        preprocessed = []
        for request in requests:
            data = request.get("data") if request.get("data") is not None else request.get("body", {})
            count = data.get("number_of_images", self.default_number_of_images)
            noise = torch.full((count, 8), float(data.get("noise", 0.1)))
            preprocessed.append({"number_of_images": count, "input": noise})
        return preprocessed

    def inference(self, preprocessed):
        batch = torch.cat(tuple(map(lambda one: one["input"], preprocessed)), 0)
        with torch.no_grad():
            images = self.generator(batch)
        return torch.split(images, tuple(map(lambda one: one["number_of_images"], preprocessed)))

    def postprocess(self, output):
        answers = []
        for index, images in enumerate(output):
            file = io.BytesIO()
            save_image(images, file, format="PNG")
            answers.append(file.getvalue())
            self.context.set_response_content_type(index, "image/png")
        return answers


CASES = {
    "pictures from noise": {
        "model": "generator",
        "batches": [
            [{"body": {"number_of_images": 2}}],
            [{"data": {}, "body": {}}, {"body": {"noise": 0.9}}],
        ],
    }
}
