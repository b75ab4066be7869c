"""`torch-model-runner compare`, on archives that torchserve's own handlers and this library's both answer."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any, Callable

import pytest
import torch
from PIL import Image

from ts.runner.main import main
from unit_tests.runner.comparing.conftest import saved, scripted
from unit_tests.runner.conftest import manifest_of, write_zip

Compare = Callable[..., tuple[int, Any]]

pytestmark = pytest.mark.usefixtures("needs_stock")


class Colours(torch.nn.Module):
    """The colours of a picture's left half, as six classes."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        half = images[:, :, :, :112]
        return torch.cat([half.mean(dim=(2, 3)), half.amin(dim=(2, 3)) - 9], dim=1)


class Pixels(torch.nn.Module):
    """Of each pixel the three classes that its colours are."""

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"out": images}


def png(size: tuple[int, int] = (256, 256), mode: str = "RGB", colour: Any = None) -> bytes:
    file = io.BytesIO()
    picture = Image.radial_gradient("L").resize(size).convert(mode)
    (picture if colour is None else Image.new(mode, size, colour)).save(file, "PNG")
    return file.getvalue()


def turned(size: tuple[int, int] = (300, 200)) -> bytes:
    """A JPEG, red above and blue below, that lies on its side by its EXIF."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (0, size[1] // 2, *size))
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    picture.save(file, "JPEG", exif=exif)
    return file.getvalue()


DETECTOR = b"""
import torch

class Detector(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.shift = torch.nn.Parameter(torch.zeros(1))

    def forward(self, images):
        boxes = torch.tensor([[1.0, 2.0, 30.0, 40.0], [5.0, 6.0, 20.0, 30.0]]) + self.shift
        found = {"boxes": boxes, "labels": torch.tensor([1, 2]), "scores": torch.tensor([0.9, 0.8])}
        return [found for _ in images]
"""
BAG = b"""
import torch

class Bag(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.EmbeddingBag(6, 6)

    def forward(self, indexes, offsets):
        return self.embedding(indexes, offsets)
"""


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    files = {
        "broken.png": b"\x89PNG",
        "clear.png": png(mode="RGBA"),
        "plain.png": png(),
        "turned.jpg": turned(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def by_input(document: Any) -> dict[tuple[str, int], dict[str, Any]]:
    return {(Path(row["input"]).name, row["batch"]): row for row in document["results"]}


def why_of(row: dict[str, Any]) -> str:
    return row["why"]["row"].rpartition("#")[2] if row["why"] else ""


def test_photos_one_by_one_and_in_a_batch(
    compare: Compare, archive_of: Callable[..., Path], photos: Path
) -> None:
    archive = archive_of("image_classifier", {"model.pt": scripted(Colours())}, serializedFile="model.pt")
    code, document = compare(archive, photos, "--batch-size", 4)
    assert code == 1
    assert document["old"] == "torchserve 0.12.0's own handlers"
    assert document["new"].startswith("torchserve-handlers ")
    assert document["problem"] is None
    rows = by_input(document)
    found = {name: (row["statuses"], why_of(row)) for (name, batch), row in rows.items() if batch == 1}
    assert found == {
        "broken.png": ([503, 400], "statuses"),
        "clear.png": ([503, 200], "modes"),
        "plain.png": ([200, 200], ""),
        "turned.jpg": ([200, 200], "exif"),
    }
    assert rows["plain.png", 1]["result"] in ("same", "within tolerance")
    assert rows["plain.png", 1]["largest"] <= 1e-4
    found = {name: (row["statuses"], why_of(row)) for (name, batch), row in rows.items() if batch == 4}
    assert found == {
        "broken.png": ([503, 400], "batch"),
        "clear.png": ([503, 200], "batch"),
        "plain.png": ([503, 200], "batch"),
        "turned.jpg": ([503, 200], "batch"),
    }
    assert document["counts"] == {"differs": 4}


def test_masks(compare: Compare, archive_of: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    archive = archive_of("image_segmenter", {"model.pt": scripted(Pixels())}, serializedFile="model.pt")
    code, document = compare(archive, tmp_path / "red.png", "--allow-known")
    (row,) = document["results"]
    assert (code, row["how"], why_of(row)) == (0, ["content type: none → application/json"], "types")
    assert row["largest"] <= 1e-4


def test_boxes(compare: Compare, archive_of: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "red.png").write_bytes(png(colour="red"))
    files = {"model.py": DETECTOR, "model.pt": saved({"shift": torch.zeros(1)})}
    archive = archive_of("object_detector", files, serializedFile="model.pt", modelFile="model.py")
    code, document = compare(archive, tmp_path / "red.png")
    (row,) = document["results"]
    assert (code, row["result"], row["statuses"]) == (0, "same", [200, 200])


def test_texts(compare: Compare, archive_of: Callable[..., Path], tmp_path: Path) -> None:
    words = ["<unk>", "rain", "sun", "rain sun", "the", "sun rain"]
    weights = {"embedding.weight": torch.arange(36.0).reshape(6, 6) % 7}
    files = {
        "bag.py": BAG,
        "bag.pt": saved(weights),
        "words.pt": saved({word: i for i, word in enumerate(words)}),
    }
    model = {"serializedFile": "bag.pt", "modelFile": "bag.py", "sourceVocab": "words.pt"}
    archive = archive_of("text_classifier", files, **model)
    for name, text in {"a": "rain sun", "b": "sun rain"}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    code, document = compare(archive, tmp_path, "--batch-size", 2)
    found = {place: (row["result"], why_of(row)) for place, row in by_input(document).items()}
    assert found["a.txt", 1] == found["b.txt", 1] == ("same", "")
    assert found["a.txt", 2] == found["b.txt", 2] == ("differs", "texts")
    assert code == 1


def asked(folder: Path, **values: Any) -> list[Path]:
    """Files that say what each side of the archive `two` answers."""
    paths = []
    for name, (old, new) in values.items():
        paths.append(folder / f"{name}.json")
        paths[-1].write_text(json.dumps({"old": old, "new": new}))
    return paths


def picture(shade: int) -> dict[str, str]:
    return {"picture": base64.b64encode(png((4, 4), "L", shade)).decode()}


def test_a_handler_of_ones_own(compare: Compare, two: Path, tmp_path: Path) -> None:
    answers = {
        "a_label": ({"cat": 0.9, "dog": 0.1}, {"dog": 0.9, "cat": 0.1}),
        "b_close": ([1.0, 2.0], [1.0, 2.001]),
        "c_far": ([1.0, 2.0], [1.0, 2.1]),
        "d_text": ("yes", "no"),
        "e_picture": (picture(10), picture(90)),
        "f_status": ({"status": 404, "body": "gone"}, {"status": 404, "body": "gone"}),
        "g_raised": ({"raise": "bad luck"}, {"raise": "other luck"}),
        "h_key": ({"key": 1}, {"key": 1}),
        "i_died": ({"die": 1}, "here"),
        "j_after": ("well", "well"),
    }
    code, document = compare(two, *asked(tmp_path, **answers))
    assert code == 1
    found = [(row["result"], row["statuses"], row["how"]) for row in document["results"]]
    assert found == [
        ("differs", [200, 200], ["first class: cat → dog", "numbers by up to 0.8"]),
        ("within tolerance", [200, 200], []),
        ("differs", [200, 200], ["numbers by up to 0.05"]),
        ("differs", [200, 200], ["yes → no"]),
        ("differs", [200, 200], ["16 of 16 pixels differ, by up to 80 of 255"]),
        ("same", [404, 404], []),
        ("same", [503, 503], []),
        ("same", [200, 200], []),
        ("differs", [500, 200], ["500 Worker died. (OSError: gone) → 200"]),
        ("same", [200, 200], []),
    ]
    assert [why_of(row) for row in document["results"]].count("answered") == 1


def test_an_archive_that_only_one_side_loads(compare: Compare, tmp_path: Path) -> None:
    path = tmp_path / "odd.mar"
    handler = "import ts\nif {} hasattr(ts, 'HANDLERS_VERSION'):\n    raise KeyError('odd')\n"
    handler += "def handle(data, context):\n    return ['x']\n"
    (tmp_path / "a.txt").write_text("a")
    for condition, side in (("not", "torchserve's own handlers do not load"), ("", "torchserve-handlers")):
        write_zip(
            path, {"o.py": handler.format(condition).encode(), "MAR-INF/MANIFEST.json": manifest_of("o.py")}
        )
        code, document = compare(path, tmp_path / "a.txt")
        assert code == 1
        assert document["problem"].startswith(side)
        assert "KeyError: 'odd'" in document["problem"]
        assert document["results"] == []


def test_a_table_for_people(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, two: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    files = asked(tmp_path, a=("yes", "no"), b=("yes", "yes"), c=({"raise": "luck"}, "luck"))
    assert main(["compare", str(two), *map(str, files), "--batch-size", "3"]) == 1
    lines = capfd.readouterr().out.splitlines()
    cells = " ".join(" ".join(lines).replace("│", " ").split())
    assert "yes → no" in cells
    assert "b.json, in a batch of 3" in cells
    assert "torchserve 0.12.0's own handlers → torchserve-handlers" in cells
    assert "3 inputs: 3 differs of 1 input no reason is known" in cells
    assert "torchserve 0.12 fails a whole batch for one row: " in cells


def test_usage(compare: Compare, two: Path, tmp_path: Path) -> None:
    (file,) = asked(tmp_path, a=("yes", "no"))
    assert compare(two, tmp_path / "none") == (
        2,
        f"torch-model-runner: no such file or folder: {tmp_path / 'none'}\n",
    )
    assert "--old-header is for --old URL" in compare(two, file, "--old-header", "a=b")[1]
    assert "names no model" in compare(file, "--old", "http://h", "--new", "http://h")[1]
    assert "no URL of a server" in compare(two, file, "--old", "h:80")[1]
    with pytest.raises(SystemExit, match="2"):
        compare(file, "--old", "http://h")


def test_a_file_that_cannot_be_read(compare: Compare, two: Path, tmp_path: Path) -> None:
    (file,) = asked(tmp_path, a=("yes", "yes"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "gone.json").symlink_to(tmp_path / "nowhere")
    code, document = compare(two, tmp_path / "in", file, file)
    assert code == 1
    assert [row["result"] for row in document["results"]] == ["not read", "same", "same"]
    assert document["counts"] == {"not read": 1, "same": 1}
