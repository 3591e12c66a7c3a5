"""Duplicates: which reads are compared, and which of their alignments are marked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_support import COMPLEMENT, Align, Outcome, Pair, each_aligner, fastq, lane, pairs

NAME = "A00:1:FLOW:1:1101:1000:{}"  # with y, in pixels
FORMS = {"name": "{}:{}", "comment": "{} RX:Z:{}", "pattern": "{}_{}"}  # of first lines with a UMI


def copies(pair: Pair, *names: str) -> list[Pair]:
    """Return the same fragment under other names."""
    return [(name, *pair[1:]) for name in names]


def marked(outcome: Outcome) -> set[str]:
    """Return the names of the reads that are marked."""
    assert outcome.code == 0, outcome.error
    return {str(record.query_name) for record in outcome.records() if record.is_duplicate}


@each_aligner
def test_duplicates_are_those_of_one_library_on_any_lane(
    align: Align, sequences: dict[str, str], tmp_path: Path
) -> None:
    """Picard's MarkDuplicates 2.27.5 marks the same reads of these lanes: it compares LB, not the read group."""
    (fragment,) = pairs(sequences, 1, 1)
    reads = {"L001": copies(fragment, "a1", "a2"), "L002": copies(fragment, "a3"), "L003": copies(fragment, "b1")}
    lanes = [lane(tmp_path, name, its_reads) for name, its_reads in reads.items()]
    of_two = align([{**one, "library": library} for one, library in zip(lanes, "aab", strict=True)])
    of_one = align(lanes)
    assert marked(of_two) == {"a2", "a3"}
    assert marked(of_one) == {"a2", "a3", "b1"}
    assert [record.get_tag("LB") for record in of_two.records() if record.query_name == "b1"] == ["b", "b"]
    assert not any(record.has_tag("LB") for record in of_one.records())


def chimera(sequences: dict[str, str], name: str) -> Pair:
    """Return a pair whose first read is split between the two contigs."""
    first = sequences["chr2"][500:540] + sequences["chr1"][1000:1060]
    return name, first, sequences["chr1"][1150:1250].translate(COMPLEMENT)[::-1]


@pytest.mark.parametrize("mark_supplementary", [True, False])
def test_the_supplementary_alignments_of_duplicates_are_marked(
    align: Align, sequences: dict[str, str], tmp_path: Path, mark_supplementary: bool
) -> None:
    reads = [*pairs(sequences, 50, 3), chimera(sequences, "one"), chimera(sequences, "two")]
    records = align([lane(tmp_path, "L001", reads)], mark_supplementary=mark_supplementary).records()
    split = {str(record.query_name): record.is_duplicate for record in records if record.is_supplementary}
    assert split == {"one": False, "two": mark_supplementary}


@each_aligner
def test_optical_duplicates_are_told_by_their_distance(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    (fragment,) = pairs(sequences, 1, 4)
    names = [NAME.format(y) for y in (1000, 1090, 9000)]
    lanes = [lane(tmp_path, "L001", copies(fragment, *names))]
    found = align(lanes, optical_distance=100).records()
    assert {str(r.query_name): r.get_tag("dt") for r in found if r.is_duplicate} == {names[1]: "SQ", names[2]: "LB"}
    assert not any(record.has_tag("dt") for record in align(lanes).records())


def with_differences(bases: str, count: int) -> str:
    """Return bases of which so many are others, between 25 at each end that are not."""
    places = range(25, 25 + 6 * count, 6)
    return "".join("ACGT"["CGTA".index(base)] if place in places else base for place, base in enumerate(bases))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("libraries", [1, 2])
def test_duplicates_share_the_umi(
    align: Align, sequences: dict[str, str], tmp_path: Path, form: str, libraries: int
) -> None:
    (_, first_mate, second_mate), *_ = pairs(sequences, 1, 5)
    mates = with_differences(first_mate, 9), second_mate
    umis = ("AC+GT", "AC+GT", "AC+TT")
    headers = [FORMS[form].format(NAME.format(place), umi) for place, umi in enumerate(umis)]
    lanes: list[dict[str, Any]] = []
    for library in map(str, range(libraries)):
        first, second = (
            fastq(tmp_path / f"{library}_{mate}.fq", [(header, bases) for header in headers])
            for mate, bases in enumerate(mates)
        )
        lanes.append({"lane": library, "fastq_1": str(first), "fastq_2": str(second), "library": library})
    given = {"umi": "name", "umi_pattern": "_([ACGTN+]+)$"} if form == "pattern" else {"umi": form}
    outcome = align(lanes, **given)
    assert marked(outcome) == {headers[1].split()[0]}
    records = outcome.records()
    assert sum(record.is_duplicate for record in records) == 2 * libraries
    assert [record.get_tag("RX") for record in records].count("AC-GT") == 4 * libraries
    assert not any(record.has_tag("Zk") for record in records)
    assert {record.get_tag("NM") for record in records if record.is_read1} == {9}  # in BAM a tab, like the separator


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"umi": "name"}, "{}: record 2: expected a UMI (bases) in the name, found '@A00:1:FLOW:1:1:1:1"),
        ({"umi": "comment"}, "{}: record 1: expected a UMI (bases) in the comment (RX:Z:…), found "),
        ({"umi": "name", "umi_pattern": "[A"}, "umi_pattern '[A': expected a regular expression: "),
        ({"umi": "name", "umi_pattern": ":A"}, "umi_pattern ':A': expected one group in parentheses, which is the UMI"),
    ],
)
def test_a_missing_umi_is_refused(
    align: Align, sequences: dict[str, str], tmp_path: Path, given: dict[str, Any], message: str
) -> None:
    first, second = pairs(sequences, 2, 6)
    one = lane(tmp_path, "L001", [(f"{first[0]}:ACGT", *first[1:]), second])
    outcome = align([one], **given)
    assert outcome.code == 65
    assert outcome.error.splitlines()[-1].startswith("error: " + message.format(one["fastq_1"]))
