"""The time left that a terminal shows, against the run: a run whose display asks for it four times a second.

    python -m benchmarks.time_left COHORT.csv REFERENCE.fa

Prints, for each tenth of the work, the seconds that were expected to be left over those that were.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.engine.events import Event
from genomics_pipeline.report.tally import Tally
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.local.run import run
from genomics_pipeline.runs.time_left import expected_time

LOOK_S = 0.25


class Watcher:
    """A display of progress that notes the time that is left, and shows nothing."""

    def __init__(self) -> None:
        self.tally = Tally(time.monotonic)
        self.tally.await_expectation()
        self.looks: list[tuple[float, float, float]] = []
        self._lock, self._ended = threading.Lock(), threading.Event()

    def note(self, text: str) -> None:
        """Show nothing."""

    def event(self, event: Event) -> None:
        """Count an event of the engine."""
        with self._lock:
            self.tally.take(event)

    def watch(self, request: LocalRunRequest) -> None:
        """Note the time, the share of the work that is done and the seconds that are left, until the run ends."""
        left = expected_time(request, adapters())
        with self._lock:
            self.tally.expect(left)
        while left is not None and not self._ended.wait(LOOK_S):
            with self._lock:
                now = time.monotonic()
                self.looks.append((now, left.share(now), left.seconds(now).middle))

    def end(self) -> None:
        """End the watch."""
        self._ended.set()


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet")
    parser.add_argument("reference")
    parser.add_argument("--times", type=int, default=1, help="Repeat the run.")
    options = parser.parse_args()
    for _ in range(options.times):
        with TemporaryDirectory() as scratch:
            request, watcher = LocalRunRequest(options.sheet, options.reference, Path(scratch, "run")), Watcher()
            watch = threading.Thread(target=watcher.watch, args=(request,))
            started = time.monotonic()
            watch.start()
            run(request, adapters(), watcher)
            ended = time.monotonic()
            watcher.end()
            watch.join()
        print(f"{ended - started:.1f} s:", end="")
        for tenth in range(1, 10):
            after = [(now, left) for now, share, left in watcher.looks if share >= tenth / 10]
            if after:
                now, left = after[0]
                print(f" {tenth}/10 {left / (ended - now):.2f}", end="")
        third = [(now, left) for now, share, left in watcher.looks if share >= 1 / 3]
        print(f"; after a third {third[0][1] / (ended - third[0][0]):.2f}" if third else "")


if __name__ == "__main__":
    main()
