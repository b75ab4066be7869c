"""Weights: reading a state dict, and giving it to a network."""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from ts.handler_utils.models.formats.content import (
    CHECKPOINT,
    SAFETENSORS,
    TORCHSCRIPT,
    content_of,
    wrong_content,
)
from ts.handler_utils.models.formats.untrusted.pickles import check_checkpoint
from ts.handler_utils.models.formats.untrusted.refusal import checking

EXPECTED = "a state dict, which torch.save(model.state_dict(), ...) and safetensors write"

# Under what name a training's checkpoint holds the state dict, the likeliest first.
_NESTED = ("state_dict", "model_state_dict", "model", "net", "module", "weights")

# What puts a prefix before each name of a state dict, and what is to be saved in its place.
_WRAPPERS = {"module.": "DataParallel", "_orig_mod.": "torch.compile"}


def read_weights(
    path: str | Path,
    device: Any,
    *,
    trust_pickle: bool = False,
    in_checkpoint: bool = False,
    mapped: bool = False,
) -> Any:
    """Reads a state dict, of safetensors or of `torch.save`; of pickles, only tensors (`weights_only=True`).

    Args:
        path: the file.
        device: where the tensors go.
        trust_pickle: read any pickle, which runs the code that it holds.
        in_checkpoint: whether they may be a part of what the file holds, as in a training's checkpoint.
        mapped: whether tensors may be the file's own bytes, for a caller that copies them at once: large weights
            then are in memory once, not twice.

    Returns:
        The tensors by name; or, with `trust_pickle`, the `torch.nn.Module` that the file holds.

    Raises:
        ValueError: the file holds something else; the message says what, and what to do.
    """
    found = content_of(path)
    if found == SAFETENSORS:
        try:
            return safetensors.torch.load_file(path, device=str(device))
        except safetensors.SafetensorError as error:
            raise wrong_content(
                path, EXPECTED, "Get the whole file, and pack the archive again.", error
            ) from error
    if found != CHECKPOINT:
        alone = "It is a whole model: pack it without a model file, and without handler.architecture."
        raise wrong_content(path, EXPECTED, alone if found == TORCHSCRIPT else "Save the weights that way.")
    loaded = _unpickle(path, device, trust_pickle, mapped=mapped)
    if isinstance(loaded, torch.nn.Module):
        return loaded
    nested = _nested_name(loaded) if in_checkpoint and isinstance(loaded, Mapping) else None
    return _state_dict(loaded if nested is None else loaded[nested], Path(path).name)


def read_module(path: str | Path, device: Any) -> torch.nn.Module:
    """Reads a whole pickled model, which runs the code that the file holds.

    Raises:
        ValueError: the file holds no model.
    """
    loaded = _unpickle(path, device, trust_pickle=True)
    if not isinstance(loaded, torch.nn.Module):
        raise ValueError(
            f"{Path(path).name} is not a whole model, but {_kind(loaded)}. Pack weights with their class"
            " (torch-model-archiver --model-file), or name one of torchvision's (handler.architecture in"
            " model-config.yaml)."
        )
    return loaded.to(device).eval()


def _unpickle(path: str | Path, device: Any, trust_pickle: bool, *, mapped: bool = False) -> Any:
    name = Path(path).name
    if not trust_pickle:
        with checking(path):
            check_checkpoint(path)
    mapped = mapped and not trust_pickle and _is_stored(path)
    try:
        return torch.load(path, map_location=device, weights_only=not trust_pickle, mmap=mapped)
    except (AttributeError, ImportError) as error:
        raise ValueError(
            f"{name} is pickled, and made of classes that are not to be had here: {error}. Pack the Python files"
            " that define them (torch-model-archiver --extra-files), under the names that they had, or save the"
            " model's state dict instead."
        ) from error
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        cut_short = isinstance(error, EOFError) or "unexpected EOF" in str(error)
        if isinstance(error, pickle.UnpicklingError) and not cut_short and not trust_pickle:
            raise ValueError(_untrusted(name, str(error))) from error
        raise wrong_content(
            path, EXPECTED, "It may be damaged: get it again, and pack the archive again.", error
        ) from error


def _is_stored(path: str | Path) -> bool:
    """Whether a file is a zip of uncompressed parts, as torch.save writes it: only such a one can be mapped."""
    try:
        with zipfile.ZipFile(path) as archive:
            return all(part.compress_type == zipfile.ZIP_STORED for part in archive.infolist())
    except (zipfile.BadZipFile, NotImplementedError):
        return False


def _untrusted(name: str, message: str) -> str:
    found = re.search(r"(?:GLOBAL|[Cc]lass|global) ([\w.]+\.\w+)", message)
    objects = f"Python objects ({found[1]})" if found else "Python objects"
    return (
        f"{name} is not {EXPECTED}: it holds pickled {objects}, which are not read (weights_only=True), since"
        " reading them can run any code. Save the state dict alone; or, for a file whose origin you trust, set"
        " handler.trust_pickle: true in model-config.yaml, which reads it and runs its code."
    )


def _state_dict(loaded: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{name} is not {EXPECTED}, but {_kind(loaded)}. Save the weights that way.")
    nested = _nested_name(loaded)
    if nested is not None:
        keys = ", ".join(map(str, list(loaded)[:6]))
        raise ValueError(
            f"{name} is not {EXPECTED}, but a checkpoint of {keys}: the weights lie under {nested!r}. Save these"
            f" alone: torch.save(torch.load({name!r})[{nested!r}], ...), and pack the archive again."
        )
    if loaded and not any(isinstance(value, torch.Tensor) for value in loaded.values()):
        raise ValueError(f"{name} is not {EXPECTED}, but {_kind(loaded)}. Save the weights that way.")
    return loaded  # itself, since it may have the versions of its modules as `_metadata`


def _nested_name(loaded: Mapping[Any, Any]) -> str | None:
    """Under which name a checkpoint holds a state dict, or a whole model."""
    names = [name for name in loaded if isinstance(name, str) and _is_weights(loaded[name])]
    return next((name for name in _NESTED if name in names), names[0] if names else None)


def _is_weights(value: Any) -> bool:
    if isinstance(value, torch.nn.Module):
        return True
    return isinstance(value, Mapping) and any(isinstance(item, torch.Tensor) for item in value.values())


def _kind(loaded: Any) -> str:
    if isinstance(loaded, Mapping):
        return f"a dictionary of {', '.join(map(str, list(loaded)[:6])) or 'nothing'}"
    return f"an object of type {type(loaded).__name__}"


def load_weights(model: torch.nn.Module, weights: Mapping[str, Any], name: str, advice: str) -> None:
    """Gives a network its weights, all of them.

    Args:
        model: the network.
        weights: tensors by name.
        name: of the file, for the message.
        advice: a sentence that says what to do if the weights are another network's.

    Raises:
        ValueError: names are missing or unknown, or shapes differ; the message names some, and counts the rest.
    """
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        own = model.state_dict()
        problems = _misfits(own, weights)
        if not problems:
            raise
        hint = _prefix_hint(own, weights) or advice
        raise ValueError(
            f"{name} does not fit the network {type(model).__name__}: {'; '.join(problems)}. {hint}"
        ) from error


def _misfits(own: Mapping[str, Any], weights: Mapping[str, Any]) -> list[str]:
    missing = [name for name in own if name not in weights]
    unknown = [name for name in weights if name not in own]
    reshaped = [
        f"{name} {list(weights[name].shape)} in the file and {list(own[name].shape)} in the network"
        for name in own
        if name in weights and getattr(weights[name], "shape", None) != getattr(own[name], "shape", None)
    ]
    counted = ((missing, "missing"), (unknown, "unknown to it"), (reshaped, "of another shape"))
    return [f"{len(names)} {what} ({_some(names)})" for names, what in counted if names]


def _some(names: list[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


def without_prefix(own: Iterable[str], weights: Mapping[str, Any]) -> Mapping[str, Any]:
    """The weights by the network's own names, where these are theirs but for a prefix that wrapping has added."""
    prefix = _prefix(set(weights), set(own))
    return weights if prefix is None else {name[len(prefix) :]: weights[name] for name in weights}


def _prefix_hint(own: Iterable[str], weights: Iterable[str]) -> str | None:
    """What to do where the names are the network's but for a prefix that all of them have."""
    own, weights = set(own), set(weights)
    prefix = _prefix(weights, own)
    if prefix is not None:
        wrapper = _WRAPPERS.get(prefix, "what wraps the network in training")
        return (
            f"Its names begin with {prefix!r}, which {wrapper} adds: save the state dict of the wrapped network,"
            f" or {{name[{len(prefix)}:]: value for name, value in weights.items()}}."
        )
    prefix = _prefix(own, weights)
    if prefix is not None:
        return f"The network's names begin with {prefix!r}, and the file's do not: add it to each of them."
    return None


def _prefix(longer: set[str], shorter: set[str]) -> str | None:
    """What all of some names begin with, if without it they are the others."""
    first = next(iter(longer), "")
    candidates = [first[: position + 1] for position, letter in enumerate(first) if letter == "."]
    for prefix in candidates:
        stripped = {name[len(prefix) :] for name in longer if name.startswith(prefix)}
        if len(stripped) == len(longer) and stripped & shorter:
            return prefix
    return None
