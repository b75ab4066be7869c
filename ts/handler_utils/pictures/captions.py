"""Captions at the boxes of a picture: they never cover each other, and lie inside the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image, ImageDraw

from ts.handler_utils.pictures.lettering import clean, draw_text, line_height, shortened, text_width
from ts.handler_utils.pictures.measures import Size, letter_size
from ts.handler_utils.pictures.palette import Colour, text_colour
from ts.handler_utils.pictures.placing import Box, inside, place_captions

_SMALLER = (0.75, 0.5)  # letters of a caption that is wide beside its box, or finds no room
_EDGE = (0, 0, 0, 90)
_OVERHANG = 1.5  # boxes wide: what a caption of larger letters is at most
_WIDEST = 0.45  # of the picture: longer labels are cut


class Caption(NamedTuple):
    """A name, and what is known of it.

    Attributes:
        label: of any length, in any alphabet; it is cut where it is too long.
        note: what is never cut, such as a score.
    """

    label: str
    note: str = ""


def per_cent(share: float) -> str:
    """A share in [0, 1] in whole per cents; what is nearly nothing, or nearly all, is not said to be that."""
    if 0 < share < 0.01:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{100 * share:.0f}%"


def draw_captions(
    drawn: Image.Image,
    boxes: Sequence[Sequence[float]],
    captions: Sequence[Caption],
    colours: Sequence[Colour],
) -> None:
    """Writes a caption at each box, on a patch of its colour.

    One that finds no room at its box gets smaller letters, and if that does not help it is left out.

    Args:
        drawn: the photo, RGB, which is drawn on.
        boxes: (x1, y1, x2, y2) in pixels of the photo, finite; they may reach beyond it. Those that come first
            have the better places.
        captions: of each box.
        colours: of each box.
    """
    sizes = sorted({letter_size(drawn.size, share) for share in (1.0, *_SMALLER)}, reverse=True)
    visible = [inside(box, drawn.size) for box in boxes]
    choices = [_choices(caption, box, sizes, drawn.width) for caption, box in zip(captions, visible)]
    places = place_captions(visible, [[patch.size for patch in patches] for patches in choices], drawn.size)
    canvas = ImageDraw.Draw(drawn, "RGBA")
    for place, patches, colour in zip(places, choices, colours):
        if place is not None:
            _draw_patch(canvas, (place.left, place.top), patches[place.choice], colour)


class _Patch(NamedTuple):
    """A caption in letters of one size, and the size of the patch that it stands on, all in pixels."""

    text: str
    letters: int
    size: Size


def _choices(caption: Caption, box: Box, sizes: Sequence[int], picture: int) -> list[_Patch]:
    """The patches that a caption may have: none much wider than its box, but that of the smallest letters."""
    patches = [_patch(caption, letters, picture) for letters in sizes]
    fitting = [patch for patch in patches if patch.size[0] <= _OVERHANG * (box[2] - box[0])]
    return fitting or patches[-1:]


def _patch(caption: Caption, letters: int, picture: int) -> _Patch:
    note = f" {caption.note}" if caption.note else ""
    room = max(_WIDEST * picture - text_width(note, letters), 0)
    text = f"{shortened(clean(caption.label), letters, room)}{note}"
    return _Patch(text, letters, (text_width(text, letters) + 2 * _margin(letters), line_height(letters)))


def _margin(letters: int) -> int:
    """Left and right of a caption's text, in pixels."""
    return max(2, round(letters / 4))


def _draw_patch(canvas: ImageDraw.ImageDraw, corner: Size, patch: _Patch, colour: Colour) -> None:
    (left, top), (width, height) = corner, patch.size
    edge = max(1, patch.letters // 16)
    corners = left, top, left + width - 1, top + height - 1
    canvas.rectangle(corners, fill=colour)
    canvas.rectangle(corners, outline=_EDGE, width=edge)  # tells it from the next of the same colour
    draw_text(canvas, (left + _margin(patch.letters), top), patch.text, patch.letters, text_colour(colour))
