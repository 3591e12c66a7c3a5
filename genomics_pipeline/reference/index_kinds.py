"""The kinds of index that a reference may have. A new kind is a new record in `INDEX_KINDS`."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.reference.bwa_index import ann_contigs, indexed_bases, size_mismatch
from genomics_pipeline.reference.bwa_samples import differing_file
from genomics_pipeline.reference.dictionary import COMPARED_BASES, dict_contigs, other_bases
from genomics_pipeline.reference.fai import Contig, fai_mismatch, fai_path, iterate_fai
from genomics_pipeline.reference.index_rates import UNMEASURED, IndexRate, index_rates
from genomics_pipeline.reference.index_text import OversizedIndex, file_problem
from genomics_pipeline.reference.minibwa_index import has_bases_of, l2b_contigs, minibwa_mismatch
from genomics_pipeline.reference.packed_bases import has_same_bases, has_same_samples
from genomics_pipeline.stores.publish import publish_bytes

_PATHS = re.compile(rb"\tUR:[^\t\r\n]*")  # SAM specification, 1.3: the URI of a sequence


@dataclass(frozen=True, slots=True)
class IndexKind:
    """A kind of index of a FASTA file.

    Attributes:
        name: The name that steps declare in ``indexes``.
        suffixes: The suffixes of its files: ``.fai`` is added to the FASTA file's name, ``dict`` replaces its suffix.
        command: The command that builds it; ``{fasta}`` and ``{file}``, its first file, are filled in.
        build: Builds it beside a FASTA file; messages name the file by the URI.
        contigs: Yields the sequences that its files list; None if they list none.
        needs: The names of other kinds that programs read with it.
        library: The Python package that builds it; None for one that is always there.
        alternate_contigs: Programs that read it take account of a file of alternate contigs.
    """

    name: str
    suffixes: tuple[str, ...]
    command: str
    build: Callable[[Path, str], None]
    contigs: Callable[[Sequence[Path]], Iterable[Contig]] | None = None
    needs: tuple[str, ...] = ()
    library: str | None = None
    alternate_contigs: bool = True

    @property
    def rate(self) -> IndexRate:
        """Return what its building takes; nothing for a kind that was not measured."""
        return index_rates().get(self.name, UNMEASURED)

    def beside(self, fasta: str) -> list[str]:
        """Return the names of its files, for the path or URI of a FASTA file.

        >>> INDEX_KINDS["fai"].beside("s3://refs/x.fa"), INDEX_KINDS["dict"].beside("s3://refs/x.fa")
        (['s3://refs/x.fa.fai'], ['s3://refs/x.dict'])
        """
        folder, slash, name = fasta.rpartition("/")
        stem = f"{folder}{slash}{PurePosixPath(name).stem}"
        return [f"{fasta}{suffix}" if suffix.startswith(".") else f"{stem}.{suffix}" for suffix in self.suffixes]

    def files(self, fasta: Path) -> list[Path]:
        """Return the paths of its files."""
        return [Path(name) for name in self.beside(str(fasta))]

    def advice(self, fasta: str) -> str:
        """Return the command that builds it in the FASTA file's folder.

        >>> INDEX_KINDS["dict"].advice("s3://refs/x.fa")
        'samtools dict -o x.dict x.fa'
        """
        name = PurePosixPath(fasta).name
        return self.command.format(fasta=name, file=self.beside(name)[0])


def required_kinds(names: Iterable[str]) -> list[IndexKind]:
    """Return the named kinds, the kinds that they need, and ``fai``, which gives the intervals.

    Raises:
        DataError: for an unknown name.
    """
    kinds: dict[str, IndexKind] = {}
    waiting = ["fai", *names]
    while waiting:
        name = waiting.pop(0)
        if name not in INDEX_KINDS:
            raise DataError(f"expected an index of a reference ({', '.join(INDEX_KINDS)}), found {name!r}")
        kinds.setdefault(name, INDEX_KINDS[name])
        waiting = [*(need for need in INDEX_KINDS[name].needs if need not in kinds), *waiting]
    return list(kinds.values())


def find_mismatch(fasta: Path, kind: IndexKind) -> str | None:
    """Compare an index with its FASTA file: with another file's index, programs fail silently or give wrong variants.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        kind: The index.

    Returns:
        The difference; None if they match, as far as that shows without reading all bases.
    """
    try:
        return _file_problem(fasta, kind) or _mismatch(fasta, kind)
    except OversizedIndex as error:
        return str(error)
    except (DataError, ValueError, IndexError, struct.error):
        return "expected an index, found none that can be read"


def _file_problem(fasta: Path, kind: IndexKind) -> str | None:
    size = fasta.stat().st_size
    files = dict.fromkeys([*kind.files(fasta), fai_path(fasta)])
    return next((problem for file in files if (problem := file_problem(file, size))), None)


def _mismatch(fasta: Path, kind: IndexKind) -> str | None:
    if kind.name == "fai":
        return fai_mismatch(fasta)
    if kind.contigs is None:
        return None
    files = kind.files(fasta)
    if message := _contigs_mismatch(fasta, kind.contigs(files)):
        return message
    compare = {"bwa": _bwa_mismatch, "minibwa": minibwa_mismatch, "dict": _dict_mismatch}.get(kind.name)
    return compare(fasta, files) if compare else None


def _contigs_mismatch(fasta: Path, contigs: Iterable[Contig]) -> str | None:
    """Compare the sequences of an index with those of ``.fai``, one by one; None if they match."""
    expected, found = 0, 0
    for record, other in zip_longest(iterate_fai(fasta), contigs):
        expected, found = expected + (record is not None), found + (other is not None)
        if record and other and record.contig != other:
            wanted = f"{record.contig.name} of {record.contig.length_bp} bp"
            return f"expected {wanted} as in {fasta.name}, found {other.name} of {other.length_bp} bp"
    if expected != found:
        return f"expected {quantity(expected, 'sequence')} as in {fasta.name}, found {found}"
    return None


def _bwa_mismatch(fasta: Path, files: Sequence[Path]) -> str | None:
    """Compare sizes and samples of bwa's files with each other and with the FASTA file; None if they match."""
    if message := size_mismatch(files):
        return message
    by_suffix = {file.suffix: file for file in files}
    if suffix := differing_file(by_suffix, indexed_bases(files)):
        return f"expected files of one index, found {by_suffix[suffix].name} damaged or of another one"
    if not has_same_samples(fasta, by_suffix[".pac"]):
        return f"expected the bases of {fasta.name}, found others"
    return None


def find_stale(fasta: Path, kind: IndexKind) -> str | None:
    """Compare an index that is older than its FASTA file with all that the file holds.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        kind: The index, without a mismatch.

    Returns:
        The difference; None if they match.
    """
    if kind.name == "bwa":
        pac = next(file for file in kind.files(fasta) if file.suffix == ".pac")
        if not has_same_bases(fasta, pac):
            return f"expected the bases of {fasta.name}, found others"
    if kind.name == "minibwa" and not has_bases_of(fasta, kind.files(fasta)):
        return f"expected the bases of {fasta.name}, found others"
    return _dict_mismatch(fasta, kind.files(fasta), most_bases=None) if kind.name == "dict" else None


def _dict_mismatch(fasta: Path, files: Sequence[Path], most_bases: int | None = COMPARED_BASES) -> str | None:
    """Compare the digests of a dictionary with the bases of a FASTA file; None if they match.

    Args:
        fasta: The FASTA file, its ``.fai`` beside it.
        files: The dictionary.
        most_bases: The bases to compare, of the shortest sequences; None for all.
    """
    name = other_bases(fasta, files[0], most_bases)
    return f"expected the MD5 (M5) of {name} in {fasta.name}, found that of other bases" if name else None


def _build_fai(fasta: Path, uri: str) -> None:
    import pysam

    verbosity = pysam.set_verbosity(0)  # the problem is reported below
    try:
        pysam.samtools.faidx(str(fasta))
    except pysam.utils.SamtoolsError as error:
        raise DataError(Problem(f"expected FASTA: {str(error).strip()}", uri)) from None
    finally:
        pysam.set_verbosity(verbosity)


def _build_bwa(fasta: Path, uri: str) -> None:
    from pybwa import BwaIndex, BwaVerbosity, set_bwa_verbosity

    set_bwa_verbosity(BwaVerbosity.QUIET)
    BwaIndex.index(fasta=str(fasta))


def _build_minibwa(fasta: Path, uri: str) -> None:
    from minibwa import Index

    # With two threads, it sorts suffixes of a genome of less than 1 Gbp as numbers of 4 instead of 8 bytes.
    Index.build(str(fasta), str(fasta), threads=2)


def _build_dict(fasta: Path, uri: str) -> None:
    import pysam

    dictionary = fasta.with_suffix(".dict")
    if not dictionary.is_file():  # pybwa writes one too
        pysam.samtools.dict("-o", str(dictionary), str(fasta))
    # The path of this machine (UR) is of no use to others, and not where the file will be.
    publish_bytes(dictionary, _PATHS.sub(b"", dictionary.read_bytes()))


INDEX_KINDS = {
    kind.name: kind
    for kind in (
        IndexKind("fai", (".fai",), "samtools faidx {fasta}", _build_fai),
        IndexKind(
            "bwa",
            (".amb", ".ann", ".bwt", ".pac", ".sa"),
            "bwa index {fasta}",
            _build_bwa,
            contigs=ann_contigs,
            needs=("dict",),  # from which pybwa reads the names of the sequences
        ),
        IndexKind(
            "minibwa",
            (".l2b", ".mbw"),
            "python -c \"from minibwa import Index; Index.build('{fasta}', '{fasta}', threads=2)\"",
            _build_minibwa,
            contigs=l2b_contigs,
            library="minibwa",
            alternate_contigs=False,
        ),
        IndexKind("dict", ("dict",), "samtools dict -o {file} {fasta}", _build_dict, contigs=dict_contigs),
    )
}
