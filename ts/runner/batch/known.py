"""What is known of a handler before it is asked anything: what it reads, and the options that it knows."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Optional

from ts.runner.archives.archive import Archive, inside
from ts.runner.errors import InputError

OURS = "ts.torch_handler"


@dataclass(frozen=True)
class Known:
    """What is known of a handler.

    Attributes:
        payloads: What a request may hold, a sentence each; none of a handler that reads requests by its own code.
        formats: Of images, by Pillow's names.
        options_class: Of a default handler; None of a handler of somebody's own, which may know any option.
    """

    payloads: Sequence[str] = ()
    formats: Optional[Sequence[str]] = None
    options_class: Any = None

    @property
    def is_default(self) -> bool:
        """Whether the handler is one of the library's own."""
        return self.options_class is not None

    def check_options(self, options: Mapping[str, str]) -> None:
        """Refuses options that a default handler does not know, or whose values it does not take.

        Raises:
            InputError: With one sentence.
        """
        if self.options_class is None or not options:
            return
        from ts.handler_utils.errors import InvalidInput
        from ts.handler_utils.requests.options import read_options

        names = list(self.options_class.model_fields)
        for name in options:
            if name not in names:
                nearest = difflib.get_close_matches(name.lower(), names, n=1)
                hint = f": did you mean {nearest[0]}?" if nearest else ""
                known = ", ".join(names) or "none"
                raise InputError(f"--option {name}: the handler has no such option{hint} (options: {known})")
        try:
            read_options(self.options_class, options, lambda _: None, {})
        except InvalidInput as error:
            raise InputError(str(error)) from error


def known_of(handler: Any, archive: Archive) -> Known:
    """What is known of a handler that has started; None stands for one that is a function."""
    return known_of_class(type(handler), archive.config)


def known_of_archive(archive: Archive) -> Known:
    """What is known of an archive's handler that has not started: something only if it is a default one."""
    name = archive.handler
    if (
        inside(archive.root, f"{name}.py") is not None
        or not name.isidentifier()
        or not find_spec(f"{OURS}.{name}")
    ):
        return Known()
    from ts.utils.util import list_classes_from_module

    classes = list_classes_from_module(importlib.import_module(f"{OURS}.{name}"))
    return known_of_class(classes[0], archive.config) if len(classes) == 1 else Known()


def known_of_class(kind: type, config: Mapping[str, Any]) -> Known:
    if not any(base.__module__ == f"{OURS}.base_handler" for base in kind.__mro__):
        return Known()
    from ts.handler_utils.description import payloads_of

    field = kind.settings_class.model_fields.get("formats")  # type: ignore[attr-defined]
    section = config.get("handler")
    formats = section.get("formats") if isinstance(section, dict) else None
    if not isinstance(formats, list):
        formats = field.default if field else None
    return Known(
        payloads_of(kind),
        [str(name).upper() for name in formats] if formats else None,
        kind.options_class if kind.__module__.startswith(f"{OURS}.") else None,  # type: ignore[attr-defined]
    )
