"""Names of contigs in files that a user gave, compared with those of the reference."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from genomics_pipeline.model.errors import did_you_mean

NAMED_CONTIGS = 24  # of a reference that a message may list
_MITOCHONDRION = {"MT": "chrM", "chrM": "MT"}  # of Ensembl and of UCSC


def own_name(name: str, contigs: Collection[str]) -> str | None:
    """Return the name that the reference has for a contig, with or without ``chr``; None if it does not have it.

    >>> own_name("1", ["chr1", "chrM"]), own_name("MT", ["chr1", "chrM"]), own_name("chr1", ["1"]), own_name("2", ["1"])
    ('chr1', 'chrM', '1', None)
    """
    return next((one for one in (name, *_others(name)) if one in contigs), None)


def _others(name: str) -> Iterator[str]:
    yield f"chr{name}"
    yield name.removeprefix("chr")
    if name in _MITOCHONDRION:
        yield _MITOCHONDRION[name]


def contig_hint(name: str, contigs: Collection[str]) -> str:
    """Return the contig that may be meant by a name, also if only the prefix ``chr`` differs."""
    if own := own_name(name, contigs):
        return f"did you mean {own!r}?"
    if len(contigs) > NAMED_CONTIGS:
        return f"the reference has {len(contigs):,} contigs"
    return did_you_mean(name, list(contigs))
