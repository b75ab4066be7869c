"""What makes a classifier's outputs into what it answers: softmax, sigmoid, or nothing."""

from __future__ import annotations

import logging
import math
from typing import Any, Optional

import torch

from ts.handler_utils.configuration import Configuration
from ts.handler_utils.errors import ModelFault
from ts.handler_utils.model_defaults import ModelDefaults
from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch

logger = logging.getLogger(__name__)

# How far from 1 a row of probabilities may add up: of float32, and of half precision.
_ROUNDING, _ROUNDING_OF_HALF = 1e-4, 1e-2


class Activation(Part):
    """Makes the outputs of a handler's model into the values of its classes.

    The setting `activation` says how, or else what is known of the model. If nothing says so, it is the softmax,
    as torchserve's handlers have it, unless the outputs are probabilities already: none negative, and each row
    adding up to 1; or all from 0 to 1, of a model whose last layer is an `nn.Sigmoid`. A row of logits may look so
    by chance: once one does not, the model returns logits, whatever later ones look like.
    """

    _returns_logits = False
    _told = False

    @property
    def name(self) -> Optional[str]:
        """The activation that is asked for; None to have it found out."""
        setting = getattr(Configuration.of(self.handler).settings, "activation", None)
        return setting or ModelDefaults.of(self.handler).activation

    def values(self, outputs: torch.Tensor, *, paired: bool = True) -> torch.Tensor:
        """The value of each class in each row of a batch.

        Args:
            outputs: [N, outputs]; by the softmax, one of minus infinity stands for a probability of 0.
            paired: whether a single output tells class 1 from class 0, by the softmax.

        Returns:
            [N, classes]: probabilities in [0, 1], or, without an activation, the outputs as they are. Where a
            single output is class 1's, class 0 has what is missing from 1.

        Raises:
            RowErrors: outputs of some rows are NaN, or infinite so that they have no value.
            ModelFault: the outputs are of another shape.
        """
        if outputs.dim() != 2:
            raise ModelFault(f"the model returned logits of shape {list(outputs.shape)}, not [N, classes]")
        name, single = self.name or self._found_out(outputs), outputs.shape[1] == 1
        if name == "softmax":
            if single and paired:
                outputs = torch.cat([torch.zeros_like(outputs), outputs], dim=1)
            values = torch.softmax(outputs, dim=1)
            self._check(outputs, values)
            return values
        self._check(outputs, outputs.clamp_min(0) if name == "sigmoid" else outputs)
        values = torch.sigmoid(outputs) if name == "sigmoid" else outputs
        is_of_two = len(self.handler.mapping or {}) == 2 or (self.name is None and paired)
        return torch.cat([1 - values, values], dim=1) if single and is_of_two else values

    def _found_out(self, outputs: torch.Tensor) -> str:
        if self._returns_logits:
            return "softmax"
        known = outputs.isfinite().all(dim=1)
        self._returns_logits = bool((known & ~self._look_like_probabilities(outputs)).any())
        if self._returns_logits or not known.any():
            return "softmax"
        if not self._told:
            self._told = True
            logger.warning(
                "the model returns probabilities: they are not put through the softmax again, as torchserve's own"
                " handlers do; handler.activation in model-config.yaml (softmax, sigmoid or none) settles it"
            )
        return "none"

    def _look_like_probabilities(self, outputs: torch.Tensor) -> torch.Tensor:
        """Whether each row does: booleans [N]."""
        rounding = _ROUNDING if outputs.dtype in (torch.float32, torch.float64) else _ROUNDING_OF_HALF
        if ends_in_sigmoid(self.handler.model):
            return ((outputs >= 0) & (outputs <= 1)).all(dim=1)
        add_up = (outputs.float().sum(dim=1) - 1).abs() <= rounding
        return (outputs >= 0).all(dim=1) & add_up & (outputs.shape[1] > 1)

    def _check(self, outputs: torch.Tensor, values: torch.Tensor) -> None:
        """Refuses the rows of which a value, made of their outputs, is not finite."""

        def check(row: int) -> None:
            if not values[row].isfinite().all():
                check_finite("logits", outputs[row])

        if not math.isfinite(values.sum()):
            CurrentBatch.of(self.handler).each(check, len(outputs))


def ends_in_sigmoid(model: Any) -> bool:
    """Whether the last layer of a module, in the order of their definition, is an `nn.Sigmoid`."""
    layers = list(model.modules()) if isinstance(model, torch.nn.Module) else []
    return bool(layers) and getattr(layers[-1], "original_name", type(layers[-1]).__name__) == "Sigmoid"


def count_named(best: torch.Tensor, asked: Any) -> int:
    """How many classes an answer names.

    Args:
        best: the values of classes, the best first.
        asked: options: `topk`, at most so many classes, None for any number; and `threshold`, the least value,
            None for any, which the options of a handler of one's own may lack.
    """
    count = len(best) if asked.topk is None else min(asked.topk, len(best))
    threshold = getattr(asked, "threshold", None)
    return count if threshold is None else min(count, int((best >= threshold).sum()))


def in_own_order(
    values: list[list[float]], indexes: list[list[int]], classes: int
) -> tuple[list[list[float]], list[list[int]]]:
    """Puts those rows into the order of their classes, by their indexes, that leave none out."""
    rows = [
        sorted(zip(row, places), key=lambda pair: pair[1]) if len(row) == classes else list(zip(row, places))
        for row, places in zip(values, indexes)
    ]
    return [[value for value, _ in row] for row in rows], [[index for _, index in row] for row in rows]
