"""The samples of a rerun: those that failed or never started in the newest execution that had them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from os import SEEK_END
from typing import BinaryIO

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.task import item_id
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.report.run_state import PENDING
from genomics_pipeline.runs.lost_items import undone_items
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution, sample_map_runs
from genomics_pipeline.runs.reruns.first_attempts import Ladders
from genomics_pipeline.runs.reruns.items import RerunCounts, plan_rerun, row_label
from genomics_pipeline.runs.reruns.request import SampleFilter
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import StageGroup
from genomics_pipeline.stores.protocol import MissingObject

KINDS = ("FAILED", "PENDING")
SHOWN_NAMES = 10


class Choice:
    """The choice of the samples of a rerun, from the result files of the executions that have ended.

    Args:
        files: The files of the run.
        chain: The executions since the last over the whole manifest.
        map_runs: Returns the Map Runs of an execution.
        without_results: The advice for an execution that left no result files.
        ladders: The memory ladders by stage.
    """

    def __init__(
        self,
        files: RunFiles,
        chain: Sequence[RunExecution],
        map_runs: Callable[[RunExecution], Sequence[MapRunDescription]],
        without_results: str,
        ladders: Ladders,
    ) -> None:
        self._files = files
        self._chain = chain
        self._without_results = without_results
        self._ladders = ladders
        self._map_runs_of = {one.name: list(sample_map_runs(map_runs(one))) for one in chain}
        self._newer: set[str] = set()
        self._many_looks = files.many_looks()

    @property
    def is_whole(self) -> bool:
        """Return whether a rerun has to take all samples, because a later map over them reads the results of all."""
        return len(self._sample_maps) > 1

    @property
    def _sample_maps(self) -> list[StageGroup]:
        """The groups of stages over samples; none in a pipeline that takes gVCFs only."""
        return [group for group in self._files.groups() if group.scope == "sample"]

    @property
    def earlier(self) -> dict[str, list[dict[str, str]]]:
        """The ``ResultWriterDetails`` of the Map Runs over samples by Label, oldest first."""
        earlier: dict[str, list[dict[str, str]]] = {}
        for one in self._chain:
            for run in self._map_runs_of[one.name]:
                if run.results is not None:
                    earlier.setdefault(run.label, []).append(dict(run.results))
        return earlier

    def write(self, selection: SampleFilter, out: BinaryIO, exact: bool) -> RerunCounts:
        """Write the lines of the selected samples, and return their counts.

        Also those are selected that succeeded, and whose outputs were lost or damaged since; they count as pending.

        Args:
            selection: The filter.
            out: An empty file, open for reading and writing.
            exact: Whether to count by the classes in the failure records of the workers, which are read one by one;
                otherwise by the classes in the result files.

        Raises:
            RunError: if an execution left no result files.
        """
        self._newer = set()
        sample_maps = self._sample_maps

        def done(names: Sequence[str]) -> set[str]:
            def check(name: str) -> str | None:
                return name if all(self._files.are_done(group.stages, name) for group in sample_maps) else None

            return set(filter(None, in_parallel(check, names)))

        known: set[str] = set()
        counts = plan_rerun(
            self._map_runs(),
            out,
            known=known,
            superseded=self._newer,
            labels=partial(in_parallel, self._recorded_label) if exact else partial(map, row_label),
            selects_class=set(selection.classes).__contains__ if selection.classes else None,
            selects_name=set(selection.samples).__contains__ if selection.samples else None,
            done=done,
            ladders=self._ladders,
        )
        if not selection.classes or PENDING in selection.classes:
            self._add_lost(sample_maps, known, selection, out, counts)
        return counts

    def _add_lost(
        self,
        sample_maps: Sequence[StageGroup],
        known: set[str],
        selection: SampleFilter,
        out: BinaryIO,
        counts: RerunCounts,
    ) -> None:
        """Write the lines of the samples that succeeded and are not done any more.

        Args:
            sample_maps: The groups of stages over samples.
            known: The samples that failed or are pending.
            selection: The filter.
            out: The manifest, to which the lines are added.
            counts: The counts, to which they are added.
        """

        def is_asked(name: str) -> bool:
            return name not in known and (not selection.samples or name in selection.samples)

        store = self._files.store if selection.samples else self._many_looks
        lost = {name for group in sample_maps for name in undone_items(self._files, group, is_asked, store)}
        if not lost:
            return
        with self._files.store.open(self._files.place.uri(WHOLE)) as lines:
            out.writelines(line for line in lines if item_id(json.loads(line)) in lost)
        counts.items += len(lost)
        counts.by_class[PENDING] += len(lost)

    def later_stages_are_done(self) -> bool:
        """Return whether all stages that are not over samples are done."""
        groups = [group for group in self._files.groups() if group.scope != "sample"]
        store = self._many_looks
        return not any(next(undone_items(self._files, group, lambda _: True, store), None) for group in groups)

    def carry(self, out: BinaryIO) -> str | None:
        """Write the line of the first sample of the run, which succeeded, and return its name; None if it has none.

        A rerun after the failure of a later stage has no samples of its own, and AWS does not document whether it runs
        a Map without items. The steps of this sample are done, and are reused.
        """
        with self._files.store.open(self._files.place.uri(WHOLE)) as lines:
            line = lines.readline()
        if not line:  # all samples have gVCFs
            return None
        out.write(line)
        return item_id(json.loads(line))

    def _map_runs(self) -> Iterator[Iterable[ResultRow]]:
        """Yield the rows of each Map Run over samples, those of the newest execution first."""
        for one in reversed(self._chain) if self._sample_maps else ():
            map_runs = self._map_runs_of[one.name]
            if all(run.results is None for run in map_runs):
                raise self._no_results(one)
            for run in map_runs:
                yield chain.from_iterable(self._rows(one, run, kind) for kind in KINDS)
            if one is not self._chain[0]:
                self._newer.update(self._files.items_in(one.manifest))

    def _rows(self, execution: RunExecution, run: MapRunDescription, kind: str) -> Iterator[ResultRow]:
        if run.results is not None:
            try:
                yield from result_rows(self._files.store, run.results, kind)
            except MissingObject:
                raise self._no_results(execution) from None

    def _recorded_label(self, row: ResultRow) -> str:
        """Return the class of a child's failure, from the failure record of one of its items if there is any."""
        if row.child["Status"] == "PENDING":
            return PENDING
        failure = classify(row.error, row.cause)
        for item in row.items() if failure.stage else ():
            recorded = self._files.with_worker_failure(str(failure.stage), item_id(item), failure)
            if recorded is not failure:
                return str(recorded.failure_class)
        return str(failure.failure_class)

    def _no_results(self, execution: RunExecution) -> RunError:
        return RunError(f"execution {execution.name}: expected its result files, found none; {self._without_results}")


def chosen_samples(execution: str, counts: RerunCounts, manifest: BinaryIO) -> ChosenSamples:
    """Return the samples of a rerun.

    Args:
        execution: The name of the execution of the rerun.
        counts: The counts of the samples.
        manifest: The manifest of the rerun.
    """
    manifest.seek(0)
    first = tuple(item_id(json.loads(line)) for line in islice(manifest, SHOWN_NAMES))
    manifest.seek(0, SEEK_END)
    return ChosenSamples(execution, counts.items, dict(counts.by_class.most_common()), first, counts.filtered)
