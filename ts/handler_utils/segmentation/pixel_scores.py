"""What a segmentation model says of each pixel, as class maps of any size."""

from __future__ import annotations

from typing import Optional

import torch

from ts.handler_utils.models.finite import check_finite
from ts.handler_utils.segmentation.class_maps import (
    ClassMap,
    class_probabilities,
    most_probable,
    most_probable_at,
)

_NEVER = -1e4  # the logit of a class that is ruled out, where minus infinity could not be interpolated


class PixelScores:
    """The scores of a batch: probabilities; or logits, where there are fewer of them than the input has pixels.

    Such logits are interpolated first, to the size of the input or of the photo, and their softmax is taken there,
    as transformers does for semantic segmentation.

    Args:
        logits: [N, C, H, W]; a single channel is that of class 1 against the background, class 0.
        input_size: height and width of what the model was given; None where that is not known.

    Attributes:
        size: height and width of the maps of the model's input.
    """

    def __init__(self, logits: torch.Tensor, input_size: Optional[tuple[int, int]] = None) -> None:
        height, width = logits.shape[-2:]
        self._are_logits = input_size is not None and (height < input_size[0] or width < input_size[1])
        self.size: tuple[int, int] = (height, width)
        if self._are_logits and input_size is not None:
            self.size = input_size
            pair = logits if logits.shape[1] > 1 else torch.cat([torch.zeros_like(logits), logits], dim=1)
            self._scores = pair.masked_fill(pair == -torch.inf, _NEVER)
        else:
            self._scores = class_probabilities(logits)
        self._maps = [] if self._are_logits else most_probable(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def of_input(self, index: int) -> ClassMap:
        """The map of a row, as large as the model's input.

        Raises:
            ModelFault: the class of some pixel cannot be told.
        """
        if self._are_logits:
            return self.at(index, self.size)
        self._check(index)
        return self._maps[index]

    def at(self, index: int, size: tuple[int, int]) -> ClassMap:
        """The map of a row at a height and width.

        Raises:
            ModelFault: the class of some pixel cannot be told.
        """
        self._check(index)
        return most_probable_at(self._scores[index], size, are_logits=self._are_logits)

    def _check(self, index: int) -> None:
        if self._are_logits:
            check_finite("logits", self._scores[index])
        else:
            check_finite("probabilities", torch.from_numpy(self._maps[index].probabilities))
