"""Expressions in files of torch.export, which torch evaluates as Python."""

from __future__ import annotations

import ast
import re
from contextlib import suppress
from typing import Any

from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown, words

# What expressions of shapes are made of: of sympy, and of torch.utils._sympy.functions. None of them reads its
# arguments from strings, but for the names of symbols and the digits of numbers.
_FUNCTIONS = words("""
    Symbol Integer Float Rational Add Mul Pow Min Max Mod floor ceiling Abs Eq Ne Lt Le Gt Ge Equality Unequality
    GreaterThan LessThan StrictGreaterThan StrictLessThan And Or Not Piecewise ExprCondPair FloorDiv CeilDiv
    CleanDiv ModularIndexing Where PythonMod CeilToInt FloorToInt TruncToInt RoundToInt TruncToFloat ToFloat
    RoundDecimal PowByNatural FloatPow FloatTrueDiv IntTrueDiv LShift RShift Identity sqrt
    IsNonOverlappingAndDenseIndicator
    """)
_POWERS = ("Pow", "PowByNatural", "FloatPow", "LShift")
_NUMBERS = ("Integer", "Float", "Rational")
_HIGHEST_POWER = 64  # of powers of powers, multiplied: 9**9**9 has 370 million digits
_UNKNOWN = 2**20
_MOST_PRECISION = 1000

# Guards read sizes and values of a model's inputs, `L['x'].size()[0]`, and compute with these.
_ATTRIBUTES = ("size", "stride", "storage_offset", "dim", "ndimension", "ndim", "shape", "isnan", "inf")
_GUARD_FUNCTIONS = frozenset({"min", "max", "int", "float", "bool", "abs", "len", *_FUNCTIONS})

_STRUCTURE = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Tuple,
    ast.Name,
    ast.Load,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)
_LONGEST = 100_000
_DIGITS = re.compile(r"-?\d{1,40}(\.\d{0,40})?(e[+-]?\d{1,3})?")


def check_expression(text: Any) -> None:
    """Lets through an expression of symbols and numbers, as torch.export writes them.

    Raises:
        Refused: it holds anything else, or a power that has too many digits.
    """
    tree = _parsed(text)
    for node in ast.walk(tree):
        if not (_is_call_of(node, _FUNCTIONS) or _is_plain(node)):
            raise Refused(f"an expression that is not one of shapes: {shown(text)}")
    _check_power(tree, text)


def check_guard(text: Any) -> None:
    """Lets through a condition on the sizes and values of a model's inputs.

    Raises:
        Refused: it holds anything else, or a power that has too many digits.
    """
    tree = _parsed(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            harmless = node.attr in _ATTRIBUTES
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            harmless = True  # which is looked at by itself
        else:
            harmless = (
                _is_call_of(node, _GUARD_FUNCTIONS) or _is_plain(node) or isinstance(node, ast.Subscript)
            )
        if not harmless:
            raise Refused(f"a condition that is not one of shapes: {shown(text)}")
    _check_power(tree, text)


def is_plain_text(value: Any) -> bool:
    """Whether a text is harmless wherever torch puts it into code: printable, without quotes and backslashes."""
    return isinstance(value, str) and value.isprintable() and not set(value) & set("\"'\\")


def _parsed(text: Any) -> ast.AST:
    if isinstance(text, str) and len(text) <= _LONGEST and text.isascii() and text.isprintable():
        with suppress(SyntaxError, ValueError, MemoryError):
            return ast.parse(text, mode="eval")
    raise Refused(f"an expression that is not one of shapes: {shown(text)}")


def _is_plain(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword):  # as in Symbol('s0', integer=True), Float('0.5', precision=53)
        value = getattr(node.value, "value", None)
        return node.arg is not None and isinstance(value, (bool, int)) and abs(value) <= _MOST_PRECISION
    if isinstance(node, ast.Constant):
        value = node.value
        return value is None or isinstance(value, (int, float)) or is_plain_text(value)
    return isinstance(node, _STRUCTURE)


def _is_call_of(node: ast.AST, known: frozenset[str]) -> bool:
    """Whether a node calls a function that is known, with texts only where these are names or digits."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in known):
        return False
    texts = [
        item.value for item in node.args if isinstance(item, ast.Constant) and isinstance(item.value, str)
    ]
    if node.func.id == "Symbol":
        return all(map(str.isidentifier, texts))
    return all(map(_DIGITS.fullmatch, texts))


def _check_power(tree: ast.AST, text: str) -> None:
    if _power(tree) > _HIGHEST_POWER:
        raise Refused(f"an expression of too high a power: {shown(text)}")


def _power(node: ast.AST) -> int:
    """How many times as many digits as its numbers an expression may have."""
    below = max(map(_power, ast.iter_child_nodes(node)), default=1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Pow, ast.LShift)):
        return below * _exponent(node.right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _POWERS:
        return below * (_exponent(node.args[1]) if len(node.args) == 2 else _UNKNOWN)
    return below


def _exponent(node: ast.AST) -> int:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in _NUMBERS
        and node.args
    ):
        return _exponent(node.args[0])
    value = node.value if isinstance(node, ast.Constant) else None
    return (
        max(1, round(abs(value))) if isinstance(value, (int, float)) and abs(value) <= _UNKNOWN else _UNKNOWN
    )
