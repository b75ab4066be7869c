"""Builds torchserve-handlers, whose packages `ts` and `model_archiver` stand in front of torchserve's own.

Both are installed inside one folder of this project's in site-packages, so that no file of torchserve is
overwritten, and a `.pth` file (see the docs of Python's `site`) puts that folder at the front of `sys.path`, by
the code in it that is `overlay/__init__.py` here. All that can be said without code stands in pyproject.toml.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build import build
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel
from setuptools.command.egg_info import egg_info

ROOT = Path(__file__).resolve().parent
OVERLAY = "_torchserve_handlers"
SOURCES = {"ts": "ts", "model_archiver": "model-archiver"}
PTH = f"import {OVERLAY}; {OVERLAY}.activate()\n"  # a line that Python executes when it starts
OWN_FOLDER = "os.path.dirname(os.path.abspath(__file__))"  # in overlay/__init__.py
LINK = re.compile(r"(?P<picture>!?)(?P<text>\[[^\]]*\])\((?P<path>[^)#\s]+)(?P<anchor>#[^)\s]*)?\)")


class FreshBuild(build):
    """Builds in a new folder: whatever is in `build/`, a wheel packs, modules that are long gone too."""

    def initialize_options(self) -> None:
        super().initialize_options()
        self.fresh = tempfile.TemporaryDirectory(prefix="torchserve-handlers-")
        self.build_base = self.fresh.name


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
            if not os.path.lexists(self.folder / name):
                link_folder(self.folder / name, source)
        return self

    def __exit__(self, *exception) -> None:
        pass


def link_folder(link: Path, source: str) -> None:
    try:
        link.symlink_to(os.path.join("..", source), target_is_directory=True)
    except OSError:
        if sys.platform != "win32":
            raise
        import _winapi  # there few may make symbolic links, and everybody junctions

        _winapi.CreateJunction(str(ROOT / source), str(link))


class EditableOverlay(editable_wheel):
    """setuptools' own editable finder comes after site-packages, where torchserve's `ts` would win."""

    def _select_strategy(self, name, tag, build_lib) -> LinkedOverlay:
        return LinkedOverlay()


class IndexPage(egg_info):
    """README.md as a package index shows it: links to this project's files lead to the version's tag."""

    def finalize_options(self) -> None:
        super().finalize_options()
        metadata = self.distribution.metadata
        home, tag = metadata.project_urls["Repository"], f"v{metadata.version}"

        def absolute(link: re.Match[str]) -> str:
            path = ROOT / link["path"]
            if not path.exists():  # a URL, an anchor, or code that looks like a link
                return link[0]
            form = "raw" if link["picture"] else "tree" if path.is_dir() else "blob"
            return (
                f"{link['picture']}{link['text']}({home}/{form}/{tag}/{link['path']}{link['anchor'] or ''})"
            )

        metadata.long_description = LINK.sub(absolute, metadata.long_description)


def overlay_packages() -> list[str]:
    """The overlay's folder, and every package of the sources under the name that it has inside that."""
    return [OVERLAY] + [
        ".".join((OVERLAY, name, *below))
        for name, source in SOURCES.items()
        for below in [(), *(tuple(package.split(".")) for package in find_packages(str(ROOT / source)))]
    ]


setup(
    packages=overlay_packages(),
    package_dir={OVERLAY: "overlay", **{f"{OVERLAY}.{name}": source for name, source in SOURCES.items()}},
    cmdclass={
        "build": FreshBuild,
        "build_py": BuildOverlay,
        "editable_wheel": EditableOverlay,
        "egg_info": IndexPage,
    },
    zip_safe=False,
)
