"""Pictures of answers: a caption on a photo, and all pictures on one sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from ts.handler_utils.pictures.captions import Caption, per_cent
from ts.handler_utils.pictures.legend import draw_legend

# Of the contact sheet, in pixels.
SHEET_WIDTH = 1440
TALLEST = 400
GAP = 18
HEADING = 26

COLUMNS = 3
PAPER, INK = (250, 250, 248), (40, 44, 52)


def draw_best_class(photo: Image.Image, probabilities: Mapping[str, float]) -> Image.Image:
    """The photo with its most probable class and the probability in a corner."""
    label = max(probabilities, key=lambda name: probabilities[name])
    drawn = photo.convert("RGB")
    draw_legend(drawn, [Caption(label, per_cent(probabilities[label]))], [None])
    return drawn


def contact_sheet(pictures: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures with their headings, in rows of equal width.

    Args:
        pictures: heading and picture of each.
    """
    rows = [list(pictures[start : start + COLUMNS]) for start in range(0, len(pictures), COLUMNS)]
    strips = [draw_row(row) for row in rows]
    sheet = Image.new("RGB", (SHEET_WIDTH, sum(strip.height for strip in strips) + GAP), PAPER)
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def draw_row(row: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Pictures side by side, scaled to one height, each below its heading."""
    height = row_height([picture for _, picture in row])
    strip = Image.new("RGB", (SHEET_WIDTH, GAP + HEADING + height), PAPER)
    canvas = ImageDraw.Draw(strip)
    left = GAP
    for heading, picture in row:
        width = round(picture.width * height / picture.height)
        canvas.text((left, GAP), heading, fill=INK, font=ImageFont.load_default(17))
        strip.paste(picture.resize((width, height), Image.Resampling.LANCZOS), (left, GAP + HEADING))
        left += width + GAP
    return strip


def row_height(pictures: Sequence[Image.Image]) -> int:
    """The height at which pictures fill the width of a row, or the tallest allowed."""
    room = SHEET_WIDTH - GAP * (len(pictures) + 1)
    return min(TALLEST, int(room / sum(picture.width / picture.height for picture in pictures)))
