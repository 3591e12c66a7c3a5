"""Observations: what one task of an earlier run was given, and what it needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from genomics_pipeline.model.run_options import SUBSAMPLE
from genomics_pipeline.records.completion import CompletionRecord

ALIGNMENT = "alignment"  # the output with alignments, whose format is a parameter


@dataclass(frozen=True, slots=True)
class Observation:
    """One task that succeeded.

    Attributes:
        step: The step's name.
        version: The step's version.
        input_bytes: The size of its inputs, without the reference.
        vcpus: The cores that it could use.
        seconds: Its duration, staging included.
        processor_seconds: The time on all cores.
        peak_memory_mib: The highest use of memory in MiB.
        output_bytes: The size of its outputs.
        outputs: The size of each output, with its indexes.
        host: The instance type of its host; empty outside of AWS.
    """

    step: str
    version: str
    input_bytes: int
    vcpus: int
    seconds: float
    processor_seconds: float
    peak_memory_mib: int
    output_bytes: int
    outputs: Mapping[str, int] = field(default_factory=dict)
    host: str = ""

    @classmethod
    def of(cls, record: CompletionRecord, alignment_factor: float = 1.0) -> Observation:
        """Return the observation of a completion record; that of a pilot is of the fraction of the reads that it took.

        Args:
            record: The record.
            alignment_factor: The size of its run's alignments, in that of the format of the rates of a plan.
        """
        by_output = {name: sum(file.size_bytes for file in output.files) for name, output in record.outputs.items()}
        if ALIGNMENT in by_output:
            by_output[ALIGNMENT] = int(by_output[ALIGNMENT] / alignment_factor)
        reads_alignments = any(source.endswith(f".{ALIGNMENT}") for source in record.sources)
        fraction = record.provenance.parameters.get(SUBSAMPLE.name)
        taken = float(fraction) if isinstance(fraction, int | float) else 1.0
        return cls(
            step=record.step,
            version=record.provenance.version,
            input_bytes=int(record.input_bytes * taken / (alignment_factor if reads_alignments else 1)),
            vcpus=record.vcpus,
            seconds=record.seconds,
            processor_seconds=record.processor_seconds,
            peak_memory_mib=record.peak_memory_mib,
            output_bytes=sum(by_output.values()),
            outputs=by_output,
            host=record.host.get("instance_type", ""),
        )

    def seconds_on(self, vcpus: float) -> float:
        """Return the duration on other cores: its work on them in parallel, and what no core could shorten."""
        waiting = max(0.0, self.seconds - self.processor_seconds / self.vcpus)
        return waiting + self.processor_seconds / vcpus
