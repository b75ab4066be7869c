"""A form of a model's calls that OpenVINO answers, once its answers were those of torch."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Optional, Union

import torch

from ts.handler_utils.models.openvino import cache
from ts.handler_utils.models.openvino.comparison import TOLERANCES, doubled, problem
from ts.handler_utils.models.openvino.conversion import convert, refusal
from ts.handler_utils.models.openvino.network import Network
from ts.handler_utils.models.openvino.packed import packed_model
from ts.handler_utils.models.openvino.signature import Output, Signature
from ts.utils.documents import one_line

CHECKED_SIZES = 4  # of inputs, for which torch answers too

Tensors = Sequence[torch.Tensor]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """A model of torch's, and where its conversion may lie.

    Attributes:
        model: on the CPU, in evaluation.
        call: calls it.
        precision: what OpenVINO is to compute in; None for float32.
        files: the folder of its archive; None where it has none.
        facts: what changes the model beside these files, such as settings.
    """

    model: torch.nn.Module
    call: Callable[..., Any]
    precision: Optional[str] = None
    files: Optional[Path] = None
    facts: Any = None


@dataclass
class Form:
    """One form of calls.

    Attributes:
        source: whose calls.
        signature: the form.
        network: answers them.
        output: how the model's output is nested.
        checked: the sizes of inputs, but for the rows, for which OpenVINO's numbers were torch's.
        is_open: whether it answers other sizes, too.
    """

    source: Source
    signature: Signature
    network: Network
    output: Output
    checked: set[Any] = field(default_factory=set)
    is_open: bool = True

    def __call__(self, tensors: Tensors) -> Any:
        """The model's output for the tensors of a call."""
        sizes = _sizes(tensors)
        if sizes in self.checked or (self.is_open and len(self.checked) >= CHECKED_SIZES):
            try:
                return self.output.filled(self.network(tensors))
            except RuntimeError:  # torch raises in its turn, where the input is at fault
                return self._torch(tensors)
        return self._compared(tensors) if self.is_open else self._torch(tensors)

    def _torch(self, tensors: Tensors) -> Any:
        args, kwargs = self.signature.arguments(tensors)
        return self.source.call(*args, **kwargs)

    def _compared(self, tensors: Tensors) -> Any:
        """torch's answer, by which OpenVINO's is judged."""
        answer = self._torch(tensors)
        found = self.difference(tensors, Output(answer).tensors)
        if found is None:
            self.checked.add(_sizes(tensors))
        else:
            logger.warning("OpenVINO answers only inputs of the sizes %s: of others %s", self.checked, found)
            self.is_open = False
        return answer

    def difference(self, tensors: Tensors, wanted: Tensors) -> Optional[str]:
        """How OpenVINO's answer differs from torch's: the end of a sentence; None where it does not."""
        try:
            found = self.network(tensors)
        except RuntimeError as error:
            return f"it fails, where torch does not: {one_line(error)}"

        def in_double() -> Optional[Tensors]:
            args, kwargs = self.signature.arguments(tensors)
            answer = doubled(self.source.model, args, kwargs)
            return None if answer is None else Output(answer).tensors

        return problem(found, wanted, in_double, TOLERANCES[self.source.precision])


def make_form(source: Source, signature: Signature, tensors: Tensors) -> Form:
    """Has OpenVINO answer a form of calls: by a conversion that is packed or kept, or by a new one.

    Args:
        source: whose calls.
        signature: the form.
        tensors: those of a call.

    Raises:
        ImportError: OpenVINO is not installed.
        CannotConvertError: it cannot convert the model, or answers something else than torch does.
        Exception: torch does not take the call either.
    """
    samples = _samples(source, signature, tensors)
    first = next(samples)
    key = None
    if source.files is not None:
        key = cache.key_of(source.files, signature.name, source.facts, type(source.model))
    found: Optional[str] = None
    for model in _conversions(source, signature, tensors, key):
        try:
            form = Form(source, signature, Network(model, source.precision), first[1])
            compared = [first] if isinstance(model, Path) else chain([first], samples)
            differences = (form.difference(given, output.tensors) for given, output in compared)
            found = next(filter(None, differences), None)
        except RuntimeError as error:  # of a file that is not whole
            found = one_line(error)
        if found is None:
            form.checked.add(_sizes(tensors))
            if key and not isinstance(model, Path):
                cache.keep(key, model)
            return form
        if isinstance(model, Path):
            logger.warning("%s is left aside, and the model converted anew: %s", model, found)
    raise refusal(source.model, str(found))


def _conversions(
    source: Source, signature: Signature, tensors: Tensors, key: Optional[str]
) -> Iterator[Union[Path, Any]]:
    """The model as OpenVINO has it: packed in the archive, kept by an earlier start, or converted now."""
    if source.files is not None:
        packed = packed_model(source.files, signature)
        if packed is not None:
            yield packed
    kept = cache.kept(key) if key else None
    if kept is not None:
        yield kept
    logger.info("OpenVINO converts the model, once: this takes some seconds")
    yield convert(source.model, signature, tensors)


def _samples(source: Source, signature: Signature, tensors: Tensors) -> Iterator[tuple[Tensors, Output]]:
    """Inputs with torch's outputs, made when they are asked for: a row of a call, if it has rows, then the call.

    Of a call of one row, first the call, then the row twice. At the end other values.
    """
    rows = {len(tensor) if tensor.dim() else 0 for tensor in tensors}
    calls = [tensors]
    if rows == {1}:
        calls = [tensors, [torch.cat([tensor, tensor]) for tensor in tensors]]
    elif len(rows) == 1 and rows != {0}:
        calls = [[tensor[:1] for tensor in tensors], tensors]
    if all(tensor.is_floating_point() for tensor in tensors):  # other values, by which nothing is to branch
        calls.append([0.5 * tensor.flip(-1) for tensor in tensors])
    for given in calls:
        args, kwargs = signature.arguments(given)
        # Of the call itself, what torch raises is the caller's; else the first dimension need not be the rows'.
        with nullcontext() if given is tensors else suppress(Exception):
            yield given, Output(source.call(*args, **kwargs))


def _sizes(tensors: Tensors) -> tuple[torch.Size, ...]:
    return tuple(tensor.shape[1:] for tensor in tensors)
