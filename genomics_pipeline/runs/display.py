"""The port through which a use case reports its progress."""

from __future__ import annotations

from typing import Protocol

from genomics_pipeline.engine.events import Event


class Display(Protocol):
    """A display of progress; both methods may be called from any thread."""

    def note(self, text: str) -> None:
        """Show one line."""

    def event(self, event: Event) -> None:
        """Show an event of the engine."""
