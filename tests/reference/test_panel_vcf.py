"""Panels and genetic maps before a run: what the step that imputes would refuse."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pysam
import pysam.bcftools
import pytest

from genomics_pipeline.model import budgets
from genomics_pipeline.model.budgets import Budget
from genomics_pipeline.reference.genetic_map import genetic_map_problems
from genomics_pipeline.reference.panel_people import people_problems
from genomics_pipeline.reference.panel_vcf import panel_people, panel_problems
from genomics_pipeline.stores.local import LocalStore

CONTIGS = {"chr1": 20, "chr2": 10}
BASES = {"chr1": "ACGTACGTACGTACGTACGN", "chr2": "AAAAAAAAAA"}
TEXT = """##fileformat=VCFv4.2
##contig=<ID=chr1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM	POS	ID	REF	ALT	QUAL	FILTER	INFO	FORMAT	P1	P2
chr1	1	.	A	C	.	.	.	GT	0|1	1|0
chr1	2	.	CG	C,CGG	.	.	.	GT:DP	2|1:3	0|0:4
chr1	20	.	A	C	.	.	.	GT	0	1|0
"""


def bases(contig: str, start: int, end: int) -> str:
    return BASES[contig][start:end]


def problems(path: Path, text: str) -> list[str]:
    with pysam.BGZFile(str(path), "wb", index=None) as out:
        out.write(text.encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return of_file(path, f"{path}.tbi")


def of_file(path: Path, index: str) -> list[str]:
    found = panel_problems(str(path), index, LocalStore(), CONTIGS, bases)
    return [str(one).removeprefix(f"{path}:").strip() for one in found]


def test_a_good_panel(tmp_path: Path) -> None:
    assert problems(tmp_path / "panel.vcf.gz", TEXT) == []


def test_a_bcf_file_of_other_contigs(tmp_path: Path) -> None:
    for name, expected in (("chr1", []), ("1", ["expected contigs of the reference, found '1' and no other"])):
        plain, path = tmp_path / f"{name}.vcf", tmp_path / f"{name}.bcf"
        plain.write_text(TEXT.replace("chr1", name).replace(":DP\t2|1:3\t0|0:4", "\t2|1\t0|0"))
        with pysam.VariantFile(str(plain)) as vcf, pysam.VariantFile(str(path), "wb", header=vcf.header) as out:
            for record in vcf:
                out.write(record)
        pysam.bcftools.index(str(path))
        assert [one.partition(";")[0] for one in of_file(path, f"{path}.csi")] == expected


PHASED = "expected phased genotypes without missing alleles, such as 0|1, found {} of P1; phase the panel first"
BAD = [
    ("0|1\t1|0", "0/1\t1|0", ["chr1:1: " + PHASED.format("0/1")]),
    ("0|1\t1|0", ".|.\t1|0", ["chr1:1: " + PHASED.format(".|.")]),
    ("0|1\t1|0", ".\t1|0", ["chr1:1: " + PHASED.format(".")]),
    (
        "1\t.\tA\tC",
        "1\t.\tT\tC",
        ["chr1:1: expected the reference's A as REF, found T; is the panel of another assembly?"],
    ),
    (
        "20\t.\tA",
        "20\t.\tAA",
        ["chr1:20: expected REF within the 20 bases of chr1, found AA; is the panel of another assembly?"],
    ),
    ("\tFORMAT\tP1\tP2", "", ["expected a VCF or BCF file with genotypes of people, found none in its header"]),
    ("0|1\t1|0", "0|1", ["expected 11 columns, found 'chr1\\t1\\t.\\tA\\tC\\t.\\t.\\t.\\tGT\\t0|1'"]),
    (
        "chr1",
        "1",
        [
            "expected contigs of the reference, found '1' and no other; did you mean 'chr1'? "
            "to rename contigs: bcftools annotate --rename-chrs"
        ],
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), BAD)
def test_bad_panels(tmp_path: Path, old: str, new: str, expected: list[str]) -> None:
    text = TEXT.replace(old, new) if old == "chr1" else TEXT.replace(old, new, 1)
    assert problems(tmp_path / "panel.vcf.gz", text) == expected


def test_all_errors_at_once_and_no_more_than_the_budget(tmp_path: Path) -> None:
    record = "chr1\t1\t.\tT\tC\t.\t.\t.\tGT\t0/1\t1|0\n"
    first = "chr1\t2\t"
    assert len(problems(tmp_path / "one.vcf.gz", TEXT.replace(first, record + first))) == 2
    assert len(problems(tmp_path / "many.vcf.gz", TEXT.replace(first, record * 40 + first))) == 25


@pytest.mark.parametrize("kind", ["vcf.gz", "bcf"])
def test_the_first_records_of_each_contig_of_a_large_panel_are_checked(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first contig alone has more records than are checked together, the last of them with a wrong genotype."""
    monkeypatch.setattr(budgets, "PANEL_WHOLE", Budget(0, "bytes", ""))
    many = "".join(f"chr1\t1\t{number}\tA\tC\t.\t.\t.\tGT\t0|1\t1|0\n" for number in range(1200))
    header = TEXT[: TEXT.index("chr1\t1")].replace("##contig=<ID=chr1>", "##contig=<ID=chr1>\n##contig=<ID=chr2>")
    many += "chr1\t9\t.\tA\tC\t.\t.\t.\tGT\t0/1\t1|0\n"
    text = f"{header}{many}chr2\t1\t.\tC\tG\t.\t.\t.\tGT\t0|1\t1|0\nchr2\t2\t.\tA\tG\t.\t.\t.\tGT\t0|1\t./1\n"
    (tmp_path / "plain.vcf").write_text(text)
    path = tmp_path / f"panel.{kind}"
    form = "-Ob" if kind == "bcf" else "-Oz"
    pysam.bcftools.view("--no-version", form, "-o", str(path), str(tmp_path / "plain.vcf"), catch_stdout=False)
    pysam.bcftools.index("--csi", str(path), catch_stdout=False)
    assert of_file(path, f"{path}.csi") == [
        "chr2:1: expected the reference's A as REF, found C; is the panel of another assembly?",
        "chr2:2: " + PHASED.format("./1").replace("P1", "P2"),
    ]


def test_a_damaged_panel(tmp_path: Path) -> None:
    path = tmp_path / "panel.vcf.gz"
    assert problems(path, TEXT) == []
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    (message,) = of_file(path, f"{path}.tbi")
    assert message.startswith("expected a whole gzip file")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P1\n\n", []),
        (
            "P1\r\nP 2\nP22\nxyz",
            [
                "2: expected the name of a person, found 'P 2'",
                "3: expected the name of a person of the panel, found 'P22'; did you mean 'P2'?",
                "4: expected the name of a person of the panel, found 'xyz'",
            ],
        ),
        ("P2\nP1\n", [" expected people who stay in the panel, found the names of all 2"]),
        ("\xff\n", ["1: expected the name of a person of the panel, found '\\\\xff'"]),
    ],
)
def test_people_to_leave_out(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert problems(tmp_path / "panel.vcf.gz", TEXT) == []
    path = tmp_path / "names"
    path.write_bytes(text.encode("latin-1"))
    people = panel_people(str(tmp_path / "panel.vcf.gz"), LocalStore())
    assert people == ["P1", "P2"]
    assert [str(one).removeprefix(f"{path}:") for one in people_problems(str(path), LocalStore(), people)] == expected


def map_problems(path: Path, text: str) -> list[str]:
    path.write_text(text)
    return [str(one).removeprefix(f"{path}:") for one in genetic_map_problems(str(path), LocalStore(), CONTIGS)]


@pytest.mark.parametrize(
    "text",
    [
        "chr1 . 0.0 1\nchr1 . 0.5 10\nchr3 . 0.1 4\n",
        "1\t.\t0.0\t1\n",
        "pos chr cM\n1 chr1 0\n5 chr1 0.25\n",
        "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n1 1.25 0\n9 1.5 0.5\n",
    ],
)
def test_good_maps(tmp_path: Path, text: str) -> None:
    assert map_problems(tmp_path / "map", text) == []


LINES = [
    "h\nchr1 . nan 5\n",
    "chr1 . inf 5\n",
    "1 chr1 -inf\n",
    "chr1 . nan 5\n",
    "h\nchr1 . 1.5 5\nchr1 . 1.0 6\n",
    "h\nchr1 . 1.5 5\nchr1 . 2.0 5\n",
    "h\nchr1   x\n",
    "h\nchr1 . 0.5 1.5\n",
]
OF_STEP = """
import sys
sys.path[:0] = sys.argv[1:3]
from common.program import BadInput
from genetic_map import GeneticMap
for path in sys.argv[3:]:
    try:
        GeneticMap(path)
    except BadInput as error:
        print(error)
"""


def test_the_step_refuses_the_same_lines_with_the_same_words(tmp_path: Path) -> None:
    paths = [tmp_path / f"map{number}" for number in range(len(LINES))]
    before = [
        f"{path}:{message}" for path, text in zip(paths, LINES, strict=True) for message in map_problems(path, text)
    ]
    steps = Path(__file__).resolve().parents[2] / "steps"
    argv = [sys.executable, "-c", OF_STEP, str(steps), str(steps / "imputation"), *map(str, paths)]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines() == before
    assert len(before) == len(LINES)
    expected = "expected contig, ID, cM and position (PLINK), or position, contig and cM (SHAPEIT)"
    assert before[0] == f"{paths[0]}:2: {expected}, found 'chr1 . nan 5'"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "h\nchr1 . 1.5 5\nchr1 . 1.0 6\nchr1 x\n",
            [
                "3: expected increasing positions and cM, found 6, 1.0 after 5, 1.5",
                "4: expected contig, ID, cM and position (PLINK), or position, contig and cM (SHAPEIT), found 'chr1 x'",
            ],
        ),
        ("chr7 . 0 5\n", [" expected a genetic map of contigs of the reference, found '7' and no other"]),
        ("h\n", [" expected a genetic map of contigs of the reference, found no positions"]),
    ],
)
def test_bad_maps(tmp_path: Path, text: str, expected: list[str]) -> None:
    assert map_problems(tmp_path / "map", text) == expected
