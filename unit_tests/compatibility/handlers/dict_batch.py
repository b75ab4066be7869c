"""Preprocess gives a dictionary of tensors, and inference unpacks it."""

import torch

from ts.torch_handler.base_handler import BaseHandler


class DictBatch(BaseHandler):
    def preprocess(self, data):
        rows = []
        for row in data:
            payload = row.get("data") or row.get("body")
            if isinstance(payload, (bytes, bytearray)):
                payload = [float(value) for value in payload.decode().split()]
            rows.append(payload)
        return {"numbers": torch.tensor(rows, dtype=torch.float32)}

    def inference(self, data, *args, **kwargs):
        with torch.no_grad():
            return {"scores": self.model(**data), "count": len(data["numbers"])}

    def postprocess(self, data):
        return [
            {"best": int(row.argmax()), "scores": row.tolist(), "of": data["count"]} for row in data["scores"]
        ]


CASES = {
    "dictionary as batch": {
        "model": "linear",
        "config": {"handler": {"precision": "fp16", "topk": "all"}},
        "batches": [[{"data": [1, 2, 3, 4]}], [{"body": b"1 2 3 4"}, {"data": [0.5, 0.5, 0, -1]}]],
    }
}
