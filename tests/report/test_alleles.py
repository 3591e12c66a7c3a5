from __future__ import annotations

import pytest

from genomics_pipeline.report.alleles import Allele, Reference, normalise

#           0123456789012345
SEQUENCE = "GGCACACATTTTGACC"
REFERENCE = Reference(lambda contig, start, end: SEQUENCE[start:end].lower())


@pytest.mark.parametrize(
    ("start", "ref", "alt", "expected"),
    [
        (3, "A", "G", [(3, "A", "G")]),
        (3, "AC", "AT", [(4, "C", "T")]),  # padded SNP
        (3, "ACA", "GCG", [(3, "A", "G"), (5, "A", "G")]),  # MNP
        (6, "CA", "", [(1, "GCA", "G")]),  # a repeat's last unit is its first
        (5, "ACA", "A", [(1, "GCA", "G")]),
        (10, "T", "TT", [(7, "A", "AT")]),
        (8, "TTTTG", "TTG", [(7, "ATT", "A")]),  # too long at both ends
        (12, "GACC", "GACCA", [(15, "C", "CA")]),
        (0, "GG", "G", [(0, "GG", "G")]),  # nothing before it
        (3, "ACA", "TG", [(3, "ACA", "TG")]),  # complex: stays
        (3, "A", "A", []),
    ],
)
def test_normal_form(start: int, ref: str, alt: str, expected: list[tuple[int, str, str]]) -> None:
    assert list(normalise("c", start, ref, alt, REFERENCE)) == [Allele("c", *one) for one in expected]


def test_kinds() -> None:
    assert [Allele("c", 1, "A", alt).kind for alt in ("T", "AT")] == ["snp", "indel"]


def test_blocks_are_joined_and_the_end_is_empty() -> None:
    long = "ACGT" * 40_000
    reference = Reference(lambda contig, start, end: long[start:end])
    assert reference.bases("c", 65_530, 12) == long[65_530:65_542]
    assert reference.bases("c", len(long) - 2, 5) == "GT"
