"""Bad BAM and CRAM files, each of which must end the alignment step with exactly one message.

The messages are in `alignments/NAME.expected`, those of files that are taken as aligned in `as_aligned/`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random

import pysam
import pytest

from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.stores.local import LocalStore

HERE = Path(__file__).parent
EXPECTED = HERE / "alignments"
AS_ALIGNED = HERE / "as_aligned"
PROGRAM = HERE.parents[1] / "steps" / "alignment" / "alignment.py"
DECLARED = tomllib.loads(PROGRAM.with_name("step.toml").read_text())
CHR = "".join(Random(4).choices("ACGT", k=400))
PAIR, SINGLE = (77, 141), (4,)  # flags of unaligned reads: mates, and a read by itself
GROUP = {"ID": "g", "SM": "s1"}


def bam(
    path: Path,
    reads: int = 4,
    flags: Callable[[int], Sequence[int]] = lambda number: PAIR,
    groups: Sequence[dict[str, str]] = (GROUP,),
    change: Callable[[pysam.AlignedSegment], None] = lambda record: None,
) -> None:
    """Write unaligned reads, and change each record before it is written."""
    rng = Random(2)
    header = {"HD": {"VN": "1.6", "SO": "unsorted"}, "RG": list(groups)}
    with pysam.AlignmentFile(str(path), "wb0", header=header) as file:  # bytes that no version of zlib changes
        for number in range(1, reads + 1):
            for flag in flags(number):
                record = pysam.AlignedSegment(file.header)
                record.query_name, record.flag = f"r{number}", flag
                record.query_sequence = "".join(rng.choices("ACGT", k=100))
                record.query_qualities = pysam.qualitystring_to_array("F" * 100)
                record.set_tag("RG", groups[0]["ID"])
                change(record)
                file.write(record)


def cut(path: Path, part: float) -> None:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])


def truncated(path: Path) -> None:
    bam(path, 3000)
    cut(path, 0.7)


def damaged(path: Path) -> None:
    bam(path, 3000)
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 0xFF
    path.write_bytes(data)


def no_qualities(record: pysam.AlignedSegment) -> None:
    if record.query_name == "r3":
        record.query_qualities = None


def no_bases(record: pysam.AlignedSegment) -> None:
    if record.query_name == "r2":
        record.query_sequence = None


def aligned(path: Path, name: str, bases: str, mode: str = "wb", cigar: str = "100M") -> None:
    """Write a read that is aligned to a sequence of its own."""
    fasta = path.with_name("own.fa")
    fasta.write_text(f">{name}\n{bases}\n")
    header = {"HD": {"VN": "1.6"}, "SQ": [{"SN": name, "LN": len(bases)}], "RG": [GROUP]}
    with pysam.AlignmentFile(str(path), mode, header=header, reference_filename=str(fasta)) as file:
        record = pysam.AlignedSegment(file.header)
        record.query_name, record.flag, record.reference_id, record.reference_start = "r1", 0, 0, 100
        record.query_sequence, record.cigarstring = bases[100:200], cigar
        record.query_qualities = pysam.qualitystring_to_array("F" * 100)
        file.write(record)


def written(path: Path, text: str) -> None:
    path.write_text(text)


def truncated_cram(path: Path) -> None:
    aligned(path, "chr1", CHR, "wc")
    cut(path, 0.9)


CASES: dict[str, Callable[[Path], None]] = {
    "damaged.bam": damaged,
    "empty.bam": lambda path: path.touch(),
    "fastq.bam": lambda path: written(path, "@r1\nACGT\n+\nFFFF\n"),
    "hard_clipped.bam": lambda path: aligned(path, "chr1", CHR, cigar="100M50H"),
    "no_bases.bam": lambda path: bam(path, change=no_bases),
    "no_qualities.bam": lambda path: bam(path, change=no_qualities),
    "no_read_group.bam": lambda path: bam(
        path, groups=(GROUP, {**GROUP, "ID": "h"}), change=lambda record: record.set_tag("RG", None)
    ),
    "no_reads.bam": lambda path: bam(path, 0),
    "other_contigs.cram": lambda path: aligned(path, "chr9", CHR, "wc"),
    "other_sample.bam": lambda path: bam(path, groups=({"ID": "g", "SM": "s2"},)),
    "other_sequence.cram": lambda path: aligned(path, "chr1", CHR[::-1], "wc"),
    "sam.bam": lambda path: written(path, "@HD\tVN:1.6\nr1\t4\t*\t0\t0\t*\t*\t0\t0\tACGT\tFFFF\n"),
    "single_and_pairs.bam": lambda path: bam(path, 1200, lambda number: PAIR if number > 1100 else SINGLE),
    "truncated.bam": truncated,
    "truncated.cram": truncated_cram,
    "two_samples.bam": lambda path: bam(path, groups=(GROUP, {"ID": "h", "SM": "s2"})),
}


def taken(
    path: Path,
    mode: str = "wb0",
    reads: int = 4,
    sequences: Sequence[tuple[str, str]] = (("chr1", CHR), ("chr2", CHR[:300])),
    groups: Sequence[dict[str, str]] = (GROUP,),
    change: Callable[[int, pysam.AlignedSegment], None] = lambda number, record: None,
    **sorting: str,
) -> None:
    """Write aligned reads in their order, and change each record, of a number from 1, before it is written."""
    fasta = path.with_name("given.fa")
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences))
    rows = [{"SN": name, "LN": len(bases)} for name, bases in sequences]
    header = {"HD": {"VN": "1.6", "SO": "coordinate", **sorting}, "SQ": rows, "RG": list(groups)}
    with pysam.AlignmentFile(str(path), mode, header=header, reference_filename=str(fasta)) as file:
        for number in range(1, reads + 1):
            start = number * 150 // reads
            record = pysam.AlignedSegment(file.header)
            record.query_name, record.flag, record.reference_id, record.reference_start = f"r{number}", 0, 0, start
            record.query_sequence, record.cigarstring = sequences[0][1][start : start + 100], "100M"
            record.query_qualities = pysam.qualitystring_to_array("F" * 100)
            record.set_tag("RG", "g")
            change(number, record)
            file.write(record)


def unsorted(number: int, record: pysam.AlignedSegment) -> None:
    if number == 3:
        record.reference_start = 0


def unaligned(number: int, record: pysam.AlignedSegment) -> None:
    record.flag, record.reference_id, record.reference_start, record.cigarstring = 4, -1, -1, None


def cut_between_blocks(path: Path) -> None:
    taken(path)
    path.write_bytes(path.read_bytes()[:-28])


def cut_within_records(path: Path) -> None:
    taken(path, "wc", 3000)
    cut(path, 0.7)


def changed_in_the_middle(path: Path) -> None:
    taken(path, reads=3000)
    data = bytearray(path.read_bytes())
    data[len(data) * 2 // 3] ^= 0xFF
    path.write_bytes(data)


def of_group(name: str | None, first: int = 1) -> Callable[[int, pysam.AlignedSegment], None]:
    return lambda number, record: record.set_tag("RG", name if number >= first else "g")


TAKEN: dict[str, Callable[[Path], None]] = {
    "contig_missing.bam": lambda path: taken(path, sequences=(("chr1", CHR),)),
    "contig_of_another_length.bam": lambda path: taken(path, sequences=(("chr1", CHR), ("chr2", CHR))),
    "contigs_in_another_order.cram": lambda path: taken(path, "wc", sequences=(("chr2", CHR[:300]), ("chr1", CHR))),
    "contigs_of_another_name.bam": lambda path: taken(path, sequences=(("1", CHR), ("2", CHR[:300]))),
    "cut_between_blocks.bam": cut_between_blocks,
    "cut_within_records.cram": cut_within_records,
    "damaged.bam": changed_in_the_middle,
    "no_aligned_read.bam": lambda path: taken(path, change=unaligned),
    "no_read.bam": lambda path: taken(path, reads=0),
    "no_read_group.bam": lambda path: taken(path, groups=()),
    "other_bases.cram": lambda path: taken(path, "wc", sequences=(("chr1", CHR[::-1]), ("chr2", CHR[:300]))),
    "other_sample.bam": lambda path: taken(path, groups=({"ID": "g", "SM": "s2"},)),
    "read_without_group.bam": lambda path: taken(path, change=of_group(None, 3)),
    "late_read_without_group.bam": lambda path: taken(path, reads=12000, change=of_group(None, 11000)),
    "read_of_unknown_group.bam": lambda path: taken(path, change=of_group("h")),
    "sorted_by_name.bam": lambda path: taken(path, SO="queryname"),
    "ubam.bam": lambda path: bam(path),
    "unsorted.bam": lambda path: taken(path, change=unsorted),
}


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fasta = tmp_path_factory.mktemp("reference") / "reference.fa"
    fasta.write_text(f">chr1\n{CHR}\n>chr2\n{CHR[:300]}\n")
    return prepare(str(fasta), ["fai", "bwa", "minibwa"], LocalStore({}), fasta.parent / "cache")


@pytest.mark.parametrize("name", CASES)
def test_bad_file(name: str, reference: Path, tmp_path: Path) -> None:
    CASES[name](tmp_path / name)
    assert ended(tmp_path / name, reference) == (65, (EXPECTED / f"{name}.expected").read_text())


@pytest.mark.parametrize("name", TAKEN)
def test_bad_file_that_is_taken_as_aligned(name: str, reference: Path, tmp_path: Path) -> None:
    TAKEN[name](tmp_path / name)
    end = ended(tmp_path / name, reference, start="variant_calling")
    assert end == (65, (AS_ALIGNED / f"{name}.expected").read_text())


def ended(file: Path, reference: Path, **lane: str) -> tuple[int, str]:
    """Run the step over a file, and return its exit code and its errors without folders."""
    tmp_path, kind = file.parent, file.suffix[1:]
    task = {
        "step": "alignment",
        "version": "1",
        "item": {"sample": "s1"},
        "inputs": {"reads": [{"lane": "L1", kind: str(file), **lane}], "reference": str(reference)},
        "outputs": {output: str(tmp_path / f"out.{output}") for output in DECLARED["outputs"]},
        "parameters": {parameter: one.get("default") for parameter, one in DECLARED["parameters"].items()},
        "vcpus": 1,
        "memory_mib": 500,
        "scratch": str(tmp_path / "scratch"),
        "versions": str(tmp_path / "versions.json"),
    }
    (tmp_path / "scratch").mkdir()
    (tmp_path / "task.json").write_text(json.dumps(task))
    process = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "task.json")], capture_output=True, text=True
    )
    errors = "".join(f"{line}\n" for line in process.stderr.splitlines() if line.startswith("error: "))
    return process.returncode, errors.replace(f"{tmp_path}/", "").replace(f"{reference.parent}/", "")


@pytest.mark.parametrize(("folder", "cases"), [(EXPECTED, CASES), (AS_ALIGNED, TAKEN)])
def test_each_message_has_a_case(folder: Path, cases: Mapping[str, object]) -> None:
    assert {file.name for file in folder.iterdir()} == {f"{name}.expected" for name in cases}
