"""Which files of a folder are asked: those that a handler reads, by their names."""

from __future__ import annotations

import mimetypes
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath
from typing import Callable, Optional

ByName = Callable[[str], bool]

# Left in folders by Windows.
OF_SYSTEMS = ("thumbs.db", "ehthumbs.db", "desktop.ini")
HEIF = (".heic", ".heif", ".hif")  # which Pillow knows by a plugin
OTHER_TEXTS = ("application/json", "application/xml", "application/javascript")
SHOWN_KINDS = 5
FILES_AND_NAMES = "files of folders are", "names are not those"


class Wanted:
    """Says of each file of a folder whether it is asked, and counts those that are not.

    Args:
        fits: Whether the handler reads a file of such a name.
        what: What it reads, in a word: "images"; "" if that is not known.
        without: Folders and files that answers are written to.

    Attributes:
        left_out: How many files are not asked, by their suffix, or by their name if they have none.
    """

    def __init__(self, fits: ByName = lambda _: True, what: str = "", without: Iterable[Path] = ()) -> None:
        self._fits, self._what = fits, what
        self._without = tuple(os.path.join(os.path.realpath(path), "") for path in without)
        self.left_out: Counter[str] = Counter()

    def __call__(self, path: str) -> bool:
        name = PurePath(path)
        if name.name.lower() not in OF_SYSTEMS and self._fits(path):
            return True
        self.left_out[name.suffix.lower() if name.name.lower() not in OF_SYSTEMS else name.name] += 1
        return False

    def is_answer(self, path: str) -> bool:
        """Whether a file lies where answers are written."""
        return bool(self._without) and os.path.join(os.path.realpath(path), "").startswith(self._without)

    def __str__(self) -> str:
        """E.g. "2 files of folders are left out, whose names are not those of images: 1 .txt, 1 Thumbs.db"."""
        count = sum(self.left_out.values())
        kinds = [f"{times:,} {kind}" for kind, times in self.left_out.most_common(SHOWN_KINDS)]
        if len(self.left_out) > SHOWN_KINDS:
            kinds.append(f"{len(self.left_out) - SHOWN_KINDS:,} other suffixes")
        files, names = ("file of folders is", "name is not that") if count == 1 else FILES_AND_NAMES
        why = f", whose {names} of {self._what}" if self._what else ""
        return f"{count:,} {files} left out{why}: {', '.join(kinds)}"


def by_name(payloads: Sequence[str], formats: Optional[Sequence[str]]) -> tuple[ByName, str]:
    """What a handler reads, and that in a word.

    Args:
        payloads: What a request to it may hold, as its description says; none if that is not known.
        formats: Of images, by Pillow's names.
    """
    images = any(payload.startswith("an encoded image") for payload in payloads)
    texts = any(payload.startswith("a text") for payload in payloads)
    suffixes = image_suffixes(formats) if images else frozenset()
    if images and texts:
        return lambda path: has_suffix_of(path, suffixes) or is_text(path), "images or texts"
    if images:
        return lambda path: has_suffix_of(path, suffixes), "images"
    return (is_text, "texts") if texts else (lambda _: True, "")


def has_suffix_of(path: str, suffixes: frozenset[str]) -> bool:
    suffix = PurePath(path).suffix.lower()
    return not suffix or suffix in suffixes


def image_suffixes(formats: Optional[Sequence[str]]) -> frozenset[str]:
    from PIL import Image

    found = {
        suffix for suffix, name in Image.registered_extensions().items() if not formats or name in formats
    }
    return frozenset(found | (set(HEIF) if not formats or "HEIF" in formats else set()))


def is_text(path: str) -> bool:
    """Whether nothing in a name says that the file is something else."""
    kind, packed = TYPES.guess_type(PurePath(path).name, strict=False)
    return packed is None and (kind is None or kind.startswith("text/") or kind in OTHER_TEXTS)


TYPES = mimetypes.MimeTypes()  # Python's own, which no file of this machine changes
