"""TorchScript that would touch files is refused before it is loaded; what torch writes of models is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from planted import rewrite

from ts.handler_utils.models.formats.torchscript import load_torchscript
from ts.handler_utils.models.formats.untrusted.refusal import Refused
from ts.handler_utils.models.formats.untrusted.scripts import check_code


class Scale(torch.nn.Module):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch * 2


def script(path: Path, statement: bytes) -> Path:
    """A scripted model whose code begins with a statement."""
    torch.jit.script(Scale()).save(str(path))
    rewrite(path, {".py": lambda code: code.replace(b"    return", b"    " + statement + b"\n    return")})
    return path


STATEMENTS = ['batch = torch.from_file("MARK", True, 1)', 'torch.save(batch, "MARK")']
REFUSED = r"^model\.pt is not read: it holds TorchScript that uses .*trust_pickle: true"


@pytest.mark.parametrize("statement", STATEMENTS)
def test_code_that_writes_files_is_refused_and_runs_where_it_is_trusted(
    statement: str, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    path = script(tmp_path / "model.pt", statement.replace("MARK", str(mark)).encode())
    with pytest.raises(ValueError, match=REFUSED):
        load_torchscript(path, "cpu")
    assert not mark.exists()
    load_torchscript(path, "cpu", trust_pickle=True)(torch.ones(1))
    assert mark.exists()


class Stateful(torch.nn.Module):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch

    @torch.jit.export
    def __getstate__(self) -> bool:
        return self.training

    @torch.jit.export
    def __setstate__(self, state: bool) -> None:
        self.training = state


def test_code_that_would_run_as_it_is_loaded_is_refused(tmp_path: Path) -> None:
    path, mark = tmp_path / "model.pt", tmp_path / "ran"
    torch.jit.script(Stateful()).save(str(path))
    planted = f'torch.save(state, "{mark}")\n    self.training = '.encode()
    rewrite(path, {".py": lambda code: code.replace(b"self.training = ", planted)})
    with pytest.raises(ValueError, match="TorchScript that uses save"):
        load_torchscript(path, "cpu")
    assert not mark.exists()
    load_torchscript(path, "cpu", trust_pickle=True)
    assert mark.exists()


@pytest.mark.parametrize(
    "code",
    [
        "t = torch\nt.ones([1])",
        'getattr(torch, "ones")([1])',
        "o = ops\n",
        "o = ops.image\n",
        "torch.\n  save(x)",
        '"\'" torch.save(x) "\'"',
        '# "\n torch.save(x) # "',
        "x: __torch__.torch.classes.dist_rpc.WorkerInfo",
        '"abc',
        'rpc_async("w", f)',
        'batch.save("f")',
        'getattr(batch, "save")("f")',
        'getattr(batch, "sa" "ve")("f")',
        'getattr(batch, "s\\141ve")("f")',
        'ops.profiler._record_function_enter("x")',
    ],
)
def test_ways_around_the_names_are_refused(code: str) -> None:
    with pytest.raises(Refused, match="TorchScript"):
        check_code(code)


@pytest.mark.parametrize(
    "code",
    [
        "torch.add(x, 1)",
        '_0 = "cannot save a torch.Tensor"\nx = torch.format(_0, "it\'s \\"a\\"", "")',
        "ops.quantized.linear_dynamic(x, y)",
        "ops.prim.NumToTensor(x)",
        "self.save_it(x.saved)",
        '_0 = getattr(l, "0")',
        "x : __torch__.torch.classes.quantized.LinearPackedParamsBase",
    ],
)
def test_what_torch_writes_of_models_is_let_through(code: str) -> None:
    check_code(code)


def test_quantized_models_with_their_packed_weights_are_read(tmp_path: Path) -> None:
    if not torch.backends.quantized.supported_engines[1:]:
        pytest.skip("this build of torch quantizes nothing")
    model = torch.ao.quantization.quantize_dynamic(
        torch.nn.Sequential(torch.nn.Linear(4, 4)), dtype=torch.qint8
    )
    scripted = torch.jit.script(model)
    scripted.save(str(tmp_path / "model.pt"))
    batch = torch.ones(2, 4)
    assert load_torchscript(tmp_path / "model.pt", "cpu")(batch).tolist() == scripted(batch).tolist()


def test_a_class_of_c_plus_plus_that_only_the_pickle_names_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.pt"
    torch.jit.script(Scale()).save(str(path))
    pickled = b"\x80\x02c__torch__.torch.classes.dist_rpc\nWorkerInfo\n)\x81}b."
    rewrite(path, {"/data.pkl": pickled})
    with pytest.raises(ValueError, match=r"a class of C\+\+, of dist_rpc"):
        load_torchscript(path, "cpu")
