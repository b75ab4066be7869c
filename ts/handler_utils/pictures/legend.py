"""A legend in a corner of a picture: colours, what they stand for, and shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Optional

import numpy as np
from PIL import Image, ImageDraw

from ts.handler_utils.pictures.captions import Caption
from ts.handler_utils.pictures.lettering import clean, draw_text, line_height, shortened, text_width
from ts.handler_utils.pictures.measures import Size, letter_size
from ts.handler_utils.pictures.palette import Colour

_PANEL, _INK, _FAINT = (0, 0, 0, 170), (255, 255, 255), (205, 205, 205)
_WIDEST, _HIGHEST = 0.6, 0.45  # of the picture
_MOST_LINES = 12


class _Measures(NamedTuple):
    """Of a legend, in pixels."""

    letters: int
    line: int
    pad: int
    swatch: int
    gap: int
    away: int  # from the edges of the picture


def draw_legend(
    drawn: Image.Image,
    entries: Sequence[Caption],
    colours: Sequence[Optional[Colour]],
    importance: Any = None,
) -> None:
    """Names colours in a corner of a picture, one a line, on a dark panel.

    At most 12 lines, and never more than 0.6 of the picture's width and 0.45 of its height: where there are more
    entries than lines, the last line counts the others. A picture too small for one line gets no legend.

    Args:
        drawn: the picture, RGB, which is drawn on.
        entries: the label and share of each colour, the most important first.
        colours: of each entry; None leaves its place out.
        importance: float array [h, w] of any size: how much it matters that a place of the picture is seen. The
            legend covers the corner that matters least; of equal ones, and without it, the upper left one.
    """
    measures = _measures(drawn.size)
    lines = _lines(entries, colours, drawn.height, measures)
    if not lines:
        return
    room = _WIDEST * drawn.width - 2 * measures.pad
    texts = [_fitted(entry, colour, room, measures) for entry, colour in lines]
    width = round(2 * measures.pad + max(_width(entry, colour, measures) for entry, colour in texts))
    height = round(2 * measures.pad + len(texts) * measures.line)
    if width > _WIDEST * drawn.width + 1:
        return
    left, top = _corner((width, height), drawn.size, measures.away, importance)
    canvas = ImageDraw.Draw(drawn, "RGBA")
    canvas.rounded_rectangle(
        (left, top, left + width - 1, top + height - 1), radius=measures.pad, fill=_PANEL
    )
    for number, (entry, colour) in enumerate(texts):
        at = (left + measures.pad, top + measures.pad + number * measures.line)
        _draw_line(canvas, at, width - 2 * measures.pad, entry, colour, measures)


def _measures(picture: Size) -> _Measures:
    letters = letter_size(picture)
    return _Measures(
        letters=letters,
        line=line_height(letters),
        pad=max(2, round(0.4 * letters)),
        swatch=max(4, round(0.8 * letters)),
        gap=max(3, round(0.5 * letters)),
        away=max(2, round(0.5 * letters)),
    )


def _lines(
    entries: Sequence[Caption], colours: Sequence[Optional[Colour]], height: int, measures: _Measures
) -> list[tuple[Caption, Optional[Colour]]]:
    """As many entries as there is room for, and how many more there are."""
    room = int((_HIGHEST * height - 2 * measures.pad) // measures.line)
    most = min(_MOST_LINES, room)
    lines = list(zip(entries, colours))
    if most < 1 or len(lines) <= most:
        return lines[: max(0, most)]
    shown = lines[: most - 1]
    return [*shown, (Caption(f"and {len(lines) - len(shown)} more"), None)]


def _fitted(
    entry: Caption, colour: Optional[Colour], room: float, measures: _Measures
) -> tuple[Caption, Optional[Colour]]:
    others = _width(Caption("", entry.note), colour, measures)
    label = shortened(clean(entry.label), measures.letters, room - others)
    return Caption(label, entry.note), colour


def _width(entry: Caption, colour: Optional[Colour], measures: _Measures) -> int:
    note = measures.gap + text_width(entry.note, measures.letters) if entry.note else 0
    return _indent(colour, measures) + text_width(entry.label, measures.letters) + note


def _indent(colour: Optional[Colour], measures: _Measures) -> int:
    return 0 if colour is None else measures.swatch + measures.gap


def _draw_line(
    canvas: ImageDraw.ImageDraw,
    at: tuple[int, int],
    width: int,
    entry: Caption,
    colour: Optional[Colour],
    measures: _Measures,
) -> None:
    left, top = at
    if colour is not None:
        above = top + (measures.line - measures.swatch) // 2
        canvas.rectangle((left, above, left + measures.swatch - 1, above + measures.swatch - 1), fill=colour)
    draw_text(canvas, (left + _indent(colour, measures), top), entry.label, measures.letters, _INK)
    if entry.note:
        right = left + width - text_width(entry.note, measures.letters)
        draw_text(canvas, (right, top), entry.note, measures.letters, _FAINT)


def _corner(size: Size, picture: Size, away: int, importance: Any) -> tuple[int, int]:
    """The upper left corner of a panel in the corner of a picture that matters least."""
    free = picture[0] - size[0], picture[1] - size[1]
    near = min(away, free[0]), min(away, free[1])
    corners = [(x, y) for y in (near[1], free[1] - near[1]) for x in (near[0], free[0] - near[0])]
    if importance is None:
        return corners[0]
    weights = np.asarray(importance)
    across, down = weights.shape[1] / picture[0], weights.shape[0] / picture[1]

    def covered(corner: tuple[int, int]) -> float:
        rows = slice(int(corner[1] * down), int(np.ceil((corner[1] + size[1]) * down)))
        columns = slice(int(corner[0] * across), int(np.ceil((corner[0] + size[0]) * across)))
        return float(weights[rows, columns].sum())

    return min(corners, key=covered)
