"""Explanations of handlers whose answer has no one score: by a layer that the archive names."""

from __future__ import annotations

from typing import Any

import torch

from ts.handler_utils.errors import InvalidInput, RowErrors
from ts.handler_utils.image_explanations import draw_heatmap
from ts.handler_utils.images import encode_png
from ts.handler_utils.layer_explanations import class_activation, find_layer


class LayerExplained:
    """Explains where a class was seen, by the layer that the setting `explain_layer` names (Grad-CAM).

    A handler says by `_class_score` what is explained. Without that setting, requests to explain get a 400.

    Attributes:
        target: index of the class that is explained; None leaves the choice to the handler. The option `target`
            overrides it.
    """

    target: Any = None
    settings: Any
    model: Any

    def initialize(self, context: Any) -> None:
        """Loads the model of an archive, its labels and its settings; see `BaseHandler.initialize`.

        Raises:
            ValueError: the model has no layer of the name that the setting `explain_layer` gives.
        """
        super().initialize(context)  # type: ignore[misc]  # the handler's
        name = getattr(self.settings, "explain_layer", None)
        if name is not None:
            try:
                find_layer(self.model, name)
            except ValueError as error:
                raise ValueError(f"model-config.yaml: handler.explain_layer: {error}") from error

    def explain_handle(self, data_preprocess: Any, raw_data: list[Any]) -> list[Any]:
        """Explains each row of a batch, by the handler's `get_insights`.

        Returns:
            For each row, by its option `format`: json, a map [H, W] in [0, 1]; overlay, a PNG of the model's input
            with the pixels that count in red.

        Raises:
            RowErrors: some requests ask for another format.
        """
        options = self.options(len(raw_data))  # type: ignore[attr-defined]  # the handler's
        wrong = [index for index, option in enumerate(options) if option.format not in ("json", "overlay")]
        if wrong:
            message = "Wrong option: format: explanations come as json or overlay"
            raise RowErrors({index: InvalidInput(message) for index in wrong})
        explanations = super().explain_handle(data_preprocess, raw_data)  # type: ignore[misc]
        for index, option in enumerate(options):
            if option.format == "overlay":
                picture = draw_heatmap(data_preprocess[index], torch.tensor(explanations[index])[None])
                explanations[index] = encode_png(picture)
                self.context.set_response_content_type(index, "image/png")  # type: ignore[attr-defined]
        return explanations

    def get_insights(self, tensor_data: Any, _: Any, target: int | None = None) -> list[Any]:
        """Tells which parts of an image speak for a class.

        Args:
            tensor_data: a batch of one row, as `preprocess` returns it.
            target: index of the class; None leaves the choice to the handler.

        Returns:
            A list of one map [H, W] in [0, 1], nested lists: 1 where the class's score is raised most.

        Raises:
            InvalidInput: the archive names no layer, the model cannot be explained by it, or the class was not
                seen.
        """
        name = getattr(self.settings, "explain_layer", None)
        if name is None:
            raise InvalidInput(
                f"{type(self).__name__} gives no explanations, unless its archive names a layer to explain by:"
                " handler.explain_layer in model-config.yaml"
            )
        layer = find_layer(self.model, name)
        height, width = tensor_data[0].shape[-2:]
        found = class_activation(lambda: self._class_score(tensor_data, target), layer, (height, width))
        return [found.tolist()]

    def _class_score(self, single: Any, target: int | None) -> torch.Tensor:
        """Runs the model on a batch of one, and returns the score of a class, a scalar that has a gradient."""
        raise NotImplementedError
