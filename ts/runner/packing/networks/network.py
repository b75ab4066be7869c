"""A network with its weights, and what all such have in common."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional, Union

import torch

from ts.handler_utils.models.formats.weights import read_weights, without_prefix

# About weights that do not fit a network.
ADVICE = "Are they weights of {}? A network with parts of its own is packed by `pack` of ts.runner."

# Heads that training alone uses.
AUXILIARY = ("aux_classifier.", "aux1.", "aux2.", "AuxLogits.")


@dataclass(frozen=True)
class Network:
    """A network with its weights.

    Attributes:
        architecture: the setting of that name.
        module: the network, on the CPU, as its library makes it.
        handler: the default handler that serves it.
        settings: of the section `handler:`: what makes an image into its input.
        labels: by class index; None if they are not known.
        classes: how many it tells apart.
        transform: what makes an image into its input, as its library does.
        origin: where the transform and the labels come from, for a person to read.
    """

    architecture: Union[str, dict[str, Any]]
    module: torch.nn.Module
    handler: str
    settings: dict[str, Any]
    labels: Optional[dict[str, str]]
    classes: Optional[int]
    transform: Any
    origin: str


def existing_file(weights: Optional[str], names: Sequence[str]) -> Path:
    """The path of a file of weights.

    Raises:
        ValueError: there is none; the message names the weights that there are.
    """
    path = Path(weights or "").expanduser()
    if not path.is_file():
        nearest = difflib.get_close_matches(str(weights).upper(), [name.upper() for name in names], n=1)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ValueError(
            f"--weights {weights} is no file, and none of the network's weights: {', '.join(names)}{hint}"
        )
    return path


def state_dict_of(file: Path, network: torch.nn.Module) -> Mapping[str, Any]:
    """The weights in a file, by the names that the network has; without heads that training alone uses."""
    own = network.state_dict()
    weights = without_prefix(own, read_weights(file, "cpu", in_checkpoint=True))
    unused = [name for name in weights if name.startswith(AUXILIARY)]
    if unused:
        weights = {name: weights[name] for name in weights if name not in unused}
    return weights


def classes_of(own: Mapping[str, Any], weights: Mapping[str, Any], classes: int) -> Optional[int]:
    """How many classes weights tell apart, by the tensors that differ from a network's in their first size alone.

    Args:
        own: the network's tensors.
        weights: the other ones.
        classes: of the network.
    """
    found = set()
    for name in {*own} & {*weights}:
        mine, other = own[name].shape, weights[name].shape
        if mine != other and len(mine) == len(other) and mine[1:] == other[1:]:
            number, rest = divmod(classes * other[0], mine[0])  # a detector may have several values a class
            found.add(None if rest else number)
    return found.pop() if len(found) == 1 else classes if not found else None
