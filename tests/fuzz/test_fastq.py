"""Damaged FASTQ files: the alignment step refuses each with its file and record, or aligns exactly its reads."""

from __future__ import annotations

import gzip
import re
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.fastq_checks import file_problems
from genomics_pipeline.stores.local import LocalStore
from tests.fuzz.harness import batches, for_each_input
from tests.fuzz.mutations import HOSTILE, damage_bytes

sys.path[:0] = [str(Path(__file__).parents[2] / "steps" / name) for name in ("alignment", "")]
from aligner import BatchAligner  # noqa: E402
from bwa_aligner import BwaAligner  # noqa: E402
from common.program import BadInput  # noqa: E402
from lanes import open_lanes  # noqa: E402
from read_fields import ReadFields  # noqa: E402

# The step's process reads its files to their end, and leaves them open until its own.
pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")]
WORDS = (
    *HOSTILE,
    b"@",
    b"+",
    b"\n+\n",
    b"@r1/1\nACGT\n+\nIIII\n",
    b"N" * 300,
    b"ACGT\n",
    b"@@@",
    b"hhhh",
    b" 2:N:0:AC",
)
SEQUENCE = "".join(Random(1).choices("ACGT", k=3000))


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> str:
    fasta = tmp_path_factory.mktemp("reference") / "tiny.fa"
    fasta.write_text(f">chr1\n{SEQUENCE}\n")
    return str(prepare(str(fasta), ["fai", "bwa"], LocalStore(), fasta.parent / "cache"))


def reads(random: Random, mate: int, count: int) -> bytes:
    """Return reads of one file of mates, which begin the same for both files."""
    records = []
    for number in range(count):
        start = 150 * number % 2000 + 200 * (mate - 1)
        length = random.randint(30, 100)
        qualities = "".join(random.choices("#,:FI", k=length))
        records.append(f"@r{number}/{mate}\n{SEQUENCE[start : start + length]}\n+\n{qualities}\n")
    return "".join(records).encode()


@pytest.mark.parametrize("numbers", batches(2500, 500))
def test_fastq(numbers: range, reference: str, tmp_path: Path) -> None:
    ends = Counter[bool]()

    def check(random: Random) -> None:
        texts = [reads(random, mate, 12) for mate in range(1, random.randint(1, 2) + 1)]
        which = random.randrange(len(texts))
        texts[which] = damage_bytes(texts[which], random, WORDS)
        stored = list(texts)
        if random.random() < 0.3:
            stored[which] = gzip.compress(texts[which], 1, mtime=0)
            if random.random() < 0.5:
                stored[which] = damage_bytes(stored[which], random)
        files = [tmp_path / f"reads_R{number}.fastq" for number in range(1, len(texts) + 1)]
        for file, data in zip(files, stored, strict=True):
            file.write_bytes(data)
        counted = align(files, reference)
        ends[isinstance(counted, int)] += 1
        checked = check_files(files)
        assert isinstance(counted, str) or not checked, (checked, counted)
        if isinstance(counted, int):
            assert counted == sum(map(count_records, texts)), texts
        else:
            assert any(str(file) in counted for file in files), counted

    for_each_input("fastq", numbers, check)
    assert min(ends[True], ends[False]) > 0


def check_files(files: list[Path]) -> list[str]:
    """Return what `manifest validate --check-files` refuses, which the step must refuse as well."""
    first, second = [*map(str, files), None][:2]
    assert first is not None
    sample = Sample("a", "a", "NA", 0, (Lane("L001", first, second),))
    return [str(problem) for problem in file_problems([sample], LocalStore())]


def align(files: list[Path], reference: str) -> int | str:
    """Align a sample's files as the step does, and return the number of reads, or the message of a refusal."""
    paths = [*map(str, files), None][:2]
    try:
        lanes = open_lanes("a", [{"lane": "L001", "fastq_1": paths[0], "fastq_2": paths[1]}], "auto")
        aligner = BatchAligner(BwaAligner(reference, lanes, [()]), lanes, ReadFields(lanes))
        return sum(aligner.align(batch).counts.reads for batch in lanes[0].batches(0))
    except BadInput as error:
        return str(error)


def count_records(text: bytes) -> int:
    """Count the records of valid FASTQ, and fail for anything that is not."""
    text = text.replace(b"\r\n", b"\n")
    record = rb"@\S[^\n]*\n([A-Za-z.]*)\n\+[^\n]*\n([!-~]*)(?:\n|$)"
    found = list(re.finditer(record, text))
    assert sum(len(one[0]) for one in found) == len(text)
    assert all(len(one[1]) == len(one[2]) for one in found)
    return len(found)
