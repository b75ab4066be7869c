"""Files that are whole models: which loader reads them, and what is said of those that none reads."""

from __future__ import annotations

import re
import zipfile

import pytest
import safetensors.torch
import torch
from devices import NEEDS_GPU

from ts.handler_utils.models.formats import loader_of
from ts.handler_utils.models.formats.content import AOT_PACKAGE, CHECKPOINT, EXPORTED, content_of
from ts.handler_utils.models.formats.exported import load_pt2
from ts.handler_utils.models.formats.torchscript import load_torchscript


class Scale(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor([10.0]))

    def forward(self, batch):
        return self.factor * batch


def save_exported(path, rows=None, maximum=None):
    """Exports for batches of any size; or of `rows`; or of up to `maximum`."""
    shapes = None if rows else ({0: torch.export.Dim("rows", max=maximum)},)
    program = torch.export.export(Scale(), (torch.zeros(rows or 3, 2),), dynamic_shapes=shapes)
    torch.export.save(program, str(path))
    return path


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("sizes", [{}, {"rows": 2}, {"maximum": 4}], ids=["any", "fixed", "limited"])
def test_an_exported_model_answers_batches_of_any_size(sizes, rows, tmp_path):
    model = load_pt2(save_exported(tmp_path / "model.pt2", **sizes), "cpu")
    batch = torch.arange(2.0 * rows).reshape(rows, 2)
    assert model(batch).tolist() == (10 * batch).tolist()


@NEEDS_GPU
def test_an_exported_model_moves_to_the_handlers_device(tmp_path):
    model = load_pt2(save_exported(tmp_path / "model.pt2", rows=2), "cuda:0")
    assert model(torch.ones(3, 2, device="cuda:0")).tolist() == [[10.0, 10.0]] * 3


@pytest.mark.parametrize("name", ["model.torchscript", "model.ts", "model", "model.PT"])
def test_torchscript_is_told_by_what_it_holds(name, tmp_path):
    torch.jit.script(Scale()).save(str(tmp_path / name))
    load = loader_of(tmp_path / name)
    assert load is load_torchscript
    assert load(tmp_path / name, "cpu")(torch.ones(1)).tolist() == [10.0]


def write_half(path):
    save_exported(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def save_safetensors(path):
    safetensors.torch.save_file({"factor": torch.ones(1)}, path)


def save_weights(path):
    torch.save(Scale().state_dict(), path)


NEEDS_CLASS = "pack it with its class (torch-model-archiver --model-file)"
FULL = "Get the whole file"


@pytest.mark.parametrize(
    ("name", "write", "messages"),
    [
        ("model.pt", save_weights, ["not a TorchScript file: it is a file of torch.save", NEEDS_CLASS]),
        ("model.pt", write_half, ["not a TorchScript file: it is cut short", FULL]),
        ("model.pt", save_exported, ["not a TorchScript file: it is a model of torch.export.save"]),
        ("model.safetensors", save_safetensors, ["not a model: it is a file of safetensors", NEEDS_CLASS]),
        ("model.pt2", save_weights, ["not a model that torch.export.save wrote: it is a file of torch.save"]),
        ("model.pt2", write_half, ["it is cut short", FULL]),
        ("model.so", save_weights, ["not a library that AOTInductor compiled: it is a file of torch.save"]),
        (
            "model.h5",
            save_weights,
            ["a suffix that says nothing", "it is a file of torch.save", ".onnx, .pt, .pt2"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_no_model_is_told_for_what_it_is(name, write, messages, tmp_path):
    write(tmp_path / name)
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} ") as caught:
        loader_of(tmp_path / name)(tmp_path / name, "cpu")
    for message in messages:
        assert message in str(caught.value)


def rewrite(path, ending, change):
    """Changes one part of a zip archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name.endswith(ending) else content)


def test_an_exported_model_of_a_newer_torch_names_both_versions(tmp_path):
    path = save_exported(tmp_path / "model.pt2")
    if not any(name.endswith("models/model.json") for name in zipfile.ZipFile(path).namelist()):
        pytest.skip("before 2.8, files did not say what torch wrote them")
    newer = (b'"torch_version": "' + torch.__version__.encode(), b'"torch_version": "9.9.0')
    rewrite(path, "models/model.json", lambda text: text.replace(*newer).replace(b'"major": ', b'"major": 9'))
    with pytest.raises(
        ValueError, match=rf"torch 9\.9\.0 wrote it, and this is torch {re.escape(torch.__version__)}"
    ):
        load_pt2(path, "cpu")


def test_a_torchscript_model_of_a_newer_torch_gets_torchs_own_words(tmp_path):
    torch.jit.script(Scale()).save(str(tmp_path / "model.pt"))
    rewrite(tmp_path / "model.pt", "/version", lambda _: b"999\n")
    with pytest.raises(
        ValueError, match=r"^model\.pt is a TorchScript model that torch .* does not load.*999"
    ):
        load_torchscript(tmp_path / "model.pt", "cpu")


def test_contents_are_told_apart(tmp_path):
    save_weights(tmp_path / "weights.pt")
    save_exported(tmp_path / "exported.pt2")
    with zipfile.ZipFile(tmp_path / "compiled.pt2", "w") as package:
        package.writestr("compiled/data/aotinductor/model/code.so", b"")
    found = [content_of(tmp_path / name) for name in ("weights.pt", "exported.pt2", "compiled.pt2")]
    assert found == [CHECKPOINT, EXPORTED, AOT_PACKAGE]
