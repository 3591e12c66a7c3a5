"""The choice of a rerun among the records of a run that failed or never started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator

from genomics_pipeline.records.rerun import ChosenSamples
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.reruns.choice import SHOWN_NAMES


class FailedChoice:
    """The failed records that a rerun runs, counted while they pass.

    Args:
        failed: The records of the run that failed or never started.
        classes: The classes of failures to run again; all where none is named.
    """

    def __init__(self, failed: Iterable[FailedRecord], classes: Collection[str]) -> None:
        self._failed = failed
        self._classes = set(classes)
        self._by_class: Counter[str] = Counter()
        self._first: list[str] = []
        self._left_out = 0

    def records(self) -> Iterator[FailedRecord]:
        """Yield the records, in their order."""
        for one in self._failed:
            if self._classes and one.label not in self._classes:
                self._left_out += 1
                continue
            self._by_class[one.label] += 1
            if len(self._first) < SHOWN_NAMES:
                self._first.append(str(one.name))
            yield one

    def counts(self, execution: str) -> ChosenSamples:
        """Return the counts.

        Args:
            execution: The name of the rerun's execution.
        """
        number, by_class = self._by_class.total(), dict(self._by_class.most_common())
        return ChosenSamples(execution, number, by_class, tuple(self._first), self._left_out)
