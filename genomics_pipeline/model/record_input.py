"""The input of an execution over records: everything that differs between runs of a pipeline over records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.task import RunPlace


@dataclass(frozen=True, slots=True)
class RecordsPlace:
    """The place of the records of an execution.

    Attributes:
        bucket: The bucket.
        key: The key of an object, or the prefix of objects where the source is `listed`.
        prefixes: The prefixes that several Map Runs divide among them; none where one Map Run reads all.
    """

    bucket: str
    key: str
    prefixes: Sequence[str] = ()

    def to_json(self, listed: bool) -> dict[str, Any]:
        """Return the member ``records`` of the input.

        Args:
            listed: Whether the records are in the objects below a prefix: see `RecordSource.listed`.
        """
        name = "prefix" if listed else "key"
        return {
            "bucket": self.bucket,
            name: self.key,
            **({"prefixes": list(self.prefixes)} if self.prefixes else {}),
        }


@dataclass(frozen=True, slots=True)
class GatherAgain:
    """The part of a rerun's input that a stage that gathers reads.

    Attributes:
        earlier: ResultWriterDetails of the Map Runs of earlier executions.
        left_out: The number of records without a result that the rerun leaves out.
        only: Whether no records are run again.
    """

    earlier: tuple[Mapping[str, str], ...]
    left_out: int = 0
    only: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the members of the input."""
        return {
            "earlier": [dict(one) for one in self.earlier],
            "left_out": self.left_out,
            **({"gather_only": True} if self.only else {}),
        }


@dataclass(frozen=True, slots=True)
class RecordInput:
    """The input of one execution over records.

    Attributes:
        place: The run's location in the store.
        records: The place of the records.
        listed: Whether the records are in the objects below a prefix.
        parameters: Values that override the pipeline's, by stage.
        tolerated: How many records may be in failed batches: ``percentage`` and ``count``.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
        again: Whether this is a rerun, over JSON Lines that this program wrote.
        gather: What a rerun hands to a stage that gathers; None for the first execution.
    """

    place: RunPlace
    records: RecordsPlace
    listed: bool
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float]
    max_concurrency: int | None = None
    again: bool = False
    gather: GatherAgain | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that the definition reads."""
        place = self.place
        return {
            "run": place.to_json(),
            "records": self.records.to_json(self.listed and not self.again),
            "parameters": {stage: dict(values) for stage, values in self.parameters.items()},
            "tolerated": dict(self.tolerated),
            **({} if self.max_concurrency is None else {"max_concurrency": self.max_concurrency}),
            **({"again": True} if self.again else {}),
            **(self.gather.to_json() if self.gather else {}),
        }
