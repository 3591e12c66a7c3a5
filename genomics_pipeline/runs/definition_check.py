"""The check of definitions by AWS, before anything of them is created or started."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.aws.definition_check import Unchecked, diagnose_on_aws
from genomics_pipeline.model.errors import Problem


def aws_diagnostics(definitions: Mapping[str, str], clients: Clients, note: Callable[[str], None]) -> Iterator[Problem]:
    """Yield the errors that AWS finds in definitions; its warnings, and a check that is not possible, are notes.

    Args:
        definitions: The texts of definitions by the names of their state machines.
        clients: The AWS clients.
        note: Shows a line.

    Raises:
        RunError: if a call fails.
    """
    for name, definition in definitions.items():
        machine = f"state machine {name}"
        try:
            diagnostics = diagnose_on_aws(definition, clients)
        except Unchecked as reason:
            note(f"note: the definitions were checked here only, not by AWS: {reason}")
            return
        for diagnostic in diagnostics:
            words = f"{machine}: {diagnostic.code}: {diagnostic.message}"
            if diagnostic.severity == "ERROR":
                yield Problem(words, column=diagnostic.path or None)
            else:
                place = f"{diagnostic.path}: " if diagnostic.path else ""
                note(f"warning: {place}{words}")
