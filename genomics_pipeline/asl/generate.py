"""Generation of the state machine document of a pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from genomics_pipeline.asl.healing import FirstAttemptSource, fail_state, failure_names
from genomics_pipeline.asl.jsonata_assumptions import check_assumptions
from genomics_pipeline.asl.map_state import PARTS, map_over_parts, map_state
from genomics_pipeline.asl.optional import first_state, optional_states
from genomics_pipeline.asl.payload_budget import payload_budgets
from genomics_pipeline.asl.record_map import record_document
from genomics_pipeline.asl.task_state import PayloadSource, stage_states
from genomics_pipeline.language.jsonata.text import member
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.resource_names import ResourceNames

COHORT = '{"cohort":"cohort"}'
DEFAULT_NAMES = ResourceNames()


def generate(pipeline: Pipeline, names: ResourceNames = DEFAULT_NAMES) -> dict[str, Any]:
    """Return the state machine document of a pipeline.

    Stages of one scope that follow each other share a Distributed Map; a cohort stage is a Task, with a Choice before
    it if a run may leave it out. Everything that differs between runs is in the execution's input
    (`model.execution_input`), so that the document is the same for every run and location; it contains the names of
    AWS resources only.

    Raises:
        DataError: if the pipeline exceeds a limit of AWS.
    """
    if pipeline.over_records:
        return record_document(pipeline, names)
    check_assumptions()
    groups = list(_groups(pipeline))
    held_by = {stage.name: name for name, stages in groups for stage in stages if stage.scope != "cohort"}
    states: dict[str, Any] = {}
    for number, (name, stages) in enumerate(groups):
        following = _first_state(pipeline, groups[number + 1]) if number + 1 < len(groups) else None
        states |= _states(pipeline, names, name, stages, held_by, following)
    if any(state["Type"] == "Task" for state in states.values()):
        failures = failure_names()
        states[failures.state] = fail_state(failures.variable)
    document = {
        "Comment": f"{pipeline.name}: {pipeline.summary}",
        "QueryLanguage": "JSONata",
        "StartAt": _first_state(pipeline, groups[0]),
        "States": states,
    }
    if not pipeline.is_shipped:
        from genomics_pipeline.asl.limits import check_limits

        check_limits(document)
    payload_budgets(pipeline, document)
    return document


def _groups(pipeline: Pipeline) -> Iterator[tuple[str, list[Stage]]]:
    """Yield name and stages of the top-level states; a second map over the same scope is numbered."""
    counts: dict[str, int] = {}
    for scope, stages in groupby(pipeline.stages, key=lambda stage: stage.scope):
        if scope == "cohort":
            yield from ((stage.name, [stage]) for stage in stages)
            continue
        counts[scope] = counts.get(scope, 0) + 1
        yield f"{scope.title()}{counts[scope] if counts[scope] > 1 else ''}", list(stages)


def _first_state(pipeline: Pipeline, group: tuple[str, list[Stage]]) -> str:
    name, stages = group
    if stages[0].scope == "cohort":
        return first_state(stages[0])
    return f"{name}{PARTS}" if _has_parts(pipeline, stages[0].scope) else name


def _has_parts(pipeline: Pipeline, scope: str) -> bool:
    return scope == "sample" and pipeline.maps[scope].map_runs > 1


def _variable(label: str) -> str:
    return f"{label[0].lower()}{label[1:]}Results"


def _details(label: str) -> str:
    """Return the ResultWriterDetails of all Map Runs with a Label: of earlier executions of the run, then of this."""
    return f"[{member('$states.input.earlier', label)},${_variable(label)}]"


def _states(
    pipeline: Pipeline,
    names: ResourceNames,
    name: str,
    stages: list[Stage],
    held_by: dict[str, str],
    following: str | None,
) -> dict[str, Any]:
    upstream = {source: _details(held_by[source]) for stage in stages for source in pipeline.gather_sources(stage)}
    if stages[0].scope == "cohort":
        attempts = FirstAttemptSource.of("$states.input", "$states.input")
        source = PayloadSource("$states.input", f"[{COHORT}]", COHORT, upstream, attempts)
        states = stage_states(pipeline, names, stages[0], source, following, failure_names())
        return {**optional_states(stages[0], following), **states}
    state = map_state(pipeline, names, stages, name, _variable(name), upstream)
    if _has_parts(pipeline, stages[0].scope):
        state, name = map_over_parts(pipeline, name, state, _variable(name)), f"{name}{PARTS}"
    return {name: {**state, **({"Next": following} if following else {"End": True})}}
