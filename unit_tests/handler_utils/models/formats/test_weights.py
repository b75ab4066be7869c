"""What weights are read, and what is said of a file that holds something else."""

from __future__ import annotations

import argparse
import os
import re
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch
from devices import NEEDS_GPU

from ts.handler_utils.models.formats.eager import load_eager
from ts.handler_utils.models.formats.weights import load_weights, read_module, read_weights

WEIGHTS = {"layer.weight": torch.tensor([[1.0, 2.0]]), "layer.bias": torch.tensor([3.0])}


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1)

    def forward(self, batch):
        return self.layer(batch)


@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.bin", "weights.safetensors"])
def test_weights_of_each_suffix_are_read(name, tmp_path):
    save = safetensors.torch.save_file if name.endswith("safetensors") else torch.save
    save(WEIGHTS, tmp_path / name)
    found = read_weights(tmp_path / name, "cpu")
    assert {key: value.tolist() for key, value in found.items()} == {
        "layer.weight": [[1.0, 2.0]],
        "layer.bias": [3.0],
    }


def test_the_old_format_of_torch_save_is_read(tmp_path):
    torch.save(WEIGHTS, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert set(read_weights(tmp_path / "old.pt", "cpu")) == set(WEIGHTS)


MAPPED = "weights.pt"
MAPS = Path("/proc/self/maps")


def compressed(path):
    """The same file with its parts deflated, which torch reads too."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.skipif(not MAPS.exists(), reason="only Linux tells what is mapped")
def test_weights_that_are_copied_at_once_lie_in_their_file_until_then(tmp_path):
    torch.save(WEIGHTS, tmp_path / MAPPED)
    found = read_weights(tmp_path / MAPPED, "cpu", mapped=True)
    assert str(tmp_path / MAPPED) in MAPS.read_text()
    network = Network()
    load_weights(network, found, MAPPED, "")
    del found
    assert str(tmp_path / MAPPED) not in MAPS.read_text()
    assert network(torch.tensor([[1.0, 1.0]])).item() == 6.0


@pytest.mark.parametrize("change", ["old format", "compressed", "safetensors"])
def test_weights_that_cannot_be_mapped_are_read_all_the_same(change, tmp_path):
    if change == "safetensors":
        safetensors.torch.save_file(WEIGHTS, tmp_path / MAPPED)
    else:
        torch.save(WEIGHTS, tmp_path / MAPPED, _use_new_zipfile_serialization=change == "compressed")
    if change == "compressed":
        compressed(tmp_path / MAPPED)
    found = read_weights(tmp_path / MAPPED, "cpu", mapped=True)
    assert {key: value.tolist() for key, value in found.items()} == {
        "layer.weight": [[1.0, 2.0]],
        "layer.bias": [3.0],
    }


@NEEDS_GPU
@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
def test_weights_go_to_the_device(name, tmp_path):
    save = safetensors.torch.save_file if name.endswith("safetensors") else torch.save
    save(WEIGHTS, tmp_path / name)
    assert {value.device.type for value in read_weights(tmp_path / name, "cuda:0").values()} == {"cuda"}


class Payload:
    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder / "ran"),)


def test_a_pickle_that_runs_code_is_refused_and_runs_none(tmp_path):
    torch.save({"layer.weight": Payload(tmp_path)}, tmp_path / "bad.pt")
    with pytest.raises(
        ValueError, match=r"holds pickled Python objects .*trust_pickle: true .* runs its code"
    ):
        read_weights(tmp_path / "bad.pt", "cpu")
    assert not (tmp_path / "ran").exists()


def test_a_whole_pickled_model_is_named_and_read_only_if_trusted(tmp_path):
    torch.save(torch.nn.Linear(2, 1), tmp_path / "whole.pt")
    with pytest.raises(
        ValueError, match=r"^whole\.pt is not a state dict.*\(torch\.nn\.modules\.linear\.Linear\)"
    ):
        read_weights(tmp_path / "whole.pt", "cpu")
    assert isinstance(read_weights(tmp_path / "whole.pt", "cpu", trust_pickle=True), torch.nn.Linear)
    assert not read_module(tmp_path / "whole.pt", "cpu").training


def test_a_trusted_pickle_of_no_model_is_told(tmp_path):
    torch.save(argparse.Namespace(a=1), tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"^other\.pt is not a whole model, but an object of type Namespace"):
        read_module(tmp_path / "other.pt", "cpu")


def test_a_pickle_of_classes_that_are_missing_names_them(tmp_path, monkeypatch):
    torch.save(Network(), tmp_path / "whole.pt")
    monkeypatch.delattr(f"{__name__}.Network")
    with pytest.raises(ValueError, match=r"made of classes that are not to be had here: .*Network"):
        read_module(tmp_path / "whole.pt", "cpu")


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict", "ema"])
def test_a_checkpoint_that_nests_the_weights_says_under_what(key, tmp_path):
    torch.save({"epoch": 3, key: WEIGHTS}, tmp_path / "training.pt")
    expected = f"a checkpoint of epoch, {key}: the weights lie under '{key}'. Save these alone: torch.save("
    with pytest.raises(ValueError, match=re.escape(expected)):
        read_weights(tmp_path / "training.pt", "cpu")


def write_lfs_pointer(path):
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")


def write_half(path):
    torch.save(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def write_half_old(path):
    torch.save(WEIGHTS, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes()[:-4])


def write_half_safetensors(path):
    safetensors.torch.save_file(WEIGHTS, path)
    path.write_bytes(path.read_bytes()[:-4])


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "it is empty. Get the whole file"),
        (write_lfs_pointer, "it is a pointer of Git LFS, in place of the file itself. Get the whole file"),
        (write_half, "it is cut short. Get the whole file"),
        (write_half_old, "it is a file of torch.save. It may be damaged"),
        (write_half_safetensors, "it is a file of safetensors. Get the whole file"),
        (lambda path: path.write_text("hello"), "it is of no format known here"),
        (lambda path: torch.save([1, 2], path), "but an object of type list"),
        (lambda path: torch.save({"a": 1, "b": 2}, path), "but a dictionary of a, b"),
        (
            lambda path: torch.jit.script(torch.nn.Linear(2, 1)).save(str(path)),
            "it is a TorchScript model. It is a whole model: pack it without a model file",
        ),
    ],
    ids=["empty", "lfs", "half", "half-old", "half-safetensors", "text", "list", "dictionary", "torchscript"],
)
def test_what_is_no_state_dict_is_told_for_what_it_is(write, message, tmp_path):
    write(tmp_path / "weights.pt")
    with pytest.raises(ValueError, match=rf"^weights\.pt is not a state dict.*{re.escape(message)}"):
        read_weights(tmp_path / "weights.pt", "cpu")


def test_the_versions_of_modules_that_a_state_dict_tells_reach_the_network(tmp_path):
    class Versioned(Network):
        _version = 7

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *arguments):
            self.found = local_metadata.get("version")
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *arguments)

    torch.save(Versioned().state_dict(), tmp_path / "weights.pt")
    network = Versioned()
    load_weights(network, read_weights(tmp_path / "weights.pt", "cpu"), "weights.pt", "")
    assert network.found == 7


def load(weights):
    load_weights(Network(), weights, "weights.pt", "Take others.")


def test_missing_unknown_and_reshaped_weights_are_named():
    with pytest.raises(ValueError) as caught:
        load({"layer.weight": torch.zeros(3, 2), "other": torch.zeros(1)})
    assert str(caught.value) == (
        "weights.pt does not fit the network Network: 1 missing (layer.bias); 1 unknown to it (other);"
        " 1 of another shape (layer.weight [3, 2] in the file and [1, 2] in the network). Take others."
    )


def test_of_many_names_a_few_are_given_and_the_rest_counted():
    with pytest.raises(ValueError, match=r"7 unknown to it \(0, 1, 2 and 4 more\)"):
        load({**WEIGHTS, **{str(index): torch.zeros(1) for index in range(7)}})


@pytest.mark.parametrize(
    ("prefix", "whose"),
    [
        ("module.", "DataParallel adds"),
        ("_orig_mod.", "torch.compile adds"),
        ("model.net.", "what wraps the network in training adds"),
    ],
)
def test_a_prefix_on_every_name_is_recognised(prefix, whose):
    with pytest.raises(ValueError) as caught:
        load({prefix + name: value for name, value in WEIGHTS.items()})
    assert f"Its names begin with {prefix!r}, which {whose}" in str(caught.value)
    assert f"{{name[{len(prefix)}:]: value for name, value in weights.items()}}" in str(caught.value)


def test_a_prefix_that_the_file_lacks_is_recognised():
    with pytest.raises(ValueError, match=r"The network's names begin with 'layer\.', and the file's do not"):
        load({"weight": torch.zeros(1, 2), "bias": torch.zeros(1)})


def test_a_model_class_that_takes_arguments_is_told(tmp_path):
    (tmp_path / "needy.py").write_text(
        "import torch\n\n\nclass Needy(torch.nn.Module):\n    def __init__(self, width, depth=3):\n        pass\n"
    )
    with pytest.raises(ValueError, match=r"^needy\.py: the class Needy cannot be made without width: "):
        load_eager(tmp_path, "needy.py", None, "cpu")
