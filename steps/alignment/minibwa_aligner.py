"""minibwa: Heng Li's successor of bwa mem for short reads, several times faster.

Its binding returns the hits of each read, without NM, MD, AS, XS, XA and the fields of mates, which are made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from alignment_hit import Hit
from common.program import BadInput, StepError
from fastq import Reads, parse_records
from hit_records import ReadBatch, hit_records
from hit_rows import HitRows
from insert_size import FACING, InsertSize, estimate, orientation_sizes, other_orientation
from lanes import Lane
from mate_rescue import rescue_mates
from metrics import Counts
from pair_hits import are_mostly_settled, unsettled_pairs
from read_columns import known_bases, mates_in_turn
from reference_bases import ReferenceBases

if TYPE_CHECKING:
    from minibwa import Opts


class _Pairs(NamedTuple):
    """The pairs of a lane, by the first of them.

    Attributes:
        size: The sizes of their fragments; None if too few are aligned.
        mostly_settled: Most of them need not be aligned together: see `pair_hits`.
        names: The names of the first reads.
        bases: Their bases.
        hits: The hits of each by itself.
    """

    size: InsertSize | None = None
    mostly_settled: bool = False
    names: Sequence[bytes] = ()
    bases: Sequence[bytes] = ()
    hits: Sequence[Sequence[Hit]] = ()

    def known_hits(self, names: Sequence[bytes], bases: Sequence[bytes], first: int) -> list[Sequence[Hit]] | None:
        """Return the hits of reads that are among the first; None if they are not.

        Args:
            names: Their names.
            bases: Their bases.
            first: The number of reads before them.
        """
        part = slice(first, first + len(names))
        return list(self.hits[part]) if self.names[part] == names and self.bases[part] == bases else None


class MinibwaAligner:
    """minibwa over one reference, made before forks, which share its index.

    Args:
        reference: A FASTA file with minibwa's indexes.
        lanes: The sample's lanes.
        heads: The first reads of each lane, as text of each file: fragment sizes are estimated from them, once for a
            lane, so that its results do not depend on the number of cores.

    Raises:
        StepError: if there is no index.
        BadInput: for mates that do not face each other.
    """

    command: ClassVar[tuple[str, ...]] = ("minibwa", "map")
    wheel: ClassVar[str] = "minibwa"
    head_reads: ClassVar[int] = 4000
    index_files: ClassVar[tuple[str, ...]] = ("l2b", "mbw")
    writes_mates: ClassVar[bool] = True

    def __init__(self, reference: str, lanes: Sequence[Lane], heads: Sequence[Sequence[bytes]]) -> None:
        import minibwa

        if not all(Path(f"{reference}.{ending}").is_file() for ending in self.index_files):
            raise StepError(f"{reference}: expected minibwa's index beside it, found none")
        self._library = minibwa
        self._index = minibwa.Index.load(reference)
        self._reference = ReferenceBases(reference)
        self._rows = HitRows(self._reference)
        self._pairs = [self._measure(lane, head) for lane, head in zip(lanes, heads, strict=True)]
        self._options = [self._lane_options(pairs.size) for pairs in self._pairs]

    def align(
        self, files: Sequence[Reads], fields: Sequence[bytes], lane: Lane, number: int, reads_before: int
    ) -> tuple[bytes, Counts]:
        """Align a batch and return its records and counts.

        Args:
            files: The reads of each file.
            fields: The tags of each read, mates in turn; one element if all reads have the same.
            lane: Their lane.
            number: Its number.
            reads_before: The number of reads before them in the lane.
        """
        names = mates_in_turn([reads.names for reads in files])
        bases = known_bases(files)
        size = self._pairs[number].size
        hits = self._hits(names, bases, lane.paired, number, reads_before)
        if size is not None:
            rescue_mates(hits, bases, size, self._reference)
        qualities = mates_in_turn([reads.qualities for reads in files])
        batch = ReadBatch(names, bases, qualities, lane.paired, fields, size)
        records, flags = hit_records(batch, self._rows.make(bases, hits))
        return records, Counts.from_flags(flags)

    def _hits(
        self, names: Sequence[bytes], bases: Sequence[bytes], paired: bool, number: int, reads_before: int
    ) -> list[Sequence[Hit]]:
        """Return the hits of each read of a lane: see `align`."""
        options, pairs = self._options[number], self._pairs[number]
        labels, texts = _labels(names), _texts(bases)
        if not paired:
            return self._hits_alone(labels, texts, options)
        hits: list[Sequence[Hit]] = [()] * len(texts)
        together: Sequence[int] = range(0, len(texts), 2)
        if pairs.size and pairs.mostly_settled:
            hits = pairs.known_hits(names, bases, reads_before) or self._hits_alone(labels, texts, options)
            together = unsettled_pairs(hits, pairs.size)
        map_pair, index = self._library.map_pair, self._index
        for first in together:
            name = labels[first]
            hits[first : first + 2] = map_pair(index, options, name, texts[first], name, texts[first + 1])
        return hits

    def _hits_alone(self, labels: list[str], texts: list[str], options: Opts) -> list[Sequence[Hit]]:
        """Return the hits of each read by itself."""
        return list(self._library.map_many(self._index, options, labels, texts))

    def _lane_options(self, size: InsertSize | None) -> Opts:
        options = self._library.Opts()
        if size:
            options.set_pe_insert_size(*map(int, size.rounded))
        return options

    def _measure(self, lane: Lane, head: Sequence[bytes]) -> _Pairs:
        """Return what the first pairs of a lane say; nothing if there are too few, and then minibwa has its own sizes.

        Raises:
            BadInput: for mates that do not face each other.
        """
        if not lane.paired or not all(head):
            return _Pairs()
        try:
            files = [parse_records(text, file.path, 1) for text, file in zip(head, lane.files, strict=True)]
        except BadInput:
            return _Pairs()  # the same record is refused when its batch is aligned, after what comes before it
        if len({len(reads.names) for reads in files}) > 1:
            return _Pairs()  # refused likewise
        names, bases = mates_in_turn([reads.names for reads in files]), known_bases(files)
        hits = self._head_hits(names, bases)
        sizes = orientation_sizes(list(zip(hits[::2], hits[1::2], strict=False)))
        if orientation := other_orientation(sizes):
            advice = "set aligner=bwa, which pairs mates of any orientation"
            expected = f"expected mates that face each other (FR), found {orientation}"
            raise BadInput(f"{lane.files[0].path}: {expected} among the first reads; {advice}")
        size = estimate(sizes[FACING])
        return _Pairs(size, size is not None and are_mostly_settled(hits, size), names, bases, hits)

    def _head_hits(self, names: Sequence[bytes], bases: Sequence[bytes]) -> list[Sequence[Hit]]:
        """Return the hits of each read by itself, which two threads find: the other cores wait for them."""
        half = len(names) // 2
        hits: list[list[Sequence[Hit]]] = [[], []]

        def align(part: int, reads: slice) -> None:
            hits[part] = self._hits_alone(_labels(names[reads]), _texts(bases[reads]), self._library.Opts())

        thread = Thread(target=align, args=(0, slice(half)))
        thread.start()
        align(1, slice(half, None))
        thread.join()
        return hits[0] + hits[1]


def _labels(names: Sequence[bytes]) -> list[str]:
    """Return the names as strings, which must not have NULs."""
    return b"\n".join(names).replace(b"\0", b"?").decode("latin-1").split("\n")


def _texts(bases: Sequence[bytes]) -> list[str]:
    """Return the bases of each read as a string, which must not be empty."""
    return [text or "N" for text in b"\n".join(bases).decode("ascii").split("\n")]
