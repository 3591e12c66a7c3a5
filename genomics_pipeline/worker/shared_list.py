"""The list of a stage's outputs that the jobs of a run share: the first job that needs it makes it, the others wait.

Each of the hundreds of jobs over intervals would else read the result rows and the completion record of every sample. A
job claims the list by creating an object; whoever finds it taken waits for the list. If the one who claimed it fails,
or does not finish in time, such as on a Spot host that is lost, the next one claims it in another round.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from genomics_pipeline.model.errors import DataError, PipelineError
from genomics_pipeline.records.fields import UnreadableRecord
from genomics_pipeline.records.gathered_outputs import GatheredOutputs, read_list, write_list
from genomics_pipeline.stores.protocol import Store, TransferFailed

FIRST_PAUSE_S, PAUSE_S = 0.25, 5.0  # between two looks; each pause is twice the one before, up to the second
# After which a claim no longer counts: 100,000 records are read within two minutes.
CLAIM_S = 600.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """The means of waiting for another job.

    Attributes:
        pause: Waits some seconds.
        now: Returns the seconds since the epoch.
    """

    pause: Callable[[float], object] = time.sleep
    now: Callable[[], float] = time.time


def shared_outputs(
    store: Store, uri: str, make: Callable[[], GatheredOutputs], waiting: Waiting | None = None
) -> GatheredOutputs:
    """Return a list that one job of the run makes.

    Args:
        store: The store of the run.
        uri: The list.
        make: Makes it.
        waiting: The means of waiting.

    Raises:
        DataError: if it cannot be made, here or by the job that this one waited for.
    """
    waiting = waiting or Waiting()
    try:
        for number in count(1):
            if (found := read_list(store, uri)) is not None:
                return found
            one = _Round(store, f"{uri}.{number}")
            if one.claim():
                return one.make(uri, make)
            if one.problem() is None and (found := one.wait(uri, waiting)) is not None:
                return found
    except UnreadableRecord:  # of another version of this package
        return make()
    raise AssertionError  # pragma: no cover  # rounds have no end


@dataclass(frozen=True, slots=True)
class _Round:
    """A round in which one job may make a list.

    Attributes:
        store: The store of the run.
        uri: The URI of the claim.
    """

    store: Store
    uri: str

    @property
    def _problem_uri(self) -> str:
        return f"{self.uri}.problem"

    def claim(self) -> bool:
        """Return whether this job makes the list."""
        return self.store.create(self.uri, b"claimed\n")

    def make(self, uri: str, make: Callable[[], GatheredOutputs]) -> GatheredOutputs:
        """Make and write the list; if that fails, write why, since other jobs wait."""
        try:
            made = make()
            write_list(self.store, uri, made)
        except Exception as error:
            self.store.write(self._problem_uri, _words(error).encode())
            raise
        return made

    def problem(self) -> str | None:
        """Return why the list could not be made; empty if that may pass; None as long as it is not known to fail."""
        if self.store.stat(self._problem_uri) is None:
            return None
        return self.store.read(self._problem_uri).decode()

    def wait(self, uri: str, waiting: Waiting) -> GatheredOutputs | None:
        """Wait for the list of the job that claimed it, and return it; None if that job failed or takes too long.

        Raises:
            DataError: if the job failed by what its files are: so would this one.
        """
        pause = FIRST_PAUSE_S
        while True:
            waiting.pause(pause)
            pause = min(2 * pause, PAUSE_S)
            if (found := read_list(self.store, uri)) is not None:
                return found
            if (problem := self.problem()) is not None:
                if problem:
                    raise DataError(problem)
                return None
            claim = self.store.stat(self.uri)
            if claim is None or waiting.now() - claim.modified > CLAIM_S:
                return None


def _words(error: Exception) -> str:
    """Return the message of an error by which every job would fail; empty for another."""
    lasts = isinstance(error, PipelineError) and not isinstance(error, TransferFailed)
    return str(error) if lasts else ""
