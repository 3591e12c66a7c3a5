"""The check of a document before it is executed: AWS must accept it, and each of its Tasks must have a handler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from genomics_pipeline.engine.execution import Tasks
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.language.walker import walk_states
from genomics_pipeline.model.errors import DataError, Problem


def check_document(document: Mapping[str, Any], name: str, tasks: Tasks) -> None:
    """Refuse a document that cannot be executed.

    Args:
        document: The state machine.
        name: The state machine's name.
        tasks: The handlers of Task states.

    Raises:
        DataError: with all problems: first AWS's, in the document's order, then the Tasks without a handler.
    """
    problems = [
        Problem(f"{diagnostic.code}: {diagnostic.message}", column=diagnostic.path or None)
        for diagnostic in diagnose(document)
        if diagnostic.severity == "ERROR"
    ]
    problems += _tasks_without_handler(document, name, tasks)
    if problems:
        raise DataError(problems)


def _tasks_without_handler(document: Mapping[str, Any], name: str, tasks: Tasks) -> Iterator[Problem]:
    for state in walk_states(document) if isinstance(document, Mapping) else ():
        resource = state.node.get("Resource")
        if state.kind == "Task" and isinstance(resource, str) and not tasks.handler(resource, name, state.name):
            yield Problem(tasks.advice(resource), column=f"{state.path}/Resource")
