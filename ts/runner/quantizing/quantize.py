"""Writes an archive whose network computes in int8, if its answers agree with those in float32."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Union

import torch
from model_archiver.reproducible import source_date_epoch

from ts.handler_utils.models.openvino.packed import FACTS, INT8, MODEL, WEIGHTS, digests
from ts.handler_utils.models.openvino.signature import taken_apart
from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model, batch_size_of, check_integrity, start_archive
from ts.runner.answering.payload import Input
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.archives.inspection import ACCURACY
from ts.runner.batch.known import known_of
from ts.runner.errors import InputError
from ts.runner.exporting.checks import check_hooks, check_out
from ts.runner.exporting.conversion import with_conversion
from ts.runner.exporting.export import NOT_COMPARED, call_of, converted, in_one_part, pack
from ts.runner.exporting.recording import recorded_calls
from ts.runner.exporting.repacking import Contents
from ts.runner.exporting.settings import without
from ts.runner.exporting.silence import quiet
from ts.runner.folders import temporary_folder
from ts.runner.quantizing.data import FEWEST, Data, read_data
from ts.runner.quantizing.judging import Judgement, check_answered, judge
from ts.runner.quantizing.network import import_nncf, write_quantized
from ts.runner.quantizing.report import Report
from ts.runner.quantizing.speed import measure

AGREEMENT = 0.98
SAMPLES = 300  # nncf's own default
SEVERAL = 8  # rows of a batch, where the archive names no batchSize
EVERY_CLASS = {"topk": 1_000_000}
FLOAT32 = "float32"  # the folder of the network as it was
WEIGHTS_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors", ".pt2", ".onnx")
LIBRARIES = ("nncf", "openvino", "torch", "torchserve-handlers")


@dataclass(frozen=True)
class Plan:
    """How a network is quantized.

    Attributes:
        data: files, folders, patterns and URLs; see `ts.runner.quantizing.data.read_data`.
        min_agreement: with less the archive is not written.
        samples: inputs to calibrate with, at most.
        seed: of what parts the inputs.
        preset: of nncf, "performance" or "mixed"; None for what suits the network.
        column: of a table, the one with the texts.
        left_float: kinds of layers that stay in float32, "ends" and "depthwise".
    """

    data: Sequence[str]
    min_agreement: float = AGREEMENT
    samples: int = SAMPLES
    seed: int = 0
    preset: Optional[str] = None
    column: Optional[str] = None
    left_float: tuple[str, ...] = ()


def quantize_archive(
    path: Union[str, Path],
    out: Union[str, Path],
    plan: Plan,
    *,
    force: bool = False,
    max_size: Optional[int] = None,
) -> Report:
    """Writes an archive that has all of another, and its network in int8 for `engine: openvino`.

    Some of the inputs calibrate the network, and by the others it is judged: it is written only if its answers
    agree with those in float32.

    Args:
        path: the archive.
        out: the new archive's path, which ends in .mar or .tar.gz.
        plan: how.
        force: replace what is at `out`.
        max_size: the bytes that a zip or tar may unpack to; by default 50 times its size, and 256 MiB at least.

    Returns:
        What was found; the archive was written only if it has no problem.

    Raises:
        ArchiveError: the archive cannot be quantized; nothing is written.
        InputError: an input is missing, or there are too few.
    """
    out = Path(out).absolute()
    check_out(out, force)
    import_nncf()
    with (
        open_archive(path, max_size=max_size) as archive,
        temporary_folder("torch-model-") as (folder, _),
    ):
        check_integrity(archive)
        return re_pack(archive, out, plan, folder, force)


def re_pack(archive: Archive, out: Path, plan: Plan, folder: Path, force: bool) -> Report:
    """See `quantize_archive`, for an archive that is open and a path that may be written."""
    material = gather(archive, plan, folder)
    (folder / MODEL).parent.mkdir()
    write_quantized(folder / FLOAT32 / MODEL, folder / MODEL, material.calls, plan.preset, plan.left_float)
    contents = contents_of(archive, folder)
    judgement = judge(material.before, answers_of(contents, folder, material))
    report = report_of(archive, out, plan, material, judgement, contents, folder)
    if report.problem is None:
        document = report.document(with_speed=source_date_epoch() is None)
        (folder / ACCURACY).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        pack(replace(contents, files={**contents.files, ACCURACY: folder / ACCURACY}), out, force)
    return report


@dataclass(frozen=True)
class Material:
    """What an archive said and did in float32.

    Attributes:
        data: the inputs.
        calls: what the network was called with for those that calibrate.
        batch: and for a batch of others.
        before: the answers to those that are held out.
    """

    data: Data
    calls: list[list[torch.Tensor]]
    batch: list[torch.Tensor]
    before: list[Answer]


def gather(archive: Archive, plan: Plan, folder: Path) -> Material:
    """Asks an archive in float32 by torch, and converts its network."""
    config, _ = without(archive.config, NOT_COMPARED)
    with start_archive(replace(archive, config=in_one_part(config)), device="cpu") as model:
        check_hooks(model)
        data = read_data(plan.data, known_of(model.handler, archive), plan.column, plan.samples, plan.seed)
        before = answers(model, data.held_out)
        check_answered(before)
        answered = [item for item, answer in zip(data.held_out, before) if answer.ok]
        (folder / FLOAT32).mkdir()
        with quiet():
            converted(model, answered, folder / FLOAT32)
        rows = batch_size_of(archive) if "batchSize" in archive.config else SEVERAL
        batch = tensors_of(call_of(model, answered[:rows]))
        return Material(data, calls_of(model, data.calibration), batch, before)


def calls_of(model: Model, inputs: Sequence[Input]) -> list[list[torch.Tensor]]:
    """What the network is called with for each input alone; of those that the archive has an answer to."""
    found = []
    for item in inputs:
        with recorded_calls(model.handler) as calls:
            (answer,) = model.predict([item], batch_size=1)
        if answer.ok and len(calls) == 1:
            found.append(tensors_of(calls[0]))
    if len(found) < FEWEST:
        raise InputError(
            f"the archive answers only {len(found)} of {len(inputs)} inputs by one call of its network, and"
            f" {FEWEST} are wanted to calibrate with"
        )
    return found


def tensors_of(call: Any) -> list[torch.Tensor]:
    return [tensor.clone() for tensor in taken_apart(call.inputs, call.named_inputs)[1]]


def answers(model: Model, inputs: Sequence[Input]) -> list[Answer]:
    """What an archive says, of all its classes."""
    options_class = known_of(model.handler, model.archive).options_class
    options = EVERY_CLASS if options_class is not None and "topk" in options_class.model_fields else None
    return model.predict(inputs, options=options, batch_size=SEVERAL)


def contents_of(archive: Archive, folder: Path) -> Contents:
    """What the new archive is packed of, but for the report."""
    facts = json.loads((folder / FLOAT32 / FACTS).read_bytes())
    weights = [name.as_posix() for name in archive.files() if name.suffix in WEIGHTS_SUFFIXES]
    kept = {name for name in weights if name not in (MODEL, WEIGHTS)}
    facts.update(
        precision=INT8, files={**digests(folder, (MODEL, WEIGHTS)), **digests(archive.root, sorted(kept))}
    )
    (folder / FACTS).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return with_conversion(archive, folder, precision=INT8)


def answers_of(contents: Contents, folder: Path, material: Material) -> list[Answer]:
    """What the new archive says to the inputs that are held out."""
    trial = folder / "trial.mar"
    pack(contents, trial, force=False)
    with open_archive(trial, max_size=1 << 62) as archive, start_archive(archive, device="cpu") as model:
        return answers(model, material.data.held_out)


def report_of(
    archive: Archive,
    out: Path,
    plan: Plan,
    material: Material,
    judgement: Judgement,
    contents: Contents,
    folder: Path,
) -> Report:
    networks = {FLOAT32: folder / FLOAT32 / MODEL, INT8: folder / MODEL}
    return Report(
        archive=archive.origin,
        out=out,
        min_agreement=plan.min_agreement,
        judgement=judgement,
        calibration=len(material.calls),
        repeated=material.data.repeated,
        seed=plan.seed,
        preset=plan.preset,
        left_float=plan.left_float,
        sizes={name: size_of(path) for name, path in networks.items()},
        speed=measure(networks[FLOAT32], networks[INT8], material.batch),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
        left_out=contents.left_out,
    )


def size_of(model: Path) -> int:
    return sum(path.stat().st_size for path in (model, model.with_suffix(".bin")))
