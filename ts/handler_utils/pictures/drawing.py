"""Draws what a model found onto the photo: boxes with captions, masks, keypoints.

Each function takes a photo and returns a new one of the same size. Lines and text scale with the photo, up to
a largest size of text: what is drawn costs no more than its photo, whatever a model found in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ts.handler_utils.pictures.palette import Colour, text_colour, vivid_colour

_LINES_A_DIAGONAL = 350
_FONTS_A_DIAGONAL = 45
_SMALLEST_FONT, _LARGEST_FONT = 10, 128  # pixels; smaller text cannot be read, larger takes long to draw
_LONGEST_SIDE = 4  # shorter sides long: what a photo has beyond that makes nothing in it larger

# Pixels that a mask is drawn on at a time, which stay in the CPU's cache.
_PART = 2**18


def draw_boxes(
    image: Image.Image,
    boxes: Sequence[Sequence[float]],
    captions: Sequence[str],
    colours: Sequence[Colour],
) -> Image.Image:
    """Draws bounding boxes, each with its caption.

    Args:
        image: the photo, of any mode.
        boxes: (x1, y1, x2, y2) in pixels of the photo, finite; they may reach beyond it.
        captions: the text of each box.
        colours: the colour of each box.

    Returns:
        A new RGB image. Where boxes or captions overlap, the first of them lies on top.
    """
    drawn = image.convert("RGB")
    canvas = ImageDraw.Draw(drawn)
    width = line_width(drawn)
    corners = [_visible(box, drawn.size, width) for box in boxes]
    things = list(zip(corners, captions, colours))[::-1]
    for box, _, colour in things:
        canvas.rectangle(box, outline=colour, width=width)
    font = _font(drawn.size)
    for (left, top, *_), caption, colour in things:
        _draw_caption(canvas, font, (left, top), caption, colour)
    return drawn


def draw_mask(
    image: Image.Image,
    class_indexes: Any,
    palette: Sequence[Colour],
    *,
    opacity: float = 0.5,
    background: int | None = 0,
    labels: Mapping[int, str] | None = None,
) -> Image.Image:
    """Tints the pixels of a photo by their classes.

    Args:
        image: the photo, of any mode.
        class_indexes: integer array [H, W]; where its size is not the photo's, it is scaled to it (nearest).
        palette: the colour of each class; further classes repeat it.
        opacity: 0 leaves the photo as it is, 1 shows the colours only.
        background: the class whose pixels are left as they are; None tints all.
        labels: if given, a legend names the classes that the mask holds, the largest first.

    Returns:
        A new RGB image.

    Raises:
        ValueError: `class_indexes` has not two dimensions.
    """
    drawn = image.convert("RGB")
    indexes = _at_size_of(drawn, class_indexes)
    rows = max(1, _PART // drawn.width)
    for top in range(0, drawn.height, rows):
        _tint(drawn, top, indexes[top : top + rows], np.asarray(palette, dtype=np.uint8), opacity, background)
    if labels is None:
        return drawn
    present = [index for index in _largest_first(indexes) if index != background]
    names = [labels.get(index, str(index)) for index in present]
    return draw_legend(drawn, names, [palette[index % len(palette)] for index in present])


def draw_legend(image: Image.Image, names: Sequence[str], colours: Sequence[Colour]) -> Image.Image:
    """Names colours in the top left corner of a photo: one line each, as many as fit.

    Returns:
        A new RGB image.
    """
    drawn = image.convert("RGB")
    canvas, font = ImageDraw.Draw(drawn), _font(drawn.size)
    top = 0.0
    for name, colour in zip(names, colours):
        if top >= drawn.height:
            break
        top = _draw_caption(canvas, font, (0, top), name, colour, below=True)
    return drawn


def draw_keypoints(
    image: Image.Image, keypoints: Sequence[Sequence[float]], colour: Colour | None = None
) -> Image.Image:
    """Draws the keypoints of one object as dots; see `draw_keypoints_of`."""
    return draw_keypoints_of([keypoints], image, colour)


def draw_keypoints_of(
    objects: Sequence[Sequence[Sequence[float]]], image: Image.Image, colour: Colour | None = None
) -> Image.Image:
    """Draws the keypoints of several objects as dots.

    Args:
        objects: of each its keypoints, (x, y, visible) in pixels of the photo, finite; those with visible = 0 are
            left out.
        image: the photo, of any mode.
        colour: of all dots; by default each keypoint of an object has one of its own.

    Returns:
        A new RGB image.
    """
    drawn = image.convert("RGB")
    canvas = ImageDraw.Draw(drawn)
    radius = 1.5 * line_width(drawn)
    for keypoints in objects:
        for index, (x, y, visible) in enumerate(keypoints):
            if not visible:
                continue
            fill = colour or vivid_colour(index)
            dot = _visible((x - radius, y - radius, x + radius, y + radius), drawn.size, 2 * radius)
            canvas.ellipse(dot, fill=fill, outline=text_colour(fill))
    return drawn


def line_width(image: Image.Image) -> int:
    """The width, in pixels, of a line that is easily seen on the photo."""
    return max(1, round(_diagonal(image.size) / _LINES_A_DIAGONAL))


def _tint(
    drawn: Image.Image,
    top: int,
    indexes: np.ndarray,
    palette: np.ndarray,
    opacity: float,
    background: int | None,
) -> None:
    """Tints some rows of a photo by the classes of their pixels."""
    place = (0, top, drawn.width, top + len(indexes))
    is_within = indexes.dtype == np.uint8 and len(palette) > np.iinfo(np.uint8).max
    colours = palette.take(indexes if is_within else indexes % len(palette), axis=0)
    tinted = Image.blend(drawn.crop(place), Image.fromarray(colours), opacity)
    drawn.paste(tinted, place, mask=None if background is None else Image.fromarray(indexes != background))


def _draw_caption(
    canvas: ImageDraw.ImageDraw,
    font: Any,
    corner: tuple[float, float],
    text: str,
    colour: Colour,
    below: bool = False,
) -> float:
    """Writes text on a patch of colour above (or below) a corner, moved so that the photo holds it.

    Returns:
        The lower edge of the patch.
    """
    if not isinstance(font, ImageFont.FreeTypeFont):
        text = text.encode("latin-1", errors="replace").decode("latin-1")  # all that the bitmap font knows
    left, top, right, bottom = canvas.textbbox((0, 0), f"{text}|", font=font)  # "|": one height for all texts
    right = canvas.textbbox((0, 0), text, font=font)[2]
    margin = max(1, round((bottom - top) / 6))
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    photo_width, photo_height = canvas.im.size
    x = max(0, min(corner[0], photo_width - width))
    y = max(0, min(corner[1] if below else corner[1] - height, photo_height - height))
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + margin - left, y + margin - top), text, fill=text_colour(colour), font=font)
    return y + height


def _font(photo: tuple[int, int]) -> Any:
    """Pillow's own font: scalable from Pillow 10.1 on, where it was built with FreeType; else a small bitmap."""
    size = min(max(_SMALLEST_FONT, round(_diagonal(photo) / _FONTS_A_DIAGONAL)), _LARGEST_FONT)
    try:
        return ImageFont.load_default(size)
    except (TypeError, ImportError):
        return ImageFont.load_default()


def _diagonal(size: tuple[int, int]) -> float:
    """The diagonal of a photo, in pixels; of a thin one, that of a part of it."""
    short, long = sorted(size)
    return float(np.hypot(short, min(long, _LONGEST_SIDE * short)))


def _visible(
    box: Sequence[float], photo: tuple[int, int], margin: float
) -> tuple[float, float, float, float]:
    """A box as Pillow takes it: the first corner before the second, and neither far from the photo.

    Args:
        box: its corners, in pixels, finite.
        photo: width and height of the photo, in pixels.
        margin: pixels around the photo in which corners stay where they are: as far as lines reach into a box.
    """
    x1, y1, x2, y2 = box
    (left, right), (top, bottom) = sorted((x1, x2)), sorted((y1, y2))

    def near(place: float, side: int) -> float:
        return min(max(place, -margin - 1), side + margin + 1)

    return near(left, photo[0]), near(top, photo[1]), near(right, photo[0]), near(bottom, photo[1])


def _at_size_of(photo: Image.Image, class_indexes: Any) -> np.ndarray:
    indexes = np.asarray(class_indexes)
    indexes = indexes if indexes.dtype == np.uint8 else indexes.astype(np.int32, copy=False)
    if indexes.ndim != 2:
        raise ValueError(f"a mask has two dimensions, not the shape {indexes.shape}")
    if indexes.shape[::-1] == photo.size:
        return indexes
    return np.asarray(Image.fromarray(indexes).resize(photo.size, Image.Resampling.NEAREST))


def _largest_first(indexes: np.ndarray) -> list[int]:
    classes, counts = np.unique(indexes, return_counts=True)
    return classes[np.argsort(-counts, kind="stable")].tolist()
