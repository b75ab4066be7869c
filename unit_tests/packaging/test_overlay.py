"""The overlay: this library's `ts` stands in front of torchserve's, whichever is installed first."""

from __future__ import annotations

import importlib.metadata
import zipfile
from pathlib import Path

import pytest
from fresh_venv import Venv

ROOT = Path(__file__).resolve().parents[2]

OURS = [
    "ts.torch_handler.image_classifier",
    "ts.torch_handler.base_handler",
    "ts.utils.util",
    "ts.handler_utils.timer",
]
TORCHSERVES = [
    "ts.model_server",
    "ts.context",
    "ts.metrics.dimension",
    "ts.handler_utils.utils",
    "ts.torch_handler.request_envelope.json",
    "ts.torch_handler.distributed",
]


@pytest.mark.parametrize("order", ["torchserve first", "ours first", "editable"])
def test_our_modules_come_first_and_torchserves_fill_the_gaps(order, tmp_path, torchserve_wheel, our_wheel):
    venv = Venv(tmp_path / "venv")
    ours = ["--editable", str(ROOT)] if order == "editable" else [str(our_wheel)]
    steps = [[str(torchserve_wheel)], ours]
    for step in reversed(steps) if order == "ours first" else steps:
        venv.install(*step)
    torchserves = (venv.purelib / "ts").resolve()
    home = ROOT if order == "editable" else (venv.purelib / "_torchserve_handlers").resolve()
    assert all(home in origin.parents for origin in venv.origins(OURS))
    assert all(torchserves in origin.parents for origin in venv.origins(TORCHSERVES))
    with zipfile.ZipFile(torchserve_wheel) as wheel:
        for name in wheel.namelist():
            assert name.endswith("RECORD") or (venv.purelib / name).read_bytes() == wheel.read(name)

    venv.pip("uninstall", "--yes", "torchserve-handlers")
    assert not list(venv.purelib.glob("*torchserve_handlers*"))
    assert all(torchserves in origin.parents for origin in venv.origins(OURS + TORCHSERVES))
    code = (
        "from ts.torch_handler import base_handler; base_handler.BaseHandler(); print(base_handler.__file__)"
    )
    assert venv.run(code) == str(venv.purelib / "ts" / "torch_handler" / "base_handler.py")


def test_without_torchserve_the_library_is_found_alone(tmp_path, our_wheel):
    venv = Venv(tmp_path / "venv", borrow=False)
    venv.install(str(our_wheel))
    assert all(
        venv.purelib.resolve() in origin.parents for origin in venv.origins(["ts", "ts.torch_handler"])
    )
    code = "import ts, importlib.util; print(ts.__version__, importlib.util.find_spec('ts.model_server'))"
    assert venv.run(code) == f"{importlib.metadata.version('torchserve-handlers')} None"


def test_the_version_is_torchserves_where_that_is_installed():
    import ts

    try:
        assert ts.__version__ == importlib.metadata.version("torchserve")
    except importlib.metadata.PackageNotFoundError:
        assert ts.__version__ == ts.HANDLERS_VERSION
