"""What one handler is told: its settings, and the options of the requests that it is answering."""

from __future__ import annotations

import inspect
import logging
from functools import cache, partial
from typing import Any, Callable, Optional, TypeVar

from ts.handler_utils.parts import Part
from ts.handler_utils.requests.current import CurrentBatch
from ts.handler_utils.requests.options import Options, may_hold_options, read_options
from ts.handler_utils.requests.unknown_fields import check_fields
from ts.handler_utils.settings import (
    HandlerSettings,
    check_unknown_keys,
    read_settings,
    warn_of_misspelt_sections,
    warn_of_settings_at_the_top,
)
from ts.handler_utils.worker import attributes_of

logger = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Options)


class Configuration(Part):
    """The settings of a handler, and the options that they are the defaults of."""

    _read: Optional[HandlerSettings] = None

    @property
    def settings(self) -> Any:
        """The settings as they were read, or assigned to `handler.settings`; before both, the defaults."""
        assigned = attributes_of(self.handler).get("settings")
        if isinstance(assigned, HandlerSettings):
            return assigned
        if self._read is None:
            self._read = self._settings_class()
        return self._read

    def read(self, config: Optional[dict[str, Any]]) -> None:
        """Reads the settings of an archive, and sets those attributes of the handler that stand for some of them.

        Args:
            config: model-config.yaml.

        Raises:
            ValueError: see `read_settings`.
        """
        is_ours = is_default_handler(self.handler)
        settings = read_settings(self._settings_class, config, strict=is_ours)
        if is_ours:
            check_unknown_keys(settings)
            warn_of_settings_at_the_top(config or {}, settings)
        warn_of_misspelt_sections(config or {})
        self._set(settings)
        for name in settings.handler_attributes & settings.model_fields_set:
            setattr(self.handler, name, getattr(settings, name))

    def _set(self, settings: HandlerSettings) -> None:
        self._read = settings
        if isinstance(inspect.getattr_static(self.handler, "settings", None), HandlerSettings):
            self.handler.settings = settings

    def refuse(self, name: str, problem: str) -> None:
        """Deals with a setting whose value does not fit: a subclass may have it for a purpose of its own.

        Args:
            name: of the setting, which a subclass gets as if it were unset, with a warning.
            problem: a sentence.

        Raises:
            ValueError: the handler is one of the library's own.
        """
        message = f"model-config.yaml: {problem}"
        if is_default_handler(self.handler):
            raise ValueError(message)
        logger.warning("%s; it is left to %s", message, type(self.handler).__name__)
        settings = self.settings
        default = type(settings).model_fields[name].get_default()
        self._set(settings.model_copy(update={name: default}))

    def in_force(self) -> dict[str, Any]:
        """The value of each setting, as the attributes of the handler have it that stand for some."""
        return {**dict(self.settings), **self._attributes(self.settings)}

    @property
    def options_class(self) -> type[Options]:
        """The attribute `options_class`, where it is one."""
        return _class_named("options_class", self.handler, Options)

    @property
    def _settings_class(self) -> type[HandlerSettings]:
        return _class_named("settings_class", self.handler, HandlerSettings)

    def option_defaults(self) -> dict[str, Any]:
        """The value of each option for a request that does not name it."""
        kind, settings = self.options_class, self.settings
        given = {**vars(settings), **(settings.model_extra or {}), **self._attributes(kind)}
        return {
            name: given[name] if name in given else field.get_default(call_default_factory=True)
            for name, field in kind.model_fields.items()
        }

    def _attributes(self, told: Any) -> dict[str, Any]:
        """Those attributes of the handler that stand for options or settings, as 0.12's handlers read them."""
        return {
            name: getattr(self.handler, name)
            for name in told.handler_attributes
            if hasattr(self.handler, name)
        }

    def options(self, rows: int) -> list[Any]:
        """See `BaseHandler.options`."""
        batch, read = CurrentBatch.of(self.handler), self._reader()
        if rows != len(batch.rows):  # a hook is called by hand, or with other rows than the batch's
            return [read(len(batch.rows)) for _ in range(rows)]
        return batch.each(read, rows)

    def options_of(self, index: int) -> Any:
        """The options of one row of the batch.

        Raises:
            InvalidInput: a value is not allowed.
        """
        return self._reader()(index)

    def _reader(self) -> Callable[[int], Any]:
        """A function that reads the options of a row, by its index; of one that there is not, the defaults."""
        kind, defaults = self.options_class, self.option_defaults()
        batch, is_ours = CurrentBatch.of(self.handler), is_default_handler(self.handler)
        unasked = cache(lambda: kind(**defaults))  # once a batch, since most requests name no option

        def read(index: int) -> Any:
            if index >= len(batch.rows):
                return unasked()
            row, headers = batch.rows[index], batch.request_headers(index)
            if not may_hold_options(row, headers):
                return unasked()
            if is_ours:  # a subclass may have fields of its own
                check_fields(kind.model_fields.keys(), row, headers or {})
            return read_options(kind, row, partial(batch.request_header, index), defaults)

        return read


def is_default_handler(handler: Any) -> bool:
    """Whether a handler is one of the library's own, and no subclass of somebody's."""
    return type(handler).__module__.startswith("ts.torch_handler.")


def _class_named(name: str, handler: Any, kind: type[Kind]) -> type[Kind]:
    """The nearest of a handler's attributes of a name that is a class of a kind: another is somebody else's."""
    homes = [attributes_of(handler), *map(vars, type(handler).__mro__)]
    found = (home[name] for home in homes if name in home)
    return next((value for value in found if isinstance(value, type) and issubclass(value, kind)), kind)
