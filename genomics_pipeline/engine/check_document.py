"""The check of a document before it is executed: AWS must accept it, and its Tasks must have something to run them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.execution import Tasks
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model.errors import DataError, Problem


def check_document(document: Mapping[str, Any], name: str, tasks: Tasks) -> None:
    """Refuse a document that cannot be run.

    Args:
        document: The state machine.
        name: The state machine's name.
        tasks: Runs the Task states.

    Raises:
        DataError: with every problem: AWS's in the document's order, then the Tasks that nothing here runs.
    """
    problems = [
        Problem(f"{found.code}: {found.message}", column=found.path or None)
        for found in diagnose(document)
        if found.severity == "ERROR"
    ]
    problems += _unknown_tasks(document, name, tasks)
    if problems:
        raise DataError(problems)


def _unknown_tasks(document: Mapping[str, Any], name: str, tasks: Tasks) -> Iterator[Problem]:
    for state in walk_states(document) if isinstance(document, Mapping) else ():
        resource = state.node.get("Resource")
        if state.kind == "Task" and isinstance(resource, str) and not tasks.handler(resource, name, state.name):
            yield Problem(tasks.advice(resource), column=f"{state.path}/Resource")
