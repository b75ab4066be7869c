"""Expressions of shapes, as torch.export writes them, and all else that Python would evaluate."""

from __future__ import annotations

import pytest

from ts.handler_utils.models.formats.untrusted.expressions import check_expression, check_guard
from ts.handler_utils.models.formats.untrusted.refusal import Refused

OF_SHAPES = [
    "s0",
    "(s0//2)",
    "-u4 <= 0",
    "2*s0 + s1**2 + s2**2 + s3**2 + s4**2 + s5**2 + s6**2 + s7**2",
    "Symbol('s77', positive=True, integer=True)",
    "Mul(Integer(16), Symbol('s77', positive=True, integer=True))",
    "Pow(Symbol('s52', positive=True, integer=True), Integer(2))",
    "Pow(Symbol('s52', integer=True), Rational(1, 2))",
    "GreaterThan(Symbol('u0', integer=True), Integer(0))",
    "Min(Integer(768), Mul(Integer(768), Symbol('s77', positive=True, integer=True)))",
    "FloorDiv(s0, 2) + ModularIndexing(s0, 1, 4) + Max(1, CeilToInt(Float('0.5', precision=53)))",
    "PowByNatural(s0, 2)",
]
NOT_OF_SHAPES = [
    "__import__('os').system('x')",
    "().__class__.__base__.__subclasses__()",
    "[x for x in (1,)]",
    "(lambda: 0)()",
    "eval('1')",
    "Symbol('a b')",
    'Symbol("s0\'+x")',
    "Integer('1e9')*Integer('__import__')",
    "Rational('1e999999999')",
    "Float('0.1', precision=1000000000)",
    "Function('x')(s0)",
    "s0[0]",
    "f'{s0}'",
    "s0; s1",
    "s0\n+ 1",
    "ｅｖａｌ(s0)",
    "s0 = 1",
    "(s0 := 1)",
    "",
    "s0 if",
    None,
    7,
    "(" * 500 + ")" * 500,
    "9**9**9",
    "((9**16)**16)**16",
    "Pow(9, Integer(1000000000))",
    "Pow(9, Add(1, Integer(1000000000)))",
    "Pow(9, e=99)",
    "LShift(1, 1000000000)",
    "1 << 99999",
    "2**s0",
    "-" * 100_001 + "s0",
]


@pytest.mark.parametrize("text", OF_SHAPES)
def test_expressions_of_shapes_are_let_through(text: str) -> None:
    check_expression(text)


@pytest.mark.parametrize("text", NOT_OF_SHAPES, ids=lambda text: str(text)[:40])
def test_other_expressions_are_refused(text: object) -> None:
    with pytest.raises(Refused, match=r"an? (expression|condition)") as caught:
        check_expression(text)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "L['b'].size()[0] == L['a'].size()[0]",
        "L['x'].size()[1] >= 2 and 3*L['x'].size()[0] <= 64",
        "L['args'][0].stride()[0] == 1",
        "Eq(Mod(L['x'].size()[0], 2), 0)",
        "math.isnan(L['x']) or L['mode'] == 'mul'",
        "not L['x'].storage_offset() or L['x'].ndim == 2",
    ],
)
def test_conditions_on_inputs_are_let_through(text: str) -> None:
    check_guard(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').mkdir('x')",
        "L['x'].numpy()",
        "L['x'].__class__",
        "L['x'](1)",
        "print('x')",
        "L['x'].size().__class__",
        "L['x'] == \"it's\"",
        "L['x'] == 'a\\\\b'",
        "L['x'] == 'a\\nb'",
        "9**9**9",
        "[].append(1)",
    ],
)
def test_other_conditions_are_refused(text: str) -> None:
    with pytest.raises(Refused):
        check_guard(text)
