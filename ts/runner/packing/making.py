"""Makes an archive of a module, if it answers as the module itself does."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Optional

import torch
from model_archiver.model_archiver_config import ModelArchiverConfig

from ts.runner.answering.model import Model, one_line
from ts.runner.answering.payload import Input
from ts.runner.errors import ArchiveError
from ts.runner.exporting.comparison import Comparison, Said, ask, compare
from ts.runner.exporting.export import NOT_COMPARED, ROWS, said_by
from ts.runner.exporting.samples import made_up_inputs
from ts.runner.exporting.settings import without
from ts.runner.exporting.silence import kept_errors
from ts.runner.folders import temporary_folder
from ts.runner.packing.at_hand import started_with
from ts.runner.packing.checks import check_settings, check_transform, classes_in
from ts.runner.packing.files import CONFIG, lay_out, pack_job
from ts.runner.packing.forms import Form, half_precision
from ts.runner.packing.labels import LABELS, check_count
from ts.runner.packing.settings import write_config


@dataclass(frozen=True)
class Draft:
    """What an archive is made of.

    Attributes:
        job: its name, its place, its handler and its other files.
        module: the network, which stays as it is.
        config: the content of model-config.yaml, but for what says how the network is made.
        labels: by class index.
        transform: what makes an image into the module's input, beside the handler; None if there is nothing.
        sample: what the module and the archive are asked; made up if there is nothing.
        device: that they answer on.
        may_be_mute: whether the handler may have no answer to what is made up, as one of a person's own may.
    """

    job: ModelArchiverConfig
    module: torch.nn.Module
    config: Mapping[str, Any]
    labels: Optional[Mapping[str, str]] = None
    transform: Any = None
    sample: Sequence[Input] = ()
    device: str = "cpu"
    may_be_mute: bool = False


@dataclass(frozen=True)
class Made:
    """An archive that was made.

    Attributes:
        form: of its model.
        comparison: of the module's answers and the archive's.
        refused: why better forms were not to be had.
    """

    form: Form
    comparison: Comparison
    refused: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why it has this form, for a person to read."""
        return "; ".join(self.refused) or self.form.reason


def make(draft: Draft, forms: Sequence[Form]) -> Made:
    """Makes the archive, in the first form that is to be had and answers as the module does.

    Raises:
        ArchiveError: there is none; nothing was written.
        InputError: the module has no answer to the sample.
    """
    with temporary_folder("torch-model-") as (folder, _):
        refused: list[str] = []
        for number, form in enumerate(forms):
            place = folder / str(number)
            place.mkdir()
            try:
                with kept_errors("ts") as errors:
                    return replace(_made(draft, form, place, errors), refused=refused)
            except FormError as error:
                refused.append(f"{form.name}: {error}")
        raise ArchiveError("; ".join(refused))


class FormError(ArchiveError):
    """The module cannot have a form, and may have another."""


def _made(draft: Draft, form: Form, folder: Path, errors: list[str]) -> Made:
    whole = _with(draft.config, form)
    config, _ = without(whole, NOT_COMPARED)
    apart, _ = without(config, tuple(form.settings))  # from how the network is made
    root = folder / "archive"
    root.mkdir()
    file = root / f"{draft.job.model_name}{form.suffix}"
    with started_with(_copy(draft.module), folder, draft.job, apart, draft.labels, draft.device) as model:
        check_settings(model)
        asked = _inputs(model, draft)
        before = ask(model, asked)
        if draft.may_be_mute and not all(answer.ok for answer in before.answers):
            asked, before = [], Said([], [])
        _check_answers(before, draft, errors)
        check_transform(model, asked[:ROWS], draft.transform)
        try:
            form.write(draft.module, model, asked, file)
        except ArchiveError as error:
            raise FormError(str(error)) from error
    job = replace(draft.job, serialized_file=str(file), model_file=form.model_file or draft.job.model_file)
    lay_out(root, job, config, draft.labels)
    try:
        comparison = compare(before, said_by(root, draft.device, asked))
    except ArchiveError as error:
        raise FormError(str(error)) from error
    if comparison.problem:
        raise FormError(f"the archive does not answer as the module does: {comparison.problem}")
    pack_job(_final(job, root, folder, whole))
    return Made(form, comparison)


def _copy(module: torch.nn.Module) -> torch.nn.Module:
    """The module in eval mode, for a handler that may change it; weights of half precision compute in float32."""
    try:
        copied = copy.deepcopy(module).eval()
        return copied.float() if half_precision(module) else copied
    except Exception as error:
        raise ArchiveError(f"the module cannot be copied: {one_line(error)}") from error


def _inputs(model: Model, draft: Draft) -> list[Input]:
    given = list(draft.sample) or made_up_inputs(model.handler) or []
    if not given and not draft.may_be_mute:
        raise ArchiveError(
            f"handler {model.archive.handler!r} takes neither images nor texts: give a sample of what it does take"
        )
    return list(islice(cycle(given), max(ROWS, len(given))))  # none of none


def _check_answers(said: Said, draft: Draft, errors: list[str]) -> None:
    for answer in said.answers:
        if not answer.ok:
            reason = errors[0] if errors else f"{answer.status}, {answer.response}"
            raise ArchiveError(f"the network itself has no answer to the sample: {reason}")
    check_count(draft.labels or {}, classes_in(draft.job.handler, said.outputs), draft.job.handler)


def _with(config: Mapping[str, Any], form: Form) -> dict[str, Any]:
    section = {**form.settings, **form.defaults, **(config.get("handler") or {}), **form.settings}
    return {**config, "handler": section} if section else dict(config)


def _final(
    job: ModelArchiverConfig, root: Path, folder: Path, config: Mapping[str, Any]
) -> ModelArchiverConfig:
    """The job with the files that were made for it."""
    extra = [job.extra_files] if isinstance(job.extra_files, str) else list(job.extra_files or ())
    if (root / LABELS).is_file():
        extra.append(str(root / LABELS))
    if config:
        write_config(config, folder / CONFIG)
        job = replace(job, config_file=str(folder / CONFIG))
    return replace(job, extra_files=extra or None)
