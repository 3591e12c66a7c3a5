"""The library's evaluator, corrected where it departs from the reference implementation, and bounded as AWS's is."""

from __future__ import annotations

import copy
import math
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jsonata import Jsonata
from jsonata.functions import Functions as Library
from jsonata.jexception import JException
from jsonata.parser import Parser
from jsonata.utils import Utils

from genomics_pipeline.engine.jsonata.messages import Thrown, too_deep, too_large, too_long
from genomics_pipeline.engine.jsonata.regular_expressions import Matcher, compiled
from genomics_pipeline.engine.jsonata.values import NULL, equal, is_function, text_of, with_nulls

# What AWS accepts, and one more of which it refuses (floci-io/floci, docs/services/step-functions.md, and its
# JsonataEvaluatorTest, measured with TestState): nesting, elements of a range, characters of a string.
MAX_DEPTH = 100
MAX_RANGE = 873_782
MAX_TEXT = 6_990_256
MAX_SECONDS = 30.0  # of this thread's processor: AWS gives its own evaluator one second
_NUMERAL = re.compile(r"-?[0-9.eE+-]*")
_RANGE_OF_THE_LANGUAGE = 10_000_000


class _Later(Parser.Symbol):  # type: ignore[misc]
    """An operator that came after JSONata 2.0, which is AWS's: there, its second sign stands where a value should."""

    def nud(self) -> Any:
        raise Thrown("S0211", token=self.id[1])

    def led(self, left: Any) -> Any:
        raise Thrown("S0211", token=self.id[1])


class _Parser(Parser):  # type: ignore[misc]
    """The library's parser, of the language's version 2.0."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("??", "?:"):
            symbol = _Later(self, name, self.symbol_table[name].lbp)
            symbol.value, symbol.lbp = name, self.symbol_table[name].lbp
            self.symbol_table[name] = symbol


def parsed(text: str) -> Any:
    """The syntax tree of an expression.

    Raises:
        JException: Syntax error.
    """
    try:
        return _Parser().parse(text, compiled)
    except IndexError:  # the library reads past the end
        raise Thrown("S0106" if "/*" in text else "S0207") from None
    except KeyError as error:
        raise Thrown("S0204", token=error.args[0]) from None
    except JException as error:
        if error.error == "S0301" and error.current is not None:  # it has one code for two things
            raise Thrown("S0103", token=error.current) from None
        if error.error == "S0102":
            raise Thrown("S0102", token=_NUMERAL.match(text, error.location)[0]) from None
        raise


class Evaluator(Jsonata):  # type: ignore[misc]
    """One compiled expression; `run` may be called by many threads at once."""

    def __init__(self, text: str, functions: Mapping[str, Any]) -> None:
        self.parser = Parser.__new__(Parser)  # asked only whether it debugs
        self.parser.dbg = False
        self.ast = parsed(text)
        self.errors = None
        self.environment = self.create_frame(Jsonata.static_frame)
        self.environment.bindings.update(functions)
        self.input = None

    def run(self, bindings: Mapping[str, Any]) -> Any:
        """The value, as the library's values are; None is nothing."""
        one = copy.copy(self)
        one.depth = one.steps = 0
        one.until = time.thread_time() + MAX_SECONDS
        one.timestamp = time.time_ns() // 1_000_000  # one moment for the whole evaluation
        one.environment = self.create_frame(self.environment)
        one.environment.bindings.update((name, with_nulls(value)) for name, value in bindings.items())
        # The library's functions call back the instance of their thread.
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = one
        try:
            return one.eval(self.ast, None, one.environment)
        finally:
            Jsonata.CURRENT.jsonata = before

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise too_deep()
        self.steps += 1
        if not self.steps % 1024 and time.thread_time() > self.until:
            raise too_long()
        try:
            return self._step(expr, input, environment)
        finally:
            self.depth -= 1

    def _step(self, expr: Any, input: Any, environment: Any) -> Any:
        kind = expr.type
        evaluate = _EVALUATE.get(kind)
        result = evaluate(self, expr, input, environment) if evaluate else None
        if expr.predicate is not None:
            for item in expr.predicate:
                result = self.evaluate_filter(item.expr, result, environment)
        if expr.group is not None and kind != "path":
            result = self.evaluate_group_expression(expr.group, result, environment)
        if isinstance(result, Utils.JList) and result.sequence and not result.tuple_stream:
            if expr.keep_array:
                result.keep_singleton = True
            if not result:
                return None
            if len(result) == 1 and not result.keep_singleton:
                return result[0]
        return result

    def evaluate_filter(self, predicate: Any, input: Any, environment: Any) -> Any:
        if predicate.type == "number" and isinstance(predicate.value, float):
            predicate = copy.copy(predicate)
            predicate.value = math.floor(predicate.value)
        return super().evaluate_filter(predicate, input, environment)

    def evaluate_binary(self, expr: Any, input: Any, environment: Any) -> Any:
        left = self.eval(expr.lhs, input, environment)
        operator = expr.value
        if operator in ("and", "or"):
            try:
                if truth(left) is (operator == "or"):
                    return operator == "or"
                return truth(self.eval(expr.rhs, input, environment))
            except JException as error:
                error.token = operator
                raise
        right = self.eval(expr.rhs, input, environment)
        try:
            return self._operate(operator, left, right)
        except JException as error:
            error.token = operator
            raise

    def _operate(self, operator: str, left: Any, right: Any) -> Any:
        if operator == "&":
            return self.evaluate_string_concat(left, right)
        if operator in ("=", "!="):
            return left is not None and right is not None and equal(left, right) is (operator == "=")
        if operator in ("<", "<=", ">", ">="):
            return self.evaluate_comparison_expression(left, right, operator)
        if operator == "in":
            return self.evaluate_includes_expression(left, right)
        if operator == "..":
            return self.evaluate_range_expression(left, right)
        return self.evaluate_numeric_expression(left, right, operator)

    def evaluate_numeric_expression(self, left: Any, right: Any, operator: str) -> Any:
        for code, side in (("T2001", left), ("T2002", right)):
            if side is not None and not Utils.is_numeric(side):
                raise Thrown(code, token=operator, value=side)
        if left is None or right is None:
            return None
        return whole(_ARITHMETIC[operator](float(left), float(right)))

    def evaluate_unary(self, expr: Any, input: Any, environment: Any) -> Any:
        if expr.value == "-":
            found = self.eval(expr.expression, input, environment)
            if found is None:
                return None
            if not Utils.is_numeric(found):
                raise Thrown("D1002", token="-", value=found)
            return whole(-float(found))
        return super().evaluate_unary(expr, input, environment)

    def evaluate_string_concat(self, left: Any, right: Any) -> str:
        text = "".join("" if side is None else string(side) for side in (left, right))
        if len(text) > MAX_TEXT:
            raise too_large()
        return text

    def evaluate_includes_expression(self, left: Any, right: Any) -> bool:
        if left is None or right is None:
            return False
        members = right if isinstance(right, list) else [right]
        if isinstance(left, list | dict):  # it compares identities
            return any(member is left for member in members)
        return any(equal(member, left) for member in members)

    def evaluate_range_expression(self, first: Any, last: Any) -> Any:
        for code, side in (("T2003", first), ("T2004", last)):
            if side is not None and (isinstance(side, bool) or not isinstance(side, int)):
                raise Thrown(code, value=side)
        if first is None or last is None or first > last:
            return None
        size = last - first + 1
        if size > _RANGE_OF_THE_LANGUAGE:
            raise Thrown("D2014", value=size)
        if size > MAX_RANGE:
            raise too_large()
        return Utils.create_sequence_from_iter(range(first, last + 1))

    def evaluate_condition(self, expr: Any, input: Any, environment: Any) -> Any:
        chosen = expr.then if truth(self.eval(expr.condition, input, environment)) else expr._else
        return None if chosen is None else self.eval(chosen, input, environment)

    def evaluate_regex(self, expr: Any) -> Any:
        return Matcher(expr.value)

    def evaluate_descendants(self, expr: Any, input: Any) -> Any:
        found = Utils.create_sequence()
        if input is not None:
            self.recurse_descendants(input, found)
        return found[0] if len(found) == 1 else found

    def evaluate_group_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        if isinstance(input, list) and not input:  # else the library appends nothing to the caller's own list
            input = Utils.create_sequence(None)
        return super().evaluate_group_expression(expr, input, environment)

    def evaluate_sort_expression(self, expr: Any, input: Any, environment: Any) -> Any:
        tuples = isinstance(input, Utils.JList) and input.tuple_stream
        compare = Jsonata.ComparatorWrapper(self, expr, environment, tuples).compare
        return sort(input, lambda a, b: compare(a, b) == 1)

    def evaluate_function(self, expr: Any, input: Any, environment: Any, applyto_context: Any) -> Any:
        try:
            return super().evaluate_function(expr, input, environment, applyto_context)
        except JException as error:
            procedure = expr.procedure
            if getattr(error, "token", None) is None:
                error.token = procedure.steps[0].value if procedure.type == "path" else procedure.value
            raise

    def apply_inner(self, proc: Any, args: Any, input: Any, environment: Any) -> Any:
        if not is_function(proc):
            raise Thrown("T1006")
        arguments = self.validate_arguments(proc, args, input)
        return self.apply_procedure(proc, arguments) if Library.is_lambda(proc) else proc.call(input, arguments)

    def partial_apply_native_function(self, native: Any, args: Any) -> Any:
        count = min(len(args), native.get_number_of_args())
        return self.partial_apply_procedure(_wrapper(native.function_name, count), args)


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _quotient(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)


_ARITHMETIC = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _quotient,
    "%": _remainder,
}
_EVALUATE = {
    "path": Evaluator.evaluate_path,
    "binary": Evaluator.evaluate_binary,
    "unary": Evaluator.evaluate_unary,
    "name": Evaluator.evaluate_name,
    "string": lambda self, expr, input, environment: expr.value,
    "number": lambda self, expr, input, environment: expr.value,
    "value": lambda self, expr, input, environment: NULL if expr.value is None else expr.value,
    "wildcard": lambda self, expr, input, environment: self.evaluate_wildcard(expr, input),
    "descendant": lambda self, expr, input, environment: self.evaluate_descendants(expr, input),
    "parent": lambda self, expr, input, environment: environment.lookup(expr.slot.label),
    "condition": Evaluator.evaluate_condition,
    "block": Evaluator.evaluate_block,
    "bind": Evaluator.evaluate_bind_expression,
    "regex": lambda self, expr, input, environment: self.evaluate_regex(expr),
    "function": lambda self, expr, input, environment: self.evaluate_function(expr, input, environment, Utils.NONE),
    "variable": Evaluator.evaluate_variable,
    "lambda": Evaluator.evaluate_lambda,
    "partial": Evaluator.evaluate_partial_application,
    "apply": Evaluator.evaluate_apply_expression,
    "transform": Evaluator.evaluate_transform_expression,
}


@cache
def _wrapper(name: str, count: int) -> Any:
    """A lambda around a function of the library, for partial application."""
    names = ", ".join(f"$a{place}" for place in range(count))
    return parsed(f"function({names}){{ ${name}({names}) }}")


def truth(value: Any) -> bool:
    """Whether a value counts as true where the language asks: a function does, unlike for ``$boolean``."""
    if isinstance(value, Matcher):
        return False
    return is_function(value) or bool(Library.to_boolean(value))


def whole(value: float) -> float:
    """A number of the library: an int where it is whole."""
    return int(value) if math.isfinite(value) and value.is_integer() else value


def string(value: Any, prettify: bool = False) -> str:
    """``$string`` of a value that is there."""
    if isinstance(value, str):
        return value
    if is_function(value):
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        raise Thrown("D3001", value=value)
    return text_of(value, "  " if prettify else "")


def sort(items: list[Any], after: Callable[[Any, Any], bool]) -> list[Any]:
    """Merge sort, which asks in the reference's order; `after(a, b)`: whether `a` comes after `b`."""
    if len(items) <= 1:
        return items
    middle = len(items) // 2
    left, right = sort(items[:middle], after), sort(items[middle:], after)
    found, at, to = Utils.JList(), 0, 0
    while at < len(left) and to < len(right):
        if after(left[at], right[to]):
            found.append(right[to])
            to += 1
        else:
            found.append(left[at])
            at += 1
    found += left[at:] + right[to:]
    if isinstance(items, Utils.JList):
        found.sequence, found.tuple_stream = items.sequence, items.tuple_stream
    return found
