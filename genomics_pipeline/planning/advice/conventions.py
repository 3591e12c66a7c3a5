"""Rules for fields that AWS replaced by others, and for the link between an execution and those that it starts."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.language.walker import JSONPATH
from genomics_pipeline.planning.advice.definition import ReadDefinition
from genomics_pipeline.planning.advice.fields import arguments, member
from genomics_pipeline.planning.advice.finding import AdviceRule, Remark, Severity
from genomics_pipeline.planning.advice.resources import task_resource

_STARTED_BY = "AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID"


def check_deprecated(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield the old names of the fields of Map."""
    for state in definition.of_kind("Map"):
        if "Iterator" in state.node:
            yield Remark(f"{state.path}/Iterator", "Iterator is the deprecated name of ItemProcessor. Rename it.")
        if "Parameters" in state.node and state.language == JSONPATH:
            why = "Parameters of a Map is the deprecated name of ItemSelector. Rename it."
            yield Remark(f"{state.path}/Parameters", why)


def check_started_executions(definition: ReadDefinition) -> Iterator[Remark]:
    """Yield tasks that start an execution without the id of their own."""
    for state in definition.of_kind("Task"):
        given = member(arguments(state), "Input")
        if task_resource(state).action != "states:startExecution" or not given:
            continue
        if not {_STARTED_BY, f"{_STARTED_BY}.$"} & set(given):
            why = (
                f"The console links the two executions only if the Input has {_STARTED_BY}, the id of this execution "
                "from the context object."
            )
            yield Remark(f"{state.path}/{'Arguments' if 'Arguments' in state.node else 'Parameters'}/Input", why)


RULES = (
    AdviceRule("deprecated-field", Severity.NOTE, check_deprecated),
    AdviceRule("started-by", Severity.NOTE, check_started_executions),
)
