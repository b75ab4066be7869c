"""The curves: what grows, over which values, and who is timed."""

from __future__ import annotations

import io
import math
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Callable, Optional

from PIL import Image

from benchmarks.cases import (
    BY_TRANSFORMERS,
    CALIBRATION,
    LRASPP,
    MOBILENET,
    OURS,
    PIPELINE,
    SMALL,
    SMALL_RCNN,
    Contender,
    versus,
)
from benchmarks.curves.archives import texts_of_tokens, write_classifier, write_large
from benchmarks.curves.curve import INSTALLED, Curve, Draw, Point
from benchmarks.inputs import Inputs
from benchmarks.models import Network, Unpacked, write_bag_of_words, write_network, write_transformer

ROWS_OF_CLASSES, ROWS_OF_TEXTS, ROWS_OF_TOKENS, ROWS_OF_WORKERS = 16, 4, 4, 8
DIFFERENT = 16  # photos that a large batch is made of
SHORTEST_NEWS = 90  # characters
TILE = (1200, 900)  # what larger photos are laid out of
BOTH = versus()
ARCHIVES = (1, 16, 128, 512, 2048)  # MiB
WHOLE_ARCHIVES = (*ARCHIVES, 4096, 8192)


def curves(whole: bool = False) -> list[Curve]:
    """All of them; with `whole`, archives of up to 8 GiB: 45 GB of disk and 20 GB of memory are to be free."""
    return [
        batch_size(),
        image_size("image-size", "image_classifier, MobileNetV3-small, 2 photos", MOBILENET, 48, (SCALED,)),
        image_size("segmenter-image-size", "image_segmenter, LRASPP, 2 photos, answers encoded", LRASPP, 12),
        image_size("detector-image-size", "object_detector, Faster R-CNN 320, 2 photos", SMALL_RCNN, 12),
        classes(),
        text_length(),
        tokens(),
        workers(),
        archive_size(WHOLE_ARCHIVES if whole else ARCHIVES),
    ]


def batch_size() -> Curve:
    return Curve(
        "batch-size",
        "image_classifier, MobileNetV3-small (TorchScript), JPEGs of about 500x375",
        "rows of a batch",
        (1, 2, 4, 8, 16, 32, 64, 128),
        network_points(
            MOBILENET, lambda inputs, x: repeated(inputs.jpegs(min(int(x), DIFFERENT), *SMALL), x)
        ),
        BOTH,
        reasons={BOTH[0].name: BUFFERS},
    )


BUFFERS = "its buffers, of more than 32 MiB each from 64 rows on, are asked of the system anew in each call"
SCALED = Contender(f"{OURS}, scaled_decode: true", "ours", config={"handler": {"scaled_decode": True}})


def image_size(
    name: str, title: str, network: Network, largest: float, more: tuple[Contender, ...] = ()
) -> Curve:
    xs = tuple(x for x in (0.1, 0.3, 1, 3, 12, 24, 48) if x <= largest)
    draw = network_points(network, lambda inputs, x: [photo(inputs, x)] * 2)
    encoded = network.handler == "image_segmenter"
    return Curve(name, title, "megapixels of a photo", xs, draw, (*BOTH, *more), encoded=encoded)


def classes() -> Curve:
    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        batch = inputs.jpegs(ROWS_OF_CLASSES, 256, 256)
        return [Point(x, write_classifier(int(x), folder / f"{x:g}", seed), batch) for x in xs]

    return Curve(
        "classes",
        "image_classifier that does next to nothing but to have classes, 16 JPEGs of about 256x256",
        "classes",
        (10, 30, 100, 300, 1000, 3000, 10_000, 21_000),
        draw,
        BOTH,
        encoded=True,
    )


def text_length() -> Curve:
    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        texts = [[text.encode() for text in long_texts(inputs, ROWS_OF_TEXTS, int(x))] for x in xs]
        known = inputs.vocabulary([text.decode() for text in texts[-1][:1]])
        known.setdefault("the", len(known))
        archive = write_bag_of_words(known, folder / "bag", seed)
        return [Point(x, archive, batch) for x, batch in zip(xs, texts)]

    return Curve(
        "text-length",
        "text_classifier, EmbeddingBag, 4 texts in one batch, torchserve's one at a time",
        "characters of a text",
        (10, 100, 1000, 10_000, 100_000),
        draw,
        versus("handle_one_by_one")[:1] + BOTH[1:],
        unit="texts",
    )


ATTENTION = (
    "each token attends to each other: the quadratic part of a transformer, which the model alone has too"
)


def tokens() -> Curve:
    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        archive = write_transformer(folder / "bert", seed)
        return [Point(x, archive, texts_of_tokens(inputs, ROWS_OF_TOKENS, int(x))) for x in xs]

    return Curve(
        "tokens",
        "text_classifier, a BERT of MiniLM's size, 4 texts; torchserve has no handler for it",
        "tokens of a text",
        (8, 16, 32, 64, 128, 256, 512),
        draw,
        (PIPELINE, BY_TRANSFORMERS),
        unit="texts",
        reasons={PIPELINE.name: ATTENTION, OURS: ATTENTION},
    )


MOST_WORKERS = 8
SHARING = Contender(
    f"{OURS}, minWorkers: {MOST_WORKERS}", "ours", "handle_in_a_worker", {"minWorkers": MOST_WORKERS}
)
WAITING = "each computes in as many threads as there are cores, which wait for each other's"
SHARED = f"{WAITING}; in a TorchServe its workers share them, as with minWorkers here"


def workers() -> Curve:
    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        archive = write_network(MOBILENET, folder / "network", seed, inputs.jpegs(CALIBRATION, *SMALL))
        batch = inputs.jpegs(ROWS_OF_WORKERS, *SMALL)
        return [Point(x, archive, batch, int(x)) for x in xs]

    return Curve(
        "workers",
        "image_classifier, MobileNetV3-small (TorchScript), batches of 8, all workers at work",
        "workers",
        (1, 2, 4, MOST_WORKERS),
        draw,
        (*BOTH, SHARING),
        alone=True,
        reasons={BOTH[0].name: WAITING, OURS: SHARED, SHARING.name: "more workers than cores take turns"},
    )


def archive_size(xs: tuple[float, ...]) -> Curve:
    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        batch = inputs.jpegs(1, 256, 256)
        return [Point(x, write_large(x, folder / f"{x:g}", seed), batch) for x in xs]

    unpacked = (Contender(each.name, each.side) for each in BOTH)
    runner = Contender(
        f"{OURS}, its runner and the packed archive", INSTALLED, "packed", missing=missing_runner
    )
    title = "start of a worker, up to its first answer, by the size of its weights"
    x = "MiB of an archive"
    return Curve("archive-size", title, x, xs, draw, (*unpacked, runner), unit="starts", lives=True)


# What they are drawn of --------------------------------------------------------------------------------------


def network_points(network: Network, batch: Callable[[Inputs, float], list[Any]]) -> Draw:
    """Points that one network answers."""

    def draw(xs: tuple[float, ...], inputs: Inputs, folder: Path, seed: int) -> list[Point]:
        archive: Unpacked = write_network(
            network, folder / "network", seed, inputs.jpegs(CALIBRATION, *SMALL)
        )
        return [Point(x, archive, batch(inputs, x)) for x in xs]

    return draw


def repeated(rows: list[Any], count: float) -> list[Any]:
    return [rows[index % len(rows)] for index in range(int(count))]


def photo(inputs: Inputs, megapixels: float) -> bytes:
    """A JPEG of so many megapixels, 4 wide and 3 high; a large one repeats a smaller one."""
    height = round(math.sqrt(megapixels * 1e6 * 3 / 4))
    size = round(megapixels * 1e6 / height), height
    (encoded,) = inputs.jpegs(1, *TILE, one_size=True)
    tile = Image.open(io.BytesIO(encoded)).convert("RGB")
    whole = Image.new("RGB", size)
    for left in range(0, size[0], tile.width):
        for top in range(0, size[1], tile.height):
            whole.paste(tile, (left, top))
    file = io.BytesIO()
    whole.save(file, "jpeg", quality=85)
    return file.getvalue()


def long_texts(inputs: Inputs, count: int, characters: int) -> list[str]:
    """News of so many characters, whose first word the vocabulary has."""
    news = [" ".join(["the", *inputs.texts(characters // SHORTEST_NEWS + 1)]) for _ in range(count)]
    return [text[:characters] for text in news]


def missing_runner() -> Optional[str]:
    """It needs `model_archiver` to be this library's, as an installation has it."""
    return (
        None
        if find_spec("model_archiver.writing")
        else "this library is not installed here: pip install -e ."
    )
