"""The best class on a photo, and pictures on a sheet."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from examples.pictures import GAP, HEADING, PAPER, SHEET_WIDTH, TALLEST, contact_sheet, draw_best_class

GREY = (120, 120, 120)


def picture(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def test_the_best_class_is_written_into_a_corner() -> None:
    drawn = np.asarray(draw_best_class(picture(300, 200), {"cup": 0.2, "espresso": 0.7}))
    rows, columns = (drawn != GREY).any(axis=2).nonzero()
    assert 0 < rows.min() < 10
    assert 0 < columns.min() < 10
    assert rows.max() < 40
    assert columns.max() < 200


def test_pictures_of_a_row_have_one_height_and_fill_its_width() -> None:
    sheet = np.asarray(
        contact_sheet([("one", picture(300, 200)), ("two", picture(90, 90)), ("three", picture(600, 300))])
    )
    height = sheet.shape[0] - 2 * GAP - HEADING
    assert sheet.shape[1] == SHEET_WIDTH
    grey = (sheet == GREY).all(axis=2)
    assert grey.sum(axis=0).max() == height
    assert grey[GAP + HEADING].sum() == pytest.approx(SHEET_WIDTH - 4 * GAP, abs=6)


def test_the_fourth_picture_begins_a_row() -> None:
    pictures = [(f"picture {number}", picture(300, 200)) for number in range(4)]
    assert contact_sheet(pictures).height > contact_sheet(pictures[:3]).height


def test_a_single_picture_is_not_blown_up_to_the_whole_width() -> None:
    sheet = contact_sheet([("one", picture(300, 200))])
    assert sheet.height == 2 * GAP + HEADING + TALLEST
    assert sheet.getpixel((SHEET_WIDTH - 1, sheet.height // 2)) == PAPER
