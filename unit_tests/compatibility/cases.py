"""The cases: what handlers/ holds, packed into archives."""

from __future__ import annotations

import json
import shutil
import warnings
from importlib import util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from comparison import opened

HERE = Path(__file__).parent

for module, package in (("ts.model_server", "torchserve"), ("captum", "captum")):
    if util.find_spec(module) is None:
        reason = f"needs {package}, which handlers of torchserve's examples import: pip install {package}"
        pytest.skip(reason, allow_module_level=True)


def import_path(path: Path) -> ModuleType:
    spec = util.spec_from_file_location(f"compatibility_{path.stem}", path)
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HANDLERS = {path.stem: import_path(path) for path in sorted((HERE / "handlers").glob("*.py"))}
CASES = {
    name: (HERE / "handlers" / f"{stem}.py", case)
    for stem, module in HANDLERS.items()
    for name, case in module.CASES.items()
}


def pack(folder: Path, handler: Path, case: dict[str, Any]) -> None:
    """Writes an archive as torch-model-archiver unpacks it: handler, model, labels, settings and manifest."""
    folder.mkdir()
    shutil.copy(handler, folder)
    model = {"modelName": "model", "handler": case.get("handler", handler.name), "modelVersion": "1.0"}
    if "model" in case:
        model.update(_write_model(folder, HERE / "models" / f"{case['model']}.py", case.get("scripted")))
    if "config" in case:
        (folder / "model-config.yaml").write_text(json.dumps(case["config"]))  # JSON is YAML
        model["configFile"] = "model-config.yaml"
    for name, content in case.get("files", {}).items():
        _write_file(folder / name, content)
    model.update(case.get("manifest", {}))
    (folder / "MAR-INF").mkdir()
    manifest = {"createdOn": "", "runtime": "python", "model": model, "archiverVersion": "0.12.0"}
    (folder / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))


def _write_model(folder: Path, path: Path, scripted: bool) -> dict[str, str]:
    import torch

    (network,) = (
        kind
        for kind in vars(import_path(path)).values()
        if isinstance(kind, type) and kind.__module__ == f"compatibility_{path.stem}"
    )
    torch.manual_seed(0)
    model = network().eval()
    if scripted:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.jit.script(model).save(str(folder / "model.pt"))
        return {"serializedFile": "model.pt"}
    shutil.copy(path, folder)
    torch.save(model.state_dict(), folder / "model.pt")
    return {"serializedFile": "model.pt", "modelFile": path.name}


def _write_file(path: Path, content: Any) -> None:
    import torch

    if isinstance(content, bytes):
        path.write_bytes(content)
    elif path.suffix == ".pt":
        torch.save(content, path)
    else:
        path.write_text(json.dumps(content))


def expected(case: dict[str, Any], theirs: dict[str, Any]) -> Any:
    """0.12's answers, but where the case knows better: `expected`, the answers to some batches by their number."""
    assert "error" not in theirs, theirs["error"]
    answers = [[opened(row) for row in batch] for batch in theirs["batches"]]
    for number, rows in case.get("expected", {}).items():
        answers[number] = [row if isinstance(row, dict) else answers[number][row] for row in rows]
    return answers
