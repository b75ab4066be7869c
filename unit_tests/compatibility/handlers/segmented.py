"""A segmenter that answers with the share of each class, or with the mask as a picture."""

import io

import torch
from PIL import Image
from samples import picture
from torchvision import transforms

from ts.torch_handler.image_segmenter import ImageSegmenter


class MaskSegmenter(ImageSegmenter):
    image_processing = transforms.Compose([transforms.Resize((16, 24)), transforms.ToTensor()])

    def postprocess(self, data):
        masks = data["out"].argmax(dim=1)
        answers = []
        for index, mask in enumerate(masks):
            if self.context.get_request_header(index, "Accept") == "image/png":
                file = io.BytesIO()
                Image.fromarray(mask.to(torch.uint8).numpy()).save(file, "PNG")
                self.context.set_response_content_type(index, "image/png")
                answers.append(file.getvalue())
            else:
                answers.append({str(kind): (mask == kind).float().mean().item() for kind in range(4)})
        return answers


CASES = {
    "segmented": {
        "model": "segmenter",
        "batches": [
            [{"data": picture(0)}],
            [{"body": picture(1)}, {"body": picture(2), "headers": {"Accept": "image/png"}}],
        ],
    }
}
