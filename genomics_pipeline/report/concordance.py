"""Agreement of called genotypes with true ones, allele by allele, in normal form (see `report.alleles`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.reference.codes import reduce_codes
from genomics_pipeline.report.alleles import Allele, Reference, normalise

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


def score(calls: Path, truth: Path, reference: Path) -> Concordance:
    """Compare two VCFs over their common samples, without regard to phase; only records that passed the filters count.

    Args:
        calls: The called VCF.
        truth: The true VCF.
        reference: The FASTA file of the reference of both.

    Raises:
        DataError: for a file that cannot be read, VCFs without a common sample, or a VCF of another reference.
    """
    names = [_read(path, lambda vcf: list(vcf.header.samples)) for path in (calls, truth)]
    common = [name for name in names[0] if name in set(names[1])]
    if not common:
        raise DataError(Problem(f"expected samples that are in {truth} too, found none in common", str(calls)))
    bases = _reference(reference)
    called, true = (_read(path, lambda vcf: _dosages(vcf, common, bases)) for path in (calls, truth))
    return Concordance(_agreement(called, true, "snp"), _agreement(called, true, "indel"))


def _agreement(called: Dosages, true: Dosages, kind: str) -> Agreement:
    of_kind = {key: copies for key, copies in true.items() if key[1].kind == kind}
    matches = sum(called.get(key) == copies for key, copies in of_kind.items())
    return Agreement(len(of_kind), matches, sum(allele.kind == kind for _, allele in called))


def _read(path: Path, use: Callable[[Any], Any]) -> Any:
    """Open a VCF and return the result of `use`.

    Raises:
        DataError: if it is not a VCF, or one of another reference.
    """
    import pysam

    verbosity = pysam.set_verbosity(0)  # htslib warns of every file without an index; errors are still raised
    try:
        with pysam.VariantFile(str(path)) as vcf:
            return use(vcf)
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


def _dosages(vcf: Any, samples: Sequence[str], reference: Reference) -> Dosages:
    dosages: Dosages = Counter()
    for record in vcf:
        if set(record.filter.keys()) <= {"PASS"}:
            forms = _forms(record, reference)
            for sample in samples:
                for number in record.samples[sample].allele_indices or ():
                    for allele in forms.get(number, ()):
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
