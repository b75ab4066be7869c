"""No torch in it: a model of another library, numpy in and out."""

import os

import numpy as np
import torch

from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import load_label_mapping


class IrisHandler(BaseHandler):
    def __init__(self):
        super().__init__()

    def initialize(self, context):
        self.device = torch.device("cpu")
        self.manifest = context.manifest
        model_dir = context.system_properties.get("model_dir")
        if "serializedFile" in self.manifest["model"]:
            weights = os.path.join(model_dir, self.manifest["model"]["serializedFile"])
            self.model = np.loadtxt(weights, delimiter=",")
        self.mapping = load_label_mapping(os.path.join(model_dir, "index_to_name.json"))
        self.initialized = True

    def preprocess(self, requests):
        inputs = []
        for row in requests:
            values = row.get("data") or row.get("body")
            if isinstance(values, (bytes, bytearray)):
                values = [float(value) for value in values.decode("utf-8").split(",")]
            inputs.append(values)
        return np.array(inputs)

    def inference(self, data):
        return np.argmax(data @ self.model, axis=1)

    def postprocess(self, result):
        return [self.mapping[str(res)] for res in result.tolist()]


CASES = {
    "xgboost": {
        "files": {
            "index_to_name.json": {"0": "Setosa", "1": "Versicolor", "2": ["n1", "Virginica"]},
            "iris.csv": b"0.1,0.4,-0.5\n0.3,0.2,0.0\n-0.2,0.1,0.3\n0.9,-0.3,0.2\n",
        },
        "manifest": {"serializedFile": "iris.csv"},
        "batches": [
            [{"data": b"6.3,2.5,4.9,1.5"}],
            [{"body": b"5.0,3.6,1.4,0.2"}, {"body": [6.3, 3.3, 6.0, 2.5]}],
        ],
    }
}
