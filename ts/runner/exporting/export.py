"""Re-packs an archive with its model in another format, if the new archive gives the old one's answers."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Callable, Optional, Union

import torch
from model_archiver.model_archiver_error import ModelArchiverError
from model_archiver.packing import pack_files

from ts.handler_utils.models.formats.batches import ChunkedModel
from ts.handler_utils.models.formats.onnx import OnnxModel
from ts.handler_utils.models.openvino.comparison import ROUNDING
from ts.runner.answering.model import Model, batch_size_of, check_integrity, start_archive
from ts.runner.answering.payload import Input
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.errors import ArchiveError, InputError
from ts.runner.exporting.checks import check_answers, check_exportable, check_hooks, check_out
from ts.runner.exporting.comparison import TOLERANCE, Comparison, Said, ask, compare
from ts.runner.exporting.conversion import with_conversion, write_conversion
from ts.runner.exporting.formats import NAMES, writer
from ts.runner.exporting.program import Program, export_model, from_torchscript
from ts.runner.exporting.recording import Call, check_one_form, first_chunk, recorded_calls
from ts.runner.exporting.repacking import Contents, new_contents
from ts.runner.exporting.samples import made_up_inputs, random_images, takes_images
from ts.runner.exporting.settings import without
from ts.runner.exporting.silence import quiet
from ts.runner.folders import temporary_folder

# What changes an eager model's numbers, and is not in the program; and what takes time, and changes none.
NOT_COMPARED = ("precision", "memory_format", "warmup", "engine")
OPENVINO = "openvino"
Maker = Callable[[Model, Sequence[Input], int], Program]  # writes a model, for batches of so many rows
ROWS = 3  # of the batch on which the archives are compared


@dataclass(frozen=True)
class Report:
    """What came of an export.

    Attributes:
        archive: the old archive, by path or URL.
        out: the new one.
        format: what its model is.
        device: the kind of device that it was made on.
        program: the sizes that it takes.
        made_up: whether the inputs of the comparison are random ones.
        inputs: how many there are.
        comparison: what was compared; the new archive was written only if it has no problem.
        left_out: settings and files of the old archive that the new one has not.
    """

    archive: str
    out: Path
    format: str
    device: str
    program: Program
    made_up: bool
    inputs: int
    comparison: Comparison
    left_out: list[str]


def export_archive(
    path: Union[str, Path],
    out: Union[str, Path],
    *,
    to: str = "pt2",
    inputs: Sequence[Input] = (),
    device: str = "auto",
    batch_size: Optional[int] = None,
    force: bool = False,
    max_size: Optional[int] = None,
) -> Report:
    """Writes an archive that holds the model of another as torch.export or AOTInductor have it.

    The new archive is written only if it gives the answers of the old one, with numbers within 1e-4, to the
    inputs, alone and in a batch; in OpenVINO within 1e-3, of networks that agree as `engine: openvino` asks for.

    Args:
        path: the archive; its model is eager, an architecture, or TorchScript.
        out: the new archive's path, which ends in .mar or .tar.gz.
        to: "pt2", a torch.export program; "aot", an AOTInductor package for the device; or "openvino", all that
            the archive has, and its model converted for the setting `engine: openvino`.
        inputs: what both archives are asked; made up, if there are none, for handlers of images and of texts.
        device: "auto", "cpu" or "cuda:N".
        batch_size: rows of a batch, if the model allows only one number; default: the archive's
            batchSize, else 1.
        force: replace what is at `out`.
        max_size: the bytes that a zip or tar may unpack to; by default 50 times its size, and 256 MiB at least.

    Raises:
        ArchiveError: the archive cannot be exported; nothing is written.
        InputError: an input is missing, or the old archive has no answer to it.
        DeviceError: there is no such device.
    """
    out = Path(out).absolute()
    check_out(out, force)
    with open_archive(path, max_size=max_size) as archive:
        check_integrity(archive)
        return re_pack(archive, out, to, inputs, device, batch_size, force)


def re_pack(
    archive: Archive,
    out: Path,
    to: str,
    inputs: Sequence[Input],
    device: str,
    batch_size: Optional[int],
    force: bool,
) -> Report:
    """See `export_archive`, for an archive that is open and a path that may be written."""
    with temporary_folder("torch-model-") as (folder, _):
        file = folder / f"{Path(archive.model.get('serializedFile') or archive.name).stem}.pt2"
        made = make_model(archive, inputs, device, batch_size, maker(to, file))
        contents = with_conversion(archive, folder) if to == OPENVINO else new_contents(archive, file, folder)
        after = answers_of(contents, folder, device, made.asked)
        # The load has compared the networks: of those in OpenVINO torch's own rounding may be more.
        comparison = compare(made.before, after, ROUNDING if to == OPENVINO else TOLERANCE)
        if comparison.problem is None:
            pack(contents, out, force)
    return Report(
        archive=archive.origin,
        out=out,
        format=NAMES[to],
        device=made.device,
        program=made.program,
        made_up=not inputs,
        inputs=made.inputs,
        comparison=comparison,
        left_out=contents.left_out,
    )


def maker(to: str, file: Path) -> Maker:
    """What writes the new model of an archive that is started."""
    if to == OPENVINO:
        return lambda model, inputs, _: converted(model, inputs, file.parent)
    write = writer(to)

    def export(model: Model, inputs: Sequence[Input], rows: int) -> Program:
        check_exportable(model)
        return exported(model, inputs, rows, lambda program: write(program, file))

    return export


@dataclass(frozen=True)
class Made:
    """A model that was exported, and what the archive said with the old one.

    Attributes:
        program: the sizes that it takes.
        device: the kind of device that it was made on.
        inputs: how many inputs there were.
        asked: the inputs, over and over if they are few.
        before: what the old archive said to them.
    """

    program: Program
    device: str
    inputs: int
    asked: list[Input]
    before: Said


def make_model(
    archive: Archive,
    inputs: Sequence[Input],
    device: str,
    batch_size: Optional[int],
    make: Maker,
) -> Made:
    """Asks an archive, and exports its model; in full precision, and uncompiled."""
    config, _ = without(archive.config, NOT_COMPARED)
    with start_archive(replace(archive, config=in_one_part(config)), device=device) as model:
        check_hooks(model)
        given = list(inputs) or made_up_inputs(model.handler)
        if not given:
            raise InputError(f"handler {archive.handler!r} takes neither images nor texts: give --input FILE")
        asked = list(islice(cycle(given), max(ROWS, len(given))))
        before = ask(model, asked)
        check_answers(before.answers)
        with quiet():
            program = make(model, asked, batch_size or batch_size_of(archive))
        return Made(program, torch.device(model.handler.device).type, len(given), asked, before)


def answers_of(contents: Contents, folder: Path, device: str, asked: Sequence[Input]) -> Said:
    """Packs an archive for a trial, and asks it."""
    trial = folder / "trial.mar"
    pack(contents, trial, force=False)
    return said_by(trial, device, asked)


def said_by(path: Path, device: str, asked: Sequence[Input]) -> Said:
    """What an archive says that was made for a trial, of files that are on the disk already."""
    with open_archive(path, max_size=sys.maxsize) as archive:
        archive = replace(archive, config=in_one_part(archive.config))
        with start_archive(archive, device=device) as model:
            return ask(model, asked)


def in_one_part(config: dict[str, Any]) -> dict[str, Any]:
    """Settings by which the model gets a batch as a whole."""
    return {**config, "handler": {**(config.get("handler") or {}), "micro_batch": sys.maxsize}}


def exported(model: Model, inputs: Sequence[Input], rows: int, save: Any) -> Program:
    """Exports the model of an archive that is started, in the sizes that its handler calls it with."""
    handler = model.handler
    calls = call_of(model, islice(cycle(inputs), 2)), other_call(model, inputs)
    network = handler.model
    with model.scope.active():  # the network's code may import what the archive has
        if isinstance(network, torch.jit.ScriptModule):
            network = from_torchscript(network, calls[0])

        def fixed_call() -> Call:
            return call_of(model, islice(cycle(inputs), rows))

        return export_model(network, calls, fixed_call, save)


def converted(model: Model, inputs: Sequence[Input], folder: Path) -> Program:
    """Converts the model of an archive that is started for OpenVINO, in any sizes."""
    chunked = model.handler.model
    network = chunked.model if isinstance(chunked, ChunkedModel) else chunked
    if not isinstance(network, (torch.nn.Module, OnnxModel)):
        kind = type(network).__name__
        raise ArchiveError(
            f"the model of {model.archive.origin} is a {kind}, which OpenVINO does not convert"
        )
    call = first_chunk(calls_of(model, islice(cycle(inputs), 2))[0], chunked)
    with model.scope.active():  # where paths of inputs would be others
        write_conversion(network, call, folder)
    return Program(None)


def other_call(model: Model, inputs: Sequence[Input]) -> Call:
    """The call for a batch of another size; for images, of other sizes too, since those may vary."""
    if takes_images(model.handler):
        try:
            return call_of(model, random_images((384, 448), 3))
        except InputError:  # a handler of one's own, which wants other images
            pass
    return call_of(model, islice(cycle(inputs), 3))


def call_of(model: Model, inputs: Iterable[Input]) -> Call:
    """What the model is called with for a batch of inputs."""
    calls = calls_of(model, inputs)
    if len(calls) != 1:
        raise ArchiveError(
            f"the handler calls its model {len(calls)} times for a batch: it cannot be exported"
        )
    return calls[0]


def calls_of(model: Model, inputs: Iterable[Input]) -> list[Call]:
    """The calls of the model for a batch of inputs, which are of one form."""
    batch = list(inputs)
    with recorded_calls(model.handler) as calls:
        answers = model.predict(batch, batch_size=len(batch))
    check_answers(answers)
    if not calls:
        raise ArchiveError("the handler does not call its model: it cannot be exported or quantized")
    check_one_form(calls)
    return [
        Call(tuple(map(_copy, call.inputs)), {name: _copy(item) for name, item in call.named_inputs.items()})
        for call in calls
    ]


def _copy(item: Any) -> Any:
    """A tensor of the plain layout, and not of inference mode: with such nothing can be exported."""
    if not isinstance(item, torch.Tensor):
        return item
    return item.clone(memory_format=torch.contiguous_format)


def pack(contents: Contents, target: Path, force: bool) -> None:
    try:
        pack_files(contents.files, contents.manifest, target, force)
    except ModelArchiverError as error:
        raise ArchiveError(str(error)) from error
