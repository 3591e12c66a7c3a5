"""Rules for Retry and Catch together: errors that vanish, entries that never apply, names that no error has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from genomics_pipeline.language import errors
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.walker import JSONATA, StateNode
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import error_names, objects
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity

_WILDCARDS = {errors.ALL, errors.TASK_FAILED}
# Not matched by States.TaskFailed.
_NOT_FAILURES = {*_WILDCARDS, errors.TIMEOUT, errors.HEARTBEAT_TIMEOUT, errors.RUNTIME, errors.DATA_LIMIT_EXCEEDED}
# The names that begin with "States." (developer guide, "Handling errors"; States Language, appendix A).
_STATES_ERRORS = (
    *sorted(_NOT_FAILURES),
    errors.QUERY_EVALUATION,
    errors.RESULT_PATH_MATCH_FAILURE,
    errors.REFERENCE_PATH_CONFLICT,
    errors.BRANCH_FAILED,
    errors.ITEM_READER_FAILED,
    errors.RESULT_WRITER_FAILED,
    errors.THRESHOLD_EXCEEDED,
    "States.Http.Socket",
    "States.IntrinsicFailure",
    "States.NoChoiceMatched",
    "States.ParameterPathFailure",
    "States.Permissions",
)
_HTTP_STATUS = re.compile(r"States\.Http\.StatusCode\.\d{3}")
_LAMBDA_ERRORS = (
    "Lambda.AWSLambdaException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ResourceNotReadyException",
    "Lambda.SdkClientException",
    "Lambda.ServiceException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
)
_SIMILAR = 0.9
_RECORDING = ("Task", "Fail", "Choice", "Map", "Parallel")


def check_swallowed(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield catchers of every error after which an execution succeeds."""
    for state in definition.states:
        for place, entry in objects(state.node, "Catch"):
            if not _WILDCARDS & set(error_names(entry)):
                continue
            ending = _quiet_ending(definition, state, entry)
            if ending is None:
                continue
            path = f"{state.path}/Catch[{place}]"
            if not _keeps_error(state, entry, ending):
                why = (
                    "Every error ends in success, and nothing keeps its name or cause. End in a Fail state, or put the "
                    "error into the output, a message or a table."
                )
                yield Remark(path, why, Saving("the search for what happened"))
            elif definition.distributed_map(state) is not None:
                why = (
                    "A child that failed counts as succeeded: the tolerated failures, the FAILED files and a redrive "
                    "do not see it. End in a Fail state, unless readers of the results look for the error."
                )
                yield Remark(path, why, severity=Severity.NOTE)


def _quiet_ending(definition: ReadDefinition, state: StateNode, entry: Node) -> list[StateNode] | None:
    """Return the Pass, Wait and Succeed states from a catcher to the end; None if another state follows."""
    graph, way, name = definition.graph(state), list[StateNode](), entry.get("Next")
    while isinstance(name, str) and name in graph.states:
        target = graph.states[name]
        if target.kind in _RECORDING or target in way:
            return None
        way.append(target)
        name = next(iter(graph.following[name]), None)
    return way or None


def _keeps_error(state: StateNode, entry: Node, ending: list[StateNode]) -> bool:
    """Return whether the error may be in the output in the end."""
    if state.language == JSONATA:
        shaped = [entry[field] for field in ("Output", "Assign") if field in entry]
        if shaped and "$states.errorOutput" not in compact(shaped):
            return False
    elif "ResultPath" in entry and entry["ResultPath"] is None:
        return False
    return all(_passes_on(target) for target in ending)


def _passes_on(state: StateNode) -> bool:
    """Return whether a state's output may depend on its input or on variables."""
    node = state.node
    if state.kind != "Pass":
        return True
    if state.language == JSONATA:
        return "Output" not in node or "{%" in compact(node["Output"])
    replaced = node.get("ResultPath", "$") == "$"
    if "Result" in node:
        return not replaced
    return "Parameters" not in node or not replaced or '.$":' in compact(node["Parameters"])


def check_dead(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield names of errors that never come to their retrier or catcher."""
    for state in definition.states:
        for field in ("Retry", "Catch"):
            before = set[str]()
            for place, entry in objects(state.node, field):
                path = f"{state.path}/{field}[{place}]/ErrorEquals"
                for name in error_names(entry):
                    if why := _why_dead(name, before):
                        yield Remark(path, f"{why} Remove it, or put it first.")
                before |= set(error_names(entry))


def _why_dead(name: str, before: set[str]) -> str:
    if name == errors.RUNTIME:
        return f"{name} ends an execution at once: no Retry or Catch sees it."
    if name in before:
        return f"{name} is in an earlier entry, which applies."
    if errors.TASK_FAILED in before and name not in _NOT_FAILURES:
        return f"An earlier entry has {errors.TASK_FAILED}, which matches {name} too."
    return ""


def check_names(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield names of errors that do not exist, and that no Fail state of the definition has either."""
    own = {state.node["Error"] for state in definition.of_kind("Fail") if isinstance(state.node.get("Error"), str)}
    for state in definition.states:
        for field in ("Retry", "Catch"):
            for place, entry in objects(state.node, field):
                for name in error_names(entry):
                    if name not in own and (hint := _hint(name)):
                        path = f"{state.path}/{field}[{place}]/ErrorEquals"
                        yield Remark(path, f"No error has the name {name}, so that nothing matches it; {hint}")


def _hint(name: str) -> str:
    """Return the advice on a name that no error has; empty for names that may exist."""
    known = _STATES_ERRORS if name.startswith("States.") else _LAMBDA_ERRORS
    if name in known or _HTTP_STATUS.fullmatch(name):
        return ""
    near = get_close_matches(name, known, n=1, cutoff=_SIMILAR)
    if near:
        return f"did you mean {near[0]}?"
    return "names that begin with States. are Amazon's own." if name.startswith("States.") else ""


RULES = (
    AdviceRule("swallowed-error", Severity.WARNING, check_swallowed),
    AdviceRule("dead-handler", Severity.WARNING, check_dead),
    AdviceRule("unknown-error-name", Severity.WARNING, check_names),
)
