"""The chain of executions of a run: the first one, then one for each rerun, which has a manifest of its own.

The state of a sample is that of the newest execution whose manifest has the sample.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from genomics_pipeline.model import run_layout
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.report.run_state import ItemFailure, MapRunState
from genomics_pipeline.runs.map_run_ends import failed_items
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import scope_of
from genomics_pipeline.stores.protocol import Store

WHOLE = run_layout.MANIFEST


@dataclass(frozen=True, slots=True)
class RunExecution:
    """One execution of a run.

    Attributes:
        name: The name of the execution.
        manifest: The key of the manifest that it read.
        arn: The ARN on AWS; empty in a folder.
        carried: The number of samples that it ran although they had succeeded: see `choice.Choice.carry`.
        accepted: The ``percentage`` and ``count`` of samples that the user accepts to miss; None for none. On AWS only.
        classes: The failure classes that it was limited to; none for all. On AWS only.
    """

    name: str
    manifest: str
    arn: str = ""
    carried: int = 0
    accepted: Mapping[str, float] | None = None
    classes: tuple[str, ...] = ()


def since_whole(chain: Sequence[RunExecution]) -> Sequence[RunExecution]:
    """Return the executions since the last over the whole manifest."""
    newest_whole = max(number for number, one in enumerate(chain) if one.manifest == WHOLE)
    return chain[newest_whole:]


def sample_map_runs(map_runs: Iterable[MapRunDescription]) -> Iterator[MapRunDescription]:
    """Yield the Map Runs over samples."""
    return (one for one in map_runs if scope_of(one.label) == "sample")


@dataclass(slots=True)
class EarlierResults:
    """The results of all executions but the newest, of the Map Runs over samples, by Label.

    Attributes:
        total: The number of samples of the run.
        succeeded: The number of samples that succeeded, without those that a later execution had.
        failures: The failures by sample, without those that a later execution had.
    """

    total: dict[str, int] = field(default_factory=dict)
    succeeded: Counter[str] = field(default_factory=Counter)
    failures: dict[str, dict[str, ItemFailure]] = field(default_factory=dict)

    def all_failures(self) -> list[ItemFailure]:
        """Return the failures of all Labels."""
        return [one for failures in self.failures.values() for one in failures.values()]

    def with_newest(self, state: MapRunState) -> MapRunState:
        """Return the state of a Map Run of the newest execution, including the samples that only earlier ones had."""
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
            state.arn,
            state.parts,
        )


def earlier_results(
    files: RunFiles, chain: Sequence[RunExecution], describe: Callable[[RunExecution], Iterable[MapRunDescription]]
) -> EarlierResults:
    """Return the results of all but the newest execution.

    Args:
        files: The files of the run.
        chain: The executions since the last over the whole manifest.
        describe: Returns the Map Runs of an execution.
    """
    results = EarlierResults()
    if len(chain) < 2:
        return results
    batched: set[str] = set()
    first = chain[0]
    for execution, following in pairwise(chain):
        for run in sample_map_runs(describe(execution)):
            label = run.label
            if execution is first:
                results.total[label] = results.total.get(label, 0) + run.items.total
            results.total.setdefault(label, run.items.total)
            results.succeeded[label] += run.items.succeeded
            failures = results.failures.setdefault(label, {})
            for failure in failed_items(files.store, run):
                failures[failure.item] = failure
                if failure.of_batch:
                    batched.add(failure.item)
        for item in files.items_in(following.manifest):
            for failures in results.failures.values():
                failures.pop(item, None)
        for label in results.succeeded:
            results.succeeded[label] -= following.carried
    for group in files.groups():
        for item in sorted(batched.intersection(results.failures.get(group.label or "", ()))):
            if files.are_done(group.stages, item):
                del results.failures[str(group.label)][item]
                results.succeeded[str(group.label)] += 1
    return results


def older_failures(
    files: RunFiles,
    chain: Sequence[RunExecution],
    describe: Callable[[RunExecution], Iterable[MapRunDescription]],
    read: Callable[[Store, MapRunDescription], Iterator[ItemFailure]],
) -> Iterator[ItemFailure]:
    """Yield the failures in all executions but the newest, of samples that no later one had, one at a time.

    Args:
        files: The files of the run.
        chain: The executions since the last over the whole manifest.
        describe: Returns the Map Runs of an execution.
        read: Reads the result files of a Map Run.
    """
    newest = {item: number for number, one in enumerate(chain) if number for item in files.items_in(one.manifest)}
    for number, execution in enumerate(chain[:-1]):
        for run in sample_map_runs(describe(execution)):
            yield from (one for one in read(files.store, run) if newest.get(one.item, 0) == number)
