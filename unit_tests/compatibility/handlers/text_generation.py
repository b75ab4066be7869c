"""Generates text: a dictionary as batch, keyword arguments for the model, settings of its own under `handler`."""

import json

import torch
from words import WORDS, Tokenizer

from ts.torch_handler.base_handler import BaseHandler


class TextGenerator(BaseHandler):
    def __init__(self):
        super().__init__()
        self.max_length = None
        self.max_new_tokens = None
        self.tokenizer = None
        self.initialized = False

    def initialize(self, ctx):
        settings = ctx.model_yaml_config["handler"]
        self.max_length = int(settings["max_length"])
        self.max_new_tokens = int(settings["max_new_tokens"])
        torch.manual_seed(int(settings["manual_seed"]))
        model_dir = ctx.system_properties.get("model_dir")
        self.tokenizer = Tokenizer(f"{model_dir}/{settings['tokenizer']}")
        from encoder import Encoder

        self.model = Encoder()
        self.model.load_state_dict(torch.load(f"{model_dir}/{ctx.manifest['model']['serializedFile']}"))
        self.model.eval()
        self.device = next(iter(self.model.parameters())).device
        self.initialized = True

    def preprocess(self, data):
        encoded = [self.tokenizer.encode(self.prompt_of(row), max_length=self.max_length) for row in data]
        ids, masks = zip(*encoded)
        return {"input_ids": torch.cat(ids).to(self.device), "attention_mask": torch.cat(masks)}

    def prompt_of(self, row):
        text = row.get("data") or row.get("body")
        if isinstance(text, (bytes, bytearray)):
            text = text.decode("utf-8")
        return text["prompt"] if isinstance(text, dict) else json.loads(text)["prompt"]

    def inference(self, batch):
        return self.model.generate(**batch, max_new_tokens=self.max_new_tokens)

    def postprocess(self, outputs):
        return [" ".join(self.tokenizer.tokens(row)) for row in outputs.tolist()]


CASES = {
    "text generation": {
        "model": "encoder",
        "files": {"vocab.txt": WORDS.encode()},
        "config": {
            "handler": {
                "model_name": "tiny",
                "tokenizer": "vocab.txt",
                "max_length": 6,
                "max_new_tokens": 5,
                "manual_seed": 40,
            }
        },
        "batches": [
            [{"data": b'{"prompt": "the cat is"}'}],
            [{"body": {"prompt": "who is here"}}, {"body": b'{"prompt": "good dog"}'}],
        ],
    }
}
