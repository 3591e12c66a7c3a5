"""The goals of `make accuracy` hold or are missed as their figures say."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest
from click.testing import CliRunner

from benchmarks.accuracy import kept, main
from benchmarks.accuracy_tables import DIRECT, JOINT, PLAIN, SINGLE, Row, counts_table, goal_lines, goals, grouped
from benchmarks.agreement import FAMILY as TRIO
from benchmarks.agreement import UNCALLED, Atom, Genotyped, agreement, mendelian, read_genotypes
from benchmarks.real_sets import DATA


def row(calls: str, f1: float, **counts: tuple[int, int]) -> Row:
    named = {name.replace("_", " "): value for name, value in counts.items()}
    return Row("set", "full", "minibwa", calls, 0, {"SNP": f1}, named)


def test_missed_goals_are_named_with_their_figures() -> None:
    joint = row(JOINT, 0.8, agrees_with_direct_SNP=(995, 1000), inherited_SNP=(9, 10))
    groups = grouped([joint, row(SINGLE, 0.9), row(PLAIN, 0.9), row(DIRECT, 0.7, inherited_SNP=(8, 10))])
    assert goal_lines(goals(groups)) == [
        "3 of 4 goals hold",
        "missed: set, full, minibwa: F1 of SNP, joint >= single: 0.8000, goal 0.9000",
    ]
    assert counts_table(groups)[1] == [
        *("set", "full", "minibwa", JOINT, "agrees with direct"),
        *("99.50 % (995 of 1000)", "100.00 % (0 of 0)"),
    ]


def test_what_was_measured_is_kept_and_its_goals_decide_the_exit_code(tmp_path: Path) -> None:
    rows = [row(JOINT, 0.8), row(SINGLE, 0.9), row(PLAIN, 0.9)]
    first, second = tmp_path / "first", tmp_path / "second"
    assert list(kept(rows, first)) == rows
    ended = CliRunner().invoke(main, ["--tables", str(first)])
    missed = "missed: set, full, minibwa: F1 of SNP, joint >= single: 0.8000, goal 0.9000\n"
    assert (ended.exit_code, ended.output.endswith(f"1 of 2 goals hold\n{missed}")) == (1, True)
    assert list(kept([row(JOINT, 0.95)], second))  # measured again
    ended = CliRunner().invoke(main, ["--tables", str(first), "--tables", str(second)])
    assert (ended.exit_code, ended.output.endswith("\n2 of 2 goals hold\n")) == (0, True)
    assert "0.9500\n" in ended.output.replace("  -", "").replace(" ", "")  # of one seed, not a range


SNP, INDEL, LOW = Atom("c", 5, "A", "C"), Atom("c", 9, "AT", "A"), Atom("c", 20, "A", "G")


def test_genotypes_are_compared_where_either_is_confident() -> None:
    one = Genotyped(list(TRIO), {SNP: [1, 0, 1], LOW: [1, 1, 1]}, {SNP})
    other = Genotyped(list(TRIO), {SNP: [1, 0, 2], INDEL: [0, UNCALLED, 1]}, {SNP, INDEL})
    assert agreement(one, other) == {"SNP": (2, 3), "INDEL": (1, 3)}
    assert mendelian(other, TRIO) == {"SNP": (0, 1), "INDEL": (0, 1)}
    assert mendelian(one, TRIO) == {"SNP": (1, 1), "INDEL": (0, 0)}


@pytest.mark.skipif(not DATA.is_dir(), reason="SKIPPED: the scorer lies beside the real data")
def test_indels_are_compared_wherever_a_repeat_has_them(tmp_path: Path) -> None:
    vcf = tmp_path / "calls.vcf"
    header = "##fileformat=VCFv4.2\n##contig=<ID=c,length=12>\n##FORMAT=<ID=GT,Number=1,Type=String,Description=G>\n"
    columns = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\tT\n"
    vcf.write_text(f"{header}{columns}c\t6\t.\tTTG\tTG,*\t30\tLowDepth\t.\tGT\t1/1\t1/2\n")
    with pysam.VariantFile(str(vcf)) as file:
        assert list(file.header.samples) == ["S", "T"]
    read = read_genotypes(vcf, ["T", "S"], {"c": "GACATTTGCATG"})
    assert read.copies == {Atom("c", 4, "AT", "A"): [1, 2]}
    assert read.confident == set(read.copies)
