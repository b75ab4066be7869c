"""Helpers of its own by names that a base might have for itself."""

import torch
from samples import labels, picture
from torchvision import transforms

from ts.torch_handler.image_classifier import ImageClassifier


class OwnNames(ImageClassifier):
    image_processing = transforms.Compose([transforms.Resize((40, 40)), transforms.ToTensor()])
    size = "large"
    settings = None
    format = "RGB"
    threads = "many"
    exif = False

    def initialize(self, context):
        super().initialize(context)
        self.options = {"largest": 3}
        self.reader = self.decoder = self.rows = self.batch = self.words = "own"
        self.config, self.warmup, self.labels = [1], 5, ["a", "b"]
        self.mean, self.std, self.crop, self.resize = 0.5, 0.5, "no", None

    def _preprocess(self, image):
        return image * 2 - 1

    def _inference(self, batch):
        return self._predict(batch)

    def _predict(self, batch):
        with torch.no_grad():
            return self.model(batch)

    def _postprocess(self, logits):
        return self._process(logits)

    def _process(self, logits):
        return logits.topk(self.options["largest"]).indices.tolist()

    def _load_model(self):
        raise AssertionError("nobody calls this")

    _fail = _runner = _ways = _reader = _normalize = _transform = _stack = _read = _load = _load_model
    _explain = _describe = _answer = _settings = _options = _context = _rows = _run = _handle = _load_model

    def preprocess(self, data):
        return self._preprocess(super().preprocess(data))

    def inference(self, data):
        return self._inference(data)

    def postprocess(self, data):
        return self._postprocess(data)


CASES = {
    "own names": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [[{"data": picture(0)}], [{"data": picture(seed)} for seed in range(4)]],
    }
}
