"""AOTInductor's packages and libraries, compiled here and now."""

from __future__ import annotations

import json
import shutil
import zipfile

import pytest
import torch

from ts.handler_utils.models.formats import aotinductor, loader_of
from ts.handler_utils.models.formats.aotinductor import learned_limits, load_aot_compiled, machine_problem
from ts.handler_utils.models.formats.batches import BatchLimits

HAS_COMPILER = shutil.which("g++") or shutil.which("clang++")
COMPILES = hasattr(torch._inductor, "aoti_compile_and_package")


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, 4, 3)
        self.classifier = torch.nn.Linear(4, 5)

    def forward(self, images):
        return self.classifier(self.convolution(images).relu().mean((2, 3)))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Network().eval()


@pytest.fixture(scope="module")
def package(network, tmp_path_factory):
    """The network for batches of two, compiled for the CPU."""
    if not HAS_COMPILER:
        pytest.skip("AOTInductor needs a C++ compiler, and there is none")
    if not COMPILES:
        pytest.skip(f"AOTInductor's packages came with torch 2.6: this is {torch.__version__}")
    path = tmp_path_factory.mktemp("aot") / "model.pt2"
    program = torch.export.export(network, (torch.zeros(2, 3, 16, 16),), strict=False)
    torch._inductor.aoti_compile_and_package(program, package_path=str(path))
    return path


@pytest.fixture(scope="module")
def library(package, tmp_path_factory):
    """The package's code, as a library of its own."""
    with zipfile.ZipFile(package) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".so")]
        path = tmp_path_factory.mktemp("library") / "model.so"
        path.write_bytes(archive.read(name))
    return path


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", ["package", "library"])
def test_a_compiled_model_of_a_fixed_size_answers_batches_of_any_size(kind, rows, network, request):
    path = request.getfixturevalue(kind)
    model = loader_of(path)(path, torch.device("cpu"))
    images = torch.rand(rows, 3, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(model(images), network(images), atol=1e-5, rtol=1e-4)
        channels_last = images.to(memory_format=torch.channels_last)
        torch.testing.assert_close(model(channels_last), network(images), atol=1e-5, rtol=1e-4)


def test_an_image_of_another_size_is_refused_and_not_misread(package):
    model = load_aot_compiled(package, "cpu")
    with pytest.raises(RuntimeError, match=r"unmatched dim value at 2, expected: 16, but got: 20"):
        model(torch.rand(2, 3, 20, 20))


def test_a_package_for_another_device_is_refused(package, tmp_path):
    other = tmp_path / "other.pt2"
    with zipfile.ZipFile(package) as archive, zipfile.ZipFile(other, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith("_metadata.json"):
                content = json.dumps({**json.loads(content), "AOTI_DEVICE_KEY": "cuda"}).encode()
            changed.writestr(name, content)
    expected = r"^other\.pt2 was compiled by AOTInductor for the device cuda, and this one is cpu\. Compile"
    with pytest.raises(ValueError, match=expected):
        load_aot_compiled(other, "cpu")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ({}, None),
        ({"AOTI_DEVICE_KEY": "cpu", "AOTI_CPU_ISA": "AVX2"}, None),
        ({"AOTI_MACHINE": "riscv64"}, "the machine riscv64, and this one is "),
        ({"AOTI_PLATFORM": "plan9"}, "the platform plan9, and this one is "),
        ({"AOTI_CPU_ISA": "AVX512"}, "CPUs with AVX512, and this one has AVX2"),
    ],
)
def test_a_package_for_another_machine_is_refused(target, problem, monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    found = machine_problem(target, torch.device("cpu"))
    assert found == problem or (problem and found.startswith(problem))


def test_a_damaged_library_is_refused(library, tmp_path):
    path = tmp_path / "half.so"
    path.write_bytes(library.read_bytes()[:2000])
    with pytest.raises(
        ValueError, match=r"^half\.so is not a library .*: it is cut short\. Get the whole file"
    ):
        load_aot_compiled(path, "cpu")


def test_a_torch_that_reads_no_packages_says_since_when_they_are_read(monkeypatch, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as archive:
        archive.writestr("model/data/aotinductor/model/code.so", b"")
    monkeypatch.delattr(torch._inductor, "aoti_load_package", raising=False)  # torch 2.3 to 2.5
    with pytest.raises(ValueError, match=r"^model\.pt2 .* since 2\.6: this is "):
        load_aot_compiled(tmp_path / "model.pt2", "cpu")


def test_the_sizes_of_batches_are_learned_from_what_a_model_says():
    said = "input_handles[0]: unmatched dim value at 0, expected: 4, but got: 1"
    assert learned_limits(said, BatchLimits()) == BatchLimits.fixed(4)
    said = "input_handles[0]: dim value is too small at 0, expected it to be >= 2, but got: 1"
    assert learned_limits(said, BatchLimits(1, 8)) == BatchLimits(2, 8)
    said = "input_handles[0]: dim value is too large at 0, expected to be <= 8, but got: 9"
    assert learned_limits(said, BatchLimits(2)) == BatchLimits(2, 8)
    assert learned_limits("something else", BatchLimits(2)) == BatchLimits(2)


def test_a_choice_of_the_environment_is_respected(monkeypatch, tmp_path):
    monkeypatch.setenv(aotinductor.CHECK_INPUTS, "0")
    path = tmp_path / "model.so"
    path.write_bytes(b"\x7fELF" + bytes(60))
    with pytest.raises(ValueError, match=r"^model\.so, compiled by AOTInductor, cannot be loaded by torch"):
        load_aot_compiled(path, "cpu")
    assert aotinductor.os.environ[aotinductor.CHECK_INPUTS] == "0"
