"""Answers as lines that are read and written one by one: JSON lines, and CSV for spreadsheets."""

from __future__ import annotations

import base64
import csv
import io
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Optional, Union

from ts.runner.batch.row import Row, shown

CSV_COLUMNS = ("input", "status", "label", "score", "response", "saved")

# Of a file that is read back: a row, and the bytes up to its end.
Found = tuple[Row, int]


class LineFormat(ABC):
    """How rows are lines.

    A file that is read back may end in a part of a line, which a process wrote that was killed: it is left out.
    """

    header: bytes = b""

    @abstractmethod
    def line(self, row: Row) -> bytes:
        """A row, with the end of its line."""

    @abstractmethod
    def rows(self, file: BinaryIO) -> Iterator[Found]:
        """The rows of a file, each with the bytes up to its end; of such as are 200 without their contents.

        Raises:
            ValueError: It holds something else; the text says what, as the second half of a sentence.
        """


class JsonLines(LineFormat):
    r"""One JSON document a line: `{"input": "a.jpg", "status": 200, "response": {"tabby": 0.9}}`.

    A response that is bytes is a `data:` URI; where it was saved, it is null, and `saved` names the file.
    """

    def line(self, row: Row) -> bytes:
        return json_bytes(document(row)) + b"\n"

    def rows(self, file: BinaryIO) -> Iterator[Found]:
        end = 0
        for number, line in enumerate(file, start=1):
            try:
                row = row_of_document(json.loads(line)) if line.strip() else None
            except (ValueError, KeyError, TypeError) as error:
                if not line.endswith(b"\n"):
                    return
                raise ValueError(f"has no answer in line {number}") from error
            end += len(line)
            if row is not None:
                yield row, end


class CommaSeparated(LineFormat):
    """A table for spreadsheets, with a header (RFC 4180): the columns of `CSV_COLUMNS`.

    `label` and `score` are those of the best class of a classifier, or of a detector's best detection; `response`
    is the whole answer, in JSON unless it is a text.
    """

    header = ",".join(CSV_COLUMNS).encode() + b"\n"

    def line(self, row: Row) -> bytes:
        response = document(row)["response"]
        label, score = best_of(response) if row.status == 200 else ("", "")
        text = response if isinstance(response, str) else json_bytes(response).decode()
        cells = shown(row.path), row.status, label, score, "" if response is None else text, row.saved or ""
        written = io.StringIO()
        csv.writer(written, lineterminator="\n").writerow(cells)
        return written.getvalue().encode("utf-8", "backslashreplace")

    def rows(self, file: BinaryIO) -> Iterator[Found]:
        csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # answers are longer than its 128 KiB
        end = 0
        for record in records(file):
            end += len(record)
            try:
                (cells,) = csv.reader(io.StringIO(record.decode(), newline=""))
                if record == self.header and end == len(record):
                    continue
                path, status, _, _, response, saved = cells
                content = b"" if status == "200" else response.encode()
                yield Row(path, int(status), None, content, saved or None), end
            except (ValueError, csv.Error) as error:
                raise ValueError(f"has other columns than {', '.join(CSV_COLUMNS)}") from error


FORMATS: dict[str, LineFormat] = {".jsonl": JsonLines(), ".ndjson": JsonLines(), ".csv": CommaSeparated()}


def records(file: BinaryIO) -> Iterator[bytes]:
    """The whole records of a CSV file: lines, joined where the end of one lies between quotes."""
    parts: list[bytes] = []
    quotes = 0
    for line in file:
        parts.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0 and line.endswith(b"\n"):
            yield b"".join(parts)
            parts, quotes = [], 0


def document(row: Row) -> dict[str, Any]:
    """A row in types that JSON has."""
    return answer_document(shown(row.path), row.status, row.response, row.content_type, row.saved)


def answer_document(
    name: str, status: int, response: Any, content_type: Optional[str], saved: Optional[str] = None
) -> dict[str, Any]:
    """What an input's answer was; of bytes that were saved only the file."""
    if isinstance(response, bytes):
        response = data_uri(response, content_type) if saved is None else None
    return {"input": name, "status": status, "response": response, **({"saved": saved} if saved else {})}


def data_uri(content: bytes, content_type: Optional[str]) -> str:
    """Bytes as text (RFC 2397)."""
    return f"data:{content_type or 'application/octet-stream'};base64,{base64.b64encode(content).decode()}"


def row_of_document(found: Mapping[str, Any]) -> Row:
    status, saved = int(found["status"]), found.get("saved")
    content = b"" if status == 200 else json_bytes(found["response"])
    return Row(str(found["input"]), status, None, content, saved)


def json_bytes(value: Any) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can have and UTF-8 cannot
        return json.dumps(value).encode()


class Best(NamedTuple):
    """The label and score of an answer, or empty texts."""

    label: str = ""
    score: Union[float, str] = ""


def best_of(response: Any) -> Best:
    """The best class of `{label: score}`, or the best of `[{label: box, "score": score}, ...]`."""
    if isinstance(response, dict):
        scores = {label: score for label, score in response.items() if is_number(score)}
        label = max(scores, key=lambda label: scores[label], default=None)
        return Best() if label is None or len(scores) < len(response) else Best(label, scores[label])
    if isinstance(response, list) and response and all(isinstance(item, dict) for item in response):
        best = max(response, key=lambda item: item["score"] if is_number(item.get("score")) else -1.0)
        boxed = [label for label, box in best.items() if isinstance(box, list)]
        labels = [best["category_name"]] if "category_name" in best else boxed
        if labels and is_number(best.get("score")):
            return Best(labels[0], best["score"])
    return Best()


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
