"""What an archive says and does in float32, before its network is quantized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.models.openvino.library import core
from ts.handler_utils.models.openvino.packed import MODEL
from ts.handler_utils.models.openvino.signature import taken_apart
from ts.handler_utils.parts import has_parts
from ts.runner.answering.model import Model, batch_size_of, start_archive
from ts.runner.answering.payload import Input
from ts.runner.archives.archive import Archive
from ts.runner.batch.known import known_of
from ts.runner.errors import ArchiveError, InputError
from ts.runner.exporting.checks import check_hooks
from ts.runner.exporting.export import NOT_COMPARED, calls_of, converted, in_one_part
from ts.runner.exporting.recording import Call, check_one_form, first_chunk, recorded_calls
from ts.runner.exporting.settings import without
from ts.runner.exporting.silence import quiet
from ts.runner.quantizing.answers import Answers
from ts.runner.quantizing.asking import SEVERAL, why
from ts.runner.quantizing.data import FEWEST, Data, read_data
from ts.runner.quantizing.layers import check_layers
from ts.runner.quantizing.network import as_array
from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.stored import Stored
from ts.torch_handler.object_detector import ObjectDetector

# Folders: of the network as it was, of inputs from elsewhere, of answers, and of calls of the network.
FLOAT32, INPUTS, BEFORE, CALLS = "float32", "inputs", "before", "calls"


@dataclass(frozen=True)
class Material:
    """What was gathered.

    Attributes:
        answers: to the inputs that are held out, in float32.
        repeated: how many inputs had the content of others.
        calls: what the network was called with for the inputs that calibrate.
        batch: and for a batch of `rows` others.
        rows: of that batch.
        threshold: of labels; None where the settings name none.
    """

    answers: Answers
    repeated: int
    calls: Stored
    batch: list[torch.Tensor]
    rows: int
    threshold: Optional[float]


def gather(archive: Archive, plan: Plan, folder: Path) -> Material:
    """Asks an archive in float32 by torch, and converts its network.

    Args:
        archive: the archive.
        plan: of which inputs.
        folder: for what is found; the network is in its folder `FLOAT32` then.

    Raises:
        ArchiveError: the archive is one that cannot be quantized: before much is asked.
        InputError: too few inputs have answers.
    """
    config, _ = without(archive.config, NOT_COMPARED)
    with start_archive(replace(archive, config=in_one_part(config)), device="cpu") as model:
        check_hooks(model)
        check_handler(model)
        for name in (FLOAT32, INPUTS):
            (folder / name).mkdir()
        known = known_of(model.handler, archive)
        data = read_data(plan.data, known, plan.column, plan.samples, plan.seed, folder / INPUTS)
        answers = Answers(model, data, folder / BEFORE)
        answers.take_some()
        with quiet():
            converted(model, answers.given, folder / FLOAT32)
        check_layers(core().read_model(folder / FLOAT32 / MODEL))
        calibration = answers.take_enough()
        calls = stored_calls(model, calibration, answers, data, Stored(folder / CALLS))
        rows = batch_size_of(archive) if "batchSize" in archive.config else SEVERAL
        batch, rows = batch_of(model, answers.given[:rows])
        threshold = getattr(Configuration.of(model.handler).settings, "threshold", None)
        return Material(answers, data.repeated, calls, batch, rows, threshold)


def check_handler(model: Model) -> None:
    """Refuses handlers that would never compute in int8, and those whose answers are not compared."""
    if not has_parts(model.handler):
        name = model.archive.handler
        raise ArchiveError(f"handler {name!r} is no subclass of BaseHandler: it is not quantized")
    if isinstance(model.handler, ObjectDetector):
        raise ArchiveError("a detector is not quantized: how far its boxes agree with others is not told")


def stored_calls(
    model: Model, inputs: Sequence[Input], answers: Answers, data: Data, stored: Stored
) -> Stored:
    """What the network is called with for each input alone; those without an answer are noted as refused.

    Raises:
        ArchiveError: it is called in several forms.
        InputError: too few inputs have answers.
    """
    known: list[Call] = []
    for item in inputs:
        with recorded_calls(model.handler) as calls:
            (answer,) = model.predict([item], batch_size=1)
        if not answer.ok:
            answers.refused.append((data.name(item), why(answer)))
            continue
        known = [*known[:1], *calls]
        check_one_form(known)
        for call in calls:
            stored.add([as_array(tensor) for tensor in tensors_of(first_chunk(call, model.handler.model))])
    if len(stored) < FEWEST:
        raise InputError(
            f"the archive answers only {len(stored)} of {len(inputs)} inputs, and {FEWEST} are wanted to"
            " calibrate with"
        )
    return stored


def batch_of(model: Model, inputs: Sequence[Input]) -> tuple[list[torch.Tensor], int]:
    """What the network is called with for several inputs, the first time, and how many of them that is."""
    calls = calls_of(model, inputs)
    chunk = first_chunk(calls[0], model.handler.model)
    tensors = tensors_of(chunk)
    is_whole = len(calls) == 1 and chunk is calls[0]
    return tensors, len(inputs) if is_whole else len(tensors[0])


def tensors_of(call: Call) -> list[torch.Tensor]:
    return taken_apart(call.inputs, call.named_inputs)[1]
