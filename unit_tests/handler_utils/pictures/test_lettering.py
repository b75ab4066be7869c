from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from ts.handler_utils.pictures import lettering
from ts.handler_utils.pictures.lettering import (
    clean,
    draw_text,
    font_for,
    line_height,
    shortened,
    text_width,
)


@pytest.fixture(autouse=True)
def _no_font_is_known() -> Iterator[None]:
    def forget() -> None:
        for function in (lettering._font, lettering._file_for, lettering._system_fonts, lettering._has):
            function.cache_clear()

    forget()
    yield
    forget()


def written(text: str, size: int = 20) -> np.ndarray:
    """Where a text has ink, booleans [H, W]."""
    picture = Image.new("RGB", (300, line_height(size)), "white")
    draw_text(ImageDraw.Draw(picture), (0, 0), text, size, (0, 0, 0))
    return np.asarray(picture.convert("L")) < 128


def test_a_text_is_as_wide_as_it_is_drawn_and_no_higher_than_its_line() -> None:
    ink = written("Ågp wine glass|")
    columns = np.flatnonzero(ink.any(axis=0))
    assert 0 <= text_width("Ågp wine glass|", 20) - columns.max() < 5
    assert not ink[0].any()
    assert not ink[-1].any()


def test_english_is_written_in_pillows_own_font() -> None:
    assert font_for("wine glass 97%", 20).getname()[0] == "Aileron"


@pytest.mark.parametrize("text", ["кошка", "café", "γάτα"])
def test_other_letters_are_written_in_a_font_that_has_them(text: str) -> None:
    if not lettering._system_fonts():
        pytest.skip("there is no font with these letters: apt-get install fonts-dejavu-core")
    assert font_for(text, 20).getname()[0] != "Aileron"
    assert (written(text) != written("".join("\U0010fffe" for _ in text))).any()


def test_without_such_a_font_accents_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_path_of", lambda _: "")
    assert (written("café Ågren") == written("cafe Agren")).all()
    assert text_width("café", 20) == text_width("cafe", 20)
    assert written("猫").any()  # an empty box


def test_without_freetype_there_is_a_small_bitmap(monkeypatch: pytest.MonkeyPatch) -> None:
    scalable = ImageFont.load_default

    def only_a_bitmap(*size: float) -> Any:
        if size:
            raise ImportError("The _imagingft C module is not installed")
        return getattr(ImageFont, "load_default_imagefont", scalable)()

    monkeypatch.setattr(ImageFont, "load_default", only_a_bitmap)
    assert written("кошка 猫 cat…").any()
    assert text_width("cat", 100) == text_width("cat", 10)


def test_a_font_is_loaded_once_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []
    scalable = ImageFont.load_default
    monkeypatch.setattr(ImageFont, "load_default", lambda *of: asked.extend(of) or scalable(*of))
    for _ in range(3):
        text_width("cat", 31)
        written("cat", 31)
    assert asked == [31]


def test_a_label_is_one_line_of_printable_letters() -> None:
    assert clean(" wine\n\tglass\x00 \u202e97 ") == "wine glass 97"
    assert clean("a" * 10**6) == "a" * 63 + "…"


def test_a_long_text_is_cut_to_its_room() -> None:
    text = "a label that goes on and on"
    cut = shortened(text, 20, 100)
    assert cut[-1] == "…"
    assert text.startswith(cut[:-1])
    assert text_width(cut, 20) <= 100 < text_width(f"{text[: len(cut)]}…", 20)
    assert shortened(text, 20, 1000) == text
    assert shortened(text, 20, 0) == "…"
    assert shortened("", 20, 5) == ""
