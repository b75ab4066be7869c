"""A transformer for three tasks, by setup_config.json: preprocess gives a tuple, get_insights gets a text."""

import ast
import json
import os

import torch
from captum.attr import LayerIntegratedGradients
from words import WORDS, Tokenizer

from ts.torch_handler.base_handler import BaseHandler


class TransformersHandler(BaseHandler):
    def __init__(self):
        super().__init__()
        self.initialized = False

    def initialize(self, ctx):
        self.manifest = ctx.manifest
        properties = ctx.system_properties
        model_dir = properties.get("model_dir")
        path = os.path.join(model_dir, self.manifest["model"]["serializedFile"])
        self.device = torch.device(
            "cuda:" + str(properties.get("gpu_id"))
            if torch.cuda.is_available() and properties.get("gpu_id") is not None
            else "cpu"
        )
        with open(os.path.join(model_dir, "setup_config.json")) as file:
            self.setup_config = json.load(file)
        from encoder import Encoder

        self.model = Encoder()
        self.model.load_state_dict(torch.load(path, map_location=self.device))
        self.model.to(self.device)
        self.tokenizer = Tokenizer(os.path.join(model_dir, "vocab.txt"))
        self.model.eval()
        mapping_path = os.path.join(model_dir, "index_to_name.json")
        if self.setup_config["mode"] != "question_answering" and os.path.isfile(mapping_path):
            with open(mapping_path) as file:
                self.mapping = json.load(file)
        self.initialized = True

    def preprocess(self, requests):
        ids_batch = mask_batch = None
        for request in requests:
            text = request.get("data")
            if text is None:
                text = request.get("body")
            if isinstance(text, (bytes, bytearray)):
                text = text.decode("utf-8")
            if self.setup_config["captum_explanation"] and self.setup_config["mode"] != "question_answering":
                text = ast.literal_eval(text)["text"]
            pair = (text,)
            if self.setup_config["mode"] == "question_answering":
                asked = ast.literal_eval(text)
                pair = (asked["question"], asked["context"])
            ids, mask = self.tokenizer.encode(*pair, max_length=int(self.setup_config["max_length"]))
            ids_batch = ids if ids_batch is None else torch.cat((ids_batch, ids), 0)
            mask_batch = mask if mask_batch is None else torch.cat((mask_batch, mask), 0)
        return (ids_batch, mask_batch)

    def inference(self, input_batch):
        ids, mask = input_batch
        mode = self.setup_config["mode"]
        with torch.no_grad():
            outputs = self.model(ids, mask, mode)
        if mode == "sequence_classification":
            return [self.mapping[str(row.argmax().item())] for row in outputs[0]]
        if mode == "token_classification":
            names = self.mapping["label_list"].strip("][").split(", ")
            return [
                list(zip(self.tokenizer.tokens(row), [names[tag] for tag in tags]))
                for row, tags in zip(ids.tolist(), outputs[0].argmax(dim=2).tolist())
            ]
        starts, ends = (scores.argmax(dim=1).tolist() for scores in outputs)
        return [
            " ".join(self.tokenizer.tokens(row[start : end + 1]))
            for row, start, end in zip(ids.tolist(), starts, ends)
        ]

    def postprocess(self, inference_output):
        return inference_output

    def get_insights(self, input_batch, text, target):
        mode = self.setup_config["mode"]
        if isinstance(text, (bytes, bytearray)):
            text = text.decode("utf-8")
        asked = ast.literal_eval(text)
        self.target = asked["target"]
        ids, mask = self.tokenizer.encode(asked["text"], max_length=len(asked["text"].split()))
        self.lig = LayerIntegratedGradients(
            lambda ids, mask: self.model(ids, mask, mode)[0], self.model.embeddings
        )
        attributions, delta = self.lig.attribute(
            inputs=ids,
            baselines=torch.zeros_like(ids),
            target=self.target,
            additional_forward_args=(mask,),
            return_convergence_delta=True,
        )
        scores = attributions.sum(dim=-1).squeeze(0)
        return [
            {
                "words": self.tokenizer.tokens(ids[0].tolist()),
                "importances": (scores / torch.norm(scores)).tolist(),
                "delta": delta[0].tolist(),
                "batch": [list(tensor.shape) for tensor in input_batch],
                "asked": target,
            }
        ]


def case(mode, batches, mapping, explained=False):
    config = {"mode": mode, "captum_explanation": explained, "max_length": 12}
    files = {"setup_config.json": config, "vocab.txt": WORDS.encode(), "index_to_name.json": mapping}
    return {"model": "encoder", "files": files, "batches": batches}


YES_NO = {"0": "Not Accepted", "1": "Accepted"}
QUESTION = b"{'question': 'who is here', 'context': 'the cat is here and the dog is not'}"
EXPLAINED = b"{'text': 'the dog is not here', 'target': 1}"

CASES = {
    "sequence classification": case(
        "sequence_classification",
        [[{"data": b"the cat is here"}], [{"body": text} for text in (b"the dog", b"cat and dog", b"here")]],
        YES_NO,
    ),
    "token classification": case(
        "token_classification",
        [[{"data": "the cat is here"}], [{"body": b"who is not here"}, {"body": b"the dog"}]],
        {"label_list": "[O, B-MISC, I-MISC]"},
    ),
    "question answering": case(
        "question_answering", [[{"data": QUESTION}], [{"body": QUESTION}, {"body": QUESTION}]], {}
    ),
    "explained text": case(
        "sequence_classification",
        [
            [{"body": EXPLAINED}],
            [{"body": EXPLAINED, "headers": {"explain": "True"}}],
            [{"data": EXPLAINED, "headers": {"explain": "True"}}],
            [{"data": EXPLAINED, "target": "spam", "headers": {"explain": "True"}}],
        ],
        YES_NO,
        explained=True,
    ),
}
