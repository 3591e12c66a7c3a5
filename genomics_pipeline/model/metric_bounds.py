"""Bounds of metrics that a pipeline file, a file of parameters or the command line gives in place of the step's.

Only what people read depends on them, never what is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from genomics_pipeline.model.declared_file import DeclaredFile
from genomics_pipeline.model.errors import Problem, UsageError, did_you_mean
from genomics_pipeline.model.metric_spec import MetricSpec, bounds_misfit
from genomics_pipeline.model.step import METRICS, StepSpec

FIELDS = {"good.min": "good_min", "good.max": "good_max", "bad.below": "bad_below", "bad.above": "bad_above"}
NO_BOUND = "none"
EXAMPLE = "alignment.mean_depth.bad.below=2"

MetricBounds = Mapping[str, Mapping[str, float | None]]  # by metric and bound, such as bad.below; None for no bound
StageBounds = Mapping[str, MetricBounds]


def with_bounds(step: StepSpec, bounds: MetricBounds) -> StepSpec:
    """Return a step with these bounds; a metric keeps those that are not given.

    Args:
        step: The step, which has the metrics.
        bounds: The bounds.
    """
    changed = {name: _with_bounds(step.metrics[name], given) for name, given in bounds.items()}
    return replace(step, metrics={**step.metrics, **changed})


def _with_bounds(spec: MetricSpec, given: Mapping[str, float | None]) -> MetricSpec:
    return replace(spec, **{FIELDS[name]: bound for name, bound in given.items()})  # type: ignore[arg-type]


def merge_bounds(bounds: StageBounds, changed: StageBounds) -> dict[str, dict[str, dict[str, float | None]]]:
    """Return bounds by stage, metric and bound, those of `changed` in place of the others.

    >>> merge_bounds({"a": {"depth": {"bad.below": 5, "good.min": 9}}}, {"a": {"depth": {"bad.below": None}}})
    {'a': {'depth': {'bad.below': None, 'good.min': 9}}}
    """
    return {
        stage: {
            name: {**bounds.get(stage, {}).get(name, {}), **changed.get(stage, {}).get(name, {})}
            for name in {**bounds.get(stage, {}), **changed.get(stage, {})}
        }
        for stage in {**bounds, **changed}
    }


def declared_bounds(raw: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float | None]]:
    """Return the bounds of a table of a file without problems, by metric and bound.

    >>> declared_bounds({"mean_depth": {"good": {"min": 4}, "bad": {"below": "none"}}})
    {'mean_depth': {'good.min': 4, 'bad.below': None}}
    """
    return {
        metric: {
            f"{kind}.{side}": None if bound == NO_BOUND else bound
            for kind, sides in kinds.items()
            for side, bound in sides.items()
        }
        for metric, kinds in raw.items()
    }


def bounds_problems(
    declared: DeclaredFile, path: Sequence[str | int], raw: Mapping[str, Any], step: StepSpec
) -> Iterator[Problem]:
    """Yield the problems of a table of bounds in a file.

    Args:
        declared: The file.
        path: The path of the table.
        raw: The table, which fits the schema.
        step: The step with the metrics, and with the bounds that the table precedes.
    """
    for metric, kinds in raw.items():
        if metric not in step.metrics:
            yield declared.problem((*path, metric), _unknown(metric, step))
            continue
        wrong = [
            declared.problem((*path, metric, kind, side), f"expected a number, or {NO_BOUND!r}, found {bound!r}")
            for kind, sides in kinds.items()
            for side, bound in sides.items()
            if bound != NO_BOUND and (isinstance(bound, bool) or not isinstance(bound, int | float))
        ]
        yield from wrong
        given = {} if wrong else declared_bounds({metric: kinds})[metric]
        if message := bounds_misfit(_with_bounds(step.metrics[metric], given)):
            kind, sides = next(iter(kinds.items()))
            yield declared.problem((*path, metric, kind, next(iter(sides))), message)


def parse_bound_assignments(
    assignments: Sequence[str], steps: Mapping[str, StepSpec]
) -> dict[str, dict[str, dict[str, float | None]]]:
    """Parse the arguments of ``--bound`` to bounds by stage, metric and bound.

    Args:
        assignments: The arguments, such as ``alignment.mean_depth.bad.below=2``.
        steps: The steps by stage, with the bounds that the arguments precede.

    Raises:
        UsageError: with all problems: form, unknown stage or metric (with the nearest name), bounds that contradict
            each other.
    """
    bounds: dict[str, dict[str, dict[str, float | None]]] = {}
    problems = []
    for assignment in assignments:
        try:
            stage, metric, name, bound = _parse_assignment(assignment, steps)
        except ValueError as error:
            problems.append(Problem(f"--bound {assignment}: {error}"))
            continue
        bounds.setdefault(stage, {}).setdefault(metric, {})[name] = bound
    for stage, metrics in bounds.items():
        for metric, given in metrics.items():
            if message := bounds_misfit(_with_bounds(steps[stage].metrics[metric], given)):
                problems.append(Problem(f"--bound {stage}.{metric}: {message}"))
    if problems:
        raise UsageError(problems)
    return bounds


def _parse_assignment(assignment: str, steps: Mapping[str, StepSpec]) -> tuple[str, str, str, float | None]:
    """Return the stage, the metric, the bound's name and the bound.

    Raises:
        ValueError: with the message for the user.
    """
    target, equals, text = assignment.partition("=")
    stage, _, rest = target.partition(".")
    metric, _, name = rest.partition(".")
    if not equals or not name:
        raise ValueError(f"expected STAGE.METRIC.BOUND=NUMBER, such as {EXAMPLE}")
    if stage not in steps:
        raise ValueError(f"unknown stage {stage!r}; {did_you_mean(stage, list(steps))}")
    if metric not in steps[stage].metrics:
        raise ValueError(_unknown(metric, steps[stage]))
    if name not in FIELDS:
        raise ValueError(f"unknown bound {name!r}; {did_you_mean(name, list(FIELDS))}")
    if text == NO_BOUND:
        return stage, metric, name, None
    try:
        number = float(text)
    except ValueError:
        raise ValueError(f"expected a number, or {NO_BOUND!r}, found {text!r}") from None
    return stage, metric, name, int(number) if number.is_integer() else number


def bound_assignments(bounds: StageBounds) -> Iterator[str]:
    """Yield the arguments of ``--bound`` that `parse_bound_assignments` reads as these bounds.

    >>> list(bound_assignments({"alignment": {"mean_depth": {"good.min": 4, "bad.below": None}}}))
    ['alignment.mean_depth.good.min=4', 'alignment.mean_depth.bad.below=none']
    """
    for stage, metrics in bounds.items():
        for metric, given in metrics.items():
            for name, bound in given.items():
                yield f"{stage}.{metric}.{name}={NO_BOUND if bound is None else bound}"


def file_form(bounds: MetricBounds) -> dict[str, Any]:
    """Return the bounds of a stage as a file of parameters has them, below its key `metrics`.

    >>> file_form({"mean_depth": {"good.min": 4, "bad.below": None}})
    {'metrics': {'mean_depth': {'good': {'min': 4}, 'bad': {'below': 'none'}}}}
    """
    tables: dict[str, dict[str, dict[str, Any]]] = {}
    for metric, given in bounds.items():
        for name, bound in given.items():
            kind, _, side = name.partition(".")
            tables.setdefault(metric, {}).setdefault(kind, {})[side] = NO_BOUND if bound is None else bound
    return {METRICS: tables} if tables else {}


def _unknown(metric: str, step: StepSpec) -> str:
    return f"unknown metric {metric!r} of step {step.name}; {did_you_mean(metric, list(step.metrics))}"
