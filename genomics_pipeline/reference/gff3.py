"""GFF3 files of genes against the contigs of a reference: what `bcftools csq` would refuse, or ignore in silence.

Specification of GFF3: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md. What csq reads of
it: https://samtools.github.io/bcftools/bcftools-man.html#csq.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import takewhile

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.reference.contig_names import contig_hint, own_name
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

_COLUMNS = 9
_SEQUENCES = b"##FASTA"  # sequences follow this line


class _Features:
    """The features of a file that were read so far.

    Args:
        contigs: The length of each contig of the reference, by name.
    """

    def __init__(self, contigs: Mapping[str, int]) -> None:
        self._contigs = contigs
        self._names: dict[bytes, str | None] = {}
        self._count = 0
        self._coding = 0

    def misfit(self, line: bytes) -> str | None:
        """Return what is wrong with a line, or None."""
        if not line or line.startswith(b"#"):
            return None
        fields = line.split(b"\t")
        if len(fields) != _COLUMNS or not (fields[3].isdigit() and fields[4].isdigit()):
            return f"expected the nine columns of a feature between tabs, found {_shown(line)}"
        self._count += 1
        if fields[0] not in self._names:
            self._names[fields[0]] = own_name(fields[0].decode("utf-8", "backslashreplace"), self._contigs)
        contig = self._names[fields[0]]
        if contig is None:
            return None
        start, end, length = int(fields[3]), int(fields[4]), self._contigs[contig]
        if not 1 <= start <= end <= length:
            expected = f"expected 1 <= start <= end <= {length}, the length of {contig}"
            return f"{expected}, found {start} and {end}; is the file of another assembly?"
        if fields[2] != b"CDS":
            return None
        self._coding += 1
        if b"Parent=" not in fields[8]:
            return f"expected attributes such as Parent=transcript:T1, found {_shown(fields[8])}; is this a GTF file?"
        return None

    def lack(self) -> str | None:
        """Return what a file lacks as a whole, or None."""
        if not self._count:
            return "expected the features of genes, found none"
        if not any(self._names.values()):
            first = next(iter(self._names)).decode("utf-8", "backslashreplace")
            return (
                f"expected contigs of the reference, found {first!r} and no other; {contig_hint(first, self._contigs)}"
            )
        if not self._coding:
            return "expected CDS features on contigs of the reference, from which consequences follow, found none"
        return None


def gff3_problems(uri: str, store: Store, contigs: Mapping[str, int]) -> Iterator[Problem]:
    """Yield the problems of a GFF3 file, plain or gzip; at most as many as its budget says.

    Contigs that the reference does not have are no problem, as long as there are others.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        contigs: The length of each contig of the reference, by name.

    Raises:
        OSError: if the file cannot be read.
    """
    kind = TextKind("GFF3", budgets.GFF3_SIZE, budgets.GFF3_LINE)
    features = _Features(contigs)
    lines = takewhile(lambda line: not line.startswith(_SEQUENCES), text_lines(uri, kind, store))
    fits = yield from line_problems(uri, lines, features.misfit, budgets.GFF3_ERRORS)
    if fits and (message := features.lack()):
        yield Problem(message, uri)


def _shown(text: bytes) -> str:
    return repr(text[:60].decode("utf-8", "backslashreplace"))
