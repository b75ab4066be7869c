"""What an exported program may call: operators that compute, and no other name that torch would look up."""

from __future__ import annotations

import pytest
import torch

from ts.handler_utils.models.formats.untrusted.operators import check_target
from ts.handler_utils.models.formats.untrusted.refusal import Refused

LIBRARY = torch.library.Library("of_this_test", "DEF")
LIBRARY.define("scaled(Tensor batch, float factor, int[2]? sizes=None) -> Tensor")
LIBRARY.define("read(str name) -> Tensor")
LIBRARY.define("read_all(str[] names, Tensor batch) -> Tensor")


@pytest.mark.parametrize(
    "target",
    [
        "torch.ops.aten.add.Tensor",
        "torch.ops.aten.einsum.default",
        "torch.ops.aten.div.Tensor_mode",
        "torch.ops.higher_order.cond",
        "torch.ops.of_this_test.scaled.default",
        "torch.sym_max",
        "_operator.getitem",
        "math.ceil",
    ],
)
def test_operators_that_compute_are_let_through(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize(
    "target",
    [
        "torch.hub.load",
        "torch.ops.load_library",
        "torch.ops.aten.from_file.default",
        "torch.ops.aten.save.default",
        "torch.ops.aten.add",
        "torch.ops.aten.add.overloads",
        "torch.ops.aten.add.Tensor.__class__",
        "torch.ops.aten.no_such_operator.default",
        "torch.ops.of_this_test.read.default",
        "torch.ops.of_this_test.read_all.default",
        "torch.ops.profiler._record_function_enter.default",
        "torch.ops.higher_order.print",
        "torch.ops.higher_order.call_torchbind",
        "torch._C._jit_get_all_schemas",
        "torch.serialization.os.system",
        "torch.load",
        "torch.sym_int.__globals__",
        "_operator.methodcaller",
        "_operator.attrgetter",
        "_operator.setitem",
        "_operator",
        "math.factorial",
        "#extension:operator",
        "torch.ops.aten.add.Tensor\n",
        "os.system",
        "",
        None,
    ],
)
def test_all_else_is_refused(target: object) -> None:
    with pytest.raises(Refused, match="a call of"):
        check_target(target)
