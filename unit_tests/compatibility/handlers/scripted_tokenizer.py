"""The model takes the texts themselves: a list of str as batch, and a loader of its own for TorchScript."""

import torch
import torch.nn.functional as F

from ts.torch_handler.base_handler import BaseHandler
from ts.utils.util import CLEANUP_REGEX, map_class_to_label


def remove_html_tags(text):
    return CLEANUP_REGEX.sub("", text)


class ScriptedTokenizerHandler(BaseHandler):
    def preprocess(self, data):
        texts = []
        for line in data:
            text = line.get("data") or line.get("body")
            if isinstance(text, (bytes, bytearray)):
                text = text.decode("utf-8")
            texts.append(remove_html_tags(text).lower())
        return texts

    def inference(self, data, *args, **kwargs):
        with torch.no_grad():
            return self.model(data)

    def postprocess(self, data):
        return map_class_to_label(F.softmax(data).tolist(), self.mapping)

    def _load_torchscript_model(self, model_pt_path):
        model = torch.jit.load(model_pt_path)
        model.to(self.device)
        return model


CASES = {
    "scripted tokenizer": {
        "model": "lengths",
        "scripted": True,
        "files": {"index_to_name.json": {"0": "Negative", "1": "Neutral", "2": "Positive"}},
        "batches": [[{"data": b"<i>good</i> news"}], [{"body": "a b c"}, {"body": b"here"}]],
    }
}
