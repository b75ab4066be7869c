"""Draws what a model found onto the photo: boxes with captions, masks, keypoints.

Each function takes a photo and returns a new one of the same size. Lines and text scale with the photo.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ts.handler_utils.pictures.palette import Colour, text_colour, vivid_colour

_LINES_A_DIAGONAL = 350
_FONTS_A_DIAGONAL = 45
_SMALLEST_FONT = 10  # pixels; smaller text cannot be read


def draw_boxes(
    image: Image.Image,
    boxes: Sequence[Sequence[float]],
    captions: Sequence[str],
    colours: Sequence[Colour],
) -> Image.Image:
    """Draws bounding boxes, each with its caption.

    Args:
        image: the photo, of any mode.
        boxes: (x1, y1, x2, y2) in pixels of the photo; they may reach beyond it.
        captions: the text of each box.
        colours: the colour of each box.

    Returns:
        A new RGB image. Where boxes or captions overlap, the first of them lies on top.
    """
    drawn = image.convert("RGB").copy()
    canvas = ImageDraw.Draw(drawn)
    width = line_width(drawn)
    things = list(zip(boxes, captions, colours))[::-1]
    for box, _, colour in things:
        canvas.rectangle(_ordered(box), outline=colour, width=width)
    for box, caption, colour in things:
        left, top, *_ = _ordered(box)
        _draw_caption(canvas, drawn.size, (left, top), caption, colour)
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
    photo = image.convert("RGB")
    indexes = _at_size_of(photo, class_indexes)
    colours = np.asarray(palette, dtype=np.uint8)[indexes % len(palette)]
    tinted = Image.blend(photo, Image.fromarray(colours), opacity)
    drawn = photo.copy()
    drawn.paste(tinted, mask=None if background is None else Image.fromarray(indexes != background))
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
    drawn = image.convert("RGB").copy()
    canvas = ImageDraw.Draw(drawn)
    top = 0.0
    for name, colour in zip(names, colours):
        if top >= drawn.height:
            break
        top = _draw_caption(canvas, drawn.size, (0, top), name, colour, below=True)
    return drawn


def draw_keypoints(
    image: Image.Image, keypoints: Sequence[Sequence[float]], colour: Colour | None = None
) -> Image.Image:
    """Draws the keypoints of one object as dots.

    Args:
        image: the photo, of any mode.
        keypoints: (x, y, visible) in pixels of the photo; those with visible = 0 are left out.
        colour: of all dots; by default each keypoint has one of its own.

    Returns:
        A new RGB image.
    """
    drawn = image.convert("RGB").copy()
    canvas = ImageDraw.Draw(drawn)
    radius = 1.5 * line_width(drawn)
    for index, (x, y, visible) in enumerate(keypoints):
        if visible:
            fill = colour or vivid_colour(index)
            canvas.ellipse(
                (x - radius, y - radius, x + radius, y + radius), fill=fill, outline=text_colour(fill)
            )
    return drawn


def line_width(image: Image.Image) -> int:
    """The width, in pixels, of a line that is easily seen on the photo."""
    return max(1, round(_diagonal(image.size) / _LINES_A_DIAGONAL))


def _draw_caption(
    canvas: ImageDraw.ImageDraw,
    size: tuple[int, int],
    corner: tuple[float, float],
    text: str,
    colour: Colour,
    below: bool = False,
) -> float:
    """Writes text on a patch of colour above (or below) a corner, moved so that the photo holds it.

    Returns:
        The lower edge of the patch.
    """
    font = _font(max(_SMALLEST_FONT, round(_diagonal(size) / _FONTS_A_DIAGONAL)))
    if not isinstance(font, ImageFont.FreeTypeFont):
        text = text.encode("latin-1", errors="replace").decode("latin-1")  # all that the bitmap font knows
    left, top, right, bottom = canvas.textbbox((0, 0), f"{text}|", font=font)  # "|": one height for all texts
    right = canvas.textbbox((0, 0), text, font=font)[2]
    margin = max(1, round((bottom - top) / 6))
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    x = max(0, min(corner[0], size[0] - width))
    y = max(0, min(corner[1] if below else corner[1] - height, size[1] - height))
    canvas.rectangle((x, y, x + width, y + height), fill=colour)
    canvas.text((x + margin - left, y + margin - top), text, fill=text_colour(colour), font=font)
    return y + height


def _font(size: int) -> Any:
    """Pillow's own font: scalable from Pillow 10.1 on, where it was built with FreeType; else a small bitmap."""
    try:
        return ImageFont.load_default(size)
    except (TypeError, ImportError):
        return ImageFont.load_default()


def _diagonal(size: tuple[int, int]) -> float:
    return float(np.hypot(*size))


def _ordered(box: Sequence[float]) -> tuple[float, float, float, float]:
    """Pillow refuses a rectangle whose second corner lies before its first."""
    x1, y1, x2, y2 = box
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _at_size_of(photo: Image.Image, class_indexes: Any) -> np.ndarray:
    indexes = np.asarray(class_indexes, dtype=np.int32)
    if indexes.ndim != 2:
        raise ValueError(f"a mask has two dimensions, not the shape {indexes.shape}")
    if indexes.shape[::-1] == photo.size:
        return indexes
    return np.asarray(Image.fromarray(indexes).resize(photo.size, Image.Resampling.NEAREST))


def _largest_first(indexes: np.ndarray) -> list[int]:
    classes, counts = np.unique(indexes, return_counts=True)
    return classes[np.argsort(-counts, kind="stable")].tolist()
