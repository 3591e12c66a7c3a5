"""Checks of state names and of the Labels of Distributed Maps: unique in the document, and not too long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from genomics_pipeline.language.validation.diagnostics import (
    DUPLICATE_LABEL,
    DUPLICATE_STATE,
    INVALID_LABEL,
    INVALID_STATE_NAME,
    Diagnostic,
)
from genomics_pipeline.language.walker import MachineNode, StateNode
from genomics_pipeline.model import quotas

_NOT_IN_LABELS = re.compile(f"[{quotas.NOT_IN_NAMES}]")


def check_state_names(machines: Sequence[MachineNode]) -> Iterator[Diagnostic]:
    """Yield the problems of a document's state names."""
    seen = set()
    for machine in machines:
        for name in machine.nodes:
            path = f"{machine.path}/States/{name}"
            if name in seen:
                yield Diagnostic(DUPLICATE_STATE, f"Duplicate State name: {name}", path)
            seen.add(name)
            if len(name) > quotas.STATE_NAME.value:
                yield Diagnostic(INVALID_STATE_NAME, _too_long("State name", name, quotas.STATE_NAME.value), path)


def check_labels(states: Sequence[StateNode]) -> Iterator[Diagnostic]:
    """Yield the problems of the ``Label`` of each Distributed Map in a document."""
    seen = set()
    for state in states:
        label = state.node.get("Label")
        if state.kind != "Map" or not isinstance(label, str):
            continue
        path = f"{state.path}/Label"
        if label in seen:
            yield Diagnostic(DUPLICATE_LABEL, f"Duplicate Label name: {label}", path)
        seen.add(label)
        if len(label) > quotas.LABEL.value:
            yield Diagnostic(INVALID_LABEL, _too_long("Label", label, quotas.LABEL.value), path)
        if invalid := _NOT_IN_LABELS.search(label):
            yield Diagnostic(INVALID_LABEL, f"Label '{label}' contains the invalid character {invalid[0]!r}", path)
        if not label:
            yield Diagnostic(INVALID_LABEL, "Label cannot be empty", path)


def _too_long(kind: str, name: str, limit: int) -> str:
    return f"{kind} '{name}' exceeds the {limit}-character limit allowed by the service"
