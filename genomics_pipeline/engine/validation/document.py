"""Refuses a document that AWS would refuse, or whose Tasks nothing here runs: every problem, with its place."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.validation.scopes import machines
from genomics_pipeline.engine.validation.tasks import NO_ARN
from genomics_pipeline.engine.validation.validate import diagnose
from genomics_pipeline.model.errors import DataError, Problem, did_you_mean


def check(document: Mapping[str, Any], resources: Collection[str]) -> None:
    """Refuse a document that cannot be run.

    Args:
        document: The state machine.
        resources: The Task resources there are handlers for.

    Raises:
        DataError: with every problem: AWS's in the document's order, then what nothing here runs.
    """
    problems = [
        Problem(f"{found.code}: {found.message}", column=found.path or None)
        for found in diagnose(document)
        if found.severity == "ERROR" and found.message != NO_ARN  # a resource is what there is a handler for
    ]
    problems += _resources(document, resources)
    if problems:
        raise DataError(problems)


def _resources(document: Mapping[str, Any], resources: Collection[str]) -> Iterator[Problem]:
    for machine in machines(document, express=False) if isinstance(document, Mapping) else ():
        for state in machine.states():
            resource = state.node.get("Resource")
            if state.kind == "Task" and isinstance(resource, str) and resource not in resources:
                message = f"nothing here runs {resource!r}; {did_you_mean(resource, sorted(resources))}"
                yield Problem(message, column=f"{state.path}/Resource")
