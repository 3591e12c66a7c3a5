"""The report of a run that is watched: a file that is kept fresh, and that a browser reads again by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.reporting.read import ReportRequest
from genomics_pipeline.runs.reporting.write import write_report

REFRESH_S = 5
SHARE = 20  # times as long as a report takes to write, at least, pass until the next one


class PageKeeper:
    """A report that is kept fresh while a run is watched.

    Args:
        run: The run.
        request: What to read.
        page: The file.
        clock: Returns seconds of a monotonic clock.
    """

    def __init__(self, run: ReadableRun, request: ReportRequest, page: Path, clock: Callable[[], float]) -> None:
        self._run, self._request, self._page, self._clock = run, request, page, clock
        self._next = clock()

    def kept(self, states: Iterator[RunState]) -> Iterator[RunState]:
        """Yield the states of the run; write the report at some of them, and at the last, which is not read again."""
        for state in states:
            if state.status != "RUNNING":
                write_report(self._run, self._request, self._page)
            elif self._clock() >= self._next:
                begun = self._clock()
                write_report(self._run, self._request, self._page, REFRESH_S)
                self._next = self._clock() + max(REFRESH_S, SHARE * (self._clock() - begun))
            yield state
