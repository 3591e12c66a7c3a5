"""The check of a generated document, before anything is created.

`language.validation` checks what AWS refuses in any document. This module checks the limits that a generated document
could exceed later, when it is deployed. The size of jobs: `asl.payload_budget`.
"""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.language.query_language import Node
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.language.walker import StateNode, walk_states
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import DataError, Problem


def check_limits(document: Node) -> None:
    """Refuse a document that AWS would refuse, or fail on while it runs.

    Raises:
        DataError: with every problem: those that AWS would report, then the limits that are exceeded.
    """
    problems = [Problem(diagnostic.message, column=diagnostic.path) for diagnostic in diagnose(document)]
    size = len(canonical_json(document).encode())
    if size > quotas.DEFINITION.value:
        problems.append(_exceeded("", "the definition", f"at most {quotas.DEFINITION.value} bytes", size))
    for state in walk_states(document):
        if state.kind == "Map":
            problems += _map(state)
    if problems:
        raise DataError(problems)


def _exceeded(path: str, field: str, allowed: str, value: object) -> Problem:
    return Problem(f"{field}: AWS allows {allowed}, found {value}", column=path or None)


def _map(state: StateNode) -> Iterator[Problem]:
    concurrency, most = state.node["MaxConcurrency"], quotas.MAP_RUN_CONCURRENCY.value
    if isinstance(concurrency, int) and concurrency > most:
        yield _exceeded(state.path, "MaxConcurrency", f"0 to {most}", concurrency)
