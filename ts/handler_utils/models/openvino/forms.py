"""A form of a model's calls that OpenVINO answers, once its answers were those of torch."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Optional

import torch

from ts.handler_utils.models.openvino import cache
from ts.handler_utils.models.openvino.comparison import TOLERANCES, doubled, problem
from ts.handler_utils.models.openvino.conversion import CannotConvertError, convert, refusal
from ts.handler_utils.models.openvino.library import processor
from ts.handler_utils.models.openvino.network import Network
from ts.handler_utils.models.openvino.packed import INT8, packed_model
from ts.handler_utils.models.openvino.signature import Output, Signature
from ts.handler_utils.models.openvino.source import (
    Range,
    Source,
    Tensors,
    answer_of,
    marks,
    samples,
    sizes_of,
)
from ts.utils.documents import one_line

CHECKED_SIZES = 4  # of inputs, for which torch answers too

logger = logging.getLogger(__name__)


@dataclass
class Form:
    """One form of calls.

    Attributes:
        source: whose calls.
        signature: the form.
        network: answers them.
        output: how the model's output is nested.
        checked: the sizes of inputs, but for the rows, for which OpenVINO's numbers were torch's.
        range: between which sizes, with the rows, they were. A call beyond it is compared as well: tracing has
            fixed what a model does by the size of a batch, and OpenVINO knows no index that is too large.
        is_open: whether it answers other sizes, too.
    """

    source: Source
    signature: Signature
    network: Network
    output: Output
    checked: set[Any] = field(default_factory=set)
    range: Range = field(default_factory=Range)
    is_open: bool = True

    def __call__(self, tensors: Tensors) -> Any:
        """The model's output for the tensors of a call."""
        if self._is_known(tensors):
            try:
                return self.output.filled(self.network(tensors))
            except RuntimeError:  # torch raises in its turn, where the input is at fault
                return self._torch(tensors)
        has_rows = all(tensor.numel() for tensor in tensors)
        return self._compared(tensors) if self.is_open and has_rows else self._torch(tensors)

    def _is_known(self, tensors: Tensors) -> bool:
        """Whether OpenVINO answers such a call without torch."""
        if self.source.precision == INT8:  # which has other numbers than torch
            return True
        is_known = sizes_of(tensors) in self.checked
        return (is_known or (self.is_open and len(self.checked) >= CHECKED_SIZES)) and self.range.holds(
            tensors
        )

    def _torch(self, tensors: Tensors) -> Any:
        args, kwargs = self.signature.arguments(tensors)
        return self.source.call(*args, **kwargs)

    def _compared(self, tensors: Tensors) -> Any:
        """torch's answer, by which OpenVINO's is judged."""
        answer = self._torch(tensors)
        found = self.difference(tensors, Output(answer))
        if found is None:
            self.checked.add(sizes_of(tensors))
            self.range.add(tensors)
        else:
            logger.warning(
                "OpenVINO answers only inputs of the sizes %s, in batches as before: of others %s",
                self.checked,
                found,
            )
            self.is_open = False
        return answer

    def difference(self, tensors: Tensors, wanted: Output) -> Optional[str]:
        """How OpenVINO's answer differs from the model's: the end of a sentence; None where it does not."""
        if not self.output.is_like(wanted):
            return "it returns other things beside tensors, or tensors that are nested in another way, than before"
        try:
            found = self.network(tensors)
        except RuntimeError as error:
            return f"it fails, where {self.source.engine} does not: {one_line(error)}"

        def in_double() -> Optional[Tensors]:
            args, kwargs = self.signature.arguments(tensors)
            answer = doubled(self.source.model, args, kwargs)
            return None if answer is None else Output(answer).tensors

        tolerance = TOLERANCES[self.source.precision]
        return problem(found, wanted.tensors, in_double, tolerance, self.source.engine)


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
    key = packed = None
    if source.files is not None:
        key = cache.key_of(source.files, signature.name, source.facts, type(source.model), source.part)
    if source.precision == INT8:
        path = packed_model(source.files, signature, int8=True) if source.files is not None else None
        if path is not None:
            return _quantized_form(path, key, source, signature, tensors)
        source = replace(source, precision=None)
        logger.warning(
            "The archive's int8 network is not for calls of the form %s: these are answered in float32",
            signature.name,
        )
    if source.files is not None and source.part is None:
        packed = packed_model(source.files, signature)
    form = None if packed is None else _known_form(packed, f"{key}-packed", source, signature, tensors)
    if form is not None:
        return form
    if key is None:
        return _converted_form(source, signature, tensors)
    form = _kept_form(key, source, signature, tensors)
    if form is not None:
        return form
    with cache.alone(key):
        form = _kept_form(key, source, signature, tensors)  # by whom this process has waited for
        return _converted_form(source, signature, tensors, key) if form is None else form


def _quantized_form(
    path: Path, key: Optional[str], source: Source, signature: Signature, tensors: Tensors
) -> Form:
    """The form by the quantized model of the archive, whose answers were judged when it was written."""
    output = answer_of(source, signature, tensors)
    try:
        form = Form(source, signature, _network(path, key, source), output)
    except RuntimeError as error:  # of a file that is not whole
        raise CannotConvertError(f"{path.name} cannot be read: {one_line(error)}") from error
    found = form.difference(tensors, output)
    if found is not None:
        raise CannotConvertError(f"{path.name} is of another model: {found}")
    if key is not None:
        cache.note(key, {})
    return form


def _kept_form(key: str, source: Source, signature: Signature, tensors: Tensors) -> Optional[Form]:
    """The form by what an earlier start kept; None where nothing is, or not what it should be."""
    path = cache.kept(key)
    form = None if path is None else _known_form(path, key, source, signature, tensors)
    if path is not None and form is None:
        cache.forget(key)
    return form


def _known_form(
    path: Path, key: str, source: Source, signature: Signature, tensors: Tensors
) -> Optional[Form]:
    """The form by a model that is packed or kept; None where it does not answer a row as it should."""
    form = _noted_form(path, key, source, signature, tensors) if source.is_data else None
    form = form or _ready_form(path, key, source, signature, tensors)
    if form is not None:
        _note(key, form)
    return form


def _noted_form(
    path: Path, key: str, source: Source, signature: Signature, tensors: Tensors
) -> Optional[Form]:
    """The form by a model that was compared on such a CPU, in the sizes of a call; None where it was not."""
    noted = cache.compared(key)
    output = Output.of_text(noted.get("output"))
    sizes = {tuple(map(torch.Size, item)) for item in noted.get("sizes", ())}
    if output is None or noted.get("processor") != processor() or sizes_of(tensors) not in sizes:
        return None
    with suppress(RuntimeError):  # of a file that is not whole
        return Form(source, signature, _network(path, key, source), output, sizes, _range(tensors))
    return None


def _ready_form(
    path: Path, key: str, source: Source, signature: Signature, tensors: Tensors
) -> Optional[Form]:
    """The form by a model whose answer to a row is torch's now; None where it is not."""
    given, output = next(samples(source, signature, tensors))
    try:
        network = _network(path, key, source)
        form = Form(source, signature, network, output, {sizes_of(tensors)}, _range(tensors))
        found = form.difference(given, output)
    except RuntimeError as error:  # of a file that is not whole
        found = one_line(error)
    if found is None:
        return form
    logger.warning("%s is left aside, and the model converted anew: %s", path, found)
    return None


def _converted_form(
    source: Source, signature: Signature, tensors: Tensors, key: Optional[str] = None
) -> Form:
    """The form by a new conversion, which is kept by a key."""
    logger.info("OpenVINO converts %s, once: this takes some seconds", source.part or "the model")
    before, pairs = marks(source.model), samples(source, signature, tensors)
    first = next(pairs)
    model = convert(source.model, signature, tensors)
    if len(model.outputs) != len(first[1].tensors):  # of rows unpacked; it can crash
        raise refusal(source.model, "it returns another number of tensors for another number of rows")
    try:
        network = Network(model, source.precision)
        form = Form(source, signature, network, first[1], {sizes_of(tensors)}, _range(tensors))
        differences = (form.difference(given, output) for given, output in chain([first], pairs))
        found = next(filter(None, differences), None)
    except RuntimeError as error:
        found = one_line(error)
    if found is None and marks(source.model) != before:
        found = "it changes its own tensors when it is called"
    if found is not None:
        raise refusal(source.model, found)
    path = cache.keep(key, model) if key else None
    if key and path is not None:
        with suppress(RuntimeError):  # of a disk that is full
            # By the file, of which all workers share the memory.
            form.network = _network(path, key, source)
            _note(key, form)
    return form


def _range(tensors: Tensors) -> Range:
    """Of a call, and of a row of it."""
    return Range(tensors, [tensor[:1] if tensor.dim() else tensor for tensor in tensors])


def _network(path: Path, key: Optional[str], source: Source) -> Network:
    return Network(path, source.precision, None if key is None else cache.notes(key))


def _note(key: str, form: Form) -> None:
    """Notes for what sizes, and on what CPU, the answers of a kept model were compared."""
    sizes = [list(map(list, item)) for item in form.checked]
    cache.note(key, {"processor": processor(), "sizes": sizes, "output": form.output.text})
