"""The evaluator: the library's, corrected to agree with the reference implementation, and limited as AWS's is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from genomics_pipeline.language.evaluation import EvaluationEnd, TooCostly
from genomics_pipeline.language.host import Host
from genomics_pipeline.language.jsonata.library import Functions as Library
from genomics_pipeline.language.jsonata.library import JException, Jsonata, Parser, Utils
from genomics_pipeline.language.jsonata.limits import MAX_SECONDS, too_deep, too_large, too_long
from genomics_pipeline.language.jsonata.messages import JsonataError
from genomics_pipeline.language.jsonata.metering import LENGTH, STEPS, TEXT, Meter
from genomics_pipeline.language.jsonata.operators import ARITHMETIC, integer_if_whole, is_true, sort, string
from genomics_pipeline.language.jsonata.reads import prepare_bindings, pure_path, read_members
from genomics_pipeline.language.jsonata.regular_expressions import Matcher
from genomics_pipeline.language.jsonata.syntax_tree import parse, parse_wrapper
from genomics_pipeline.language.jsonata.values import NULL, equal, is_function, to_json
from genomics_pipeline.model import quotas

_RANGE_OF_THE_LANGUAGE = 10_000_000
_STEPS_BETWEEN_CHECKS = 1_024
_FEW_STEPS = 8  # in which values do not become much larger than the data
_FEW_ARGUMENTS = 10
_SHALLOW = frozenset({"exists", "count", "type"})  # functions that do not visit members of members


class Evaluator(Jsonata):  # type: ignore[misc]
    """A compiled expression; threads may call `run` concurrently."""

    def __init__(self, text: str, functions: Mapping[str, Any]) -> None:
        self.parser = Parser.__new__(Parser)  # only its flag `dbg` is read
        self.parser.dbg = False
        self.ast = parse(text)
        self.errors = None
        self.environment = self.create_frame(Jsonata.static_frame)
        self.environment.bindings.update(functions)
        self.read_members = read_members(self.ast)
        self.input = None
        self.meter: Meter | None = None
        self._milliseconds: int | None = None

    def run(self, bindings: Mapping[str, Any], host: Host, is_metered: bool = False) -> EvaluationEnd:
        """Return the value as JSON, or that there is none.

        Args:
            bindings: The variables by name.
            host: The source of time and random numbers.
            is_metered: Do only the work that `Meter` allows; by default, all that AWS allows.

        Raises:
            TooCostly: if the meter allows no more.
            NotJson: if the value contains a function.
        """
        evaluation = object.__new__(Evaluator)
        evaluation.__dict__.update(self.__dict__)
        evaluation.host = host
        evaluation.depth = evaluation.steps = 0
        evaluation.meter = Meter() if is_metered else None
        evaluation.next_check = STEPS if is_metered else _STEPS_BETWEEN_CHECKS
        evaluation.longest = LENGTH if is_metered else math.inf
        evaluation.deadline = host.processor_seconds() + MAX_SECONDS
        evaluation._milliseconds = None
        evaluation.environment = self.create_frame(self.environment)
        evaluation.environment.bindings.update(prepare_bindings(bindings, self.read_members))
        # The library's functions call back the instance of their thread.
        before = getattr(Jsonata.CURRENT, "jsonata", None)
        Jsonata.CURRENT.jsonata = evaluation
        try:
            value = evaluation.eval(self.ast, None, evaluation.environment)
        finally:
            Jsonata.CURRENT.jsonata = before
        if isinstance(value, dict | list):
            evaluation.weigh(value)
        return (
            EvaluationEnd(problem="returned nothing (undefined).") if value is None else EvaluationEnd(to_json(value))
        )

    @property
    def timestamp(self) -> int:
        """The time of ``$now`` and ``$millis``, in milliseconds since the epoch, constant during an evaluation."""
        if self._milliseconds is None:
            self._milliseconds = int(self.host.now() * 1000)
        return self._milliseconds

    def eval(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a node of the syntax tree within AWS's limits."""
        self.depth += 1
        if self.depth > quotas.JSONATA_DEPTH.value:
            raise too_deep()
        self.steps += 1
        if self.steps >= self.next_check:
            self._check_steps()
        try:
            result = self._evaluate_node(expr, focus, environment)
        finally:
            self.depth -= 1
        if isinstance(result, list) and len(result) > self.longest:
            raise TooCostly
        return result

    def _is_true(self, value: Any) -> bool:
        if isinstance(value, list):
            self.weigh(value)
        return is_true(value)

    def _check_steps(self) -> None:
        self.require_no_meter()
        self.next_check += _STEPS_BETWEEN_CHECKS
        if self.host.processor_seconds() > self.deadline:
            raise too_long()

    def require_no_meter(self) -> None:
        """Require that the evaluation may do all that AWS allows, before an operation of unknown cost.

        Raises:
            TooCostly: if it may not.
        """
        if self.meter is not None:
            raise TooCostly

    def weigh(self, *values: Any) -> None:
        """Count the parts of values that are about to be visited without evaluating nodes of the syntax tree."""
        if self.meter is not None and self.steps > _FEW_STEPS:
            self.meter.weigh(*values)

    def _evaluate_node(self, expr: Any, focus: Any, environment: Any) -> Any:
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
        """Evaluate a path, without the library if it consists of names only and leads through objects."""
        if expr.pure_path is None:
            expr.pure_path = pure_path(expr)
        if expr.pure_path:
            value = environment.lookup(expr.pure_path[0])
            for name in expr.pure_path[1:]:
                if not isinstance(value, dict) or name not in value:
                    break
                value = value[name]
            else:
                return NULL if value is None else value
        return super().evaluate_path(expr, focus, environment)

    def evaluate_filter(self, predicate: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a predicate, once even if it applies to nothing."""
        tuples = isinstance(focus, Utils.JList) and focus.tuple_stream
        items = focus if isinstance(focus, list) else [focus]
        selected = Utils.create_sequence()
        selected.tuple_stream = tuples
        if predicate.type == "number":
            index = _index(predicate.value, items)
            item = items[index] if 0 <= index < len(items) else None
            if isinstance(item, list):
                return item
            if item is not None:
                selected.append(item)
            return selected
        for index, item in enumerate(items):
            frame = self.create_frame_from_tuple(environment, item) if tuples else environment
            answer = self.eval(predicate, item["@"] if tuples else item, frame)
            if Utils.is_numeric(answer):
                answer = [answer]
            if Utils.is_array_of_numbers(answer):
                selected.extend(item for number in answer if _index(number, items) == index)
            elif self._is_true(answer):
                selected.append(item)
        return selected

    def evaluate_binary(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a binary operator; `and` and `or` evaluate the right side only if it decides."""
        left = self.eval(expr.lhs, focus, environment)
        operator = expr.value
        if operator in ("and", "or"):
            try:
                if self._is_true(left) is (operator == "or"):
                    return operator == "or"
                return self._is_true(self.eval(expr.rhs, focus, environment))
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
            if isinstance(left, dict | list):
                self.weigh(left, right)
            return left is not None and right is not None and equal(left, right) is (operator == "=")
        if operator in ("<", "<=", ">", ">="):
            return self.evaluate_comparison_expression(left, right, operator)
        if operator == "in":
            return self.evaluate_includes_expression(left, right)
        if operator == "..":
            return self.evaluate_range_expression(left, right)
        return self.evaluate_numeric_expression(left, right, operator)

    def evaluate_numeric_expression(self, left: Any, right: Any, operator: str) -> Any:
        """Evaluate an arithmetic operator on doubles; nothing if a side is nothing."""
        for code, side in (("T2001", left), ("T2002", right)):
            if side is not None and not Utils.is_numeric(side):
                raise JsonataError(code, token=operator, value=side)
        if left is None or right is None:
            return None
        return integer_if_whole(ARITHMETIC[operator](float(left), float(right)))

    def evaluate_unary(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a negation, and the constructor of an array or object as the library does."""
        if expr.value == "-":
            operand = self.eval(expr.expression, focus, environment)
            if operand is None:
                return None
            if not Utils.is_numeric(operand):
                raise JsonataError("D1002", value=operand)
            return integer_if_whole(-float(operand))
        return super().evaluate_unary(expr, focus, environment)

    def evaluate_string_concat(self, left: Any, right: Any) -> str:
        """Evaluate `&` within AWS's limit."""
        if not (isinstance(left, str) and isinstance(right, str)):
            self.weigh(left, right)
        text = "".join("" if side is None else string(side) for side in (left, right))
        if len(text) > TEXT:
            self.require_no_meter()
        if len(text) > quotas.JSONATA_TEXT.value:
            raise too_large()
        return text

    def evaluate_includes_expression(self, left: Any, right: Any) -> bool:
        """Evaluate `in`."""
        if left is None or right is None:
            return False
        members = right if isinstance(right, list) else [right]
        if isinstance(left, list | dict):  # the reference compares identities
            return any(member is left for member in members)
        return any(equal(member, left) for member in members)

    def evaluate_range_expression(self, first: Any, last: Any) -> Any:
        """Evaluate `..` within AWS's limit."""
        for code, side in (("T2003", first), ("T2004", last)):
            if side is not None and (isinstance(side, bool) or not isinstance(side, int)):
                raise JsonataError(code, value=side)
        if first is None or last is None or first > last:
            return None
        size = last - first + 1
        if size > _RANGE_OF_THE_LANGUAGE:
            raise JsonataError("D2014", value=size)
        if size > quotas.JSONATA_SEQUENCE.value:
            raise too_large()
        return Utils.create_sequence_from_iter(range(first, last + 1))

    def evaluate_condition(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate `? :`."""
        chosen = expr.then if self._is_true(self.eval(expr.condition, focus, environment)) else expr._else
        return None if chosen is None else self.eval(chosen, focus, environment)

    def evaluate_regex(self, expr: Any) -> Any:
        """Return the regular expression as a function."""
        return Matcher(expr.value)

    def evaluate_name(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a name, which is looked up in all arrays in an array."""
        if isinstance(focus, list):
            self.weigh(focus)
        return super().evaluate_name(expr, focus, environment)

    def evaluate_wildcard(self, expr: Any, focus: Any) -> Any:
        """Evaluate `*`, which flattens arrays."""
        self.weigh(focus)
        return super().evaluate_wildcard(expr, focus)

    def evaluate_descendants(self, expr: Any, focus: Any) -> Any:
        """Evaluate `**`."""
        self.weigh(focus)
        descendants = Utils.create_sequence()
        if focus is not None:
            self.recurse_descendants(focus, descendants)
        return descendants[0] if len(descendants) == 1 else descendants

    def evaluate_group_expression(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate a group-by; a new list replaces an empty one, which the library would change for the caller."""
        if isinstance(focus, list) and not focus:
            focus = Utils.create_sequence(None)
        return super().evaluate_group_expression(expr, focus, environment)

    def evaluate_sort_expression(self, expr: Any, focus: Any, environment: Any) -> Any:
        """Evaluate an order-by with the reference's sequence of comparisons."""
        tuples = isinstance(focus, Utils.JList) and focus.tuple_stream
        compare = Jsonata.ComparatorWrapper(self, expr, environment, tuples).compare
        return sort(focus, lambda a, b: compare(a, b) == 1)

    def evaluate_function(self, expr: Any, focus: Any, environment: Any, applyto_context: Any) -> Any:
        """Evaluate a call, adding the function's name to its errors."""
        try:
            return super().evaluate_function(expr, focus, environment, applyto_context)
        except JException as error:
            procedure = expr.procedure
            if getattr(error, "token", None) is None:
                error.token = procedure.steps[0].value if procedure.type == "path" else procedure.value
            raise

    def apply_inner(self, proc: Any, args: Any, focus: Any, environment: Any) -> Any:
        """Call a function, adding its name to its errors."""
        if not is_function(proc):
            raise JsonataError("T1006")
        try:
            if Library.is_lambda(proc):
                if len(args) > _FEW_ARGUMENTS:
                    self.require_no_meter()  # a signature is matched as a regular expression
                return self.apply_procedure(proc, self.validate_arguments(proc, args, focus))
            if proc.function_name not in _SHALLOW:
                self.weigh(*args)
            return proc.call(focus, self.validate_arguments(proc, args, focus))
        except JException as error:
            if getattr(error, "token", None) is None:
                error.token = getattr(proc, "function_name", None)
            raise

    def partial_apply_native_function(self, native: Any, args: Any) -> Any:
        """Apply a function of the library partially."""
        count = min(len(args), native.get_number_of_args())
        return self.partial_apply_procedure(parse_wrapper(native.function_name, count), args)


def _index(number: float, items: list[Any]) -> int:
    index = math.floor(number)
    return index + len(items) if index < 0 else index


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
