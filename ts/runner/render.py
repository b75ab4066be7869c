"""Answers and archives for people to read, as rich renderables."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Union

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ts.runner.answering.answer import Answer
from ts.runner.archives.verification import Verification

if TYPE_CHECKING:  # it imports torch
    from ts.runner.exporting import Report

LONGEST = 600  # characters of a response that is not a table
SHOWN_NUMBERS = 8  # of a vector


def answers_table(names: Sequence[str], answers: Sequence[Answer]) -> Table:
    """One row an answer."""
    table = Table("Input", "Status", "Response", show_lines=len(answers) > 1)
    for name, answer in zip(names, answers):
        views = [response_view(part) for part in (*answer.intermediate, answer)]
        table.add_row(Text(name, overflow="fold"), status_text(answer), Group(*views))
    return table


def status_text(answer: Answer) -> Text:
    return Text(f"{answer.status} {answer.phrase}".strip(), style="green" if answer.ok else "red")


def response_view(answer: Answer) -> RenderableType:
    value = answer.response
    if not answer.ok:
        return error_text(answer, value)
    if is_probabilities(value):
        return probabilities_table(value)
    if is_detections(value):
        return detections_table(value)
    if isinstance(value, bytes):
        return Text(f"{len(value):,} bytes of {answer.content_type or 'data'}")
    return Text(shortened(value if isinstance(value, str) else json_text(value)), overflow="fold")


def error_text(answer: Answer, value: Any) -> Text:
    """The message that a client gets and, for a batch that failed as a whole, what it was."""
    message = str(value.get("message", value)) if isinstance(value, dict) else str(value)
    if answer.reason and message not in str(answer.reason):
        message += f" ({type(answer.reason).__name__}: {answer.reason})"
    return Text(shortened(message), style="red", overflow="fold")


def is_probabilities(value: Any) -> bool:
    """Whether it is what classifiers answer: {label: probability}."""
    return isinstance(value, dict) and bool(value) and all(is_number(item) for item in value.values())


def is_detections(value: Any) -> bool:
    """Whether it is what detectors answer: [{label: [x1, y1, x2, y2], "score": probability}, ...]."""
    return isinstance(value, list) and bool(value) and all(box_of(item) for item in value)


def box_of(item: Any) -> Union[tuple[str, list[float]], None]:
    if not isinstance(item, dict) or not is_number(item.get("score")):
        return None
    boxes = [(key, box) for key, box in item.items() if isinstance(box, list) and len(box) == 4]
    return boxes[0] if boxes and all(is_number(edge) for edge in boxes[0][1]) else None


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def probabilities_table(value: Mapping[str, float]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    for label, probability in value.items():
        table.add_row(escape(label), f"{probability:.4f}")
    return table


def detections_table(value: Sequence[Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for item in value:
        label, box = box_of(item) or ("", [])
        edges = ", ".join(f"{edge:.0f}" for edge in box)
        table.add_row(escape(label), f"{item['score']:.4f}", f"({edges})")
    return table


def json_text(value: Any) -> str:
    """A value as JSON; nested lists of numbers, such as a mask, as their sizes, and a vector by its beginning."""
    sizes = list_sizes(value)
    if len(sizes) > 1:
        return f"a list of {' x '.join(map(str, sizes))} values"
    if sizes and len(value) > SHOWN_NUMBERS:
        first = ", ".join(f"{number:.4g}" for number in value[:SHOWN_NUMBERS])
        return f"{len(value):,} numbers: {first}, ..."
    return json.dumps(value, indent=2, ensure_ascii=False)


def list_sizes(value: Any) -> list[int]:
    sizes = []
    while isinstance(value, list) and value:
        sizes.append(len(value))
        value = value[0]
    return sizes if is_number(value) else []


def shortened(text: str) -> str:
    return (
        text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters; --json prints all)"
    )


def inspection_view(facts: Mapping[str, Any]) -> Group:
    """What `inspection` found, for a terminal."""
    model = facts["manifest"]["model"]
    about = Table.grid(padding=(0, 2))
    for key, value in {
        **model,
        **{k: v for k, v in facts["manifest"].items() if k not in ("model", "sha256")},
    }.items():
        about.add_row(escape(str(key)), Text(str(value), overflow="fold"))
    parts: list[RenderableType] = [about, files_table(facts["files"], facts["damaged"])]
    if "accuracy" in facts:
        parts.append(accuracy_view(facts["accuracy"]))
    if facts["settings"]:
        settings = json.dumps(facts["settings"], indent=2, ensure_ascii=False, default=str)
        parts += [Text(f"{model['configFile']}:"), Text(settings)]
    return Group(*parts)


def files_table(files: Sequence[Mapping[str, Any]], damaged: Sequence[str]) -> Table:
    table = Table("File", "Size", "sha256")
    table.columns[1].justify = "right"
    names = {file["name"] for file in files}
    for file in files:
        style = "red" if file["name"] in damaged else ""
        note = " (not the manifest's)" if style else ""
        digest = Text(file["sha256"] + note, overflow="fold")
        table.add_row(Text(file["name"], overflow="fold"), decimal(file["size"]), digest, style=style)
    for name in damaged:
        if name not in names:
            table.add_row(Text(name, overflow="fold"), "", "missing", style="red")
    return table


def accuracy_view(facts: Any) -> RenderableType:
    """The report of a quantized network, or what stands in its place: anybody may have written it."""
    try:
        return accuracy_table(facts)
    except (KeyError, TypeError, ValueError, AttributeError, ZeroDivisionError):
        return Text(shortened(json.dumps(facts)))


def accuracy_table(facts: Mapping[str, Any]) -> Table:
    found, sizes, speed = facts["judgement"], facts["sizes"], facts.get("speed")
    held_out = f"on {found['inputs']:,} inputs; calibrated with {facts['calibration']:,} others"
    change = f"{found['largest_change']:.2g} at most, {found['mean_change']:.1g} on average"
    table = Table("int8 beside float32", "")
    table.add_row(f"agreement ({found['of']})", f"{found['agreement']:.4f} {held_out}")
    table.add_row("change of a score", change)
    table.add_row("size of the network", f"{decimal(sizes['float32'])} → {decimal(sizes['int8'])}")
    if facts.get("coarse"):
        table.add_row("layers in float32", f"{facts['coarse']}, whose weights int8 would round too far")
    if speed:
        rates, gain = (speed["float32"], speed["int8"]), speed["int8"] / speed["float32"]
        text = (
            f"{rates[0]:,.1f} → {rates[1]:,.1f}: {gain:.2f}x, the network alone, batches of {speed['rows']}"
        )
        table.add_row("rows a second", text)
        has = {True: ", with instructions for int8", False: ", without instructions for int8"}
        where = f"{speed['processor']}{has.get(speed['dot_products'], '')}; {speed['threads']} threads"
        table.add_row("measured on", Text(where))
    return table


def verification_text(archive: str, verification: Verification) -> str:
    """One line, and one more for each file that is not as it was packed."""
    if not verification.compared:
        return (
            f"{archive}: nothing to verify, for its manifest has no sha256 "
            "(torch-model-archiver 0.12 writes none; pack it again to have them)\n"
        )
    if verification.verified:
        return f"{archive}: {counted(verification.compared)} as the manifest's sha256 says\n"
    lines = [f"{archive}: {counted(len(verification.problems))} not as packed"]
    return "\n  ".join([*lines, *(f"{name} {what}" for name, what in verification.problems.items())]) + "\n"


def counted(files: int) -> str:
    return "1 file is" if files == 1 else f"{files} files are"


def export_text(report: Report) -> str:
    """What came of an export, a line a fact."""
    compared = report.comparison
    inputs = f"{report.inputs} {'made-up' if report.made_up else 'given'} input{'s' * (report.inputs != 1)}"
    asked = f"{compared.answers} answers to {inputs}, alone and in a batch"
    if compared.problem is not None:
        return f"{report.out} is not written: of {asked}, some differ: {compared.problem}\n"
    program = report.program
    batch = "batches of any size" if program.batch is None else f"batches of {program.batch}, filled up"
    sizes = ", ".join(f"dimension {index} is {size}" for index, size in sorted(program.fixed.items()))
    lines = [
        f"{report.out}: {report.format}, made on {report.device}, for {batch}",
        f"compared: {asked}; numbers differ by {compared.largest:.1e} at most",
    ]
    if sizes:
        lines.append(f"fixed sizes of its inputs: {sizes}; other inputs get an error")
    if report.left_out:
        lines.append(f"left out: {', '.join(report.left_out)}")
    return "\n  ".join(lines) + "\n"
