"""How a file that would run code is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TRUSTED = (
    "Save it again without; or, for a file whose origin you trust, set handler.trust_pickle: true in"
    " model-config.yaml, which reads it and runs its code."
)


class Refused(Exception):
    """Something in a file that is not read; the message completes "the file holds ..."."""


@contextmanager
def checking(path: str | Path, way_out: str = TRUSTED) -> Iterator[None]:
    """Turns what is refused of a file into the error that its owner reads.

    Args:
        path: the file.
        way_out: a sentence that says what to do.

    Raises:
        ValueError: a `Refused` of the block, or a nesting that Python does not follow, with the name of the file
            and the way out.
    """
    try:
        yield
    except (Refused, RecursionError) as error:
        found = "what is nested too deeply" if isinstance(error, RecursionError) else error
        raise ValueError(f"{Path(path).name} is not read: it holds {found}. {way_out}") from error


def shown(value: object) -> str:
    """A value of a file as messages quote it: of a bounded length."""
    text = repr(value[:80]) if isinstance(value, (str, bytes)) else f"a {type(value).__name__}"
    return f"{text}..." if isinstance(value, (str, bytes)) and len(value) > 80 else text


def words(text: str) -> frozenset[str]:
    """A set of names, written as a text with spaces between them."""
    return frozenset(text.split())
