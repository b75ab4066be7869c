"""Explanations of handlers whose answer has no one score: by a layer that the archive names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Callable

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.explaining.images import draw_map
from ts.handler_utils.explaining.layer_explanations import class_activation, find_layer
from ts.handler_utils.explaining.rows import explains_by_own_code
from ts.handler_utils.explaining.sending import check_numbers, send_heatmap
from ts.handler_utils.pictures.answer_pixels import check_answer_pixels
from ts.handler_utils.requests.current import CurrentBatch

# Whether maps are left as tensors: as Python's numbers, one of a photo of 12 megapixels takes 400 MB.
_as_tensors: ContextVar[bool] = ContextVar("_as_tensors", default=False)


class LayerExplained:
    """Explains where a class was seen, by the layer that the setting `explain_layer` names (Grad-CAM).

    A handler's `get_insights` says by `explain_by_layer` what is explained. Without that setting, requests to
    explain get a 400.
    """

    model: Any

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the model has no layer of the name that the setting `explain_layer` gives.
        """
        super().initialize(context)  # type: ignore[misc]  # the handler's
        name = _layer_name(self)
        if name is not None:
            try:
                find_layer(self.model, name)
            except ValueError as error:
                Configuration.of(self).refuse("explain_layer", f"handler.explain_layer: {error}")

    def explain_handle(self, data_preprocess: Any, raw_data: list[Any]) -> list[Any]:
        """Explains each row of a batch, by the handler's `get_insights`.

        Returns:
            For each row, by its option `format`: json, a map [H, W] in [0, 1]; overlay, a PNG: see
            `ts.handler_utils.explaining.images.draw_map`.

        Raises:
            RowErrors: some requests ask for another format or too large an answer, or cannot be explained.
        """
        if explains_by_own_code(self):
            return super().explain_handle(data_preprocess, raw_data)  # type: ignore[misc]
        options = Configuration.of(self).options(len(raw_data))
        wrong = [index for index, option in enumerate(options) if option.format not in ("json", "overlay")]
        if wrong:
            message = "Wrong option: format: explanations come as json or overlay"
            raise RowErrors({index: InvalidInput(message) for index in wrong})
        batch = CurrentBatch.of(self)
        numbers = {index: option.format == "json" for index, option in enumerate(options)}

        def check(index: int) -> None:
            height, width = data_preprocess[index].shape[-2:]
            check_answer_pixels(self, height, width)
            if numbers[index]:
                check_numbers(self, (height, width), "overlay")

        batch.each(check, len(raw_data))
        with _maps_as_tensors():
            maps = super().explain_handle(data_preprocess, raw_data)  # type: ignore[misc]

        def answer(index: int) -> Any:
            if numbers[index]:
                return maps[index].tolist()
            return send_heatmap(self, index, draw_map(data_preprocess[index], maps[index]))

        return batch.each(answer, len(maps))


@contextmanager
def _maps_as_tensors() -> Iterator[None]:
    before = _as_tensors.set(True)
    try:
        yield
    finally:
        _as_tensors.reset(before)


def explain_by_layer(handler: Any, single: Any, score: Callable[[], torch.Tensor]) -> list[Any]:
    """Tells which parts of an image speak for a class.

    Args:
        handler: its setting `explain_layer` names the layer.
        single: a batch of one row, as `preprocess` returns it.
        score: runs the model on it, and returns the score of the class, a scalar that has a gradient.

    Returns:
        A list of one map [H, W] in [0, 1], nested lists: 1 where the class's score is raised most.

    Raises:
        InvalidInput: the archive names no layer, or the model cannot be explained by it.
    """
    name = _layer_name(handler)
    if name is None:
        raise InvalidInput(
            f"{type(handler).__name__} gives no explanations, unless its archive names a layer to explain by:"
            " handler.explain_layer in model-config.yaml"
        )
    height, width = single[0].shape[-2:]
    found = class_activation(score, find_layer(handler.model, name), (height, width))
    return [found if _as_tensors.get() else found.tolist()]


def _layer_name(handler: Any) -> str | None:
    return getattr(Configuration.of(handler).settings, "explain_layer", None)
