"""What an archive in float32 says to the inputs that are held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ts.runner.answering.model import Model
from ts.runner.answering.payload import Input
from ts.runner.errors import InputError
from ts.runner.quantizing.asking import SEVERAL, Asking
from ts.runner.quantizing.data import FEWEST_HELD_OUT, Data
from ts.runner.quantizing.stored import Stored


class Answers:
    """Takes the answers of an archive, and keeps them on the disk.

    Args:
        model: the archive, started.
        data: the inputs.
        folder: for the answers.

    Attributes:
        stored: of each input that has an answer, the names and numbers of that.
        given: these inputs.
        refused: what others are called, and what is said to them.
        of: what of the answers is compared.
    """

    def __init__(self, model: Model, data: Data, folder: Path) -> None:
        self.stored = Stored(folder)
        self.given: list[Input] = []
        self.refused: list[tuple[str, str]] = []
        self.of = ""
        self._data = data
        self._asking = Asking(model)
        self._place = 0  # of the next input that is held out

    def take(self, inputs: Sequence[Input]) -> None:
        """Asks inputs."""
        for item, (said, problem) in zip(inputs, self._asking.ask(inputs)):
            if said is None:
                self.refused.append((self._data.name(item), problem))
                continue
            self.of = self.of or said.of
            self.stored.add([said.names, said.numbers])
            self.given.append(item)

    def take_some(self) -> None:
        """Asks a batch, or as many as it takes until one has an answer.

        Raises:
            InputError: none has.
        """
        while not self.given and self._place < len(self._data.held_out):
            self._take_next(SEVERAL)
        self.check(1)

    def _take_next(self, count: int) -> None:
        start, self._place = self._place, self._place + count
        self.take(self._data.held_out[start : self._place])

    def take_enough(self) -> list[Input]:
        """Asks the other inputs that are held out, and in the place of those without an answer some that were not.

        Returns:
            The inputs that are left to calibrate with.

        Raises:
            InputError: too few have answers.
        """
        self._take_next(len(self._data.held_out))
        calibration = list(self._data.calibration)
        while len(self.given) < FEWEST_HELD_OUT and calibration:
            self.take([calibration.pop()])
        self.check(FEWEST_HELD_OUT)
        return calibration

    def check(self, fewest: int) -> None:
        """Refuses inputs of which too few have answers.

        Raises:
            InputError: with what is said to another.
        """
        if len(self.given) < fewest:
            name, problem = self.refused[0]
            raise InputError(
                f"the archive itself answers only {len(self.given)} of {len(self.given) + len(self.refused)}"
                f" inputs, and {FEWEST_HELD_OUT} are wanted to judge by; of {name} it says: {problem}"
            )
