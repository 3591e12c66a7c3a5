"""`manifest validate --check-files` over the FASTQ files of the corpus: it refuses what the alignment step refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.runs.fastq_checks import Reading, file_problems
from genomics_pipeline.stores.local import LocalStore
from tests.corpus.test_fastq import FASTQ, GENERATED, case_names, reads, write_case

# Found behind the first thousand records.
LATE = {"interleaved_across_batches", "phred64_behind_bad_reads"}
# Reported otherwise: gzip by Python's library, and both files' records before they are compared.
WHOLE = "expected a whole gzip file"
OTHERWISE = {
    "damaged_content": f"damaged_content_R1.fastq.gz: {WHOLE}: Error -3 while decompressing data: incorrect data check",
    "damaged_gzip": f"damaged_gzip_R1.fastq.gz: {WHOLE}: Error -3 while decompressing data: invalid block type",
    "r1_short": "r1_short_R2.fastq: record 2: expected the end of the file, as in the mates' file, found r2",
    "r2_truncated_record": "r2_truncated_record_R2.fastq: record 2: expected 4 lines, found 2: the file is truncated",
    **{
        name: f"{name}_R{mate}.fastq.gz: {WHOLE}: Compressed file ended before the end-of-stream marker was reached"
        for name, mate in (("r2_truncated_gzip", 2), ("truncated_gzip", 1))
    },
}


def problems(*files: Path, reading: Reading | None = None) -> list[str]:
    first, second = (*map(str, files), None)[:2]
    assert first is not None
    samples = [Sample("a", "a", "NA", 0, (Lane("L001", first, second),))]
    found = file_problems(samples, LocalStore(), reading)
    return [str(one).replace(f"{files[0].parent}/", "").replace("sample a, lane L001: ", "") for one in found]


@pytest.mark.parametrize("name", sorted([*case_names(), *GENERATED]))
def test_the_check_and_the_step_agree(name: str, tmp_path: Path) -> None:
    message = (FASTQ / f"{name}.expected").read_text("utf-8").removeprefix("error: ").strip()
    message = message.replace("set read_layout", "set alignment.read_layout").replace(
        "set quality", "set alignment.quality"
    )
    expected = [] if name in LATE else [OTHERWISE.get(name, message)]
    assert problems(*write_case(name, tmp_path)) == expected


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("make", "reading"),
    [
        (lambda: GENERATED["phred64"]()[0], Reading(encoding="phred33")),
        (lambda: GENERATED["phred64"]()[0], Reading(encoding="phred64")),
        (lambda: (FASTQ / "second_reads_alone.fastq").read_bytes(), Reading(layout="single")),
        (lambda: (FASTQ / "interleaved_after_single.fastq").read_bytes(), Reading(layout="single")),
        (lambda: reads(20, "~" * 20), Reading()),
        (lambda: reads(20, "MNOPQRSTU" * 2 + "UU"), Reading()),
        (lambda: reads(1500, "h" * 20) + reads(1, "#" * 20), Reading()),
    ],
)
def test_parameters_override_guesses(make: Callable[[], bytes], reading: Reading, tmp_path: Path) -> None:
    assert problems(write(tmp_path / "a.fastq", make()), reading=reading) == []


def test_qualities_below_those_of_phred64_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.fastq", reads(2, "h" * 20) + reads(1, "h" * 19 + ":"))
    expected = "a.fastq: record 3: expected Phred+64 qualities (';' and above), found ':'"
    assert problems(file, reading=Reading(encoding="phred64")) == [
        f"{expected}; set alignment.quality_encoding=phred33"
    ]


def test_interleaved_pairs_are_recognised(tmp_path: Path) -> None:
    records = reads(2000).splitlines(keepends=True)
    pairs = [b"".join(records[place : place + 4]) * 2 for place in range(0, len(records), 4)]
    file = write(tmp_path / "a.fastq", b"@r0/1\nACGT\n+\nIIII\n@r0/2\nTTTT\n+\nIIII\n" + b"".join(pairs))
    assert problems(file) == []
