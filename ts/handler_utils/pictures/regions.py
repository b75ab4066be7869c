"""Draws regions onto a photo: tinted, with an outline in two tones that stands out on any photo."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from ts.handler_utils.pictures.measures import Size, line_width
from ts.handler_utils.pictures.palette import Colour

_TINT, _LINE, _CASING = 0.38, 1.0, 0.6  # how far each covers the photo
_DARK = (0, 0, 0)  # of the casing: no colour of a class is dark
_FINE = 4  # pixels of the grid that the line of a large photo is wide, or more
_LARGEST = 1_500_000  # pixels of the grid
_SOFT = 0.6  # pixels of the grid that edges are softened by
_COARSE = 3  # pixels of a photo a pixel of the grid: from here on blocks of 2 pixels are too small to be seen
_SAMPLES = 192  # pixels of the longer side of what colours are measured on


def grid_size(photo: Size) -> Size:
    """The size in which regions are drawn, before they are scaled to the photo.

    Outlines grow with the photo, and so need not be drawn in its pixels: one of 12 megapixels has a grid of 0.8.

    Args:
        photo: its width and height.
    """
    step = _step(photo)
    return max(1, round(photo[0] / step)), max(1, round(photo[1] / step))


def draw_regions(drawn: Image.Image, regions: Any, colours: Mapping[int, Colour]) -> None:
    """Tints regions of a photo, and draws a line in their colour along the inside of their edges.

    Args:
        drawn: the photo, RGB, which is drawn on.
        regions: integer array [H, W]: to which region each pixel belongs. Where its size is not that of the grid,
            it is scaled to it (nearest).
        colours: of the regions that are drawn; all else stays as it is.

    Raises:
        ValueError: `regions` has not two dimensions.
    """
    width = max(1, round(_outline(drawn.size) / _step(drawn.size)))
    paint, cover = _painted(on_grid(regions, drawn.size), colours, width)
    if cover.getbbox():  # of nothing: None
        drawn.paste(_at(paint, drawn.size), mask=_at(cover, drawn.size))


def on_grid(regions: Any, photo: Size) -> np.ndarray:
    """Regions [H, W], scaled to the grid of a photo (nearest).

    Raises:
        ValueError: they have not two dimensions.
    """
    return _scaled(np.asarray(regions), grid_size(photo))


def colours_beneath(image: Image.Image, regions: np.ndarray) -> dict[int, Colour]:
    """The mean colour of a photo beneath each region.

    Args:
        image: an RGB image.
        regions: integer array [H, W] of any size, not negative; very small regions may be left out.
    """
    shrink = max(1, max(image.size) // _SAMPLES)
    size = max(1, image.width // shrink), max(1, image.height // shrink)
    pixels = np.asarray(image.resize(size, Image.Resampling.NEAREST)).reshape(-1, 3)
    found, places = np.unique(_scaled(regions, size), return_inverse=True)
    places = places.reshape(-1)
    counts = np.bincount(places)
    means = [np.bincount(places, weights=channel) / counts for channel in pixels.T]
    return {
        int(region): tuple(map(round, mean)) for region, mean in zip(found, np.stack(means, axis=1).tolist())
    }


def _scaled(regions: np.ndarray, size: Size) -> np.ndarray:
    if regions.ndim != 2:
        raise ValueError(f"a mask has two dimensions, not the shape {regions.shape}")
    regions = regions if regions.dtype == np.uint8 else regions.astype(np.int32, copy=False)
    if regions.shape[::-1] == size:
        return regions
    return np.asarray(Image.fromarray(regions).resize(size, Image.Resampling.NEAREST))


def _outline(photo: Size) -> int:
    """The width of an outline, in pixels of the photo."""
    return max(2, round(1.25 * line_width(photo)))


def _step(photo: Size) -> int:
    """How many pixels of the photo one of the grid is wide: so many that a long, thin photo has no large grid."""
    return max(1, _outline(photo) // _FINE, math.ceil(math.sqrt(photo[0] * photo[1] / _LARGEST)))


def _at(layer: Image.Image, photo: Size) -> Image.Image:
    """A layer in the size of the photo, its edges softened."""
    soft = layer.filter(ImageFilter.BoxBlur(_SOFT))
    if _step(photo) < _COARSE:
        return soft.resize(photo, Image.Resampling.BILINEAR)
    # Pixels of a photo of 12 megapixels are too small to be seen, and interpolating them all takes twice as long.
    half = max(1, photo[0] // 2), max(1, photo[1] // 2)
    return soft.resize(half, Image.Resampling.BILINEAR).resize(photo, Image.Resampling.NEAREST)


def _painted(
    regions: np.ndarray, colours: Mapping[int, Colour], width: int
) -> tuple[Image.Image, Image.Image]:
    """What is pasted onto a photo: its colours, RGB, and how far they cover it, L."""
    found, places = ranked(regions)
    paint = np.array([colours.get(region, _DARK) for region in found], dtype=np.uint8).reshape(-1, 3)
    is_drawn = np.array([region in colours for region in found], dtype=bool)
    inside = is_drawn[places]
    cover = np.where(inside, round(255 * _TINT), 0).astype(np.uint8)
    outer = _edges(inside)
    # Where two regions meet, their lines share the width.
    lines = _grown(outer, width - 1) | _grown(_edges(places), (width + 1) // 2 - 1)
    cover[inside & lines] = round(255 * _LINE)
    cover[~inside & _grown(outer, max(1, width // 2) - 1)] = round(255 * _CASING)
    return Image.fromarray(paint[places]), Image.fromarray(cover)


def ranked(regions: np.ndarray) -> tuple[list[int], np.ndarray]:
    """The regions that there are, and for each pixel the place of its own among them."""
    if regions.dtype != np.uint8:
        found, places = np.unique(regions, return_inverse=True)
        return found.tolist(), places.reshape(regions.shape)
    found = np.flatnonzero(np.bincount(regions.reshape(-1), minlength=256))
    place = np.zeros(256, np.uint8)
    place[found] = np.arange(len(found))
    return found.tolist(), place[regions]


def _edges(regions: np.ndarray) -> np.ndarray:
    """Which pixels have a neighbour of another region, booleans [H, W]."""
    edges = np.zeros(regions.shape, bool)
    across, down = regions[:, 1:] != regions[:, :-1], regions[1:] != regions[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def _grown(edges: np.ndarray, steps: int) -> np.ndarray:
    """Edges, wider by a pixel on each side with each step, in turn along rows and columns and to all sides."""
    for step in range(steps):
        grown = edges.copy()
        grown[1:] |= edges[:-1]
        grown[:-1] |= edges[1:]
        source = grown if step % 2 else edges
        widened = grown.copy()
        widened[:, 1:] |= source[:, :-1]
        widened[:, :-1] |= source[:, 1:]
        edges = widened
    return edges
