"""Draws keypoints onto a photo: dots, and of a person the limbs between them."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image, ImageDraw

from ts.handler_utils.pictures.boxes import SHADE, near
from ts.handler_utils.pictures.measures import line_width
from ts.handler_utils.pictures.palette import Colour

Keypoints = Sequence[Sequence[float]]
"""(x, y, visible) each, in pixels of the photo, finite; where visible is 0, a keypoint was not found."""

# Which of COCO's 17 keypoints of a person are joined, by their indexes: "skeleton" in its annotations
# (https://cocodataset.org/#format-data), where they count from 1.
_PERSON = (
    *((15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8)),
    *((7, 9), (8, 10), (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6)),
)
_PERSONS_KEYPOINTS = 17
_DARK = (0, 0, 0)


def draw_keypoints(
    drawn: Image.Image, objects: Sequence[Keypoints], colours: Sequence[Colour], labels: Sequence[str] = ()
) -> None:
    """Draws the keypoints of objects as dots; those of a person, if they are COCO's, with the limbs between them.

    Args:
        drawn: the photo, RGB, which is drawn on.
        objects: the keypoints of each.
        colours: of each object.
        labels: of each object.
    """
    shades, canvas = ImageDraw.Draw(drawn, "RGBA"), ImageDraw.Draw(drawn)
    width = max(2, round(1.25 * line_width(drawn.size)))
    radius = width + 1
    for keypoints, colour, label in zip(objects, colours, labels or [""] * len(objects)):
        corners = [near((x, y, x, y), drawn.size, 2 * max(drawn.size))[:2] for x, y, _ in keypoints]
        is_seen = [bool(visible) for *_, visible in keypoints]
        limbs = [(a, b) for a, b in _limbs(label, len(keypoints)) if is_seen[a] and is_seen[b]]
        for a, b in limbs:
            shades.line((*corners[a], *corners[b]), fill=SHADE, width=width + 2)
        for a, b in limbs:
            canvas.line((*corners[a], *corners[b]), fill=colour, width=width)
        for (x, y), seen in zip(corners, is_seen):
            if seen:
                dot = x - radius, y - radius, x + radius, y + radius
                canvas.ellipse(dot, fill=colour, outline=_DARK, width=max(1, width // 3))


def _limbs(label: str, keypoints: int) -> Sequence[tuple[int, int]]:
    return _PERSON if label.casefold() == "person" and keypoints == _PERSONS_KEYPOINTS else ()
