"""The progress of a run on standard error: a live display on a terminal that can draw, else a line for each event."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from genomics_pipeline.engine.events import Event, JobEnded, Note
from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.report.output import echo_line
from genomics_pipeline.report.tally import Tally

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from genomics_pipeline.report.time_left import TimeLeft


class ProgressDisplay:
    """A display of progress; implements `runs.display.Display`, and is a context manager.

    `event` is an observer of the engine; `event` and `note` may be called from any thread.

    rich is imported on a terminal only, because its import delays the start of every script.
    """

    def __init__(
        self,
        quiet: bool,
        clock: Callable[[], float] = time.monotonic,
        *,
        verbose: bool = False,
        expect: Callable[[], TimeLeft | None] | None = None,
    ) -> None:
        """Prepare the display.

        Args:
            quiet: Show nothing at all.
            clock: Returns the seconds of a monotonic clock.
            verbose: Show details too.
            expect: Returns the time that is left, for a terminal; it is called in a thread, and may take its time.
        """
        self._quiet = quiet
        self._verbose = verbose
        self._expect = expect
        self._tally = Tally(clock)
        self._lock = threading.Lock()
        self._live: Live | None = None

    def __enter__(self) -> ProgressDisplay:
        """Start the live display, on a terminal."""
        if not self._quiet and sys.stderr.isatty():
            from genomics_pipeline.report.live import open_live

            self._live = open_live(self._view)
        if self._live is not None:
            self._live.start()
            if self._expect is not None:
                self._tally.await_expectation()
                threading.Thread(target=self._prepare, args=(self._expect,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the display, also after an exception, so that the cursor is shown again."""
        live, self._live = self._live, None
        if live is not None:
            live.stop()

    def _prepare(self, expect: Callable[[], TimeLeft | None]) -> None:
        left = None
        with suppress(Exception):  # the bar is less; the run itself says what is wrong
            left = expect()
        with self._lock:
            self._tally.expect(left)

    def note(self, text: str) -> None:
        """Show one line."""
        if self._quiet:
            return
        if self._live is None:
            # One line at a time, from any thread. A closed pipe (`2>&1 | head`) does not stop the run.
            with suppress(BrokenPipeError), self._lock:
                echo_line(text, err=True)
        else:
            self._live.console.print(printable_line(text), soft_wrap=True)

    def event(self, event: Event) -> None:
        """Count an event of the engine and show its line, if it has one."""
        if self._quiet or (isinstance(event, Note) and event.is_detail and not self._verbose):
            return
        with self._lock:
            line = self._tally.take(event)
        # On a terminal, the counts show the jobs that succeeded.
        if line is not None and not (self._live is not None and _is_success(event)):
            self.note(line)

    def _view(self) -> RenderableType:
        from genomics_pipeline.report.console import WIDE
        from genomics_pipeline.report.live import view

        with self._lock:
            return view(self._tally, self._live.console.width if self._live else WIDE)


def _is_success(event: Event) -> bool:
    return isinstance(event, JobEnded) and event.exit_code == 0
