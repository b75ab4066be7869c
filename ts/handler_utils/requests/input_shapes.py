"""Whose fault it is that a model fails on a tensor which a client sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Callable, Optional

from ts.handler_utils.errors import InvalidInput, is_out_of_memory
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.utils.util import PredictionException

Shape = Sequence[int]


class InputShapes(Part):
    """The shapes of the tensors that clients sent, in the rows of a batch.

    A model that fails on a shape that it takes is at fault itself; if it fails on another one, its client is.
    """

    _expected: Optional[list[int]] = None  # of one row; None as long as none is known
    _is_proven = False  # whether the model has taken it
    _given: Mapping[int, Shape] = {}

    def note(self, shapes: Mapping[int, Shape], expected: Optional[Shape] = None) -> None:
        """Takes the shapes of what a batch holds of clients' tensors.

        Args:
            shapes: of each such row, by its index in the batch.
            expected: the one that the model is made for, where that is known beforehand.
        """
        self._given = shapes
        if expected is not None and not self._is_proven:
            self._expected = list(expected)

    def learn(self) -> None:
        """The model has answered the batch."""
        if self._given and not self._is_proven:
            self._expected, self._is_proven = list(next(iter(self._given.values()))), True

    def blame_client(self, error: Exception, takes: Callable[[Shape], bool]) -> None:
        """Lays what the model failed with to the client of a single row, if it is of a wrong shape.

        Args:
            error: what the model raised.
            takes: whether the model takes a row of a shape.

        Raises:
            InvalidInput: it is the client's fault.
        """
        is_alone = len(CurrentBatch.of(self.handler).rows) == 1 and list(self._given) == [0]
        if not is_alone or self._expected is None or is_out_of_memory(error):
            return
        shape = list(self._given[0])
        if shape == self._expected or isinstance(error, PredictionException):
            return
        self._is_proven = self._is_proven or takes(self._expected)
        if self._is_proven:
            raise InvalidInput(
                f"The model takes no input of shape {shape}: {self._expected} is one that it takes"
            ) from error
