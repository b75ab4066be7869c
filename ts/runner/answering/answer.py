"""A handler's results as the answers that a TorchServe client gets."""

from __future__ import annotations

import io
import json
import operator
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from ts.runner.answering.context import RequestProcessor
from ts.utils.util import PredictionException

JSON = "application/json"
WORKER_DIED = "Worker died."
STREAM_NEXT = "ts_stream_next"  # the header that tells TorchServe whether more of an answer is to come
# What TorchServe sends with the number of its letters, where that of its bytes is meant.
COUNTED_IN_LETTERS = ("the reason phrase", "the header 'content-type'")


@dataclass(frozen=True)
class Answer:
    """The answer to one row.

    Attributes:
        status: HTTP status code.
        phrase: The reason phrase that the handler gave it, or "".
        content_type: As the handler set it; None where it did not, since TorchServe then sends none.
        body: The bytes that a client gets.
        headers: Other headers that the handler set.
        reason: Why the whole batch failed, where it did; a client never gets to see it.
        intermediate: What the handler sent before, in order; a client gets the bodies one behind the other, with
            the status and headers of the first.
    """

    status: int
    body: bytes
    phrase: str = ""
    content_type: Optional[str] = None
    headers: dict[str, str] = field(default_factory=dict)
    reason: Optional[BaseException] = field(default=None, compare=False)
    intermediate: tuple[Answer, ...] = ()

    @property
    def ok(self) -> bool:
        return self.status == 200

    @property
    def response(self) -> Any:
        """The body: a JSON value where it is JSON, else a str where it is UTF-8 text, else bytes.

        A content type other than JSON or text, e.g. image/png, leaves it as bytes.
        """
        kind = (self.content_type or "").split(";")[0].strip().lower()
        if kind and not (kind.startswith("text/") or kind.endswith("json")):
            return self.body
        try:
            text = self.body.decode()
            return text if kind.startswith("text/") else json.loads(text)
        except UnicodeDecodeError:
            return self.body
        except ValueError:
            return text


def batch_answers(
    results: Any, processors: Sequence[RequestProcessor], criteria: Optional[Sequence[Callable]] = None
) -> list[Answer]:
    """One answer a row, or, as TorchServe has it, the same failure for each of them.

    Args:
        results: What the handler returned for the batch.
        processors: One a row, with the status and headers that the handler set. Some cannot be sent: they end a
            worker of TorchServe's, and its batch.
        criteria: For continuous batching one a row, which tells by a result whether the row's answer is whole.
    """
    rows = len(processors)
    if not isinstance(results, list):
        return failure(rows, 503, "Invalid model predict output", wrong_results(results, rows))
    if len(results) != rows:
        return failure(rows, 503, "number of batch response mismatched", wrong_results(results, rows))
    try:
        bodies = [encode(result) for result in results]
    except (TypeError, ValueError) as error:
        return failure(rows, 503, "Unsupported model output data type.", error)
    try:
        for processor in processors:
            check_head(processor)
    except (TypeError, ValueError) as error:
        return failure(rows, 500, WORKER_DIED, error)
    for index, processor in enumerate(processors):
        whole = criteria[index](results[index]) if criteria else None
        if whole is not None:
            processor.add_response_property(STREAM_NEXT, "false" if whole else "true")
        elif not criteria and processor.get_response_header(STREAM_NEXT) == "true":
            processor.add_response_property(STREAM_NEXT, "false")
    return [row_answer(body, processor) for body, processor in zip(bodies, processors)]


def exception_answers(error: BaseException, rows: int) -> list[Answer]:
    """The answers of a batch for which the handler raised `error`."""
    if isinstance(error, SystemExit):
        return failure(rows, 500, WORKER_DIED, error)
    try:
        if isinstance(error, PredictionException):
            error.message.encode()
            return failure(rows, operator.index(error.error_code), error.message, error)
        if isinstance(error, MemoryError) or "CUDA" in str(error):
            return failure(rows, 507, "Out of resources", error)
    except Exception:  # of an error that cannot be told, which ends a worker of TorchServe's
        return failure(rows, 500, WORKER_DIED, error)
    return failure(rows, 503, "Prediction failed", error)


def wrong_results(results: Any, rows: int) -> TypeError:
    found = f"{len(results)} results" if isinstance(results, list) else f"a {type(results).__name__}"
    return TypeError(f"the handler must return a list of {rows} results, one a row, but returned {found}")


def check_head(processor: RequestProcessor) -> None:
    """Refuses what a worker of TorchServe's, or its frontend, cannot write before an answer's body.

    Raises:
        TypeError: The status is no whole number; the phrase, or the name or value of a header, is no text.
        ValueError: The status is below 0; a text has a line break in it, or a phrase or content type other
            characters than ASCII's.
    """
    status = processor.get_response_status_code()
    if status is not None and operator.index(status) < 0:
        raise ValueError(f"the handler set the status {status}")
    texts = {"the reason phrase": processor.get_response_status_phrase() or ""}
    for name, value in processor.get_response_headers().items():
        texts.update({f"the name of the header {name!r}": name, f"the header {name!r}": value})
    for what, text in texts.items():
        if not isinstance(text, str):
            raise TypeError(f"the handler set {what} to {text!r}, which is no str")
        if "\r" in text or "\n" in text or not (text.isascii() or what not in COUNTED_IN_LETTERS):
            raise ValueError(f"the handler set {what} to {text!r}, which cannot be sent")


def row_answer(body: bytes, processor: RequestProcessor) -> Answer:
    headers = dict(processor.get_response_headers())
    content_type = headers.pop("content-type", None)
    phrase = processor.get_response_status_phrase() or ""
    status = processor.get_response_status_code()
    return Answer(200 if status is None else status, body, phrase, content_type, headers)


def failure(rows: int, code: int, message: str, reason: BaseException) -> list[Answer]:
    """The answers of a batch that failed as a whole, in the JSON that TorchServe's frontend writes."""
    error = {"code": code, "type": "InternalServerException", "message": message}
    body = json.dumps(error, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return [Answer(code, body, content_type=JSON, reason=reason) for _ in range(rows)]


def encode(result: Any) -> bytes:
    """One result as bytes: str as UTF-8, bytes as they are, a tensor by torch.save, anything else as JSON.

    Raises:
        TypeError: JSON knows no such type, e.g. a numpy number.
        ValueError: It holds itself.
    """
    if isinstance(result, str):
        return result.encode()
    if isinstance(result, (bytes, bytearray)):
        return bytes(result)
    torch = sys.modules.get("torch")  # no tensor can come from a handler that did not import it
    if torch is not None and isinstance(result, torch.Tensor):
        buffer = io.BytesIO()
        torch.save(result, buffer)
        return buffer.getvalue()
    return json.dumps(result, indent=2).encode()
