"""torch.compile by model-config.yaml, in its three forms; with a backend that is not there, uncompiled."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class CompiledHandler(BaseHandler):
    def initialize(self, context):
        super().initialize(context)

    def preprocess(self, data):
        return torch.as_tensor(data[0]["body"]["instances"], dtype=torch.float32)

    def postprocess(self, data):
        return [{"scores": data.tolist(), "compiled": hasattr(self.model, "_orig_mod")}]


def case(pt2):
    return {
        "model": "linear",
        "config": {"pt2": pt2},
        "batches": [[{"body": {"instances": [[1, 2, 3, 4], [0, 1, 0, 1]]}}]],
    }


CASES = {
    "compiled": case({"compile": {"enable": True, "backend": "eager"}}),
    "compiled by a string": case("eager"),
    "compiled by arguments": case({"backend": "eager", "dynamic": True}),
    "not compiled": case({"compile": {"enable": False, "backend": "eager"}}),
    "compiled by a backend of no name": case({"compile": {"enable": True, "backend": "warp"}}),
    "compiled by a string of no name": case("warp"),
}
