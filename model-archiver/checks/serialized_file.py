"""The check of `--serialized-file` against what makes the network: a model file, or an architecture by name."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..model_archiver_error import ModelArchiverError

LFS_POINTER = b"version https://git-lfs"
"""How the text begins that stands in a clone without Git LFS where a large file should."""

# What torch.save writes for weights and for tensors; any other object comes of a class that is not read unasked.
PLAIN_GLOBALS = ("collections.OrderedDict", "torch._utils.", "torch.nn.parameter.")

ENOUGH = 1_000_000
"""Bytes of a pickle within which it names what it is made of; a part may claim, or unpack to, gigabytes."""

# What zipfile raises of archives, also of encrypted and differently compressed ones, and pickletools of pickles.
DAMAGE = (OSError, EOFError, BadZipFile, StopIteration, ValueError, LookupError, RuntimeError, zlib.error)


def check_serialized_file(
    serialized_file: str | None,
    model_file: str | None,
    model_config: dict[str, Any],
    is_saved_model: bool = False,
) -> None:
    """Refuses what a default handler could not load for certain.

    Args:
        serialized_file: The option `--serialized-file`.
        model_file: The option `--model-file`.
        model_config: The content of `--config-file`.
        is_saved_model: Whether a config.json beside it says which of transformers' networks it is of.

    Raises:
        ModelArchiverError: Something is missing, or too much.
    """
    section = model_config.get("handler")
    section = section if isinstance(section, dict) else {}
    architecture = section.get("architecture")
    if architecture and model_file:
        raise ModelArchiverError(
            f"the config file names an architecture, {architecture}, and there is a model file, {model_file}: "
            "either makes the network, and both cannot"
        )
    if architecture and not serialized_file:
        raise ModelArchiverError(
            f"the config file names an architecture, {architecture}: its weights go into --serialized-file"
        )
    if serialized_file:
        _check_whole(Path(serialized_file))
    if serialized_file and not section.get("trust_pickle"):
        _check_pickle(Path(serialized_file), with_network=bool(architecture or model_file or is_saved_model))


def _check_whole(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            raise ModelArchiverError(
                f"the serialized file {path} is a pointer of Git LFS in place of the file, which git lfs pull gets"
            )


def _check_pickle(path: Path, with_network: bool) -> None:
    if not _holds_weights(path):
        return
    pickled = _pickled_class(path)
    if pickled:
        raise ModelArchiverError(
            f"the serialized file {path} is a pickled object of {pickled}, and not weights alone: save "
            "model.state_dict() in its place, or, if you trust its origin, set handler: trust_pickle: true in the "
            "config file, for reading it can run any code"
        )
    if not with_network:
        raise ModelArchiverError(
            f"the serialized file {path} holds weights alone: give their class by --model-file, or name a "
            "network of torchvision or timm as handler: architecture in the config file; or pack a network by its "
            "name, --architecture NAME --weights FILE"
        )


def _holds_weights(path: Path) -> bool:
    """Whether a file is of safetensors or `torch.save`, and so no whole model that could be read safely."""
    if path.suffix.lower() == ".safetensors":
        return True
    try:
        with ZipFile(path) as archive:
            parts = {name.rpartition("/")[2] for name in archive.namelist()}
    except DAMAGE:
        return False
    return "data.pkl" in parts and "constants.pkl" not in parts  # which TorchScript has too


def _pickled_class(path: Path) -> str | None:
    """Returns the class or function of which the object in a file of `torch.save` is made, None for plain data."""
    import pickletools  # takes time to import

    try:
        with ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
            with archive.open(name) as stream:
                return _first_global(pickletools.genops(BytesIO(stream.read(ENOUGH))))
    except DAMAGE:  # or not of torch.save
        return None


def _first_global(operations: Iterable[tuple[Any, Any, Any]]) -> str | None:
    """Returns what a pickle calls first, None where it begins otherwise; protocols 2 and 4 have each their way."""
    texts: list[str] = []
    for operation, argument, _ in operations:
        if operation.name in ("GLOBAL", "STACK_GLOBAL"):
            found = ".".join(texts[-2:]) if operation.name == "STACK_GLOBAL" else argument.replace(" ", ".")
            return None if found.startswith(PLAIN_GLOBALS) else found
        if "UNICODE" in operation.name:
            texts.append(argument)
        elif operation.name not in ("PROTO", "FRAME", "MEMOIZE", "BINPUT"):
            return None
    return None
