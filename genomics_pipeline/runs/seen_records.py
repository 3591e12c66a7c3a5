"""Completion records that were read to know the state of a run, kept for its report or table: none is read twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.provenance import Provenance
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.report.stage_times import TimesByStage


class SeenRecords(TimesByStage):
    """Records of tasks that are done, each without what only the check of its files and of its inputs needs.

    So one takes about 1 KiB, and those of a large run fit in memory; with its outputs, some more.

    Args:
        outputs: Whether to keep all outputs, or that of the metrics alone.
    """

    def __init__(self, outputs: bool = False) -> None:
        super().__init__()
        self._keeps_outputs = outputs
        self._seen: dict[tuple[str, str], CompletionRecord] = {}
        self._newest: dict[str, tuple[Mapping[str, Value], Mapping[str, str]]] = {}

    def add(self, records: Iterable[CompletionRecord]) -> None:
        """Add the records of some tasks."""
        kept = list(records)
        super().add(kept)
        for record in kept:
            self._seen[record.stage, record.item] = self._without_files(record)

    def take(self, stage: str, item: str) -> CompletionRecord | None:
        """Return the record of a task, which is forgotten; None if it was not seen."""
        return self._seen.pop((stage, item), None)

    def _without_files(self, record: CompletionRecord) -> CompletionRecord:
        """Return a record with its metrics as the only output, and equal parameters and tools of a stage only once."""
        made = record.provenance
        parameters, tools = self._newest.get(record.stage, ({}, {}))
        if made.parameters != parameters:
            parameters = made.parameters
        if record.tools != tools:
            tools = record.tools
        self._newest[record.stage] = parameters, tools
        return replace(
            record,
            provenance=Provenance(made.step, made.version, made.program, parameters, {}, {}, {}, {}),
            outputs={name: one for name, one in record.outputs.items() if self._keeps_outputs or name == METRICS},
            sources={},
            tools=tools,
            because=(),
        )
