"""Archives in int8, for the contenders that answer with one."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.models import Unpacked

INPUTS = 60  # as few as `quantize` takes: of random weights it is the speed that counts
CALIBRATING = 10  # of them


def in_int8(archive: Unpacked, inputs: Sequence[Any], folder: Path) -> Unpacked:
    """Quantizes an archive, whatever its answers are then; this takes up to a minute.

    Args:
        archive: whose files are left as they are.
        inputs: `INPUTS` rows as those that it is going to answer: encoded images, or texts.
        folder: for the files of the new one; it is made.
    """
    from ts.runner.quantizing import Plan, quantize_archive

    old, data = folder / "old", folder / "data"
    shutil.copytree(archive.folder, old)
    (old / "MAR-INF").mkdir()
    (old / "MAR-INF" / "MANIFEST.json").write_text(json.dumps({"model": archive.manifest}))
    data.mkdir()
    suffix = "txt" if archive.manifest["handler"] == "text_classifier" else "jpg"
    for index, row in enumerate(inputs):
        (data / f"{index}.{suffix}").write_bytes(row)
    plan = Plan([str(data)], min_agreement=0.0, samples=CALIBRATING)
    quantize_archive(old, folder / "int8.mar", plan)
    with zipfile.ZipFile(folder / "int8.mar") as file:
        file.extractall(folder / "int8")
    return replace(archive, folder=folder / "int8")
