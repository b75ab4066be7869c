"""What an archive says to inputs, as numbers that are compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Optional

import numpy as np
import torch

from ts.handler_utils.models.activations import Activation
from ts.handler_utils.models.logits import class_outputs
from ts.runner.answering.answer import Answer
from ts.runner.answering.model import Model, batches
from ts.runner.answering.payload import Input
from ts.runner.batch.known import known_of
from ts.runner.comparing.answers import is_class_map
from ts.runner.errors import ArchiveError
from ts.runner.exporting.recording import recorded_outputs
from ts.runner.numbers import array_of
from ts.runner.quantizing.judging import COSINE, LABELS, PIXELS, SAME, TOP_CLASS, VALUES, Said
from ts.runner.render import is_probabilities
from ts.torch_handler.image_classifier import ImageClassifier
from ts.torch_handler.text_classifier import TextClassifier

SEVERAL = 8  # rows of a batch that is asked
# Masks and vectors as numbers, and masks not of photos' own sizes, whatever the archive's settings.
OPTIONS = {"format": "json", "size": "model"}
NOTHING = np.empty(0)


class Asked(NamedTuple):
    """What came of an input.

    Attributes:
        said: the answer; None where there is none.
        problem: why not.
    """

    said: Optional[Said]
    problem: str = ""


class Asking:
    """Asks an archive.

    Classifiers, also those with hooks of their own, are compared by the values of all classes, which their
    network's outputs stand for: settings such as `topk` and `threshold` leave some out, and labels may be alike.

    Args:
        model: a started archive.
        of: what is compared; None to find out by the first batch.
    """

    def __init__(self, model: Model, of: Optional[str] = None) -> None:
        self._model = model
        self._of = of
        options = known_of(model.handler, model.archive).options_class
        names = options.model_fields if options is not None and "topk" not in options.model_fields else {}
        self._options = {name: value for name, value in OPTIONS.items() if name in names}
        self._classifies = isinstance(model.handler, (ImageClassifier, TextClassifier))

    def ask(self, inputs: Sequence[Input]) -> Iterator[Asked]:
        """Asks inputs, batch by batch.

        Raises:
            ArchiveError: an answer is of a kind whose agreement cannot be told.
        """
        for batch in batches(inputs, SEVERAL):
            yield from self._ask(batch)

    def _ask(self, batch: Sequence[Input]) -> list[Asked]:
        with recorded_outputs(self._model.handler) as outputs:
            answers = self._model.predict(batch, options=self._options or None, batch_size=len(batch))
        count = sum(answer.ok for answer in answers)
        values = self._values(outputs, count) if self._classifies and count else None
        if values is None and self._classifies and len(batch) > 1:  # some outputs are of rows without answers
            return [found for item in batch for found in self._ask([item])]
        if values is None:
            return [self._asked(answer) for answer in answers]
        rows = iter(values)
        return [
            Asked(Said(self._of or "", NOTHING, next(rows))) if answer.ok else Asked(None, why(answer))
            for answer in answers
        ]

    def _values(self, outputs: Sequence[Any], rows: int) -> Optional[np.ndarray]:
        """The values of classes [rows, classes]; None where the outputs are not of so many rows."""
        handler = self._model.handler
        with suppress(Exception):  # of a handler that infers otherwise: its answers are compared
            (output,) = outputs
            activation = Activation.of(handler)
            found = activation.values(
                class_outputs(output, rows), paired=not isinstance(handler, TextClassifier)
            )
            if len(found) == rows:
                values = found.detach().float().cpu()
                self._of = self._of or kind_of(values, activation.name)
                return values.numpy()
        return None

    def _asked(self, answer: Answer) -> Asked:
        if not answer.ok:
            return Asked(None, why(answer))
        said = said_by(answer.response)
        if self._of and {self._of, said.of} == {TOP_CLASS, COSINE}:  # a vector that adds up to 1 by chance
            said = said._replace(of=self._of)
        self._of = said.of
        return Asked(said)


def kind_of(values: torch.Tensor, activation: Optional[str]) -> str:
    """What of the values of classes [rows, classes] is compared, by a batch of them."""
    if values.shape[1] > 1 and bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() < 1e-2).all()):
        return TOP_CLASS
    is_share = bool(((values >= 0) & (values <= 1)).all())
    return LABELS if is_share and activation != "none" else VALUES


def why(answer: Answer) -> str:
    """Why there is no answer, as the archive says it."""
    said = answer.response
    return str(said.get("message", said) if isinstance(said, dict) else said)[:200]


def said_by(response: Any) -> Said:
    """What an answer says.

    Raises:
        ArchiveError: its agreement with another could not be told.
    """
    if isinstance(response, (str, int)):
        return Said(SAME, np.array([str(response)]), NOTHING)
    if is_probabilities(response) and len(response) > 1:
        return Said(TOP_CLASS, np.array(list(response)), np.array(list(response.values()), float))
    array = array_of(response)
    if array is not None and is_class_map(array):
        return Said(PIXELS, array[..., 0].astype(np.int32), array[..., 1].astype(np.float32))
    if array is not None and array.ndim == 1 and array.size > 1:
        is_shares = bool((array >= 0).all()) and abs(array.sum() - 1) < 1e-2
        return Said(TOP_CLASS if is_shares else COSINE, NOTHING, array)
    text = str(response)
    raise ArchiveError(
        "how far answers agree is told of scores of classes, of values, of classes of pixels, of vectors and of"
        f" labels, and this archive answers {text if len(text) <= 80 else text[:80] + '...'}"
    )
