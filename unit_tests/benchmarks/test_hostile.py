"""The benchmark of hostile requests: what it measures, what it takes for a fault, and what it asks."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from benchmarks.hostile import main
from benchmarks.strangers.archives import ARCHIVES, Archive, Way
from benchmarks.strangers.asking import request, try_archive
from benchmarks.strangers.attacks import MOST_BYTES, Attack, Limits
from benchmarks.strangers.corpus import corpus
from benchmarks.strangers.jpegs import EMPTY, PROGRESSIVE, Scan, jpeg
from benchmarks.strangers.trials import Answered
from benchmarks.strangers.verdicts import HEADINGS, Trial, faults, rows_of
from ts.handler_utils.images.settings import ImageClassifierSettings, ObjectDetectorSettings, VisionSettings

# A model whose first number says what it does.
MISCHIEF = """
import os, time
import torch

class Network(torch.nn.Module):
    def forward(self, numbers):
        what = int(numbers[0, 0])
        if what == 9:
            os._exit(7)
        if what == 2:
            torch.zeros(50_000_000).add_(1)
        if what == 3:
            end = time.process_time() + 0.3
            while time.process_time() < end:
                pass
        if what == 4:
            raise RuntimeError("no")
        return numbers
"""
BASE = next(archive for archive in ARCHIVES if archive.name == "base")
PREDICT = Way("predict")


def ask(*numbers: int) -> list[Trial]:
    archive = replace(BASE, network=MISCHIEF)
    wanted = [
        (Attack("kind", str(n), partial(bytes, f"[{n}, 0]".encode()), "application/json"), PREDICT)
        for n in numbers
    ]
    return try_archive(archive, wanted)


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures by Linux's /proc")
def test_what_a_request_costs_is_measured_and_a_worker_that_it_ends_is_followed_by_another() -> None:
    ended, ordinary, large, slow, failed = (trial.answered for trial in ask(9, 0, 2, 3, 4))
    assert ended.status == 0
    assert ended.message.startswith("no answer: the process ended (7)")
    assert (ordinary.status, ordinary.size) == (200, len("[\n  0,\n  0\n]"))
    assert ordinary.megabytes < 50
    assert 190 < large.megabytes < 300
    assert large.status == slow.status == 200
    assert slow.seconds > 0.3 > ordinary.seconds
    assert slow.megabytes < 50
    assert failed.status >= 400


def trial(**figures: object) -> Trial:
    answered = replace(Answered(200, 10, 0.1, 20.0), **figures)  # type: ignore[arg-type]
    return Trial(BASE, "kind", "name", "predict", answered)


def test_a_request_is_over_the_budget_by_time_memory_a_5xx_or_no_answer() -> None:
    assert trial().fault() is None
    assert trial(status=413, message="too large").fault() is None
    assert trial(seconds=1.25).fault() == "1.2 s, and 1 s are the most"
    assert trial(megabytes=300.7).fault() == "301 MB, and 300 MB are the most"
    assert trial(status=503, message="Prediction failed").fault() == "answers 503: Prediction failed"
    assert trial(status=0, message="no answer: it said nothing").fault() == "no answer: it said nothing"


def test_a_row_of_the_table_has_the_dearest_requests_of_a_kind() -> None:
    trials = [
        trial(),
        replace(trial(seconds=2.0), name="slow", way="explain"),
        trial(status=400, megabytes=-1),
    ]
    (row,) = rows_of(trials)
    assert dict(zip(HEADINGS, row))["handler"] == "base"
    assert row[2:] == ["3", "2.00", "slow (explain)", "20", "name", "200: 2, 400: 1", "1"]
    assert faults(trials) == [["base", "kind", "slow (explain)", "2.0 s, and 1 s are the most"]]


@pytest.mark.parametrize("archive", ARCHIVES, ids=lambda archive: archive.name)
def test_what_a_handler_is_asked_is_below_the_size_that_the_budget_is_for(archive: Archive) -> None:
    pytest.importorskip("tokenizers")
    seen: Counter[tuple[str, str, str]] = Counter()
    for attack, way in corpus(archive, quick=True):
        seen[(attack.kind, attack.name, way.name)] += 1
        if attack.kind not in ("JPEG", "PNG", "other formats", "thin images"):  # which take long to make
            request(archive, attack, way)
    assert set(seen.values()) == {1}
    with pytest.raises(ValueError, match="large: huge has 100001 bytes"):
        request(archive, Attack("large", "huge", partial(bytes, MOST_BYTES + 1)), PREDICT)


@pytest.mark.parametrize("kind", [ImageClassifierSettings, ObjectDetectorSettings])
def test_the_limits_are_those_of_the_handlers_settings(kind: type[VisionSettings]) -> None:
    settings = kind()
    limits = Limits.of_settings(kind)
    assert (limits.pixels, limits.aspect, limits.scans) == (
        settings.max_pixels,
        settings.max_aspect,
        settings.max_scans,
    )


@pytest.mark.parametrize("frame", [{}, {"frame": PROGRESSIVE, "scans": [Scan(last=0), Scan(last=0, data=0)]}])
def test_a_jpeg_written_by_hand_is_a_flat_picture(frame: dict) -> None:
    import io

    from PIL import Image

    for options in ({"components": 1}, {}, {"components": 4}, {"sampling": 0x11}, {"sampling": 0x41}):
        with Image.open(io.BytesIO(jpeg(100, 60, **{**options, **frame}))) as image:
            assert image.size == (100, 60)
            assert len(image.convert("RGB").getcolors()) == 1
    assert len(jpeg(20_000, 2_500, scans=[EMPTY])) < 160


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures by Linux's /proc")
def test_the_command_prints_a_table_and_writes_each_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "figures.json"
    status = main(["--quick", "--only", "base", "--kind", "headers", "--markdown", "--json", str(path)])
    trials = json.loads(path.read_text())["trials"]
    assert {each["kind"] for each in trials} == {"headers"}
    assert status == int(any(each["fault"] for each in trials))
    assert "| base | headers | 2 |" in capsys.readouterr().out
