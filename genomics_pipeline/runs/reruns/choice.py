"""Which samples a rerun runs: those that failed or never began in the newest execution that had them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any, BinaryIO

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model.classify import classify
from genomics_pipeline.model.errors import RunError, UsageError, did_you_mean
from genomics_pipeline.model.task import item_id
from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.runs.reruns.chain import WHOLE, RunExecution, all_done, of_samples
from genomics_pipeline.runs.reruns.items import NEVER_STARTED, RerunCounts, plan_rerun, row_label
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.stores.protocol import MissingObject

KINDS = ("FAILED", "PENDING")
SHOWN = 10  # samples that are told by name
COMPARED = 10_000  # samples among which a misspelt one is looked for


@dataclass(frozen=True, slots=True)
class SampleFilter:
    """What a user wants to be run again.

    Attributes:
        classes: Only samples that failed so, or ``pending``; all where none is named.
        samples: Only these; likewise.
    """

    classes: Sequence[str] = ()
    samples: Sequence[str] = ()

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return not (self.classes or self.samples)


class Choice:
    """Looks at the executions of a run that have ended.

    Args:
        files: The run's files.
        chain: The executions since one had the whole manifest.
        describe: Describes the Map Runs of an execution.
        instead: What a user is told to do where an execution left no result files.
    """

    def __init__(
        self,
        files: RunFiles,
        chain: Sequence[RunExecution],
        describe: Callable[[RunExecution], Sequence[MapRunDescription]],
        instead: str,
    ) -> None:
        self._files = files
        self._chain = chain
        self._instead = instead
        self._map_runs_of = {one.name: list(of_samples(describe(one))) for one in chain}
        self._newer: set[str] = set()

    @property
    def is_whole(self) -> bool:
        """Whether only all samples can be run again: a later map over them reads what was made of all of them."""
        return sum(group.scope == "sample" for group in self._files.groups()) > 1

    @property
    def earlier(self) -> dict[str, list[dict[str, str]]]:
        """By Label, ResultWriterDetails of the Map Runs over samples, oldest first."""
        found: dict[str, list[dict[str, str]]] = {}
        for one in self._chain:
            for run in self._map_runs_of[one.name]:
                if run.results is not None:
                    found.setdefault(run.label, []).append(dict(run.results))
        return found

    def refuse_unknown(self, samples: Sequence[str]) -> None:
        """Refuse samples that the run does not have.

        Raises:
            UsageError: for the first of them.
        """
        missing = set(samples).difference(self._files.items("sample")) if samples else ()
        for name in sorted(missing):
            known = list(islice(self._files.items("sample"), COMPARED))
            raise UsageError(f"--sample {name}: no such sample in this run; {did_you_mean(name, known)}")

    def write(self, wanted: SampleFilter, out: BinaryIO, told: bool) -> RerunCounts:
        """Write the lines of the samples that are wanted.

        Args:
            wanted: What is wanted.
            out: An empty file that can be read too.
            told: Classes are told in the workers' words, which are asked for one by one.

        Raises:
            RunError: where an execution left no result files.
        """
        self._newer = set()
        sample_maps = [group for group in self._files.groups() if group.scope == "sample"]

        def done(names: Sequence[str]) -> set[str]:
            def look(name: str) -> str | None:
                return name if all(all_done(self._files, group, name) for group in sample_maps) else None

            return set(filter(None, in_parallel(look, names)))

        return plan_rerun(
            self._map_runs(),
            out,
            superseded=self._newer,
            labels=partial(in_parallel, self._label_in_words) if told else partial(map, row_label),
            of_class=set(wanted.classes).__contains__ if wanted.classes else None,
            named=set(wanted.samples).__contains__ if wanted.samples else None,
            done=done,
        )

    def carry(self, out: BinaryIO) -> str:
        """Write the line of the run's first sample, which succeeded: its steps are found done.

        For where only a later stage failed. That an execution may have no sample at all is not known of AWS.

        Returns:
            The sample.
        """
        with self._files.store.open(self._files.place.uri(WHOLE)) as lines:
            line = lines.readline()
        out.write(line)
        return item_id(json.loads(line))

    def _map_runs(self) -> Iterator[Iterable[ResultRow]]:
        """The rows of the newest execution, then of those before, where a newer one's samples do not count."""
        for one in reversed(self._chain):
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

    def _label_in_words(self, row: ResultRow) -> str:
        """The class of a child's failure; the worker of one of its items may know it better than Batch."""
        if row.child["Status"] == "PENDING":
            return NEVER_STARTED
        failure = classify(row.error, row.cause)
        for item in row.items() if failure.stage else ():
            told = self._files.told(str(failure.stage), item_id(item), failure)
            if told is not failure:
                return str(told.failure_class)
        return str(failure.failure_class)

    def _no_results(self, execution: RunExecution) -> RunError:
        return RunError(f"execution {execution.name}: expected its result files, found none; {self._instead}")


def first_names(manifest: BinaryIO) -> list[str]:
    """The first samples of a manifest."""
    manifest.seek(0)
    return [item_id(json.loads(line)) for line in islice(manifest, SHOWN)]


def told(planned: RerunCounts, names: Sequence[str]) -> dict[str, Any]:
    """What is planned, as ``--json`` prints it."""
    return {
        "samples": planned.items,
        "by_class": dict(planned.by_class.most_common()),
        "first": list(names),
        "left_out": planned.filtered,
    }
