"""The library's evaluator, corrected where it departs from the reference implementation, and bounded as AWS's is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

from genomics_pipeline.language.host import Host
from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import JException, Jsonata, Parser, Utils
from genomics_pipeline.language.jsonata.limits import (
    MAX_SECONDS,
    too_deep,
    too_large,
    too_long,
)
from genomics_pipeline.language.jsonata.messages import Thrown
from genomics_pipeline.language.jsonata.operators import ARITHMETIC, sort, string, truth, whole
from genomics_pipeline.language.jsonata.reads import pure, reads, ready
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.syntax_tree import parsed
from genomics_pipeline.language.jsonata.values import NULL, equal, is_function
from genomics_pipeline.model import quotas

_RANGE_OF_THE_LANGUAGE = 10_000_000


class Evaluator(Jsonata):  # type: ignore[misc]
    """One compiled expression; `run` may be called by many threads at once."""

    def __init__(self, text: str, functions: Mapping[str, Any]) -> None:
        self.parser = Parser.__new__(Parser)  # asked only whether it debugs
        self.parser.dbg = False
        self.ast = parsed(text)
        self.errors = None
        self.environment = self.create_frame(Jsonata.static_frame)
        self.environment.bindings.update(functions)
        self.reads = reads(self.ast)
        self.input = None
        self._moment: int | None = None

    def run(self, bindings: Mapping[str, Any], host: Host) -> Any:
        """Return the value, as the library's values are; None is nothing."""
        one = object.__new__(Evaluator)
        one.__dict__.update(self.__dict__)
        one.host = host
        one.depth = one.steps = 0
        one.until = host.processor_seconds() + MAX_SECONDS
        one._moment = None
        one.environment = self.create_frame(self.environment)
        one.environment.bindings.update(ready(bindings, self.reads))
        # The library's functions call back the instance of their thread.
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = one
        try:
            return one.eval(self.ast, None, one.environment)
        finally:
            Jsonata.CURRENT.jsonata = before

    @property
    def timestamp(self) -> int:
        """The time of ``$now`` and ``$millis``, in milliseconds; one moment for the whole evaluation."""
        if self._moment is None:
            self._moment = int(self.host.now() * 1000)
        return self._moment

    def eval(self, expr: Any, focus: Any, environment: Any) -> Any:
        self.depth += 1
        if self.depth > quotas.JSONATA_DEPTH.value:
            raise too_deep()
        self.steps += 1
        if not self.steps % 1024 and self.host.processor_seconds() > self.until:
            raise too_long()
        try:
            return self._step(expr, focus, environment)
        finally:
            self.depth -= 1

    def _step(self, expr: Any, focus: Any, environment: Any) -> Any:
        kind = expr.type
        evaluate = _EVALUATE.get(kind)
        result = evaluate(self, expr, focus, environment) if evaluate else None
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

    def evaluate_path(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a path; one of nothing but names through objects without the library."""
        if expr.pure is None:
            expr.pure = pure(expr)
        if expr.pure:
            found = environment.lookup(expr.pure[0])
            for name in expr.pure[1:]:
                if not isinstance(found, dict) or name not in found:
                    break
                found = found[name]
            else:
                return NULL if found is None else found
        return super().evaluate_path(expr, focus, environment)

    def evaluate_filter(self, predicate: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a predicate; over nothing, it is evaluated once all the same."""
        tuples = isinstance(focus, Utils.JList) and focus.tuple_stream
        items = focus if isinstance(focus, list) else [focus]
        found = Utils.create_sequence()
        found.tuple_stream = tuples
        if predicate.type == "number":
            place = _place(predicate.value, items)
            item = items[place] if 0 <= place < len(items) else None
            if isinstance(item, list):
                return item
            if item is not None:
                found.append(item)
            return found
        for place, item in enumerate(items):
            frame = self.create_frame_from_tuple(environment, item) if tuples else environment
            answer = self.eval(predicate, item["@"] if tuples else item, frame)
            if Utils.is_numeric(answer):
                answer = [answer]
            if Utils.is_array_of_numbers(answer):
                found.extend(item for number in answer if _place(number, items) == place)
            elif truth(answer):
                found.append(item)
        return found

    def evaluate_binary(self, expr: Any, focus: Any, environment: Any) -> Any:
        left = self.eval(expr.lhs, focus, environment)
        operator = expr.value
        if operator in ("and", "or"):
            try:
                if truth(left) is (operator == "or"):
                    return operator == "or"
                return truth(self.eval(expr.rhs, focus, environment))
            except JException as error:
                error.token = operator
                raise
        right = self.eval(expr.rhs, focus, environment)
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
        return whole(ARITHMETIC[operator](float(left), float(right)))

    def evaluate_unary(self, expr: Any, focus: Any, environment: Any) -> Any:
        if expr.value == "-":
            found = self.eval(expr.expression, focus, environment)
            if found is None:
                return None
            if not Utils.is_numeric(found):
                raise Thrown("D1002", value=found)
            return whole(-float(found))
        return super().evaluate_unary(expr, focus, environment)

    def evaluate_string_concat(self, left: Any, right: Any) -> str:
        text = "".join("" if side is None else string(side) for side in (left, right))
        if len(text) > quotas.JSONATA_TEXT.value:
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
        if size > quotas.JSONATA_SEQUENCE.value:
            raise too_large()
        return Utils.create_sequence_from_iter(range(first, last + 1))

    def evaluate_condition(self, expr: Any, focus: Any, environment: Any) -> Any:
        chosen = expr.then if truth(self.eval(expr.condition, focus, environment)) else expr._else
        return None if chosen is None else self.eval(chosen, focus, environment)

    def evaluate_regex(self, expr: Any) -> Any:
        return Matcher(expr.value)

    def evaluate_descendants(self, expr: Any, focus: Any) -> Any:
        found = Utils.create_sequence()
        if focus is not None:
            self.recurse_descendants(focus, found)
        return found[0] if len(found) == 1 else found

    def evaluate_group_expression(self, expr: Any, focus: Any, environment: Any) -> Any:
        if isinstance(focus, list) and not focus:  # else the library appends nothing to the caller's own list
            focus = Utils.create_sequence(None)
        return super().evaluate_group_expression(expr, focus, environment)

    def evaluate_sort_expression(self, expr: Any, focus: Any, environment: Any) -> Any:
        tuples = isinstance(focus, Utils.JList) and focus.tuple_stream
        compare = Jsonata.ComparatorWrapper(self, expr, environment, tuples).compare
        return sort(focus, lambda a, b: compare(a, b) == 1)

    def evaluate_function(self, expr: Any, focus: Any, environment: Any, applyto_context: Any) -> Any:
        try:
            return super().evaluate_function(expr, focus, environment, applyto_context)
        except JException as error:
            procedure = expr.procedure
            if getattr(error, "token", None) is None:
                error.token = procedure.steps[0].value if procedure.type == "path" else procedure.value
            raise

    def apply_inner(self, proc: Any, args: Any, focus: Any, environment: Any) -> Any:
        if not is_function(proc):
            raise Thrown("T1006")
        try:
            arguments = self.validate_arguments(proc, args, focus)
            return self.apply_procedure(proc, arguments) if Library.is_lambda(proc) else proc.call(focus, arguments)
        except JException as error:
            if getattr(error, "token", None) is None:
                error.token = getattr(proc, "function_name", None)
            raise

    def partial_apply_native_function(self, native: Any, args: Any) -> Any:
        count = min(len(args), native.get_number_of_args())
        return self.partial_apply_procedure(_wrapper(native.function_name, count), args)


def _place(number: float, items: list[Any]) -> int:
    place = math.floor(number)
    return place + len(items) if place < 0 else place


_EVALUATE = {
    "path": Evaluator.evaluate_path,
    "binary": Evaluator.evaluate_binary,
    "unary": Evaluator.evaluate_unary,
    "name": Evaluator.evaluate_name,
    "string": lambda self, expr, focus, environment: expr.value,
    "number": lambda self, expr, focus, environment: expr.value,
    "value": lambda self, expr, focus, environment: NULL if expr.value is None else expr.value,
    "wildcard": lambda self, expr, focus, environment: self.evaluate_wildcard(expr, focus),
    "descendant": lambda self, expr, focus, environment: self.evaluate_descendants(expr, focus),
    "parent": lambda self, expr, focus, environment: environment.lookup(expr.slot.label),
    "condition": Evaluator.evaluate_condition,
    "block": Evaluator.evaluate_block,
    "bind": Evaluator.evaluate_bind_expression,
    "regex": lambda self, expr, focus, environment: self.evaluate_regex(expr),
    "function": lambda self, expr, focus, environment: self.evaluate_function(expr, focus, environment, Utils.NONE),
    "variable": Evaluator.evaluate_variable,
    "lambda": Evaluator.evaluate_lambda,
    "partial": Evaluator.evaluate_partial_application,
    "apply": Evaluator.evaluate_apply_expression,
    "transform": Evaluator.evaluate_transform_expression,
}


@cache
def _wrapper(name: str, count: int) -> Any:
    """Return a lambda around a function of the library, for partial application."""
    names = ", ".join(f"$a{place}" for place in range(count))
    return parsed(f"function({names}){{ ${name}({names}) }}")
