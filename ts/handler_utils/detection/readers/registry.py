"""The readers of what detectors return, by the names that the setting `output` has for them."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from typing import Any, Callable, NamedTuple, Optional, TypeVar

import torch

from ts.handler_utils.detection.detections import Detections
from ts.handler_utils.detection.readers.tensors import describe

Tensors = tuple[torch.Tensor, ...]


class Found(NamedTuple):
    """What a reader finds in one image.

    Attributes:
        detections: all that the model found.
        normalized: whether boxes are fractions of the model's input, and not its pixels.
        nms_iou: from which intersection over union on two boxes of a class are of one object; None where the
            model has left such boxes out itself.
    """

    detections: Detections
    normalized: bool = False
    nms_iou: Optional[float] = None


class Reader(ABC):
    """Reads the output of one kind of detectors.

    Attributes:
        name: what the setting `output` has for it.
        layout: what it reads, for errors.
        normalized: whether boxes are fractions of the model's input; None where their values tell.
        nms_iou: see `Found`; the setting `nms_iou` wins over it.
    """

    name: str
    layout: str
    normalized: Optional[bool] = None
    nms_iou: Optional[float] = None

    @abstractmethod
    def tensors(self, output: Any) -> Optional[Tensors]:
        """What it reads of a model's output; None where that is of another form."""

    def is_likely(self, output: Any, tensors: Tensors) -> bool:
        """Whether it is the reader for an output of its form, by the values; it is asked if no setting says so."""
        return True

    def is_usual(self, tensors: Tensors) -> bool:
        """Whether what it reads is of usual sizes, which tells of several readers the likelier."""
        return True

    @abstractmethod
    def detections(self, tensors: Tensors) -> list[Detections]:
        """The detections in each image of the batch; boxes are x1, y1, x2, y2."""


_READERS: dict[str, Reader] = {}

SomeReader = TypeVar("SomeReader", bound=type[Reader])


def reads(*names: str) -> Callable[[SomeReader], SomeReader]:
    """Registers a reader under its name, and the names of further families whose output is the same."""

    def register(kind: SomeReader) -> SomeReader:
        kind.name = names[0]
        _READERS.update(dict.fromkeys(names, kind()))
        return kind

    return register


def find_reader(name: str) -> Reader:
    """The reader of a name.

    Raises:
        ValueError: there is none; the message names the nearest.
    """
    known = {_plain(registered): registered for registered in _READERS}
    name = known.get(_plain(name), name)
    if name not in _READERS:
        nearest = difflib.get_close_matches(name.lower(), _READERS, n=1, cutoff=0.0)
        raise ValueError(
            f"there is no reader {name!r} of detectors' outputs; the nearest is {nearest[0]!r}"
            f" (all: {', '.join(_READERS)})"
        )
    return _READERS[name]


def _plain(name: str) -> str:
    """A name as it is compared: RT-DETR is rtdetr, and yolov11 yolo11."""
    return name.lower().replace("-", "").replace("_", "").replace("yolov", "yolo")


def choose_reader(output: Any) -> Reader:
    """The one reader that a model's output looks as if it were for.

    Raises:
        TypeError: there is none, or several; the message says what was returned, and what can be read.
    """
    found = ((reader, reader.tensors(output)) for reader in _readers())
    likely = {reader: tensors for reader, tensors in found if tensors and reader.is_likely(output, tensors)}
    usual = [reader for reader, tensors in likely.items() if reader.is_usual(tensors)]
    if len(likely) == 1 or len(usual) == 1:
        return next(iter(usual or likely))
    if likely:
        names = " or ".join(reader.name for reader in likely)
        raise TypeError(
            f"the detector returned {describe(output)}, which may be the output of {names}: set handler.output in"
            " model-config.yaml to the one that it is"
        )
    known = "; ".join(f"{', '.join(_names_of(reader))}: {reader.layout}" for reader in _readers())
    raise TypeError(
        f"the detector returned {describe(output)}, which looks like nothing that detectors return ({known});"
        " handler.output in model-config.yaml names what it is, and probabilities must be from 0 to 1"
    )


def read_as(name: str, output: Any) -> tuple[Reader, Tensors]:
    """The reader of a name, and what it reads of a model's output.

    Raises:
        TypeError: the output is of another form.
    """
    reader = find_reader(name)
    tensors = reader.tensors(output)
    if tensors is None:
        raise TypeError(f"output: {name} reads {reader.layout}; the detector returned {describe(output)}")
    return reader, tensors


def _readers() -> list[Reader]:
    return list(dict.fromkeys(_READERS.values()))


def _names_of(reader: Reader) -> list[str]:
    return [name for name, registered in _READERS.items() if registered is reader]
