"""Handlers that show what they are given, or give what they are told to, for live servers; and their archives."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

ECHO = '''
def described(value):
    """Types and values, in what JSON can say."""
    if isinstance(value, dict):
        return {key: described(item) for key, item in value.items()}
    return [type(value).__name__, bytes(value).hex() if isinstance(value, (bytes, bytearray)) else value]


class Echo:
    def initialize(self, context):
        self.start = {
            "properties": {**context.system_properties, "model_dir": None},
            "manifest": context.manifest,
            "settings": context.model_yaml_config,
            "request_ids": context.request_ids,
            "request_processor": context.request_processor,
            "module": __name__,
        }

    def handle(self, data, context):
        return [
            {
                "row": described(row),
                "headers": described(context.get_all_request_header(index)),
                "explain": context.get_request_header(index, "explain"),
                "status": context.get_response_status(index),
                "response_headers": context.get_response_headers(index),
                "content_type": context.get_response_content_type(index),
                "sequence_id": context.get_sequence_id(index),
                "ids": len(context.request_ids),
                "start": self.start,
                "rows": len(data),
            }
            for index, row in enumerate(data)
        ]
'''

# Does to each row what its body says.
ACTOR = """
import numpy
from ts.handler_utils.utils import send_intermediate_predict_response
from ts.utils.util import PredictionException

def text_of(row):
    return bytes(row["body"]).decode()

RESULTS = {
    "str": "h\\u00e9llo",
    "json text": '{"a": 1}',
    "empty": "",
    "bytes": b"\\xff\\x00",
    "bytearray": bytearray(b"ba"),
    "dict": {"\\u00e9": [1.5, None, True]},
    "list": [1, 2],
    "tuple": (1, 2),
    "int": 7,
    "float": 0.1,
    "nan": float("nan"),
    "none": None,
    "numpy": numpy.float32(1),
    "set": {1},
}
ERRORS = {
    "400": PredictionException("bad \\u00efnput", 400),
    "513": PredictionException("own code", 513),
    "default": PredictionException("own message"),
    "value": ValueError("secret"),
    "memory": MemoryError("secret"),
}
BATCHES = {"too few": [], "not a list": {"a": 1}, "nothing": None, "a tuple": ("x",), "a generator": iter("x")}


class Actor:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        for row in data:
            if text_of(row) in ERRORS:
                raise ERRORS[text_of(row)]
            if text_of(row) in BATCHES:
                return BATCHES[text_of(row)]
        return [self.answer(text_of(row), index, context) for index, row in enumerate(data)]

    def answer(self, text, index, context):
        if text == "status":
            context.set_response_status(404, "Nope", index)
            return {"code": 404}
        if text == "status without a phrase":
            context.set_response_status(400, idx=index)
            return "no"
        if text == "type":
            context.set_response_content_type(index, "image/png")
            return b"PNG"
        if text == "header":
            context.set_response_header(index, "X-Model", "actor")
        if text == "stream":
            context.set_response_header(index, "X-Model", "actor")
            for part in ("one", {"two": 2}):
                send_intermediate_predict_response([part], context.request_ids, "said", 200, context)
            return "three"
        return RESULTS.get(text, text)
"""

# What the handler of ACTOR can be told.
ACTIONS = (
    "str",
    "json text",
    "empty",
    "bytes",
    "bytearray",
    "dict",
    "list",
    "tuple",
    "int",
    "float",
    "nan",
    "none",
    "numpy",
    "set",
    "status",
    "status without a phrase",
    "type",
    "header",
    "400",
    "513",
    "default",
    "value",
    "memory",
    "too few",
    "not a list",
    "nothing",
    "a tuple",
    "a generator",
)

FUNCTION = """
calls = []

def entry(data, context):
    calls.append(repr(data))
    return [list(calls)] if data else None
"""

OWN = """
class Own:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        return ["the archive's own"] * len(data)
"""


def write_archive(folder: Path, name: str, handler: str, files: dict[str, bytes | str], **model: Any) -> Path:
    path = folder / f"{name}.mar"
    section = {"modelName": name, "handler": handler, "modelVersion": "1.0", **model}
    manifest = {"runtime": "python", "model": section, "archiverVersion": "0.12.0"}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in {**files, "MAR-INF/MANIFEST.json": json.dumps(manifest)}.items():
            archive.writestr(member, content)
    return path
