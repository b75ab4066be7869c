"""Boxes of the default detector, in pixels of what its own transform makes of the photo."""

from samples import picture
from torchvision import transforms

from ts.torch_handler.object_detector import ObjectDetector


class FoundBoxes(ObjectDetector):
    threshold = 0.6
    image_processing = transforms.Compose([transforms.Resize((64, 48)), transforms.ToTensor()])

    def inference(self, data, *args, **kwargs):
        self.shape = list(data.shape)
        return super().inference(data, *args, **kwargs)

    def postprocess(self, data):
        return [{"shape": self.shape, "found": found} for found in super().postprocess(data)]


CASES = {
    "found boxes": {
        "model": "detector",
        "files": {"index_to_name.json": {"0": "nothing", "1": "red", "2": "green", "3": "blue"}},
        "batches": [
            [{"data": picture(0)}],
            [{"body": picture(1, (80, 120))}, {"body": picture(2, (33, 50))}, {"body": picture(3)}],
        ],
    }
}
