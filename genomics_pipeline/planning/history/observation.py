"""Observations: what one task of an earlier run was given, and what it needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from genomics_pipeline.model.run_options import SUBSAMPLE
from genomics_pipeline.records.completion import CompletionRecord

ALIGNMENT = "alignment"  # the output with alignments
FORMAT = "format"  # the parameter of the step that writes them, on which their size depends


@dataclass(frozen=True, slots=True)
class AlignmentOverhead:
    """The bytes of a file of alignments that do not grow with its reads.

    BAM is compressed in blocks: of the reads that lie over one base, the first one brings it, and the others repeat it.

    Attributes:
        fixed: Those of each file.
        per_covered_base: Those for each base of the reference that reads lie over, however many do.
    """

    fixed: float = 0.0
    per_covered_base: float = 0.0

    def in_format(self, factor: float) -> AlignmentOverhead:
        """Return the bytes in a format of which files are so many times smaller."""
        return AlignmentOverhead(self.fixed / factor, self.per_covered_base / factor)

    def bytes_of(self, covered_bases: float) -> float:
        """Return the bytes of a file with reads over so many bases."""
        return self.fixed + self.per_covered_base * covered_bases


NO_OVERHEAD = AlignmentOverhead()


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
        is_pilot: Whether its run took a fraction of the reads.
        depth_share: Of a task that reads what was made of reads: the share of them that its run took.
        gathers: Whether it reads what earlier stages made of other items, such as all samples.
        overhead: The part of its alignments that does not grow with the reads.
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
    is_pilot: bool = False
    depth_share: float = 1.0
    gathers: bool = False
    overhead: AlignmentOverhead = NO_OVERHEAD

    @classmethod
    def of(
        cls,
        record: CompletionRecord,
        alignment_factor: float = 1.0,
        taken: float = 1.0,
        overhead: AlignmentOverhead = NO_OVERHEAD,
    ) -> Observation:
        """Return the observation of a completion record; that of a pilot is of the fraction of the reads that it took.

        Args:
            record: The record.
            alignment_factor: The size of its run's alignments, in that of the format of the rates of a plan.
            taken: The fraction of the reads that its run took.
            overhead: The part of its run's alignments that does not grow with the reads, in the run's format.
        """
        by_output = {name: sum(file.size_bytes for file in output.files) for name, output in record.outputs.items()}
        if ALIGNMENT in by_output:
            by_output[ALIGNMENT] = int(by_output[ALIGNMENT] / alignment_factor)
        reads_alignments = has_alignments(record.sources)
        reads_share = share_of_reads(record)
        return cls(
            step=record.step,
            version=record.provenance.version,
            input_bytes=int(record.input_bytes * (reads_share or 1.0) / (alignment_factor if reads_alignments else 1)),
            vcpus=record.vcpus,
            seconds=record.seconds - record.left_out_seconds,
            processor_seconds=record.processor_seconds - record.left_out_seconds,
            peak_memory_mib=record.peak_memory_mib,
            output_bytes=sum(by_output.values()),
            outputs=by_output,
            host=record.host.get("instance_type", ""),
            is_pilot=(taken if reads_share is None else reads_share) < 1,
            depth_share=taken if reads_share is None else 1.0,
            gathers=reads_share is None and not record.sources,
            overhead=overhead.in_format(alignment_factor) if ALIGNMENT in by_output else NO_OVERHEAD,
        )

    @property
    def waiting_s(self) -> float:
        """The part of its duration that no core could shorten."""
        return max(0.0, self.seconds - self.processor_seconds / self.vcpus)

    def seconds_on(self, vcpus: float) -> float:
        """Return the duration on other cores: its work on them in parallel, and what no core could shorten."""
        return self.waiting_s + self.processor_seconds / vcpus


def share_of_reads(record: CompletionRecord) -> float | None:
    """Return the fraction that a task took of its reads; None of a step that cannot take a fraction."""
    parameters = record.provenance.parameters
    if SUBSAMPLE.name not in parameters:
        return None
    fraction = parameters[SUBSAMPLE.name]
    return float(fraction) if isinstance(fraction, int | float) else 1.0


def has_alignments(sources: Iterable[str]) -> bool:
    """Return whether alignments are among the outputs of earlier stages, which are named ``<stage>.<output>``."""
    return any(source.endswith(f".{ALIGNMENT}") for source in sources)
