"""Runs under torch's profiler, with arguments of its own for it."""

from samples import picture
from torch.profiler import ProfilerActivity, tensorboard_trace_handler
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class ProfiledHandler(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def __init__(self):
        super().__init__()
        self.profiler_args = {
            "activities": [ProfilerActivity.CPU],
            "record_shapes": True,
            "on_trace_ready": tensorboard_trace_handler("traces"),
        }


CASES = {
    "profiled": {
        "model": "convnet",
        "environment": {"ENABLE_TORCH_PROFILER": "true"},
        "batches": [[{"data": picture(0)}], [{"data": picture(1)}, {"data": picture(2)}]],
    }
}
