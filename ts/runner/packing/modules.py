"""`pack`: a module at hand as an archive."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Optional, Union

import torch
from model_archiver.model_archiver_config import ModelArchiverConfig

from ts.handler_utils.images.steps import UnknownStep, as_callable, transform_arguments
from ts.runner.answering.payload import Input
from ts.runner.errors import ArchiveError
from ts.runner.exporting.checks import check_out
from ts.runner.exporting.comparison import Comparison
from ts.runner.packing.choice import forms_of
from ts.runner.packing.labels import chosen_labels
from ts.runner.packing.making import Draft, make
from ts.runner.packing.networks.recognition import is_timms, kind_of
from ts.runner.packing.settings import merged_config, read_config


@dataclass(frozen=True)
class Packed:
    """An archive that was packed.

    Attributes:
        path: of the archive.
        handler: that serves it.
        form: in which it holds the model: "state_dict", "export", "torchscript" or "aot".
        reason: why it is that form.
        labels: how many it has.
        comparison: of the module's answers and the archive's.
    """

    path: Path
    handler: str
    form: str
    reason: str
    labels: int
    comparison: Comparison

    def __str__(self) -> str:
        labels = f", {self.labels} labels" if self.labels else ", no labels: answers name class indexes"
        labels = "" if self.handler in ("embedder", "base_handler") else labels
        return (
            f"{self.path.name}: {self.handler}, {self.form} ({self.reason}){labels};"
            f" {self.comparison.answers} answers are the module's, within {self.comparison.largest:.1g}"
        )


def pack(
    model: torch.nn.Module,
    path: Union[str, Path],
    *,
    handler: Optional[str] = None,
    labels: Any = None,
    transform: Any = None,
    sample: Any = None,
    form: Optional[str] = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
    device: str = "cpu",
    **options: Any,
) -> Packed:
    """Packs a module, which stays as it is, if the archive answers a sample as the module does in eval mode.

    Args:
        model: the network.
        path: of the archive, NAME.mar or NAME.tar.gz.
        handler: a default handler's name or a file; found out for networks of torchvision and timm.
        labels: a list, a mapping of class indexes to labels, a file of them, or torchvision's weights.
        transform: what makes an image into its input, in evaluation: a `Compose`, torchvision's weights, or an
            `ImageTransform`; timm's own for its networks, else the handler's.
        sample: what both are asked, one or a list: files, bytes, texts, Pillow images, JSON; made up if None.
        form: "state_dict", "export", "torchscript" or "aot"; None is the first of these that is to be had.
        settings: of the section `handler:` of model-config.yaml.
        device: that the sample is answered on: "cpu", "cuda:N" or "auto".
        **options: `force`, `version`, `extra_files` and others of `OPTIONS`, as `ModelArchiverConfig` has them.

    Raises:
        ArchiveError: it cannot be packed, or would answer otherwise; what was there before is as it was.
    """
    module, given = unwrapped(model), Given(labels, transform, as_inputs(sample), settings, device)
    job = _job(Path(path).expanduser().absolute(), handler or _handler_of(module), options)
    return _packed(module, job, given, form)


class Given(NamedTuple):
    """Arguments of `pack`, as they are there."""

    labels: Any
    transform: Any
    sample: list[Input]
    settings: Mapping[str, Any]
    device: str


# What else `pack` takes, of a `ModelArchiverConfig`.
OPTIONS = (
    "force",
    "version",
    "extra_files",
    "model_file",
    "requirements_file",
    "config_file",
    "runtime",
    "no_check",
)


def _job(path: Path, handler: str, options: Mapping[str, Any]) -> ModelArchiverConfig:
    for name in options:
        if name not in OPTIONS:
            raise TypeError(f"pack() takes no argument {name!r}; its other ones are {', '.join(OPTIONS)}")
    check_out(path, bool(options.get("force")))
    is_tgz = path.name.endswith(".tar.gz")
    files = {name: str(value) for name, value in options.items() if isinstance(value, Path)}
    return ModelArchiverConfig(
        **{
            "version": "1.0",
            "archive_format": "tgz" if is_tgz else "default",
            **options,
            **files,
            "model_name": path.name[: -len(".tar.gz" if is_tgz else ".mar")],
            "handler": str(handler),
            "export_path": str(path.parent),
        }
    )


def _packed(module: torch.nn.Module, job: ModelArchiverConfig, given: Given, form: Optional[str]) -> Packed:
    known, own_labels, transform = _known_of(module, given.transform)
    labels = chosen_labels(given.labels, own_labels, job.extra_files)
    asked = read_config(job.config_file)
    asked["handler"] = {**(asked.get("handler") or {}), **given.settings}
    draft = Draft(
        job=replace(job, config_file=None),
        module=module,
        config=merged_config(asked, known, job.handler),
        labels=labels,
        transform=transform,
        sample=given.sample,
        device=given.device,
    )
    made = make(draft, forms_of(module, form, job.model_file))
    path = Path(job.export_path, f"{job.model_name}{'.tar.gz' if job.archive_format == 'tgz' else '.mar'}")
    return Packed(path, job.handler, made.form.name, made.reason, len(labels or ()), made.comparison)


def unwrapped(model: Any) -> torch.nn.Module:
    """The network itself, of what torch.compile and DataParallel wrap."""
    for name in ("_orig_mod", "module"):
        if type(model).__name__ in ("OptimizedModule", "DataParallel", "DistributedDataParallel"):
            model = getattr(model, name, model)
    if isinstance(model, torch.nn.Module):
        return model
    raise ArchiveError(f"pack takes a torch.nn.Module, and this is a {type(model).__name__}")


def _handler_of(module: torch.nn.Module) -> str:
    found = kind_of(module)
    if hasattr(module, "save_pretrained") and hasattr(module, "config"):
        raise ArchiveError(
            f"a {type(module).__name__} of transformers is packed as it is saved: call save_pretrained(FOLDER) of"
            " it and of its tokenizer or processor, and give torch-model-archiver --extra-files FOLDER"
        )
    if found is None:
        raise ArchiveError(
            f"a {type(module).__name__} does not say which handler serves it: give one, such as"
            " handler='image_classifier'"
        )
    return found


def _known_of(
    module: torch.nn.Module, transform: Any
) -> tuple[dict[str, Any], Optional[dict[str, str]], Any]:
    """Settings, labels and transform of a module, by what a person gives, and what timm knows of its own."""
    try:
        given = None if transform is None else transform_arguments(transform)
        if not is_timms(module):
            return given or {}, None, as_callable(transform)
        from ts.handler_utils.models.formats.timm_networks import labels_of
        from ts.runner.packing.networks.timm_library import described

        if given is not None:
            return given, labels_of(module), as_callable(transform)
        network = described(module, "timm/its own", {})
    except UnknownStep as error:
        raise ArchiveError(str(error)) from error
    return network.settings, network.labels, network.transform


def as_inputs(sample: Any) -> list[Input]:
    """A sample as the runner takes inputs."""
    if sample is None:
        return []
    return [_as_input(item) for item in (sample if isinstance(sample, (list, tuple)) else [sample])]


def _as_input(item: Any) -> Input:
    if hasattr(item, "save") and hasattr(item, "convert"):  # a Pillow image
        file = io.BytesIO()
        item.save(file, "PNG")
        return file.getvalue()
    if isinstance(item, torch.Tensor):
        return {"data": item.tolist()}
    if isinstance(item, str) and len(item) < 4096 and Path(item).is_file():
        return Path(item)
    return item
