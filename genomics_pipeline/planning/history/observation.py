"""Observations: what one task of an earlier run was given, and what it needed."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.records.completion import CompletionRecord


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
    """

    step: str
    version: str
    input_bytes: int
    vcpus: int
    seconds: float
    processor_seconds: float
    peak_memory_mib: int
    output_bytes: int

    @classmethod
    def of(cls, record: CompletionRecord) -> Observation:
        """Return the observation of a completion record."""
        return cls(
            step=record.step,
            version=record.provenance.version,
            input_bytes=record.input_bytes,
            vcpus=record.vcpus,
            seconds=record.seconds,
            processor_seconds=record.processor_seconds,
            peak_memory_mib=record.peak_memory_mib,
            output_bytes=sum(file.size_bytes for output in record.outputs.values() for file in output.files),
        )

    def seconds_on(self, vcpus: float) -> float:
        """Return the duration on other cores: its work on them in parallel, and what no core could shorten."""
        waiting = max(0.0, self.seconds - self.processor_seconds / self.vcpus)
        return waiting + self.processor_seconds / vcpus
