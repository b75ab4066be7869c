"""Text on pictures: which font has its letters, how much room it takes, and how it is cut to fit.

Pillow's own font has the letters of English only. For others, fonts of the system are looked for by the names that
they commonly have. Where none has a letter, it is drawn without its accents, or as an empty box.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ImageDraw, ImageFont

from ts.handler_utils.pictures.palette import Colour

# Pillow looks for them in the folders of fonts that the system has.
_SYSTEM_FONTS = (
    # Latin, Greek, Cyrillic: Linux, Windows, macOS
    *(
        "DejaVuSans.ttf",
        "NotoSans-Regular.ttf",
        "LiberationSans-Regular.ttf",
        "arial.ttf",
        "Arial Unicode.ttf",
    ),
    # Chinese, Japanese, Korean
    *("NotoSansCJK-Regular.ttc", "NotoSansCJKsc-Regular.otf", "wqy-microhei.ttc", "wqy-zenhei.ttc"),
    *("DroidSansFallbackFull.ttf", "msyh.ttc", "YuGothM.ttc", "malgun.ttf", "Hiragino Sans GB.ttc"),
    # others
    *("NotoSansDevanagari-Regular.ttf", "NotoSansThai-Regular.ttf", "Nirmala.ttf", "unifont.ttf"),
)
_LONGEST = 64  # letters of a text; longer ones are cut before they are measured
_NEVER_A_LETTER = "\U0010ffff"
_BITMAP_HEIGHT = 11  # of the letters that Pillow has without FreeType
_TRIED = 20  # the size in which a font is asked for its letters

# In sizes of the letters: a line of text, and what of it lies above the letters' base.
_LINE, _BASE = 1.36, 1.0


def line_height(size: int) -> int:
    """The height of a line of text in letters of a size, in pixels."""
    return round(_LINE * size)


def clean(text: str) -> str:
    """A text as one line of printable letters, cut if it is very long."""
    line = " ".join(
        "".join(letter if letter.isprintable() else " " for letter in text[: 4 * _LONGEST]).split()
    )
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def text_width(text: str, size: int) -> int:
    """The width of a text in letters of a size, in pixels."""
    font = font_for(text, size)
    return int(font.getlength(_drawable(text, font))) + 1


def shortened(text: str, size: int, width: float) -> str:
    """As much of a text as is not wider than so many pixels, with "…" where it is cut; at least the "…"."""
    if text_width(text, size) <= width:
        return text
    low, high = 0, len(text)  # letters that fit; letters that do not
    while high - low > 1:
        middle = (low + high) // 2
        fits = text_width(f"{text[:middle].rstrip()}…", size) <= width
        low, high = (middle, high) if fits else (low, middle)
    return f"{text[:low].rstrip()}…"


def draw_text(
    canvas: ImageDraw.ImageDraw, corner: tuple[float, float], text: str, size: int, colour: Colour
) -> None:
    """Writes a text into a line of `line_height`, from its upper left corner on."""
    font = font_for(text, size)
    drawn, (x, y) = _drawable(text, font), corner
    if isinstance(font, ImageFont.FreeTypeFont):
        canvas.text((x, y + round(_BASE * size)), drawn, fill=colour, font=font, anchor="ls")
    else:
        canvas.text((x, y + (line_height(size) - _BITMAP_HEIGHT) // 2), drawn, fill=colour, font=font)


def font_for(text: str, size: int) -> Any:
    """The first font that has all letters of a text, else the one that has the most of them."""
    return _font(_file_for("".join(sorted({letter for letter in text if not letter.isascii()}))), size)


@lru_cache(maxsize=32)
def _font(file: str, size: int) -> Any:
    """A font of a file; of none, Pillow's own: a small bitmap where Pillow was built without FreeType."""
    try:
        return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)
    except ImportError:
        return ImageFont.load_default()


@lru_cache(maxsize=1024)
def _file_for(letters: str) -> str:
    """The file of the font that has the most of some letters; "" is Pillow's own, which has those of English."""
    if not letters or not isinstance(_font("", _TRIED), ImageFont.FreeTypeFont):
        return ""
    files = ("", *_system_fonts())
    return max(
        files, key=lambda file: sum(_has(file, letter) for letter in letters)
    )  # of equal ones, the first


@lru_cache(maxsize=1)
def _system_fonts() -> tuple[str, ...]:
    """The files of `_SYSTEM_FONTS` that there are, and of the first of them where matplotlib brings it."""
    found = [*map(_path_of, _SYSTEM_FONTS), _path_of(str(_folder_of_matplotlib() / _SYSTEM_FONTS[0]))]
    return tuple(dict.fromkeys(path for path in found if path))


def _path_of(name: str) -> str:
    try:
        return str(ImageFont.truetype(name).path)
    except OSError:
        return ""


def _folder_of_matplotlib() -> Path:
    """Where matplotlib has its fonts, if it is installed: it is not imported."""
    spec = importlib.util.find_spec("matplotlib")
    return Path((spec and spec.origin) or "").parent / "mpl-data" / "fonts" / "ttf"


@lru_cache(maxsize=4096)
def _has(file: str, letter: str) -> bool:
    """Whether a font has a letter: all others it draws alike."""
    font = _font(file, _TRIED)
    return letter.isspace() or _drawn(font, letter) != _drawn(font, _NEVER_A_LETTER)


def _drawn(font: Any, letter: str) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


def _drawable(text: str, font: Any) -> str:
    """A text as a font can draw it: without accents where it has no letters with them."""
    if text.isascii():
        return text
    if not isinstance(font, ImageFont.FreeTypeFont):  # the bitmap knows those of Latin-1
        return text.replace("…", "...").encode("latin-1", errors="replace").decode("latin-1")
    file = _file_for("".join(sorted({letter for letter in text if not letter.isascii()})))
    return "".join(letter if letter.isascii() or _has(file, letter) else _plain(letter) for letter in text)


def _plain(letter: str) -> str:
    """A letter without its accents: "e" for "é"."""
    return unicodedata.normalize("NFKD", letter)[0]
