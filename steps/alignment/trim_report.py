"""The report of trimming: cutadapt's own in JSON, which MultiQC reads, and the metrics of a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from common.program import BadInput
from trimming import Trimming


class TrimReport:
    """The statistics of all batches, of pairs and of single reads apart, as cutadapt's command would have them.

    Args:
        trimming: What is trimmed.

    Attributes:
        trimming: The same.
    """

    def __init__(self, trimming: Trimming) -> None:
        self.trimming = trimming
        self._kinds: dict[bool, Any] = {}  # by whether the reads are pairs

    def add(self, statistics: Any) -> None:
        """Add the `cutadapt.report.Statistics` of a batch."""
        if statistics.paired in self._kinds:
            self._kinds[statistics.paired] += statistics
        else:
            self._kinds[statistics.paired] = statistics

    def refuse_nothing(self, path: str) -> None:
        """Refuse reads of which none is left.

        Args:
            path: Their file, for the message.

        Raises:
            BadInput: if there were reads, but all are dropped.
        """
        if self._kinds and not any(one.written for one in self._kinds.values()):
            expected = f"expected reads of at least {self.trimming.minimum_length} bases after trimming"
            raise BadInput(f"{path}: {expected}, found none")

    def metrics(self) -> dict[str, Any]:
        """Return the metrics of trimming."""
        reads = sum(self._sides(kind) * one.n for kind, one in self._kinds.items())
        kept = sum(self._sides(kind) * one.written for kind, one in self._kinds.items())
        matched = sum(count or 0 for one in self._kinds.values() for count in one.with_adapters)
        bases = sum(one.total for one in self._kinds.values())
        left = sum(one.total_written_bp for one in self._kinds.values())
        return {
            "reads_before_trimming": reads,
            "adapter_fraction": _fraction(matched, reads),
            "trimmed_base_fraction": _fraction(bases - left, bases),
            "dropped_reads": reads - kept,
            "dropped_fraction": _fraction(reads - kept, reads),
        }

    def write(self, sample: str, outputs: Mapping[str, str]) -> None:
        """Write cutadapt's reports; that of single reads apart, if there are pairs too.

        Args:
            sample: The name of the sample.
            outputs: The outputs of the step.
        """
        from cutadapt.json import dumps

        places = [("cutadapt", sample), ("cutadapt_single", f"{sample}.single")]
        kinds = sorted(self._kinds, reverse=True)  # pairs first
        for kind, (output, name) in zip(kinds, places, strict=False):
            Path(outputs[output]).write_text(dumps(self._report(kind, name)) + "\n")

    def _report(self, paired: bool, name: str) -> dict[str, Any]:
        """Return a report; without what differs between machines, and MultiQC names the sample after the input."""
        from cutadapt import __version__
        from cutadapt.json import OneLine

        return {
            "tag": "Cutadapt report",
            "schema_version": OneLine([0, 3]),
            "cutadapt_version": __version__,
            "command_line_arguments": self.trimming.options(paired),
            "input": {"path1": name, "path2": None, "paired": paired},
            **self._kinds[paired].as_json(one_line=True),
        }

    @staticmethod
    def _sides(paired: bool) -> int:
        return 2 if paired else 1


def _fraction(part: int, whole: int) -> float:
    return round(part / whole, 6) if whole else 0.0
