"""The program of an exported model, as JSON: what torch would evaluate, call or put into code is looked at.

torch.export turns this text back into a graph. It evaluates expressions of shapes and conditions, looks up
operators by their names, and writes Python code with the names of values and parameters in it, which it runs
(torch/_export/serde/serialize.py, torch/export/_unlift.py, torch/fx/graph.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ts.handler_utils.models.formats.untrusted.expressions import check_expression, check_guard, is_plain_text
from ts.handler_utils.models.formats.untrusted.operators import check_target
from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown

# Texts that torch keeps as they are, by the keys that they lie under.
_FREE = (
    "metadata",
    "stack_trace",
    "nn_module_stack",
    "source_fn_stack",
    "torch_fn",
    "torch_version",
    "custom",
)
_STRINGS = ("as_string", "as_strings")  # free where they are arguments of operators
_NUMBERS = (
    "as_int",
    "as_ints",
    "as_float",
    "as_floats",
    "as_bool",
    "as_bools",
    "min_val",
    "max_val",
    "real",
    "imag",
)
_SPECIAL_NUMBERS = ("Infinity", "-Infinity", "NaN")
_OBJECTS = ("class_fqn", "as_custom_obj", "custom_obj")

# torch counts up to the number of such a symbol, one by one.
_COUNTED_SYMBOL = re.compile(r"(u|zuf)[0-9]{1,6}")


def parse_json(content: bytes, name: str) -> Any:
    """The value of a part that is JSON.

    Raises:
        Refused: it is none, or nested too deeply.
    """
    try:
        return json.loads(content.decode("utf-8"))
    except RecursionError:
        raise Refused(f"JSON in {name} that is nested too deeply") from None
    except ValueError as error:
        raise Refused(f"a part {name} that is not JSON ({error})") from None


def check_program(program: Any) -> None:
    """Lets through a program, or what stands with it in a file, whose texts all are harmless where they go.

    Raises:
        Refused: one is not; the message quotes it.
    """
    for parent, key, value in _leaves(program):
        if isinstance(value, str):
            _check_text(parent, key, value)
        elif key in _OBJECTS:
            raise Refused("an object of a C++ class")
        elif key == "use_pickle" and value is not False:
            raise Refused("pickled weights (use_pickle)")


def _leaves(program: Any) -> Iterator[tuple[str, str, Any]]:
    """All values that are no containers, and keys of dictionaries, each with the two keys that it lies under."""
    waiting: list[tuple[str, str, Any]] = [("", "", program)]
    while waiting:
        parent, key, value = waiting.pop()
        if isinstance(value, dict):
            for name, item in value.items():
                yield key, "a name", name
                waiting.append((key, name, item))
            if key in _OBJECTS:
                yield parent, key, None
        elif isinstance(value, list):
            waiting.extend((parent, key, item) for item in value)
        else:
            yield parent, key, value


def _check_text(parent: str, key: str, text: str) -> None:
    if key in _CHECKS:
        _CHECKS[key](text)
    elif key in _FREE or parent in _FREE or (key in _STRINGS and parent == "arg"):
        return
    elif key in _NUMBERS:
        if text not in _SPECIAL_NUMBERS:
            raise Refused(f"the text {shown(text)} in the place of a number")
    elif not is_plain_text(text):
        raise Refused(f"the text {shown(text)} where torch would put it into code")
    if parent == "range_constraints" and key == "a name":
        _check_symbol(text)


def _check_symbol(name: str) -> None:
    if name.startswith(("u", "zuf")) and not _COUNTED_SYMBOL.fullmatch(name):
        raise Refused(f"the symbol {shown(name)}, whose number is none or too high")
    check_expression(name)


def _check_identifier(text: str) -> None:
    if text and not (text.isidentifier() and text.isascii()):
        raise Refused(f"a value of the name {shown(text)}, which is no name in Python")


def _check_path(text: str) -> None:
    kind, _, number = text.rpartition("_")
    if kind not in ("weight", "tensor") or not number.isdigit():
        raise Refused(f"weights in a part {shown(text)}, which are no plain tensors")


def _check_object(text: str) -> None:
    raise Refused(f"an object of the C++ class {shown(text)}")


def _check_inputs(text: str) -> None:
    _check_structure(text)
    try:
        _, keywords = json.loads(text)[1]["children_spec"]
        names = json.loads(keywords["context"])
    except (ValueError, LookupError, TypeError):  # of another form, and so without keyword arguments
        return
    if isinstance(names, list):
        for name in names:
            _check_identifier(str(name))


def _check_structure(text: str) -> None:
    """Checks the form of inputs or outputs: nested containers, as torch.utils._pytree writes them."""
    waiting = [parse_json(text.encode(), "its form of inputs and outputs")] if text else []
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            if "__enum__" in value or value.get("type") == "collections.defaultdict":
                raise Refused("inputs or outputs whose form names objects of Python")
            waiting.append(_context(value.pop("context", None)))
            waiting.extend([*value, *value.values()])
        elif isinstance(value, str) and not is_plain_text(value):
            raise Refused(f"inputs or outputs of the name {shown(value)}")


def _context(context: Any) -> Any:
    """What a container is made with, such as its keys: JSON, or JSON in a string."""
    if not isinstance(context, str):
        return context
    try:
        return json.loads(context)
    except ValueError:
        return context


_CHECKS: dict[str, Callable[[str], None]] = {
    "name": _check_identifier,
    "as_name": _check_identifier,
    "forward_arg_names": _check_identifier,
    "target": check_target,
    "as_operator": check_target,
    "expr_str": check_expression,
    "guards_code": check_guard,
    "in_spec": _check_inputs,
    "out_spec": _check_structure,
    "path_name": _check_path,
    "class_fqn": _check_object,
}
