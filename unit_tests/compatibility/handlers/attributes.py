"""Reads what the base has set up, as an answer."""

from samples import labels

from ts.torch_handler.base_handler import BaseHandler
from ts.torch_handler.image_classifier import ImageClassifier


class AttributesHandler(ImageClassifier):
    def __init__(self):
        super().__init__()
        self.before = self.state()

    def state(self):
        return {
            "device": str(self.get_device()),
            "same device": self.get_device() is self.device,
            "map_location": self.map_location,
            "manifest": sorted((self.manifest or {}).get("model", {})),
            "model": type(self.model).__name__,
            "training": getattr(self.model, "training", None),
            "mapping": self.mapping,
            "model_pt_path": str(self.model_pt_path).rpartition("/")[2],
            "initialized": self.initialized,
            "explain": self.explain,
            "target": self.target,
            "profiler_args": self.profiler_args,
            "topk": self.get_max_result_classes(),
            "describes": self._is_describe(),
            "explains": self._is_explain(),
        }

    def initialize(self, context):
        super().initialize(context)
        self.set_max_result_classes(2)
        self.properties = sorted(context.system_properties)
        self.config = self.model_yaml_config

    def preprocess(self, data):
        return data

    def inference(self, data):
        return data

    def postprocess(self, data):
        vision = type(self.ig).__name__, isinstance(self, BaseHandler)
        state = {"now": self.state(), "properties": self.properties, "config": self.config, "ig": vision}
        return [{**state, "before": self.before} for _ in data]


CASES = {
    "attributes": {
        "model": "convnet",
        "files": {"index_to_name.json": {**labels(9), "9": ["n9", "nine"]}},
        "config": {"minWorkers": 1, "handler": {"own": {"key": [1, 2]}}},
        "batches": [[{"data": b""}], [{"data": b"1"}, {"data": b"2"}]],
    },
    "attributes, TorchScript": {
        "model": "convnet",
        "scripted": True,
        "batches": [[{"data": b""}]],
    },
}
