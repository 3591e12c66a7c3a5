"""A batch of reads to BAM records, by bwa mem in process."""

from __future__ import annotations

from collections.abc import Sequence

from alignments import flags, in_bam
from bwa import Bwa
from common.program import BadInput
from fastq import Reads, parse_records
from lanes import Batch, Lane
from metrics import Counts
from pairs import complete, usual
from queries import Queries


class Aligner:
    """bwa mem over one reference. Made once; forks share its index.

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
        """Every alignment of a batch as BAM, and what they count.

        Raises:
            BadInput: for the first record that is none, or not the mate it should be.
        """
        lane = self._lanes[batch.lane]
        pairs = zip(batch.texts, lane.files, strict=True)
        files = [parse_records(text, file.path, batch.first) for text, file in pairs]
        if lane.paired:
            _refuse_strangers(files, batch, lane)
        queries = Queries(files, f"RG:Z:{lane.read_group['ID']}".encode())
        reads, told = self._bwa.align(queries, lane.paired, (batch.first - 1) * len(files))
        if lane.paired:
            complete(reads, usual(told))
        records, counts = in_bam(reads), Counts.of(flags(reads))
        self._bwa.free(queries)
        return records, counts


def _refuse_strangers(files: Sequence[Reads], batch: Batch, lane: Lane) -> None:
    """Mates must have one name."""
    path, names = lane.files[-1].path, files[0].names
    firsts, seconds = (names, files[1].names) if len(files) == 2 else (names[::2], names[1::2])
    if firsts == seconds:
        return
    for place, (name, mate) in enumerate(zip(firsts, seconds, strict=False)):
        if name != mate:
            number = batch.first + (place if len(files) == 2 else 2 * place + 1)
            raise BadInput(f"{path}: record {number}: expected the mate of {shown(name)}, found {shown(mate)}")
    number = batch.first + len(names)
    raise BadInput(f"{path}: record {number}: expected the mate of {shown(names[-1])}, found the end of the file")


def shown(name: bytes) -> str:
    """A name in a message."""
    return name.decode("latin-1")
