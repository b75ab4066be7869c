"""A live TorchServe, the embedded engine and Ray: the same archives and requests, and the same replies."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from at_hand import or_skip
from faulty import FAULTY
from format_archives import LIVE_FORMATS
from live_handlers import write_archive

from benchmarks.processes.namespace import unshare, why_not
from unit_tests.server.engines.recording import Recording, Seen
from unit_tests.server.engines.request_set import request_set

ROOT = Path(__file__).resolve().parents[3]
RECORD = f"""
import sys
sys.path.append({str(ROOT / "unit_tests" / "helpers")!r})  # not by the environment, in which the servers start
from unit_tests.server.engines import recording
recording.main(*sys.argv[1:])
"""
SECONDS = 600

pytestmark = pytest.mark.long  # some fifty workers start

NAMES = list(request_set(b"photo"))
WRITTEN_HERE = ("echo", "actor", "actor3", "counting", "function", "own")


@pytest.fixture(scope="module")
def folder(
    needs_torchserve: None,
    archives: dict[str, Path],
    format_archives: dict[str, Path],
    photos: list[Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """What each engine is given, and where it puts its replies."""
    folder = tmp_path_factory.mktemp("engines")
    paths = [archives[name] for name in WRITTEN_HERE] + or_skip(build_examples, folder)
    paths += [format_archives[name] for name in LIVE_FORMATS if name in format_archives]
    paths.append(write_archive(folder, "faulty", "faulty.py", {"faulty.py": FAULTY}))
    (photo,) = [path for path in photos if path.name == "coffee.png"]
    given = {"archives": [str(path) for path in paths], "photo": str(photo)}
    (folder / "given.json").write_text(json.dumps(given))
    return folder


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Recording:
    """What TorchServe says."""
    return run("torchserve", folder)


@pytest.fixture(scope="module", params=["embedded", "ray"])
def ours(request: pytest.FixtureRequest, folder: Path, theirs: Recording) -> Recording:
    """What another engine says."""
    return run(request.param, folder)


def build_examples(folder: Path) -> list[Path]:
    """The archives of all examples."""
    from examples.custom_handler.archive import build_both
    from examples.image_classifier.archive import build_archive as classifier
    from examples.image_segmenter.archive import build_archive as segmenter
    from examples.object_detector.archive import build_archive as detector
    from examples.text_classifier.archive import build_archive as texts

    return [*(build(folder) for build in (classifier, segmenter, detector, texts)), *build_both(folder)]


def run(engine: str, folder: Path) -> Recording:
    if engine == "ray" and not importlib.util.find_spec("ray"):
        pytest.skip("needs Ray: pip install 'torchserve-handlers[ray]'")
    if engine == "ray" and (reason := why_not()):
        pytest.skip(reason)
    command = [*(unshare() if engine == "ray" else []), sys.executable, "-c", RECORD, engine, str(folder)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}  # sums of other parts are other sums, in their last digits
    log = folder / f"{engine}.log"
    with log.open("w") as file:
        code = subprocess.run(
            command, cwd=ROOT, env=env, stdout=file, stderr=file, timeout=SECONDS
        ).returncode
    assert code == 0, log.read_text()[-4000:]
    return pickle.loads((folder / f"{engine}.pickle").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_a_request_gets_the_same_reply(theirs: Recording, ours: Recording, name: str) -> None:
    expected, found = theirs.replies[name], ours.replies[name]
    if name.startswith("echo") and expected.status == 200:
        expected, found = comparable(expected), comparable(found)
    assert found == expected


def comparable(seen: Seen) -> Seen:
    """An echo, its headers by name in lower case and sorted, without the server's address and Ray's own ids."""
    answer = json.loads(seen.body)
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    names = sorted(headers.keys() - {"host", "x-request-id"})
    answer["headers"] = {name: headers[name] for name in names}
    return Seen(seen.status, json.dumps(answer).encode(), seen.content_type, seen.own_headers)


def test_a_batch_is_answered_alike(theirs: Recording, ours: Recording) -> None:
    assert ours.batch == theirs.batch


def test_a_model_is_described_with_the_same_words(theirs: Recording, ours: Recording) -> None:
    expected, found = described(theirs.description), described(ours.description)
    assert {name: expected[name] for name in found} == found


def described(facts: dict[str, Any]) -> dict[str, Any]:
    """Without what tells of one server: its processes, its queue, its file, and who has asked it."""
    said = {name: value for name, value in facts["customizedMetadata"].items() if name != "headers"}
    apart = ("modelUrl", "workers", "jobQueueStatus")
    return {name: value for name, value in facts.items() if name not in apart} | {"customizedMetadata": said}
