"""Rules for the type of executions: STANDARD where EXPRESS would do, and EXPRESS for what takes too long."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.language.walker import MachineNode, StateNode, machines_of
from genomics_pipeline.model import quotas
from genomics_pipeline.planning.advice.counting import transitions
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import number
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Saving, Severity
from genomics_pipeline.planning.advice.resources import task_resource

_LIMIT = quotas.EXPRESS_SECONDS.value


def check_standard(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield machines of STANDARD executions that only make short requests, the document or Distributed Maps."""
    main = definition.machines[0]
    if not main.express and _is_short(definition, main, definition.states):
        yield _express_would_do("/", transitions(definition, main), "execution")
    for state in definition.of_kind("Map"):
        processor = state.processor
        if not state.is_distributed or processor is None or processor.express:
            continue
        if _is_short(definition, processor, tuple(definition.inside(state))):
            path = f"{processor.path}/ProcessorConfig/ExecutionType"
            yield _express_would_do(path, transitions(definition, processor), "item")


def _is_short(definition: ReadDefinition, machine: MachineNode, states: tuple[StateNode, ...]) -> bool:
    tasks = [task_resource(state) for state in states if state.kind == "Task"]
    is_plain = not any(state.kind == "Wait" or state.is_distributed or _may_take_long(state) for state in states)
    # Loops of requests take as long as they please.
    return bool(tasks) and all(task.is_short for task in tasks) and is_plain and not _loops(definition, machine)


def _may_take_long(state: StateNode) -> bool:
    limit = number(state.node, "TimeoutSeconds")
    return limit is not None and limit > _LIMIT


def _loops(definition: ReadDefinition, machine: MachineNode) -> bool:
    return any(next(definition.graphs[part.path].loops(), None) for part in machines_of(machine))


def _express_would_do(path: str, states: float, per: str) -> Remark:
    why = (
        f"All tasks are requests or Lambda functions. If they end within {quotas.EXPRESS_SECONDS} together and may run "
        "twice, EXPRESS costs a request and its duration in place of a transition for each state."
    )
    words = "less EXPRESS executions of a second and 64 MB"
    return Remark(path, why, Saving(words, states, per, express_requests=1))


def check_express(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield states of EXPRESS executions that wait for longer than those may run."""
    for state in definition.states:
        if not state.machine.express:
            continue
        wait = number(state.node, "Seconds") if state.kind == "Wait" else None
        if wait is not None and wait >= _LIMIT:
            why = (
                f"An EXPRESS execution ends after {quotas.EXPRESS_SECONDS}, found a Wait of {wait:.0f} s: every "
                "execution that comes here times out. Use STANDARD."
            )
            yield Remark(f"{state.path}/Seconds", why, Saving("executions that cannot succeed"), Severity.ERROR)
        limit = number(state.node, "TimeoutSeconds") if state.kind == "Task" else None
        if limit is not None and limit > _LIMIT:
            why = (
                f"An EXPRESS execution ends after {quotas.EXPRESS_SECONDS}, so that a timeout of {limit:.0f} s never "
                "applies. Use STANDARD if the task takes that long; else lower TimeoutSeconds, so that Retry and Catch "
                "see the error."
            )
            yield Remark(f"{state.path}/TimeoutSeconds", why)


RULES = (
    AdviceRule("standard-for-short-work", Severity.NOTE, check_standard),
    AdviceRule("express-too-long", Severity.WARNING, check_express),
)
