"""What a run says while it goes on, on standard error: live on a terminal, else a line for each thing that ended."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from genomics_pipeline.report.tally import Tally

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live


class Progress:
    """A context manager; `event` is an engine's observer and may be called in another thread than `note`.

    rich is imported on a terminal only: it would cost a script's start-up and buy nothing.
    """

    def __init__(self, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        """Prepare.

        Args:
            quiet: Say nothing at all.
            clock: Seconds that only grow.
        """
        self._quiet = quiet
        self._tally = Tally(clock)
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> Progress:
        """Begin the live display, on a terminal."""
        if not self._quiet and sys.stderr.isatty():
            from genomics_pipeline.report.live import open_live

            self._live = open_live(self._view)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the display, however the block ended: its lines and the hidden cursor are put right."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def note(self, text: str) -> None:
        """Say one thing."""
        if self._quiet:
            return
        if self._live is None:
            # A line at a time, whoever says it. `2>&1 | head`: who stops listening does not stop the run.
            with suppress(BrokenPipeError), self._lock:
                print(text, file=sys.stderr, flush=True)
        else:
            self._live.console.print(text, soft_wrap=True)

    def event(self, event: Any) -> None:
        """Take an event of `engine.events`."""
        if self._quiet:
            return
        with self._lock:
            line = self._tally.take(event)
        # On a terminal the counts tell of jobs that ended well.
        if line is not None and not (self._live is not None and _ended_well(event)):
            self.note(line)

    def _view(self) -> RenderableType:
        from genomics_pipeline.report.live import view

        with self._lock:
            return view(self._tally)


def _ended_well(event: Any) -> bool:
    return getattr(event, "exit_code", None) == 0
