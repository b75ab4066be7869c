"""Draws the class of each pixel onto a photo: regions in colours that differ from it, and a legend with shares."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
from PIL import Image

from ts.handler_utils.pictures.captions import Caption, per_cent
from ts.handler_utils.pictures.legend import draw_legend
from ts.handler_utils.pictures.palette import class_colours
from ts.handler_utils.pictures.regions import colours_beneath, draw_regions, on_grid, ranked


def draw_classes(
    image: Image.Image,
    classes: Any,
    name_of: Callable[[int], str] = str,
    *,
    background: Optional[int] = 0,
) -> Image.Image:
    """Draws the classes of a photo's pixels, and names them with their shares of its pixels.

    Args:
        image: the photo, of any mode.
        classes: class indexes, integer array [H, W], not negative; where its size is not that of the photo's grid
            (`ts.handler_utils.pictures.regions.grid_size`), it is scaled to it (nearest).
        name_of: the name of a class, by its index.
        background: the class whose pixels are left as they are, and which is not named; None draws all.

    Returns:
        A new RGB image.

    Raises:
        ValueError: `classes` has not two dimensions.
    """
    photo = image.convert("RGB")
    regions = on_grid(classes, photo.size)
    found, places = ranked(regions)
    counts = np.bincount(places.reshape(-1))
    shares = {found[place]: counts[place] / regions.size for place in np.argsort(-counts, kind="stable")}
    drawn = [index for index in shares if index != background]
    beneath = colours_beneath(photo, regions)
    colours = class_colours(drawn, [beneath.get(index) for index in drawn])
    entries = [Caption(name_of(index), per_cent(shares[index])) for index in drawn]
    # What there is much of matters less than what there is little of.
    weights = np.array([0.0 if index == background else 1 - shares[index] for index in found])
    draw_regions(photo, regions, dict(zip(drawn, colours)))
    draw_legend(photo, entries, colours, weights[places])
    return photo
