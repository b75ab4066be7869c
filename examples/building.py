"""What the examples' build scripts share: packing an archive, and their command line."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Callable

from model_archiver.model_archiver_config import ModelArchiverConfig
from model_archiver.model_packaging import generate_model_archive

from examples.assets import Asset, AssetError, fetch_all
from examples.photos import lay_out


def pack(
    export_path: Path,
    model_name: str,
    handler: str | Path,
    *,
    model_file: Path | None = None,
    weights: Path | None = None,
    labels: Mapping[int, str] | None = None,
    config_file: Path | None = None,
    extra_files: Sequence[Path] = (),
) -> Path:
    """Packs an archive into a folder, which is made if need be, and returns its path; an older one is replaced.

    Args:
        export_path: the folder.
        model_name: names the archive's file too.
        handler: name of a default handler, or the file of one's own.
        model_file: Python file of the model's class.
        weights: the model's state dict.
        labels: for index_to_name.json, if the handler has a use for them.
        config_file: model-config.yaml.
        extra_files: what else the handler needs; a folder stands for what is in it.
    """
    export_path.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = [*extra_files, *([write_labels(labels, Path(folder))] if labels else [])]
        config = ModelArchiverConfig(
            model_name=model_name,
            version="1.0",
            handler=str(handler),
            model_file=str(model_file) if model_file else None,
            serialized_file=str(weights) if weights else None,
            extra_files=[str(file) for file in files],
            config_file=str(config_file) if config_file else None,
            export_path=str(export_path),
            force=True,
        )
        generate_model_archive(config)
    return export_path / f"{model_name}.mar"


def write_labels(labels: Mapping[int, str], folder: Path) -> Path:
    path = folder / "index_to_name.json"
    path.write_text(json.dumps(dict(labels), indent=1), encoding="utf-8")
    return path


def build(
    archives: Callable[[Path], Path | list[Path]], description: str | None, photos: Sequence[Asset] = ()
) -> int:
    """A build script's command line: `--export-path` says where its archives go.

    Args:
        archives: builds them.
        description: of the script.
        photos: that are brought too, for the archives to be asked about.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--export-path", type=Path, default=Path("model_store"), help="default: %(default)s")
    try:
        built = archives(parser.parse_args().export_path)
        for photo in fetch_all(photos):
            lay_out(photo)
    except AssetError as error:
        print(error, file=sys.stderr)
        return 2
    for archive in built if isinstance(built, list) else [built]:
        print(f"{archive}  {archive.stat().st_size / 1e6:.1f} MB")
    return 0
