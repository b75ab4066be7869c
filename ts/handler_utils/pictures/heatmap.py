"""Draws how much each place of a picture matters: in colours, with a scale of them below the picture."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from ts.handler_utils.pictures.lettering import draw_text, line_height, text_width
from ts.handler_utils.pictures.measures import letter_size
from ts.handler_utils.pictures.palette import Colour

# Every 17th colour of "inferno", by Stéfan van der Walt and Nathaniel Smith (CC0), whose steps look alike to all
# eyes: https://github.com/BIDS/colormap/blob/master/colormaps.py
_INFERNO = (
    *("000004", "0c0826", "240c4f", "420a68", "5d126e", "781c6d", "932667", "ae305c"),
    *("c73e4c", "dd513a", "ed6925", "f8850f", "fca50a", "fac62d", "f2e661", "fcffa4"),
)
_COVER = 0.8  # how far the colour of what matters most covers the picture; of what does not matter, 0

_LEAST, _MOST = "matters least", "most"
_PAPER, _INK = (24, 24, 24), (235, 235, 235)


def inferno() -> list[Colour]:
    """The colours of 256 values, from dark to bright."""
    stops = np.array([list(bytes.fromhex(stop)) for stop in _INFERNO])
    places = np.linspace(0, len(stops) - 1, 256)
    channels = [np.interp(places, np.arange(len(stops)), channel).round() for channel in stops.T]
    return [(int(red), int(green), int(blue)) for red, green, blue in zip(*channels)]


def draw_heat(picture: Image.Image, heat: Image.Image) -> Image.Image:
    """Colours a grey picture by how much its places matter, and puts a scale below it.

    Args:
        picture: L.
        heat: L, of the same size: 0 matters least, 255 most.

    Returns:
        A new RGB image, as wide as the picture, and higher by the scale if that has room.
    """
    drawn = _coloured(picture.convert("RGB"), heat)
    strip = _scale(drawn.width, letter_size(drawn.size))
    if strip is None:
        return drawn
    whole = Image.new("RGB", (drawn.width, drawn.height + strip.height), _PAPER)
    whole.paste(drawn, (0, 0))
    whole.paste(strip, (0, drawn.height))
    return whole


def _coloured(picture: Image.Image, heat: Image.Image) -> Image.Image:
    colours = heat.copy()
    colours.putpalette([value for colour in inferno() for value in colour])
    cover = heat.point([round(_COVER * value) for value in range(256)])
    return Image.composite(colours.convert("RGB"), picture, cover)


def _scale(width: int, letters: int) -> Image.Image | None:
    """A bar of the colours, as they look on a picture of medium grey, between words; None where it has no room."""
    pad = max(2, letters // 2)
    left, right = (pad * 2 + text_width(word, letters) for word in (_LEAST, _MOST))
    bar = width - left - right
    if bar < 2 * letters:
        return None
    height = line_height(letters)
    strip = Image.new("RGB", (width, height + 2 * pad), _PAPER)
    values = np.tile(np.linspace(0, 255, bar).round().astype(np.uint8), (height, 1))
    grey = Image.new("RGB", (bar, height), (96, 96, 96))
    strip.paste(_coloured(grey, Image.fromarray(values)), (left, pad))
    canvas = ImageDraw.Draw(strip)
    draw_text(canvas, (pad, pad), _LEAST, letters, _INK)
    draw_text(canvas, (width - right + pad, pad), _MOST, letters, _INK)
    return strip
