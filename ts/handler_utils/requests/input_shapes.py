"""Whose fault it is that a model fails on a tensor which a client sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

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
    _given: Mapping[int, Shape] = {}

    def note(self, shapes: Mapping[int, Shape], expected: Optional[Shape] = None) -> None:
        """Takes the shapes of what a batch holds of clients' tensors.

        Args:
            shapes: of each such row, by its index in the batch.
            expected: the one that the model takes, where that is known beforehand.
        """
        self._given = shapes
        if expected is not None:
            self._expected = list(expected)

    def learn(self) -> None:
        """Ends a batch that was answered: the model takes what it was given."""
        if self._expected is None and self._given:
            self._expected = list(next(iter(self._given.values())))
        self._given = {}

    def blame_client(self, error: Exception) -> None:
        """Lays what a batch failed with to its client, where it is a single row of another shape.

        Raises:
            InvalidInput: it is.
        """
        given, self._given = self._given, {}
        is_alone = len(CurrentBatch.of(self.handler).rows) == 1 and list(given) == [0]
        if not is_alone or self._expected in (None, list(given[0])):
            return
        if not (isinstance(error, PredictionException) or is_out_of_memory(error)):
            raise InvalidInput(
                f"The model takes no input of shape {list(given[0])}: it takes {self._expected}"
            ) from error
