"""How the fuzzing suite asks handlers, and what must hold of every answer.

python -m pytest unit_tests/fuzzing                       # a fixed number of examples, in CI
FUZZ_EXAMPLES=5000 python -m pytest unit_tests/fuzzing    # long: so many a test
FUZZ_SEED=123 python -m pytest unit_tests/fuzzing         # again what a run printed
"""

from __future__ import annotations

import io
import json
import logging
import os
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Callable, TypeVar

from hypothesis import HealthCheck, seed, settings
from PIL import Image
from tiny_archives import TINY

from benchmarks.strangers.archives import ARCHIVES, write_tokenizer
from ts.runner.answering.answer import Answer, batch_answers
from ts.runner.answering.context import Context, RequestProcessor
from ts.runner.answering.metrics import Metrics

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
SEED = int(os.environ.get("FUZZ_SEED") or random.randrange(1 << 31))

JSON = "application/json"
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}
SLACK_OF_A_MESSAGE = 200  # bytes beyond max_error_bytes, for a mark that it is cut

# A model of padded sequences that adds whole numbers, whose sums are exact in any order: what differs between a
# text in a batch and the same text alone is then of the handler's making, and not of how torch multiplies.
SUMS = """
import torch

class Sums(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(64, 3)
        self.embedding.weight.data = torch.arange(192.0).reshape(64, 3) % 7

    def forward(self, input_ids, attention_mask):
        return (self.embedding(input_ids) * attention_mask[:, :, None]).sum(dim=1) / 64
"""

Test = TypeVar("Test", bound=Callable[..., Any])


def fuzz(test: Test) -> Test:
    """A test of drawn examples: as many as `EXAMPLES`, drawn by `SEED`."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    options = settings(max_examples=EXAMPLES, deadline=None, print_blob=True, suppress_health_check=checks)
    return seed(SEED)(options(test))


@dataclass(frozen=True)
class Request:
    """A row as TorchServe hands it to a handler, and the headers of its request."""

    row: Any
    headers: dict[str, Any] = field(default_factory=dict)


class Fuzzed:
    """A handler with a tiny network.

    Attributes:
        name: of `tiny_archives.TINY`, or "transformer".
        good: requests that it answers.
        options: the names of its options.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        if name == "transformer":
            from ts.torch_handler.text_classifier import TextClassifier

            archive = next(each for each in ARCHIVES if each.name == name)
            model, chosen = replace(archive, network=SUMS).write(folder)["modelFile"], {}
            write_tokenizer(folder / "tokenizer.json")
            self.handler: Any = TextClassifier()
            rows: list[Any] = [{"data": b"the rain"}, {"data": "a b c"}, {"body": b"Sun, sun"}]
        else:
            tiny = TINY[name]
            model, chosen = Path(tiny.write(folder), "model.py").name, tiny.settings
            self.handler, rows = tiny.handler(), tiny.rows
        manifest = {"model": {"modelName": name, "modelFile": model}}
        config = {"handler": dict(chosen)}
        self._context = Context(
            name, str(folder), manifest, 8, None, "0.12.0", metrics=Metrics(name), model_yaml_config=config
        )
        self.handler.initialize(self._context)
        self.good = [Request(row) for row in rows]
        self.options = list(self.handler.options_class.model_fields)

    def ask(self, requests: Sequence[Request]) -> list[Answer]:
        """The answers to one batch. Whatever is wrong with a request, `handle` itself never raises."""
        processors = [RequestProcessor({"explain": "False", **request.headers}) for request in requests]
        self._context.request_processor = processors
        self._context.request_ids = {index: f"request-{index}" for index in range(len(requests))}
        self._context.metrics.set_request_ids(self._context.request_ids)
        self._context.metrics.measurements.clear()
        return batch_answers(
            self.handler.handle([request.row for request in requests], self._context), processors
        )

    def check(self, requests: Sequence[Request]) -> list[Answer]:
        """Asks, and checks all that must hold of each answer and of the log."""
        with recorded() as records:
            answers = self.ask(requests)
        loud = [record for record in records if record.levelno >= logging.WARNING or record.exc_info]
        assert not loud, "".join(map(logging.Formatter().format, loud))[-2000:]
        for answer in answers:
            check_answer(answer)
        refused = [index for index, answer in enumerate(answers) if answer.status != 200]
        lines = [record.getMessage() for record in records if record.getMessage().startswith("Request ")]
        named = [line.partition(":")[0] for line in lines]
        assert sorted(named) == [f"Request request-{index}" for index in refused]
        assert not any("\n" in line or "\r" in line for line in lines)
        return answers


@contextmanager
def recorded() -> Iterator[list[logging.LogRecord]]:
    """What `ts` logs at INFO and above."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("ts")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield records
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def check_answer(answer: Answer) -> None:
    """An answer is a 200, valid JSON, text or picture as it says, or a well-formed 4xx."""
    if answer.status != 200:
        check_error(answer)
    elif answer.content_type in PICTURES:
        with Image.open(io.BytesIO(answer.body)) as picture:
            assert picture.format == PICTURES[answer.content_type]
            picture.load()
    else:
        read_json(answer.body)


def check_error(answer: Answer) -> None:
    assert 400 <= answer.status < 500, (answer.status, answer.body[:300])
    assert answer.content_type == JSON
    body = read_json(answer.body)
    assert set(body) == {"code", "type", "message"}
    assert body["code"] == answer.status
    assert body["type"].endswith("Exception")
    message = body["message"]
    assert isinstance(message, str)
    assert message
    assert len(message.encode("utf-8", "surrogatepass")) <= 1000 + SLACK_OF_A_MESSAGE


def read_json(body: bytes) -> Any:
    """Reads JSON as RFC 8259 has it, which knows neither NaN nor infinity."""

    def refuse(name: str) -> Any:
        raise ValueError(f"JSON has no {name}")

    return json.loads(body.decode("utf-8"), parse_constant=refuse)
