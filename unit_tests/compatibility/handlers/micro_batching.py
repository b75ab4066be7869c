"""Micro batches: `handle` is replaced in __init__, which does not call the base's, and is set up by the config."""

import logging

from samples import labels, picture
from torchvision import transforms

from ts.handler_utils.micro_batching import MicroBatching
from ts.torch_handler.image_classifier import ImageClassifier

logger = logging.getLogger(__name__)


class MicroBatched(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def __init__(self):
        self.handle = MicroBatching(self)

    def initialize(self, ctx):
        super().initialize(ctx)
        config = ctx.model_yaml_config.get("micro_batching", {})
        parallelism = config.get("parallelism", None)
        if parallelism:
            self.handle.parallelism = parallelism
        self.handle.parallelism = {"inference": 2}
        self.handle.micro_batch_size = config.get("micro_batch_size", 1)

    def postprocess(self, data):
        index = self.handle.get_micro_batch_idx()
        parallelism = self.handle.parallelism
        return [{"part": index, "parallelism": parallelism, **row} for row in super().postprocess(data)]


def case(micro_batching):
    return {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "config": {"micro_batching": micro_batching},
        "batches": [
            [{"data": picture(0)}],
            [{"data": picture(seed)} for seed in range(5)],
            [{"data": picture(seed)} for seed in range(6)],
        ],
    }


CASES = {
    "micro batching": case({"micro_batch_size": 2, "parallelism": {"preprocess": 2}}),
    "micro batching as it comes": case({}),
}
