"""--model-file: read by its syntax tree, never run."""

from __future__ import annotations

import re

import pytest
from model_archiver.checks.model_file import check_model_file
from model_archiver.model_archiver_error import ModelArchiverError


@pytest.fixture
def problem(tmp_path):
    """What is said of a model file with this source."""
    path = tmp_path / "net.py"

    def check(source, model_class=None):
        path.write_text(source)
        try:
            check_model_file(path, model_class)
        except ModelArchiverError as error:
            return str(error).replace(str(path), "net.py")
        return None

    return check


@pytest.mark.parametrize(
    "source",
    [
        "import torch\nclass Net(torch.nn.Module): pass",
        "import torch.nn as nn\nclass Net(nn.Module): pass",
        "from torch import nn\nclass Net(nn.Module): pass",
        "from torch.nn import Module as Base\nclass Net(Base): pass",
        "from torch import nn\nclass Net(nn.Sequential): pass",
        "import pytorch_lightning as pl\nclass Net(pl.LightningModule): pass",
        "from torch import nn\nfrom typing import Generic\nclass Net(nn.Module, Generic[T]): pass",
        "try:\n    from torch import nn\nexcept ImportError:\n    raise\nelse:\n    class Net(nn.Module): pass",
        "from torch import nn\nclass Net(nn.Module):\n    class Inner(nn.Module): pass",
    ],
)
def test_one_module_class_is_right(problem, source):
    assert problem(source) is None


def test_classes_that_are_no_modules_do_not_count(problem):
    source = """
import enum, torch
from dataclasses import dataclass
from torch import nn
from torch.utils.data import Dataset

class Kind(enum.Enum): A = 1
class Oops(ValueError): pass
class Data(Dataset): pass
class Derived(Data): pass
@dataclass
class Settings: width: int = 1
class Net(nn.Module): pass
"""
    assert problem(source) is None


@pytest.mark.parametrize(
    "source", ["", "x = 1", "class Net: pass", "class Net(object): pass", "import torch.nn as nn"]
)
def test_no_module_class_is_said(problem, source):
    assert problem(source) == "the model file net.py has no torch.nn.Module class"


@pytest.mark.parametrize("base", ["nn.Module", "First"])
def test_several_module_classes_are_said(problem, base):
    source = f"from torch import nn\nclass First(nn.Module): pass\nclass Second({base}): pass"
    assert problem(source) == (
        "the model file net.py has 2 torch.nn.Module classes (First, Second) where the handler needs one: "
        "name it as handler: model_class in the config file, or move the others to an extra file"
    )


def test_a_config_may_name_one_of_several(problem):
    source = "from torch import nn\nclass First(nn.Module): pass\nclass Second(nn.Module): pass"
    assert problem(source, "Second") is None
    assert problem(source, "Third") == "the model file net.py has no class Third"


@pytest.mark.parametrize(
    "source",
    [
        "from torchvision.models import ResNet\nclass Net(ResNet): pass",
        "from mine import Base\nclass Net(Base): pass",
        "from mine import make\nclass Net(make()): pass",
        "from mine import A, B\nclass First(A): pass\nclass Second(B): pass",
        "class A(B): pass\nclass B(A): pass",
    ],
)
def test_a_base_of_unknown_kind_is_not_refused(problem, source):
    assert problem(source) is None


def test_a_syntax_error_is_said_with_its_line(problem):
    said = problem("x = 1\nclass Net(")
    assert re.match(r"the model file net\.py, line 2 is not valid Python 3\.\d+\.\d+.*: ", said)


def test_a_relative_import_is_said_with_its_line(problem):
    assert problem("from torch import nn\nfrom .blocks import Block\nclass Net(nn.Module): pass") == (
        "the model file net.py, line 2 imports relatively (from .blocks import Block), and lies in no package: "
        "write from blocks import ..., and give the module by --extra-files"
    )


def test_a_default_handler_refuses_what_it_could_not_load(pack, inputs):
    (inputs / "net.py").write_text("x = 1")
    with pytest.raises(ModelArchiverError, match=r"net\.py has no torch\.nn\.Module class"):
        pack(handler="image_classifier", model_file="net.py")


def test_a_handler_of_ones_own_may_load_it_in_its_own_way(pack, inputs, contents, caplog):
    (inputs / "net.py").write_text("def build(): pass")
    assert "net.py" in contents(pack(model_file="net.py"))
    assert caplog.messages == ["the model file net.py has no torch.nn.Module class"]


def test_a_syntax_error_is_a_warning_then(pack, inputs, contents, caplog):
    (inputs / "net.py").write_text("class Net(")
    assert "net.py" in contents(pack(model_file="net.py"))
    (message,) = caplog.messages
    assert message.startswith("the model file net.py, line 1 is not valid Python 3.")


def test_the_config_file_chooses_the_class(pack, inputs, contents):
    pytest.importorskip("yaml")
    (inputs / "net.py").write_text("from torch import nn\nclass A(nn.Module): pass\nclass B(nn.Module): pass")
    (inputs / "c.yaml").write_text("handler:\n  model_class: B\n")
    assert "net.py" in contents(pack(handler="image_classifier", model_file="net.py", config_file="c.yaml"))


def test_the_command_says_it_as_a_warning(cli, inputs):
    (inputs / "net.py").write_text("def build(): pass")
    run = cli("--model-name", "net", "-v", "1", "--handler", "answer.py", "--model-file", "net.py")
    assert run.returncode == 0
    assert run.stderr == "torch-model-archiver: warning: the model file net.py has no torch.nn.Module class\n"
