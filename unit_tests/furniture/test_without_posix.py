"""Where Python lacks what only POSIX has, as on Windows, all modules are imported, and archives are answered.

Windows itself runs in .github/workflows/ci.yml; this finds what would fail there first.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from live_handlers import write_archive
from tiny_archives import BAG

SCRIPT = Path(__file__).with_name("without_posix.py")


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    weights, vocabulary = io.BytesIO(), io.BytesIO()
    torch.save({"embedding.weight": torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0], [3.0, 1.0]])}, weights)
    torch.save({"<unk>": 0, "rain": 1, "sun": 2, "rain sun": 3}, vocabulary)
    files = {
        "model.py": BAG,
        "bag.pt": weights.getvalue(),
        "source_vocab.pt": vocabulary.getvalue(),
        "index_to_name.json": '{"0": "wet", "1": "dry"}',
    }
    folder = tmp_path_factory.mktemp("archive")
    return write_archive(
        folder, "bag", "text_classifier", files, serializedFile="bag.pt", modelFile="model.py"
    )


def run(*arguments: object) -> str:
    command = [sys.executable, "-W", "ignore", SCRIPT, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_an_archive_is_answered_to_the_screen_and_into_a_file(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("sun")
    (tmp_path / "answers.jsonl").write_text("")
    answers = tmp_path / "answers.jsonl"
    run("predict", archive, tmp_path / "text.txt", "--output", answers, "-f")
    [row] = [json.loads(line) for line in answers.read_text().splitlines()]
    assert row["status"] == 200
    assert row["response"]["dry"] == pytest.approx(0.8808, abs=1e-4)  # the sigmoid of 2
