"""Whether hooks may be run a second time on rows that a failed try has passed through them."""

from __future__ import annotations

import inspect
import logging
import os
from collections.abc import Mapping
from typing import Any, Callable, Optional

from ts.handler_utils.answering.effects import Snapshot
from ts.handler_utils.configuration import Configuration, is_default_handler
from ts.handler_utils.errors import shown
from ts.handler_utils.parts import Part
from ts.handler_utils.requests.rows import read_header, server_context
from ts.handler_utils.worker import Worker, attributes_of

logger = logging.getLogger(__name__)

# Settings of model-config.yaml that are of models which keep something between requests.
_OF_SEQUENCES = ("sequenceBatching", "continuousBatching")
_SEQUENCE_HEADER = os.getenv("TS_REQUEST_SEQUENCE_ID", "ts_request_sequence_id")
_STREAM_HEADER = "ts_stream_next"


class Reruns(Part):
    """Decides for each try of a handler's hooks whether its rows may be run again if it fails.

    Nothing is ever applied twice. The default handlers keep nothing. Of a subclass, what a failed try has changed
    in its Python objects is undone first; where that cannot be, or it answers sequences, rows are not run again.
    The attribute `stateless`, or the setting of that name, says instead whether a second run is harmless.
    """

    _why_not: Optional[str] = None

    def remember(self, rows: int, context: Any) -> Callable[[], bool]:
        """Called before a try.

        Returns:
            A function to be called once the try has failed, which makes ready for another: False where there
            must not be any.
        """
        stateless = self._declared()
        if stateless is None and is_default_handler(self.handler):
            stateless = True
        if stateless is None and self._answers_sequences(rows, context):
            stateless = False
        if stateless is not None:
            return lambda: bool(stateless)
        try:
            snapshot = Snapshot(self.handler, server_context(context))
        except Exception as error:  # an `UnknownStateError`, or of an object that fails to be looked at
            why = shown(error)
            return lambda: self._refuse(why)
        return lambda: not _has_streamed(rows, context) and self._undo(snapshot)

    def _declared(self) -> Optional[bool]:
        """What the handler says itself: by its setting, or else its attribute."""
        setting = Configuration.of(self.handler).settings.stateless
        of_the_class = inspect.getattr_static(type(self.handler), "stateless", None)
        declared = attributes_of(self.handler).get("stateless", of_the_class) if setting is None else setting
        return declared if isinstance(declared, bool) else None

    def _answers_sequences(self, rows: int, context: Any) -> bool:
        config = self.handler.model_yaml_config
        if isinstance(config, Mapping) and any(config.get(key) for key in _OF_SEQUENCES):
            return True
        return any(isinstance(read_header(context, row, _SEQUENCE_HEADER), str) for row in range(rows))

    def _undo(self, snapshot: Snapshot) -> bool:
        if isinstance(self.handler, Worker):  # other threads are changing the handler, too
            return not snapshot.has_changed() or self._refuse("micro batches change it")
        try:
            return snapshot.undo() or self._refuse("it changed an array")
        except Exception as error:  # of an object of the handler's that fails to be filled again
            return self._refuse(shown(error))

    def _refuse(self, why: str) -> bool:
        if self._why_not != why:
            self._why_not = why
            logger.warning(
                "A batch of %s failed as a whole, since running its other rows again might change something twice:"
                " %s. If a second run is harmless, say so by `stateless = True` in the class",
                type(self.handler).__name__,
                why,
            )
        return False


def _has_streamed(rows: int, context: Any) -> bool:
    """Whether a part of an answer was sent already."""
    if not inspect.isroutine(getattr(server_context(context), "get_response_headers", None)):
        return False
    return any(_STREAM_HEADER in (context.get_response_headers(row) or ()) for row in range(rows))
