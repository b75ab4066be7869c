"""What the program of an exported model may call."""

from __future__ import annotations

import re
from typing import Any

import torch

from ts.handler_utils.models.formats.untrusted.refusal import Refused, shown, words

# These take the name of a file, and write or read it.
FILE_OPERATORS = ("aten::save", "aten::from_file")

_OPERATOR = re.compile(r"torch\.ops\.(\w+)\.(\w+)\.(\w+)")
_HIGHER_ORDER = re.compile(r"torch\.ops\.higher_order\.(\w+)")
_FUNCTION = re.compile(r"(_operator|math|torch|torch\._functorch\.predispatch)\.(\w+)")

# Of higher order: those that run subgraphs of the same file, or one operator.
_KNOWN_HIGHER_ORDER = words("""
    cond while_loop map map_impl scan associative_scan wrap_with_set_grad_enabled wrap_with_autocast
    auto_functionalized auto_functionalized_v2 out_dtype hints_wrapper invoke_subgraph with_effects
    flex_attention sdpa tag_activation_checkpoint wrap_activation_checkpoint
    """)
_KNOWN_FUNCTIONS = {
    "_operator": words("""
        add sub mul truediv floordiv mod pow neg pos abs lshift rshift and_ or_ xor not_ inv eq ne lt le gt ge
        getitem truth index
        """),
    "math": words("ceil floor trunc sqrt sin cos tan sinh cosh tanh asin acos atan log2 exp log pow"),
    "torch": words("""
        sym_float sym_fresh_size sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum _sym_acos _sym_asin
        _sym_atan _sym_cos _sym_cosh _sym_log2 _sym_sin _sym_sinh _sym_sqrt _sym_tan _sym_tanh
        """),
    "torch._functorch.predispatch": words("""
        _add_batch_dim _remove_batch_dim _vmap_increment_nesting _vmap_decrement_nesting lazy_load_decompositions
        """),
}

# What operators take that compute; others, outside of torch's own, might name files and machines.
_TENSORS_AND_NUMBERS = re.compile(
    r"((List|Optional)\[)*(Tensor|int|float|bool|number|complex|Scalar|SymInt|SymBool|SymFloat|Device|ScalarType"
    r"|Layout|MemoryFormat|Generator|NoneType|None)(\[\d+\])?\]*"
)
_OF_TORCH = words("""
    aten prim prims quantized _quantized quantized_decomposed mkldnn mkldnn_prepacked onednn sparse prepacked
    """)


def check_target(target: Any) -> None:
    """Lets through the name of an operator or function that computes.

    Raises:
        Refused: it is anything else that torch would look up by name, and call.
    """
    if not isinstance(target, str) or not (_names_operator(target) or _names_function(target)):
        raise Refused(f"a call of {shown(target)}, which is none of the operators that exported models call")


def _names_operator(target: str) -> bool:
    named = _OPERATOR.fullmatch(target)
    if named is None:
        return False
    found: Any = torch.ops
    for name in named.groups():
        found = getattr(found, name, None)
    if not isinstance(found, torch._ops.OpOverload):
        raise Refused(
            f"a call of {target}, which neither torch {torch.__version__} nor a package that is imported has"
        )
    return is_harmless(found._schema)


def _names_function(target: str) -> bool:
    of_higher_order, function = _HIGHER_ORDER.fullmatch(target), _FUNCTION.fullmatch(target)
    if of_higher_order is not None:
        return of_higher_order[1] in _KNOWN_HIGHER_ORDER
    return function is not None and function[2] in _KNOWN_FUNCTIONS[function[1]]


def is_harmless(schema: Any) -> bool:
    """Whether an operator computes: it is torch's own and touches no file, or takes tensors and numbers only."""
    if schema.name in FILE_OPERATORS:
        return False
    if schema.name.partition("::")[0] in _OF_TORCH:
        return True
    return all(_TENSORS_AND_NUMBERS.fullmatch(str(argument.type)) for argument in schema.arguments)
