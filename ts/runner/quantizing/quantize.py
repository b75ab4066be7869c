"""Writes an archive whose network computes in int8, if its answers agree with those in float32."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Optional, Union

from model_archiver.reproducible import source_date_epoch

from ts.handler_utils.models.openvino.packed import FACTS, INT8, MODEL, WEIGHTS, digests
from ts.runner.answering.model import check_integrity, start_archive
from ts.runner.archives.archive import Archive, open_archive
from ts.runner.archives.inspection import ACCURACY
from ts.runner.errors import ArchiveError
from ts.runner.exporting.checks import check_out
from ts.runner.exporting.conversion import with_conversion
from ts.runner.exporting.export import in_one_part, pack
from ts.runner.exporting.repacking import Contents
from ts.runner.folders import temporary_folder
from ts.runner.quantizing.asking import Asking
from ts.runner.quantizing.gathering import FLOAT32, Material, gather
from ts.runner.quantizing.judging import Judge, Judgement, Said
from ts.runner.quantizing.network import import_nncf, write_quantized
from ts.runner.quantizing.plan import Plan
from ts.runner.quantizing.report import Report
from ts.runner.quantizing.speed import measure

WEIGHTS_SUFFIXES = (".pt", ".pth", ".bin", ".safetensors", ".pt2", ".onnx")
LIBRARIES = ("nncf", "openvino", "torch", "torchserve-handlers")


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
        try:
            return re_pack(archive, out, plan, folder, force)
        except OSError as error:  # the disk is full
            place = error.filename or folder
            raise ArchiveError(f"{place} cannot be written: {error.strerror or error}") from error


def re_pack(archive: Archive, out: Path, plan: Plan, folder: Path, force: bool) -> Report:
    """See `quantize_archive`, for an archive that is open and a path that may be written."""
    material = gather(archive, plan, folder)
    (folder / MODEL).parent.mkdir()
    coarse = write_quantized(folder / FLOAT32 / MODEL, folder / MODEL, material.calls, plan)
    contents = contents_of(archive, folder)
    judgement = judged(contents, folder, material)
    report = report_of(archive, out, plan, material, judgement, contents, folder, coarse)
    if report.problem is None:
        document = report.document(with_speed=source_date_epoch() is None)
        (folder / ACCURACY).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        pack(replace(contents, files={**contents.files, ACCURACY: folder / ACCURACY}), out, force)
    return report


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


def judged(contents: Contents, folder: Path, material: Material) -> Judgement:
    """Compares what the new archive says to the inputs that are held out with what the old one said."""
    trial, before = folder / "trial.mar", material.answers
    pack(contents, trial, force=False)
    judge = Judge(material.threshold)
    with open_archive(trial, max_size=sys.maxsize) as archive:
        archive = replace(archive, config=in_one_part(archive.config))
        with start_archive(archive, device="cpu") as model:
            after = Asking(model, before.of).ask(before.given)
            for (names, numbers), (said, problem) in zip(before.stored, after):
                if said is None:
                    raise ArchiveError(f"the quantized network has no answer to an input: {problem}")
                judge.add(Said(before.of, names, numbers), said)
    trial.unlink()
    return judge.judgement(len(before.refused))


def report_of(
    archive: Archive,
    out: Path,
    plan: Plan,
    material: Material,
    judgement: Judgement,
    contents: Contents,
    folder: Path,
    coarse: int,
) -> Report:
    networks = {FLOAT32: folder / FLOAT32 / MODEL, INT8: folder / MODEL}
    return Report(
        archive=archive.origin,
        out=out,
        min_agreement=plan.min_agreement,
        judgement=judgement,
        calibration=len(material.calls),
        refused=material.answers.refused,
        repeated=material.repeated,
        seed=plan.seed,
        preset=plan.preset,
        left_float=plan.left_float,
        coarse=coarse,
        bias=plan.bias,
        sizes={name: size_of(path) for name, path in networks.items()},
        speed=measure(networks[FLOAT32], networks[INT8], material.batch, material.rows),
        versions={name: importlib.metadata.version(name) for name in LIBRARIES},
        left_out=contents.left_out,
    )


def size_of(model: Path) -> int:
    return sum(path.stat().st_size for path in (model, model.with_suffix(".bin")))
