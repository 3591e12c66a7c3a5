"""The library jsonata-python, and all assumptions of this package about its internals.

The library offers no way to limit or correct an evaluation, so `evaluator.Evaluator` overrides and calls methods of
its evaluator, and `syntax_tree` of its parser. The assumptions:

- The names in `_PARAMETERS`, called with this number of positional parameters; many methods of the evaluator are
  overridden.
- ``Jsonata.CURRENT.jsonata`` is the evaluation of the calling thread: functions call back into it, and take from its
  ``timestamp`` the milliseconds of ``$now`` and ``$millis``. Only ``run`` and the library itself set it.
- An evaluation needs ``parser.dbg``, ``ast``, ``errors``, ``environment`` and ``input``, and no other attribute.
- A frame keeps variables in ``bindings``; a node of the syntax tree has the attributes `_NODE`, a sequence `_SEQUENCE`.
- ``Parser.parse`` gets its symbols from ``tokenizer.Tokenizer``, which keeps its place in ``path`` in ``position``.
- None is nothing; ``Utils.NULL_VALUE`` is null, and ``Utils.NONE`` an omitted argument.

This module is the only one that imports the library. It checks the names and numbers when it is imported. The version
is pinned in pyproject.toml, and a test compares the library's source with the source that was read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jsonata import Jsonata, tokenizer
from jsonata.datetimeutils import DateTimeUtils
from jsonata.functions import Functions
from jsonata.jexception import JException
from jsonata.parser import Parser
from jsonata.regex_engine import RegexFlags
from jsonata.signature import Signature
from jsonata.utils import Utils

__all__ = [
    "DateTimeUtils",
    "Functions",
    "JException",
    "Jsonata",
    "Parser",
    "RegexFlags",
    "Signature",
    "Utils",
    "tokenizer",
]

VERSION = "0.7.1"

# Positional parameters, `self` included.
_PARAMETERS: dict[Any, dict[str, int]] = {
    Jsonata: {
        "apply_inner": 5,
        "apply_procedure": 3,
        "create_frame": 2,
        "create_frame_from_tuple": 3,
        "eval": 4,
        "evaluate_apply_expression": 4,
        "evaluate_binary": 4,
        "evaluate_bind_expression": 4,
        "evaluate_block": 4,
        "evaluate_comparison_expression": 4,
        "evaluate_condition": 4,
        "evaluate_descendants": 3,
        "evaluate_filter": 4,
        "evaluate_function": 5,
        "evaluate_group_expression": 4,
        "evaluate_includes_expression": 3,
        "evaluate_lambda": 4,
        "evaluate_name": 4,
        "evaluate_numeric_expression": 4,
        "evaluate_partial_application": 4,
        "evaluate_path": 4,
        "evaluate_range_expression": 3,
        "evaluate_regex": 2,
        "evaluate_sort_expression": 4,
        "evaluate_string_concat": 3,
        "evaluate_transform_expression": 4,
        "evaluate_unary": 4,
        "evaluate_variable": 4,
        "evaluate_wildcard": 3,
        "function": 4,
        "partial_apply_native_function": 3,
        "partial_apply_procedure": 3,
        "recurse_descendants": 3,
        "validate_arguments": 4,
    },
    Jsonata.ComparatorWrapper: {"__init__": 5, "compare": 3},
    DateTimeUtils: {"format_datetime": 3, "format_integer": 2, "parse_datetime": 2, "parse_integer": 2},
    Functions: {
        "base_repr": 3,
        "format_number": 3,
        "func_apply": 2,
        "is_lambda": 1,
        "pad": 3,
        "to_boolean": 1,
        "type": 1,
    },
    Parser: {"parse": 3},
    Parser.Symbol: {"__init__": 4, "led": 2, "nud": 1},
    tokenizer.Tokenizer: {"create": 3, "next": 2},
    Signature: {"__init__": 3, "get_symbol": 2, "throw_validation_error": 4},
    Utils: {
        "create_sequence": 1,
        "create_sequence_from_iter": 1,
        "is_array_of_numbers": 1,
        "is_array_of_strings": 1,
        "is_deep_equal": 2,
        "is_function": 1,
        "is_numeric": 1,
        "is_sequence": 1,
    },
}
# fmt: off
_NODE = frozenset({
    "_else", "ancestor", "arguments", "body", "condition", "expr", "expression", "expressions", "focus", "group",
    "index", "keep_array", "keep_singleton_array", "lhs", "lhs_object", "next_function", "pattern", "predicate",
    "procedure", "rhs", "slot", "stages", "steps", "terms", "then", "tuple", "type", "update", "value",
})
# fmt: on
_SEQUENCE = frozenset({"keep_singleton", "sequence", "tuple_stream"})
_CONSTANTS = ((Jsonata, "CURRENT"), (Jsonata.static_frame, "bindings"), (Utils, "NULL_VALUE"), (Utils, "NONE"))


def broken_assumptions() -> Iterator[str]:
    """Yield the assumptions about the library that do not hold."""
    for owner, functions in _PARAMETERS.items():
        for name, expected in functions.items():
            function = getattr(owner, name, None)
            code = getattr(getattr(function, "__func__", function), "__code__", None)
            if code is None or code.co_argcount != expected:
                actual = "none" if code is None else str(code.co_argcount)
                yield f"{owner.__qualname__}.{name}: expected {expected} parameters, found {actual}"
    for owner, name in _CONSTANTS:
        if not hasattr(owner, name):
            yield f"{owner}: expected an attribute {name}, found none"
    for kind, value, names in (("node", Parser.Symbol(None, "name", 0), _NODE), ("sequence", Utils.JList(), _SEQUENCE)):
        if missing := sorted(name for name in names if not hasattr(value, name)):
            yield f"a {kind}: expected the attributes {', '.join(missing)}, found none"


if _broken := list(broken_assumptions()):
    raise ImportError(f"jsonata-python {VERSION} is expected, and another is installed: " + "; ".join(_broken))
