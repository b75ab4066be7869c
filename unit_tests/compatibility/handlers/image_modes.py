"""Looks at the image that the base hands to `image_processing`."""

import io

import torch
from PIL import Image
from samples import picture

from ts.torch_handler.vision_handler import VisionHandler


class ImageModes(VisionHandler):
    def __init__(self):
        super().__init__()
        self.seen = []

    def image_processing(self, image):
        pixels = torch.tensor(list(image.convert("RGBA").resize((2, 2)).tobytes()), dtype=torch.float32)
        self.seen.append(
            {
                "mode": image.mode,
                "size": list(image.size),
                "format": image.format,
                "frames": getattr(image, "n_frames", 1),
                "dpi": [round(value) for value in image.info.get("dpi", ())],
                "is an image": isinstance(image, Image.Image),
            }
        )
        return pixels[:4]

    def preprocess(self, data):
        self.seen = []
        return super().preprocess(data)

    def inference(self, data):
        return data

    def postprocess(self, data):
        return [{**seen, "pixels": row} for seen, row in zip(self.seen, data.tolist())]


def animation():
    frames = [Image.open(io.BytesIO(picture(seed))).convert("P") for seed in range(3)]
    content = io.BytesIO()
    frames[0].save(content, "GIF", save_all=True, append_images=frames[1:])
    return content.getvalue()


def with_dpi():
    content = io.BytesIO()
    Image.open(io.BytesIO(picture(5))).save(content, "PNG", dpi=(72, 72))
    return content.getvalue()


PICTURES = {
    "L": picture(0, mode="L"),
    "LA": picture(0, mode="LA"),
    "RGBA": picture(0, mode="RGBA"),
    "P": picture(0, mode="P"),
    "1": picture(0, mode="1"),
    "CMYK": picture(0, mode="CMYK", form="JPEG"),
    "JPEG": picture(0, form="JPEG"),
    "grey JPEG": picture(0, mode="L", form="JPEG"),
    "BMP": picture(0, form="BMP"),
    "WEBP": picture(0, form="WEBP"),
    "TIFF": picture(0, form="TIFF"),
    "GIF": animation(),
    "dpi": with_dpi(),
}

CASES = {
    **{
        f"image for the transform: {name}": {"model": "linear", "batches": [[{"data": content}]]}
        for name, content in PICTURES.items()
    },
    "images for the transform": {
        "model": "linear",
        "batches": [[{"body": content} for content in PICTURES.values()]],
    },
}
