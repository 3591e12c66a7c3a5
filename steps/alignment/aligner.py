"""The alignment of batches of reads by bwa mem, in process."""

from __future__ import annotations

from collections.abc import Sequence

from alignments import bam_records, flags
from bwa import Bwa
from common.program import BadInput
from fastq import Reads, parse_records
from lanes import Batch, Lane
from metrics import Counts
from pairs import parse_limits, set_pair_flags
from queries import Queries


class Aligner:
    """bwa mem over one reference, made before forks, which share its index.

    Args:
        reference: A FASTA file with bwa's indexes.
        lanes: The sample's lanes.

    Raises:
        BwaFailed: if bwa cannot be used.
    """

    def __init__(self, reference: str, lanes: Sequence[Lane]) -> None:
        self._bwa = Bwa(reference)
        self._lanes = lanes

    def align(self, batch: Batch) -> tuple[bytes, Counts]:
        """Align a batch, and return the alignments as BAM records and their counts.

        Raises:
            BadInput: for the first record that is damaged or is not the expected mate.
        """
        lane = self._lanes[batch.lane]
        pairs = zip(batch.texts, lane.files, strict=True)
        files = [parse_records(text, file.path, batch.first) for text, file in pairs]
        if lane.paired:
            _refuse_unmatched_mates(files, batch, lane)
        queries = Queries(files, f"RG:Z:{lane.read_group['ID']}".encode())
        reads, printed = self._bwa.align(queries, lane.paired, (batch.first - 1) * len(files))
        if lane.paired:
            set_pair_flags(reads, parse_limits(printed))
        records, counts = bam_records(reads), Counts.from_flags(flags(reads))
        self._bwa.free(queries)
        return records, counts


def _refuse_unmatched_mates(files: Sequence[Reads], batch: Batch, lane: Lane) -> None:
    """Refuse mates whose names differ."""
    path, names = lane.files[-1].path, files[0].names
    firsts, seconds = (names, files[1].names) if len(files) == 2 else (names[::2], names[1::2])
    if firsts == seconds:
        return
    for place, (name, mate) in enumerate(zip(firsts, seconds, strict=False)):
        if name != mate:
            number = batch.first + (place if len(files) == 2 else 2 * place + 1)
            raise BadInput(f"{path}: record {number}: expected the mate of {_text(name)}, found {_text(mate)}")
    number = batch.first + len(names)
    raise BadInput(f"{path}: record {number}: expected the mate of {_text(names[-1])}, found the end of the file")


def _text(name: bytes) -> str:
    return name.decode("latin-1")
