"""Whatever an archive is, it is opened and verified, or refused in one sentence; nothing lands beside it.

See unit_tests/helpers/fuzzing.py for how to run this long, or again.
"""

from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any, Callable, Optional

from fuzzed_inputs import json_values, mutated
from fuzzing import fuzz
from hypothesis import given
from hypothesis import strategies as st

from ts.runner.archives.archive import open_archive
from ts.runner.archives.inspection import inspection
from ts.runner.archives.verification import verify_archive
from ts.runner.errors import ArchiveError

MODEL = {"modelName": "tiny", "modelVersion": "1.0", "handler": "own.py", "configFile": "model-config.yaml"}
MANIFEST = json.dumps({"runtime": "python", "model": MODEL}).encode()
CONFIG = b"batchSize: 2\nhandler: &a\n  topk: 3\n  more: [1, 2.5, 'x', {b: c}]\nother: *a\n"
NAME = "MAR-INF/MANIFEST.json"
LONGEST_MESSAGE = 2_000  # characters, most of them the folder's own name

YAML = [
    "[",
    "{",
    "&a [",
    "*a",
    "<<: *a",
    "- ",
    "? ",
    ": ",
    "!!python/object:os.system ",
    "!!set {a}",
    "1e999",
    ".nan",
    "\0",
]


@cache
def archive_files() -> tuple[bytes, ...]:
    """A zip and two tars of the same model."""
    return tuple(
        packed(kind, {NAME: MANIFEST, "own.py": b"def handle(data, context): pass\n"}) for kind in KINDS
    )


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name or "?", content)  # zipfile writes no empty name
    return file.getvalue()


def tarred(files: dict[str, bytes], mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w{mode}") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(f"tiny/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


KINDS = (".mar", ".tar", ".tar.gz")


def packed(kind: str, files: dict[str, bytes]) -> bytes:
    full = {"model-config.yaml": CONFIG, **files}
    return zipped(full) if kind == ".mar" else tarred(full, ":gz" if kind.endswith("gz") else "")


def check_archive(content: bytes) -> None:
    """Opens and inspects an archive, and verifies it; each succeeds, or says in one line why it does not."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stranger.mar"
        path.write_bytes(content)
        for look in (look_inside, verify_archive):
            message = refusal(look, path)
            assert message is None or 0 < len(message) < LONGEST_MESSAGE
            assert "\n" not in (message or "")
        assert [each.name for each in Path(folder).iterdir()] == [path.name]


def refusal(look: Callable[[Path], object], path: Path) -> Optional[str]:
    try:
        look(path)
    except ArchiveError as error:
        return str(error)
    return None


def look_inside(path: Path) -> None:
    with open_archive(path) as archive:
        json.dumps(inspection(archive), allow_nan=False)


@fuzz
@given(data=st.data())
def test_any_file(data: st.DataObject) -> None:
    check_archive(data.draw(mutated(archive_files())))


@fuzz
@given(data=st.data())
def test_any_names(data: st.DataObject) -> None:
    parts = st.sampled_from(
        ["..", ".", "", "a", "A", "/", "C:", "\\", "nul", "tiny", "MAR-INF", "\u0301", "a" * 300]
    )
    names = data.draw(st.lists(st.lists(parts, max_size=6).map("/".join), max_size=4))
    kind = data.draw(st.sampled_from(KINDS))
    check_archive(packed(kind, {NAME: MANIFEST, **dict.fromkeys(names, b"content")}))


@fuzz
@given(data=st.data())
def test_any_manifest(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    content = data.draw(
        st.one_of(mutated((MANIFEST,)), manifests().map(lambda value: json.dumps(value).encode()))
    )
    check_archive(packed(kind, {NAME: content}))


@st.composite
def manifests(draw: Any) -> Any:
    """A manifest with a value that is none of its kind, or one more."""
    section, key = (
        dict(MODEL),
        draw(st.sampled_from([*MODEL, "serializedFile", "modelFile", "requirementsFile"])),
    )
    section[key] = draw(json_values(deepest=500))
    digests = {"sha256": draw(json_values(deepest=500))} if draw(st.booleans()) else {}
    return {"model": section, **digests}


@fuzz
@given(data=st.data())
def test_any_config(data: st.DataObject) -> None:
    pieces = st.lists(
        st.one_of(st.sampled_from(YAML), st.sampled_from(["a", "\n", "  ", "1", "#"])), max_size=30
    )
    content = data.draw(st.one_of(mutated((CONFIG,)), pieces.map(lambda found: "".join(found).encode())))
    check_archive(packed(".mar", {NAME: MANIFEST, "model-config.yaml": content}))
