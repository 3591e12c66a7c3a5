"""Agreement of called genotypes with true ones, allele by allele, in normal form (see `report.alleles`)."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.codes import reduce_codes
from genomics_pipeline.report.alleles import Allele, Reference, normalise
from genomics_pipeline.report.vcf_size import require_bounded_vcf

# The content of a VCF: the number of haplotypes of a sample that carry an allele.
Dosages = Counter[tuple[str, Allele]]


class _OtherReferenceError(Exception):
    """A record that does not fit the reference; the message describes the record."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over all samples; an allele counts once for each sample that carries it.

    Attributes:
        truth: The number of true alleles.
        found: The number of true alleles that are called with the same number of copies.
        calls: The number of called alleles.
    """

    truth: int
    found: int
    calls: int

    @property
    def sensitivity(self) -> float | None:
        """The fraction of the true alleles that are called, to 6 digits; None without true alleles."""
        return round(self.found / self.truth, 6) if self.truth else None

    @property
    def precision(self) -> float | None:
        """The fraction of the called alleles that are true, to 6 digits; None without calls."""
        return round(self.found / self.calls, 6) if self.calls else None

    def to_json(self) -> dict[str, Any]:
        """Return the counts and their ratios; a ratio of nothing is null."""
        return {**asdict(self), "sensitivity": self.sensitivity, "precision": self.precision}


@dataclass(frozen=True, slots=True)
class Concordance:
    """Agreement for SNPs and for indels, which are all other alleles."""

    snp: Agreement
    indel: Agreement

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object under ``truth`` in a run's summary."""
        return {"snp": self.snp.to_json(), "indel": self.indel.to_json()}


class Regions:
    """Regions of a reference, merged, each as contig, start and end, counted from 0.

    Args:
        spans: The regions, in any order.
    """

    def __init__(self, spans: Iterable[tuple[str, int, int]]) -> None:
        self._spans: dict[str, list[tuple[int, int]]] = {}
        for contig, start, end in sorted(spans):
            merged = self._spans.setdefault(contig, [])
            if merged and start <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], end)
            else:
                merged.append((start, end))

    def holds(self, allele: Allele) -> bool:
        """Return whether an allele lies in a region with all bases that it changes.

        >>> regions = Regions([("c", 2, 4), ("c", 4, 8)])
        >>> [regions.holds(Allele("c", start, "AC", "A")) for start in (0, 1, 6, 7)]
        [False, True, True, False]
        """
        spans = self._spans.get(allele.contig, [])
        anchored = allele.kind == "indel" and allele.ref[:1] == allele.alt[:1]
        start, end = allele.start + anchored, allele.start + len(allele.ref)
        if start == end:  # an insertion, which changes no base: between the two around it
            start, end = start - 1, end
        number = bisect_right(spans, (start, float("inf"))) - 1
        return number >= 0 and end <= spans[number][1]


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a VCF.

    Attributes:
        samples: The names of its samples.
        contigs: The declared length of each contig, by name; None where a contig has none.
    """

    samples: Sequence[str]
    contigs: Mapping[str, int | None]


def read_header(path: Path) -> Header:
    """Read the header of a VCF.

    Raises:
        DataError: if it is not a VCF.
    """

    def header(vcf: Any) -> Header:
        declared = vcf.header.contigs
        return Header(list(vcf.header.samples), {name: declared[name].length or None for name in declared})

    return cast(Header, read_vcf(path, header, is_whole=False))


def score(
    calls: Path,
    truth: Path,
    reference: Path,
    names: Mapping[str, str] | None = None,
    regions: Regions | None = None,
) -> Concordance:
    """Compare two VCFs over their common samples, without regard to phase; only records that passed the filters count.

    Args:
        calls: The called VCF.
        truth: The true VCF.
        reference: The FASTA file of the reference of both.
        names: The name in the true VCF of each sample of the called one that has another one there.
        regions: Only alleles in these regions are compared; None for all.

    Raises:
        DataError: for a file that cannot be read, VCFs without a common sample, or a VCF of another reference.
    """
    own, there = (read_header(path).samples for path in (calls, truth))
    pairs = [(name, other) for name in own if (other := (names or {}).get(name, name)) in set(there)]
    if not pairs:
        raise DataError(Problem(f"expected samples that are in {truth} too, found none in common", str(calls)))
    bases = _reference(reference)
    called = read_vcf(
        calls, lambda vcf: _dosages(vcf, [(name, name) for name, _ in pairs], bases, regions), is_whole=False
    )
    true = read_vcf(truth, lambda vcf: _dosages(vcf, pairs, bases, regions))
    return Concordance(_agreement(called, true, "snp"), _agreement(called, true, "indel"))


def _agreement(called: Dosages, true: Dosages, kind: str) -> Agreement:
    of_kind = {key: copies for key, copies in true.items() if key[1].kind == kind}
    matches = sum(called.get(key) == copies for key, copies in of_kind.items())
    return Agreement(len(of_kind), matches, sum(allele.kind == kind for _, allele in called))


def read_vcf(path: Path, use: Callable[[Any], Any], is_whole: bool = True) -> Any:
    """Open a VCF and return the result of `use`.

    Args:
        path: The file.
        use: Reads it.
        is_whole: It reads more than the header.

    Raises:
        DataError: if it is not a VCF, or one of another reference.
    """
    import pysam

    try:
        require_bounded_vcf(path, is_whole)
    except OSError as error:
        raise DataError(Problem(f"expected a VCF, found: {error}", str(path))) from error
    except DataError as error:
        raise DataError([Problem(problem.message, str(path)) for problem in error.problems]) from error
    verbosity = pysam.set_verbosity(0)  # htslib warns of every file without an index; errors are still raised
    try:
        with pysam.VariantFile(str(path)) as vcf:
            return use(vcf)
    except NotImplementedError as error:  # pysam cannot seek in such files
        message = "expected a VCF that is plain or compressed with bgzip, found gzip; compress it with bgzip"
        raise DataError(Problem(message, str(path))) from error
    except (OSError, ValueError) as error:
        raise DataError(Problem(f"expected a VCF, found: {error}", str(path))) from error
    except _OtherReferenceError as error:
        raise DataError(Problem(f"expected a VCF of the same reference, found {error}", str(path))) from error
    finally:
        pysam.set_verbosity(verbosity)


def _reference(path: Path) -> Reference:
    import pysam

    try:
        fasta = pysam.FastaFile(str(path))
    except (OSError, ValueError) as error:
        raise DataError(Problem(f"expected a FASTA file, found: {error}", str(path))) from error

    def fetch(contig: str, start: int, end: int) -> str:
        if contig not in fasta.references:
            raise _OtherReferenceError(f"contig {contig}")
        return reduce_codes(str(fasta.fetch(contig, start, end)))

    return Reference(fetch)


def _dosages(vcf: Any, samples: Sequence[tuple[str, str]], reference: Reference, regions: Regions | None) -> Dosages:
    """Return the content of a VCF.

    Args:
        vcf: The VCF.
        samples: The samples to count, each under its first name, with its name in the VCF.
        reference: The reference.
        regions: The regions whose alleles count; None for all.
    """
    dosages: Dosages = Counter()
    for record in vcf:
        if set(record.filter.keys()) <= {"PASS"}:
            forms = _forms(record, reference)
            for sample, column in samples:
                for number in record.samples[column].allele_indices or ():
                    for allele in forms.get(number, ()):
                        if regions is None or regions.holds(allele):
                            dosages[sample, allele] += 1
    return dosages


def _forms(record: Any, reference: Reference) -> dict[int, list[Allele]]:
    """Return the normal form of each alternate allele by its number; symbolic ones, ``*`` and ``.`` are left out.

    Raises:
        _OtherReferenceError: if REF differs from the reference at its position.
    """
    ref = record.ref.upper()
    bases = reference.bases(record.contig, record.start, len(ref))
    if any(one != other and "N" not in (one, other) for one, other in _paired_bases(ref, bases)):
        raise _OtherReferenceError(
            f"REF {ref} at {record.contig}:{record.pos}, where the reference has {bases or 'nothing'}"
        )
    return {
        number: list(normalise(record.contig, record.start, ref, alt.upper(), reference))
        for number, alt in enumerate(record.alts or (), start=1)
        if set(alt.upper()) <= set("ACGTN")
    }


def _paired_bases(ref: str, bases: str) -> Iterator[tuple[str, str]]:
    return zip(ref, bases.ljust(len(ref), "-"), strict=True)
