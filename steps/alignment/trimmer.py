"""Reads trimmed by cutadapt's library, in process: the same as by its command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from common.program import BadInput, StepError
from fastq import Reads, parse_records
from lanes import Lane
from qualities import to_phred33
from read_columns import mates_in_turn
from trimming import Trimming

ERROR_RATE, LEAST_OVERLAP = 0.1, 3  # of adapters: the defaults of cutadapt's command
NO_CUTADAPT = (
    "trimming needs cutadapt, whose wheels are for Linux on x86_64 and macOS on arm64; "
    "use such a machine or hosts, or trim the reads before"
)


class Trimmed(NamedTuple):
    """Reads after trimming.

    Attributes:
        mates: The first and the second reads, or single reads.
        kept: The places of the pairs or single reads that are kept, in order.
        statistics: The `cutadapt.report.Statistics` of all of them.
    """

    mates: list[Reads]
    kept: list[int]
    statistics: Any

    def fields(self, fields: Sequence[bytes]) -> list[bytes]:
        """Return the tags of the reads that are kept.

        Args:
            fields: The tags of all reads, mates in turn; one element if all have the same.
        """
        if len(fields) == 1:
            return list(fields)
        number = len(self.mates)
        return [one for place in self.kept for one in fields[number * place : number * (place + 1)]]


class Trimmer:
    """The trimming of batches; it is made before forks, which share the adapters.

    Args:
        trimming: What is trimmed.

    Raises:
        StepError: if there is no cutadapt.
    """

    def __init__(self, trimming: Trimming) -> None:
        try:
            from cutadapt.adapters import BackAdapter
        except ModuleNotFoundError:
            raise StepError(NO_CUTADAPT) from None
        self._trimming = trimming
        self._adapters = [
            BackAdapter(sequence, max_errors=ERROR_RATE, min_overlap=LEAST_OVERLAP, name=str(number))
            for number, sequence in enumerate(trimming.adapters, 1)
        ]

    def trim(self, files: Sequence[Reads], paired: bool) -> Trimmed:
        """Trim reads; a pair is dropped if one of its reads is too short.

        Args:
            files: The reads of each file, qualities in Phred+33.
            paired: The reads are pairs, in two files or interleaved in one.
        """
        from cutadapt.pipeline import PairedEndPipeline, SingleEndPipeline
        from cutadapt.report import Statistics

        mates = [*files] if not paired or len(files) == 2 else [_every_second(files[0], start) for start in (0, 1)]
        output = _Output()
        modifiers, steps = self._modifiers(paired), _steps(paired, self._trimming.minimum_length, output)
        records = list(map(_records, mates))
        if paired:
            totals = PairedEndPipeline(modifiers, steps).process_reads(_Source(zip(*records, strict=True)))
        else:
            totals = SingleEndPipeline(modifiers, steps).process_reads(_Source(records[0]))
        statistics = Statistics().collect(*totals, modifiers, steps)
        for adapter in (one for end in statistics.adapter_stats for one in end):
            adapter.adapter = None  # which takes milliseconds to send; its statistics stand alone
        kept = [int(reads[0].name) for reads in output.records]
        columns = zip(*output.records, strict=True) if kept else [()] * len(mates)
        return Trimmed(
            [_reads(one, kept, column) for one, column in zip(mates, columns, strict=True)], kept, statistics
        )

    def head(self, lane: Lane, texts: Sequence[bytes]) -> tuple[bytes, ...]:
        """Return the text of a lane's first reads after trimming; unchanged if it is damaged, to be refused later.

        Args:
            lane: The lane.
            texts: The text of each file.
        """
        try:
            files = [parse_records(text, file.path, 1) for text, file in zip(texts, lane.files, strict=True)]
            if lane.encoding == "phred64":
                files = [to_phred33(reads, file.path, 1) for reads, file in zip(files, lane.files, strict=True)]
        except BadInput:
            return tuple(texts)
        if len({len(reads.names) for reads in files}) > 1 or (len(files) == 1 and len(files[0].names) % 2):
            return tuple(texts)
        trimmed = [list(_texts(reads)) for reads in self.trim(files, lane.paired).mates]
        return tuple(map(b"".join, trimmed if len(files) == 2 else [mates_in_turn(trimmed)]))

    def _modifiers(self, paired: bool) -> list[Any]:
        """Return cutadapt's modifiers, in the order of its command."""
        from cutadapt.modifiers import AdapterCutter, NextseqQualityTrimmer, PairedEndModifierWrapper, QualityTrimmer

        ends = 2 if paired else 1
        of_ends: list[list[Any]] = []
        if self._trimming.nextseq_trim:
            of_ends.append([NextseqQualityTrimmer(self._trimming.nextseq_trim) for _ in range(ends)])
        if self._trimming.quality_cutoff:
            of_ends.append([QualityTrimmer(0, self._trimming.quality_cutoff) for _ in range(ends)])
        if self._adapters:
            of_ends.append([AdapterCutter([adapter]) for adapter in self._adapters[:ends]])
        return [PairedEndModifierWrapper(*both) for both in of_ends] if paired else [one for (one,) in of_ends]


def _steps(paired: bool, minimum_length: int, output: _Output) -> list[Any]:
    """Return cutadapt's steps behind the modifiers: the filter of short reads, and the output."""
    from cutadapt.predicates import TooShort
    from cutadapt.steps import PairedEndFilter, PairedEndSink, SingleEndFilter, SingleEndSink

    if paired:
        return [PairedEndFilter(TooShort(minimum_length), TooShort(minimum_length)), PairedEndSink(output)]
    return [SingleEndFilter(TooShort(minimum_length)), SingleEndSink(output)]


class _Source:
    """Records in the place of cutadapt's input files."""

    def __init__(self, records: Iterable[Any]) -> None:
        self._records = records

    def open(self) -> Iterable[Any]:
        """Return the records."""
        return self._records

    def close(self) -> None:
        """Do nothing."""


class _Output:
    """A list in the place of cutadapt's output files.

    Attributes:
        records: The pairs or single reads that were written, as tuples.
    """

    def __init__(self) -> None:
        self.records: list[tuple[Any, ...]] = []

    def write(self, *reads: Any) -> None:
        """Add a pair or a single read."""
        self.records.append(reads)


def _records(reads: Reads) -> list[Any]:
    """Return reads as cutadapt's records, which are named by their places."""
    from dnaio import SequenceRecord

    bases = b"\n".join(reads.bases).decode("ascii").split("\n")
    qualities = b"\n".join(reads.qualities).decode("ascii").split("\n")
    names = map(str, range(len(reads.names)))
    return [SequenceRecord(*record) for record in zip(names, bases, qualities, strict=False)]


def _reads(reads: Reads, kept: Sequence[int], records: Sequence[Any]) -> Reads:
    """Return the reads that are kept, with the bases and qualities of cutadapt's records."""
    return Reads(
        names=[reads.names[place] for place in kept],
        lengths=[len(record) for record in records],
        bases=[record.sequence.encode("ascii") for record in records],
        qualities=[record.qualities.encode("ascii") for record in records],
        headers=[reads.headers[place] for place in kept],
    )


def _every_second(reads: Reads, start: int) -> Reads:
    names, lengths, bases, qualities, headers = reads
    return Reads(names[start::2], lengths[start::2], bases[start::2], qualities[start::2], headers[start::2])


def _texts(reads: Reads) -> Iterator[bytes]:
    """Yield reads as records of FASTQ."""
    for header, bases, qualities in zip(reads.headers, reads.bases, reads.qualities, strict=True):
        yield b"%s\n%s\n+\n%s\n" % (header, bases, qualities)
