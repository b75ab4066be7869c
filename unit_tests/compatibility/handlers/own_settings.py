"""Settings of its own under `handler`, by names that mean something else to other handlers."""

from samples import labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class OwnSettings(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])

    def initialize(self, context):
        super().initialize(context)
        self.own = context.model_yaml_config["handler"]
        self.format, self.classes, self.options = "RGB", ["a"], {"size": "large"}

    def preprocess(self, data):
        return super().preprocess(data)

    def postprocess(self, data):
        return [{"own": self.own, "answer": row} for row in super().postprocess(data)]


def case(handler):
    return {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "config": {"handler": handler},
        "batches": [[{"data": picture(0)}], [{"data": picture(1)}, {"data": picture(2)}]],
    }


CASES = {
    "own settings": case(
        {
            "precision": "fp16",
            "warmup": 3,
            "architecture": "bert",
            "micro_batch": "auto",
            "mean": 0.5,
            "threads": "auto",
            "target": "cat",
            "decoder": "mine",
        }
    ),
    "settings that are a list": case(["a", "b"]),
    "settings that are a text": case("fast"),
}
