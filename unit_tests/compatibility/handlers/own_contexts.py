"""Drives a handler by hand, with contexts of its own, as unit tests and scripts do."""

import argparse
from types import SimpleNamespace
from unittest.mock import MagicMock

import torch
from samples import labels, picture

from ts.torch_handler.image_classifier import ImageClassifier


class Context:
    def __init__(self, folder, manifest, **more):
        self.system_properties = {"model_dir": folder}
        self.manifest = manifest
        for name, value in more.items():
            setattr(self, name, value)

    def get_request_header(self, index, key):
        return False


def contexts(folder, manifest):
    metrics = MagicMock()
    return {
        "bare": Context(folder, manifest),
        "with metrics": Context(folder, manifest, metrics=metrics, model_yaml_config={}),
        "namespace": argparse.Namespace(
            system_properties={"model_dir": folder, "gpu_id": "0"},
            manifest=manifest,
            metrics=metrics,
            model_yaml_config={},
            get_request_header=lambda index, key: None,
        ),
        "mock": MagicMock(
            system_properties={"model_dir": folder, "gpu_id": None}, manifest=manifest, model_yaml_config={}
        ),
        "simple": SimpleNamespace(system_properties={"model_dir": folder}, manifest=manifest),
    }


def handle(data, context):
    if data is None:
        return None
    folder = context.system_properties["model_dir"]
    made = contexts(folder, context.manifest)[data[0]["context"].decode()]
    handler = ImageClassifier()
    handler.initialize(made)
    rows = [{"data": row["data"]} for row in data]
    if data[0]["way"] == b"handle":
        return handler.handle(rows, made)
    torch.manual_seed(0)
    return handler.postprocess(handler.inference(handler.preprocess(rows)))


def asked(context, way, *seeds):
    return [{"data": picture(seed, (224, 224)), "context": context.encode(), "way": way} for seed in seeds]


CASES = {
    f"contexts: {context}": {
        "model": "convnet",
        "files": {"index_to_name.json": labels(10)},
        "batches": [
            asked(context, b"hooks", 0),
            asked(context, b"hooks", 1, 2),
            # Without `metrics`, 0.12's own handle has nowhere to report its time to.
            *([] if context in ("bare", "simple") else [asked(context, b"handle", 0, 1)]),
        ],
    }
    for context in ("bare", "with metrics", "namespace", "mock", "simple")
}
