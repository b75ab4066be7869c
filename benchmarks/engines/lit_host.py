"""LitServe with the handler of an archive: `python -m benchmarks.engines.lit_host ARCHIVE PORT`.

LitServe reads JSON and forms only, so that requests come as JSON: {"text": ...}, or {"base64": ...} for bytes.
"""

from __future__ import annotations

import base64
import sys
from contextlib import ExitStack
from typing import Any

import litserve

from ts.runner.answering.model import load_archive
from ts.runner.answering.payload import prediction
from ts.runner.archives.archive import open_archive


class ArchiveApi(litserve.LitAPI):
    """One archive's handler; its process loads it in `setup`."""

    def __init__(self, path: str) -> None:
        self.path = path
        with open_archive(path) as archive:
            name, config = archive.name, archive.config
        self._is_batched = config["batchSize"] > 1
        super().__init__(
            config["batchSize"],
            config["maxBatchDelay"] / 1000 if self._is_batched else 0,
            f"/predictions/{name}",
        )

    def setup(self, device: str) -> None:
        self.stack = ExitStack()
        self.model = self.stack.enter_context(load_archive(self.path, device="cpu"))
        self.stack.enter_context(self.model.scope.active())

    def decode_request(self, request: dict[str, str]) -> bytes:
        return base64.b64decode(request["base64"]) if "base64" in request else request["text"].encode()

    def batch(self, inputs: list[bytes]) -> list[bytes]:
        return inputs

    def predict(self, inputs: Any) -> Any:
        rows = inputs if self._is_batched else [inputs]
        answers = [answer.response for answer in self.model.answer([prediction(row) for row in rows])]
        return answers if self._is_batched else answers[0]

    def unbatch(self, outputs: Any) -> Any:
        return outputs

    def encode_response(self, answer: Any) -> Any:
        return answer


def main(path: str, port: str) -> None:
    server = litserve.LitServer(ArchiveApi(path), accelerator="cpu", timeout=60)
    server.run(host="127.0.0.1", port=int(port), generate_client_file=False, log_level="error")


if __name__ == "__main__":
    main(*sys.argv[1:])
