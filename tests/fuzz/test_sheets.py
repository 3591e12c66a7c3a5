"""Damaged sample sheets: each is refused with a message, or all its cells are in the normalised form."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.harness import batches, for_each_input, run_command, tree
from tests.fuzz.mutations import HOSTILE, damage_bytes

pytestmark = pytest.mark.fuzz
SHEETS = {
    "csv": b"patient,sex,status,sample,lane,fastq_1,fastq_2\n"
    b"p1,XX,0,s1,L001,s1_R1.fastq.gz,s1_R2.fastq.gz\np1,XX,0,s1,L002,s1b_R1.fq,\n"
    b'p2,XY,1,"s2",L001,"reads, of 2.fastq",s3://bucket/s2.fastq\n',
    "tsv": b"sample\tfastq_1\tfastq_2\r\na\ta_1.fastq\ta_2.fastq\r\nb\tb_1.fastq\t\r\n",
    "jsonl": b'{"sample":"a","fastq_1":"a.fastq"}\n{"sample":"b","fastq_1":"b_1.fastq","fastq_2":"b_2.fastq"}\n',
}
WORDS = (*HOSTILE, b"sample", b"fastq_1", b"s1", b"L001", b"XX", b"a,b,c,d\n", b"\n\n", b"{}", b"s1_R1.fastq.gz")


@pytest.mark.parametrize("numbers", batches(3000))
def test_sheets(numbers: range, tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()

    def check(random: Random) -> None:
        ending = random.choice(list(SHEETS))
        data = damage_bytes(SHEETS[ending], random, WORDS)
        sheet = inside / f"sheet.{ending}"
        if random.random() < 0.1:
            sheet = inside / f"sheet.{ending}.gz"
            compressed = gzip.compress(data, 1, mtime=0)
            data = damage_bytes(compressed, random) if random.random() < 0.5 else compressed
        sheet.write_bytes(data)
        before = tree(tmp_path)
        ended = run_command("manifest", "validate", "--normalised", sheet)
        assert tree(tmp_path) == before
        if ended.code == 0 and sheet.suffix != ".gz":
            assert cells_of_output(ended.out) == cells_of_sheet(data.decode("utf-8-sig"), ending)

    for_each_input("sheets", numbers, check)


def cells_of_output(text: str) -> list[tuple[str, str, str]]:
    """Return the sample and the files' names of each lane, sorted."""
    samples = [json.loads(line) for line in text.splitlines()]
    return sorted(
        (sample["sample"], _name(lane["fastq_1"]), _name(lane.get("fastq_2") or ""))
        for sample in samples
        for lane in sample["lanes"]
    )


def cells_of_sheet(text: str, ending: str) -> list[tuple[str, str, str]]:
    """Return the same of a sheet, as the csv module and the json module read it."""
    if ending == "jsonl":
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    else:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if ending == "tsv" else ","))
    columns = ("sample", "fastq_1", "fastq_2")
    cells = [tuple((row.get(column) or "").strip() for column in columns) for row in rows]
    return sorted((sample, _name(first), _name(second)) for sample, first, second in cells if sample or first or second)


def _name(uri: str) -> str:
    return uri.rsplit("/", 1)[-1]
