"""The example handlers, as a user packs and asks them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from at_hand import or_skip

from examples.assets import ASTRONAUT, CHELSEA, COFFEE, fetch_all
from examples.custom_handler.archive import build_archive
from ts.runner import load_archive


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Any]]:
    """Packs a handler of the examples, and asks it in one batch."""

    def run(handler: str, *inputs: Any) -> list[Any]:
        archive = or_skip(build_archive, tmp_path_factory.mktemp(handler), handler)
        with load_archive(archive, device="cpu") as model:
            return model.predict(list(inputs), batch_size=len(inputs))

    return run


@pytest.fixture(scope="module")
def photos() -> list[Path]:
    return or_skip(fetch_all, [CHELSEA, COFFEE, ASTRONAUT])


def test_a_subclass_of_image_classifier_tells_cats(ask, photos) -> None:
    cat, no_image, coffee, _ = ask("cat_or_not", photos[0], b"no image", photos[1], photos[2])
    assert cat.response == {"cat": pytest.approx(0.862, abs=0.01)}
    assert coffee.response["cat"] < 0.001
    assert (no_image.status, no_image.response["type"]) == (400, "BadRequestException")


def test_a_subclass_of_base_handler_embeds_photos(ask, photos) -> None:
    first, second, text, again = ask("image_embedder", photos[0], photos[1], "text", photos[0])
    assert len(first.response) == 1280
    assert sum(value * value for value in first.response) == pytest.approx(1, abs=1e-4)
    assert first.response == pytest.approx(again.response, abs=1e-5)
    alike = sum(a * b for a, b in zip(first.response, second.response))
    assert 0 < alike < 0.5
    assert text.status == 400
