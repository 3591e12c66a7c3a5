"""The ploidy of each sample of a cohort along the reference, as its gVCF says it, for `bcftools call`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pysam
from common.gvcf_headers import GvcfHeader
from common.ploidy import DIPLOID, Ploidy, Stretch, parse_ploidy
from common.program import BadInput
from common.variants import PLOIDY_KEY
from gvcf_files import fetch, open_gvcf, reported
from interval import Region


class SamplePloidy(NamedTuple):
    """The ploidy of a gVCF's sample."""

    sample: str
    path: str
    copies: Ploidy


def ploidy_options(
    headers: Iterable[GvcfHeader], spans: Sequence[Region], given: int | None, scratch: Path
) -> list[str]:
    """Return the options of `bcftools call` for the ploidies of a cohort, after writing the files that they name.

    Args:
        headers: The headers of the gVCFs.
        spans: The spans that are genotyped.
        given: The ploidy of all samples everywhere; None for those of the gVCFs.
        scratch: A folder for the files.

    Raises:
        BadInput: for gVCFs that were called with different ploidies.
    """
    if given is not None:
        return ["--ploidy", str(given)]
    ploidies = [ploidy_of(header, spans) for header in headers]
    refuse_other_ploidies(ploidies)
    names: dict[str, str] = {}  # of those that differ, as `bcftools call` takes for sexes
    for one in ploidies:
        names.setdefault(one.copies.text(), f"ploidy{len(names)}")
    if not any(one.copies.stretches for one in ploidies):
        return ["--ploidy", str(ploidies[0].copies.others)]
    table, samples = scratch / "ploidy.txt", scratch / "samples.txt"
    table.write_text("".join(parse_ploidy(text).table(name) for text, name in names.items()))
    samples.write_text("".join(f"{one.sample}\t{names[one.copies.text()]}\n" for one in ploidies))
    return ["--ploidy-file", str(table), "--samples-file", str(samples)]


def refuse_other_ploidies(ploidies: Sequence[SamplePloidy]) -> None:
    """Refuse samples that were called with another number of copies than the first, apart from regions.

    Raises:
        BadInput: for the first such gVCF.
    """
    first = ploidies[0]
    for one in ploidies:
        if one.copies.others != first.copies.others:
            advice = "call all samples with one ploidy, or set aggregation's parameter ploidy"
            expected = f"expected ploidy {first.copies.others} as in {first.path}"
            raise BadInput(f"{one.path}: {expected}, found {one.copies.others}; {advice}")


def ploidy_of(header: GvcfHeader, spans: Iterable[Region]) -> SamplePloidy:
    """Return the ploidy that the header of a gVCF says, or else the likelihoods of its records in spans.

    Raises:
        BadInput: for a gVCF whose header line cannot be used.
    """
    path = header.path
    try:
        copies = None if header.ploidy is None else parse_ploidy(header.ploidy)
    except ValueError:
        raise BadInput(f"{path}: expected a ploidy in ##{PLOIDY_KEY}, found {header.ploidy!r}") from None
    if copies is None:
        with open_gvcf(path) as lines, reported(path):
            copies = Ploidy(DIPLOID, [one for span in spans for one in haploid_in(lines, span)])
    return SamplePloidy(header.sample, path, copies)


def haploid_in(gvcf: pysam.TabixFile, span: Region) -> Iterator[Stretch]:
    """Yield the stretches of a span whose records have the likelihoods of one copy, one for each allele."""
    start: int | None = None
    for line in fetch(gvcf, span):
        _, pos, _, _, alts, _, _, _, keys, values = line.rstrip("\n").split("\t")
        phred = dict(zip(keys.split(":"), values.split(":"), strict=False)).get("PL", "")
        is_haploid = phred.count(",") == alts.count(",") + 1
        if is_haploid and start is None:
            start = int(pos) - 1
        elif start is not None and not is_haploid:
            yield Stretch(span.contig, start, int(pos) - 1, 1)
            start = None
    if start is not None:
        yield Stretch(span.contig, start, span.end, 1)
