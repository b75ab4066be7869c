"""Draws boxes onto a photo, so that they stand out on any."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from ts.handler_utils.pictures.measures import Size, line_width
from ts.handler_utils.pictures.palette import Colour
from ts.handler_utils.pictures.placing import Box, upright

SHADE = (0, 0, 0, 128)  # what lines are set off by: no colour of a class is dark
_THICKEST = 12  # a line is at most so small a part of its box


def draw_boxes(drawn: Image.Image, boxes: Sequence[Sequence[float]], colours: Sequence[Colour]) -> None:
    """Draws bounding boxes; where they overlap, the first of them lies on top.

    Args:
        drawn: the photo, RGB, which is drawn on.
        boxes: (x1, y1, x2, y2) in pixels of the photo, finite; they may reach beyond it.
        colours: of each box.
    """
    for box, colour in list(zip(boxes, colours))[::-1]:
        _draw_box(drawn, upright(box), colour)


def _draw_box(drawn: Image.Image, box: Box, colour: Colour) -> None:
    """A box in its colour, with thin shades on both sides of its lines."""
    thick = max(2, round(1.25 * line_width(drawn.size)))
    seen = near(box, drawn.size, 2 * thick)
    side = min(seen[2] - seen[0], seen[3] - seen[1])
    width = max(1, min(thick, int(side / _THICKEST)))
    shade = max(1, width // 4)
    shades = ImageDraw.Draw(drawn, "RGBA")  # lets the photo through
    for inset in (-shade, width):
        if side >= 2 * (inset + shade):
            shades.rectangle(_inset(seen, inset), outline=SHADE, width=shade)
    ImageDraw.Draw(drawn).rectangle(seen, outline=colour, width=width)


def _inset(box: Box, pixels: int) -> Box:
    return box[0] + pixels, box[1] + pixels, box[2] - pixels, box[3] - pixels


def near(box: Box, picture: Size, margin: float) -> Box:
    """A box of which no edge lies far beyond the picture: up to `margin` pixels away they stay where they are."""
    x1, y1, x2, y2 = (
        min(max(edge, -margin - 1), side + margin + 1) for edge, side in zip(box, (*picture, *picture))
    )
    return x1, y1, x2, y2
