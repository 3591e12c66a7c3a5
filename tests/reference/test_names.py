"""Names of sequences that SAM and VCF forbid, that tools divide, or that cannot be told from a region."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.reference.fai import Contig, read_contigs
from genomics_pipeline.reference.names import MAX_LENGTH_BP, index_problems

MAX_NAME_BYTES = budgets.FASTA_NAME.value
WITHOUT = "expected a name that SAM and VCF allow, without {}, found {}; {}"
RENAME = "rename it, for example to {}, in this file and wherever else the name is used, such as in BED files"
FORBIDDEN = {
    "NC_1_isolate,_complete_genome": ("','", "NC_1_isolate_complete_genome"),
    "chr1(alt)": ("'('", "chr1_alt"),
    "[x]": ("'['", "x"),
    "a]": ("']'", "a"),
    "{x}": ("'{'", "x"),
    "x}": ("'}'", "x"),
    "<DEL>": ("'<'", "DEL"),
    ">chr1": ("'>'", "chr1"),
    'a"b': ("'\"'", "a_b"),
    "a'b": ('"\'"', "a_b"),
    "a`b": ("'`'", "a_b"),
    "a\\b": ("'\\\\'", "a_b"),
    "isolée": ("'\\xc3'", "isol_e"),
    "a\x1b[2J": ("'\\x1b'", "a_2J"),
    "a\x7f": ("'\\x7f'", "a"),
    "*": ("'*' at its beginning", "chr"),
    "*a": ("'*' at its beginning", "a"),
    "=a": ("'=' at its beginning", "a"),
}


def problems(make: Callable[..., Path], tmp_path: Path, *names: str) -> list[str]:
    """Return the problems of a FASTA file with sequences of these names, without the file's path."""
    file = tmp_path / "names.fa"
    file.write_text("".join(f">{name} a description\nACGT\n" for name in names))
    with pytest.raises(DataError) as error:
        make(file, "fai")
    return [str(problem).removeprefix(f"{file}:") for problem in error.value.problems]


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_name(make: Callable[..., Path], tmp_path: Path, name: str) -> None:
    without, other = FORBIDDEN[name]
    shown = ascii(name.encode().decode("latin-1"))
    expected = WITHOUT.format(without, shown, RENAME.format(other))
    assert problems(make, tmp_path, "chr1", name) == [f"3: {expected}"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("#a", "a name without '#' at its beginning, which begins a comment in VCF and BED, found '#a'"),
        ("track", "a name that does not begin a header line of BED, found 'track'"),
        ("browser", "a name that does not begin a header line of BED, found 'browser'"),
        ("x" * (MAX_NAME_BYTES + 1), f"a name of at most {MAX_NAME_BYTES} bytes, found {MAX_NAME_BYTES + 1}: "),
    ],
)
def test_a_name_that_tools_take_for_something_else(
    make: Callable[..., Path], tmp_path: Path, name: str, expected: str
) -> None:
    (problem,) = problems(make, tmp_path, name)
    assert problem.startswith(f"1: expected {expected}")


@pytest.mark.parametrize("order", [("chr1", "chr1:1-100"), ("chr1:1-100", "chr1")])
def test_a_name_that_is_also_a_region(make: Callable[..., Path], tmp_path: Path, order: tuple[str, str]) -> None:
    line, other = (2 * order.index(name) + 1 for name in ("chr1:1-100", "chr1"))
    expected = f"expected a name that is not also a region of the sequence 'chr1' (line {other}), found 'chr1:1-100'"
    assert problems(make, tmp_path, *order) == [f"{line}: {expected}; {RENAME.format('chr1_1-100')}"]


def test_all_names_are_reported_at_once(make: Callable[..., Path], tmp_path: Path) -> None:
    found = problems(make, tmp_path, "a,b", "good", "#c", "good", "e:1-2", "e")
    assert [problem.partition(":")[0] for problem in found] == ["1", "5", "7", "9"]


def test_with_many_problems_the_rest_is_not_read(make: Callable[..., Path], tmp_path: Path) -> None:
    found = problems(make, tmp_path, *[f"a,{number}" for number in range(1000)])
    assert len(found) == 26
    assert found[-1] == "49: 25 errors so far; the rest of the file was not read"


LEGAL = [
    "HLA-A*01:01:01:01",
    "gi|9626243|ref|NC_001416.1|",
    "chr1:1-100",  # alone, as `samtools faidx` writes it
    "HLA-A*01:01",
    "HLA-A*01:01:01",  # beside the one before: no region has one number only here
    "chr9",
    "CHR9",
    "a=b",
    "a#b",
    "@a",
    "-",
    ".",
    "..",
    "$HOME",
    "~root",
    "%2Fetc",
    "&amp;",
    "!",
    "?",
    "^",
    "_",
    "+",
    "/",
    ";",
    "x" * MAX_NAME_BYTES,
]


def test_legal_names(make: Callable[..., Path], tmp_path: Path) -> None:
    file = tmp_path / "names.fa"
    file.write_text("".join(f">{name}\nACGT\n" for name in LEGAL))
    assert [contig.name for contig in read_contigs(make(file))] == LEGAL


def test_names_and_lengths_of_an_index() -> None:
    """An index is all that is known of a reference on S3 before its first job."""
    contigs = [Contig("a,b", 5), Contig("c", MAX_LENGTH_BP), Contig("d", MAX_LENGTH_BP + 1), Contig("c", 2)]
    assert [str(problem).partition(";")[0] for problem in index_problems(contigs, "x.fai")] == [
        "x.fai:1: expected a name that SAM and VCF allow, without ',', found 'a,b'",
        "x.fai:3: expected a sequence of at most 2147483646 bases, as BAM and VCF can hold, found more in 'd'",
        "x.fai:4: expected each sequence once, found 'c' again (first on line 2)",
    ]
