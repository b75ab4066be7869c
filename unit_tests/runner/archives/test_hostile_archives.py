"""Archives that strangers made: each is one sentence, costs little, and leaves nothing, whatever reads it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hostile_archives import TARS, ZIPS
from other_process import run

ATTACKS = {
    **{f"{name}.mar": attack for name, attack in ZIPS.items()},
    **{f"{name}.tar.gz": a for name, a in TARS.items()},
}

# What takes more memory or disk than this fails by it, instead of by its own sentence.
READ = """
import os, resource, tempfile
from ts.runner.archives import limits
from ts.runner import ArchiveError, open_archive
from ts.runner.archives.verification import verify_archive

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_FSIZE, (20 << 20, 20 << 20))
limits.FREE_SIZE, limits.MOST_ENTRIES = 16 << 20, 500  # so that the tests are quick
tempfile.tempdir = arguments["folder"]

def opened(path):
    with open_archive(path):
        return "it is read"

def verified(path):
    found = verify_archive(path)
    return f"compared {found.compared}: {found.problems}"

def said_of(read, path):
    try:
        said = read(path)
    except ArchiveError as error:
        said = str(error)
    return [said, os.listdir(arguments["folder"])]

answer({path: [said_of(opened, path), said_of(verified, path)] for path in arguments["paths"]})
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What opening and verifying each archive says, and what lies in the temporary folder afterwards."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "t").mkdir()
    for name, (write, _) in ATTACKS.items():
        write(folder / name)
    return run(READ, {"paths": list(ATTACKS), "folder": str(folder / "t")}, folder)


@pytest.mark.parametrize("name", ATTACKS)
def test_opening_it_is_one_sentence_and_leaves_nothing(said: dict[str, Any], name: str) -> None:
    sentence, left = said[name][0]
    assert re.search(ATTACKS[name][1], sentence), sentence
    assert name in sentence
    assert "\n" not in sentence
    assert len(sentence) < 500
    assert left == []


@pytest.mark.parametrize("name", ATTACKS)
def test_verifying_it_is_one_sentence_or_finds_no_digests(said: dict[str, Any], name: str) -> None:
    sentence, left = said[name][1]
    assert name in sentence or sentence == "compared 0: {}"
    assert "\n" not in sentence
    assert len(sentence) < 500
    assert left == []
