"""The executions of a run: the first one, then one for each rerun, which has a manifest of its own.

A sample's state is that of the newest execution whose manifest has it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.completion import is_done
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.run_state import ItemFailure, MapRunState
from genomics_pipeline.runs.map_run_ends import failures_of
from genomics_pipeline.runs.run_files import RunFiles, StageGroup, scope_of
from genomics_pipeline.stores.protocol import Store

WHOLE = run_layout.MANIFEST


@dataclass(frozen=True, slots=True)
class RunExecution:
    """One execution of a run.

    Attributes:
        name: Its name.
        manifest: Key of the samples' file that it read.
        arn: On AWS.
        carried: How many samples it had although they had succeeded: see `choice.Choice.carry`.
    """

    name: str
    manifest: str
    arn: str = ""
    carried: int = 0


def since_whole(chain: Sequence[RunExecution]) -> Sequence[RunExecution]:
    """Return the executions since the last that had the whole manifest."""
    first = max(number for number, one in enumerate(chain) if one.manifest == WHOLE)
    return chain[first:]


def of_samples(map_runs: Iterable[MapRunDescription]) -> Iterator[MapRunDescription]:
    """Yield the Map Runs over samples."""
    return (one for one in map_runs if scope_of(one.label) == "sample")


@dataclass(slots=True)
class Earlier:
    """The results of the executions before the newest in the Map Runs over samples, by Label.

    Attributes:
        total: How many samples the run has.
        succeeded: How many samples succeeded, and no later execution had them.
        failures: The samples that failed, and no later execution had them.
    """

    total: dict[str, int] = field(default_factory=dict)
    succeeded: Counter[str] = field(default_factory=Counter)
    failures: dict[str, dict[str, ItemFailure]] = field(default_factory=dict)

    def all_failures(self) -> list[ItemFailure]:
        """Return the failures of all Labels."""
        return [one for failures in self.failures.values() for one in failures.values()]

    def with_newest(self, state: MapRunState) -> MapRunState:
        """Return the state of a Map Run of the newest execution, with the samples that it did not have."""
        if state.label not in self.total:
            return state
        failed = len(self.failures[state.label])
        return MapRunState(
            state.label,
            state.status,
            self.total[state.label],
            state.succeeded + self.succeeded[state.label],
            state.failed + failed,
            state.running,
            state.started,
            state.stopped,
            self.succeeded[state.label] + failed,
        )


def earlier(
    files: RunFiles, chain: Sequence[RunExecution], describe: Callable[[RunExecution], Iterable[MapRunDescription]]
) -> Earlier:
    """Return the results of all but the newest execution.

    Args:
        files: The run's.
        chain: The executions since one had the whole manifest.
        describe: Describes the Map Runs of an execution.
    """
    found = Earlier()
    if len(chain) < 2:
        return found
    batched: set[str] = set()
    for execution, following in pairwise(chain):
        for run in of_samples(describe(execution)):
            label = run.label
            found.total.setdefault(label, run.items.total)
            found.succeeded[label] += run.items.succeeded
            failures = found.failures.setdefault(label, {})
            for failure in failures_of(files.store, run):
                failures[failure.item] = failure
                if failure.of_batch:
                    batched.add(failure.item)
        for item in files.items_in(following.manifest):
            for failures in found.failures.values():
                failures.pop(item, None)
        for label in found.succeeded:
            found.succeeded[label] -= following.carried
    for group in files.groups():
        for item in sorted(batched.intersection(found.failures.get(group.label or "", ()))):
            if all_done(files, group, item):
                del found.failures[str(group.label)][item]
                found.succeeded[str(group.label)] += 1
    return found


def older(
    files: RunFiles,
    chain: Sequence[RunExecution],
    describe: Callable[[RunExecution], Iterable[MapRunDescription]],
    read: Callable[[Store, MapRunDescription], Iterator[ItemFailure]],
) -> Iterator[ItemFailure]:
    """Yield the failures in all but the newest execution, of samples that no later one had, as they are read.

    Args:
        files: The run's.
        chain: The executions since one had the whole manifest.
        describe: Describes the Map Runs of an execution.
        read: Reads one's result files.
    """
    last = {item: number for number, one in enumerate(chain) if number for item in files.items_in(one.manifest)}
    for number, execution in enumerate(chain[:-1]):
        for run in of_samples(describe(execution)):
            yield from (one for one in read(files.store, run) if last.get(one.item, 0) == number)


def all_done(files: RunFiles, group: StageGroup, item: str) -> bool:
    """Return whether every stage of a map is done over an item."""
    return all(is_done(files.store, files.place, stage, item) for stage in group.stages)
