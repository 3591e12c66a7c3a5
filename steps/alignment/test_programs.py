"""The header and the log: what they say of the programs that made the alignments."""

from __future__ import annotations

import json
import sys
from hashlib import md5
from importlib.metadata import version
from pathlib import Path

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from output import view_commands
from programs import wheel_version
from test_support import Align, lane, pairs

LANES = ("L001", "L002")
FILES = [[f"{name}_R{mate}.fastq.gz" for mate in (1, 2)] for name in LANES]
STEP = "genomics-pipeline-alignment"


@pytest.mark.parametrize(
    ("aligner", "words", "samtools"),
    [
        ("bwa", "bwa mem -Y", ["fixmate", "sort", "markdup"]),
        ("minibwa", "minibwa map", ["sort", "markdup"]),
    ],
)
def test_each_program_has_a_line_that_names_the_one_before(
    align: Align, sequences: dict[str, str], tmp_path: Path, aligner: str, words: str, samtools: list[str]
) -> None:
    lanes = [lane(tmp_path, name, pairs(sequences, 50, int(name[-1]), f"A00:1:FLOW:{name[-1]}:1:1")) for name in LANES]
    outcome = align(lanes, aligner=aligner)
    assert outcome.code == 0, outcome.error
    with pysam.AlignmentFile(str(outcome.bam)) as file:
        header, text = file.header.to_dict(), str(file.header)
    first, *tools = header["PG"]
    assert (first["ID"], "PP" in first, first["VN"]) == (STEP, False, "1")
    assert first["CL"].startswith(f"genomics-pipeline step alignment {' '.join([*FILES[0], *FILES[1]])} --reference ")
    assert [line["PP"] for line in tools] == [line["ID"] for line in header["PG"][:-1]]
    assert len({line["ID"] for line in tools}) == len(tools)
    assert [line["CL"] for line in tools[:2]] == [f"{words} reference.fa {' '.join(files)}" for files in FILES]
    assert [line["CL"].split()[:2] for line in tools[2:]] == [["samtools", name] for name in samtools]
    assert f"{tmp_path}" not in text
    assert {row["SN"]: row["M5"] for row in header["SQ"]} == {
        name: md5(bases.encode()).hexdigest() for name, bases in sequences.items()
    }
    versions = json.loads((outcome.bam.parent / "versions.json").read_text())
    assert {line["PN"]: line["VN"] for line in tools}.items() <= versions.items()
    printed = outcome.error.splitlines()
    assert printed[: len(tools)] == [f"$ {line['CL']}" for line in tools]
    assert printed[len(tools)].startswith("samtools markdup: ")  # it warns of reads without duplicates


def test_threads_and_memory_are_not_shown(align: Align, sequences: dict[str, str], tmp_path: Path) -> None:
    lanes = [lane(tmp_path, "L001", pairs(sequences, 50, 2))]
    for kind in ("bam", "cram"):
        one, three = (align(lanes, vcpus=vcpus, format=kind) for vcpus in (1, 3))
        assert one.bam.read_bytes() == three.bam.read_bytes()


def test_samtools_writes_cram_with_one_thread(reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where `view_commands` enters the scratch folder
    task = {"vcpus": 3, "inputs": {"reference": str(reference)}, "parameters": {"format": "cram"}}
    task |= {"outputs": {"alignment": str(tmp_path / "s1.md.cram")}, "scratch": str(tmp_path)}
    (command,) = view_commands(task, None)
    assert ("cram,version=3.0" in command, "-@" in command) == (True, False)


@pytest.mark.parametrize("package", ["minibwa", "pybwa", "cutadapt"])
def test_versions_are_those_of_the_wheels(package: str) -> None:
    assert wheel_version(package) == version(package)
