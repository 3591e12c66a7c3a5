"""The program that joins shards: which it refuses, and the bytes that it writes."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pysam
import pytest

from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.worker.step_function import load_handle

HEADER = "##fileformat=VCFv4.2\n##contig=<ID=1>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


class Gathered:
    """Shards of one record each, in files of a folder."""

    def __init__(self, folder: Path, numbers: list[int], shards: int, of_records: int | None) -> None:
        self._folder = folder
        self._found = [self._shard(number, shards, of_records) for number in numbers]

    def _shard(self, number: int, shards: int, of_records: int | None) -> Any:
        path = self._folder / f"{number}.vcf.gz"
        with pysam.BGZFile(str(path), "wb", index=None) as out:
            out.write(HEADER.encode())
            out.flush()
            begin = out.tell() >> 16
            out.write(f"1\t{number}\t.\tA\tC\t.\t.\t.\n".encode())
        places = {"shard": number, "shards": shards, "of_records": of_records, "records": 1, "records_at": begin}
        value = {**places, "csi": False, "counts": {"variants": 1, "consequences": {"missense": number}}}
        return SimpleNamespace(value=value, files={"vcf": str(path)})

    def results(self) -> Any:
        return iter(self._found)

    def file(self, uri: str) -> Any:
        data = Path(uri).read_bytes()
        return SimpleNamespace(size_bytes=len(data), read=lambda start, size: data[start : start + size])

    def output(self, name: str) -> str:
        return str(self._folder / {"vcf": "joined.vcf.gz", "metrics": "counts.json"}[name])


def test_shards_are_joined_in_their_order(tmp_path: Path) -> None:
    found = load_handle(load_step("join_vcf"))(Gathered(tmp_path, [3, 1, 2], 3, 3))
    assert (found["shards"], found["records"], found["variants"]) == (3, 3, 3)
    text = gzip.decompress((tmp_path / "joined.vcf.gz").read_bytes()).decode()
    assert text == HEADER + "".join(f"1\t{number}\t.\tA\tC\t.\t.\t.\n" for number in (1, 2, 3))
    assert json.loads((tmp_path / "counts.json").read_text()) == {"variants": 3, "consequences": {"missense": 6}}
    assert (tmp_path / "joined.vcf.gz.tbi").is_file()


@pytest.mark.parametrize(
    ("numbers", "shards", "of_records", "message"),
    [
        ([1, 3], 3, 3, r"expected each of 3 shards once, found \[1, 3\]"),
        ([1, 2, 2], 3, 3, r"expected each of 3 shards once, found \[1, 2, 2\]"),
        ([1, 2], 2, 3, "expected 3 records, as the index of the VCF counts them, found 2"),
    ],
)
def test_lost_or_repeated_records_are_refused(
    tmp_path: Path, numbers: list[int], shards: int, of_records: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        load_handle(load_step("join_vcf"))(Gathered(tmp_path, numbers, shards, of_records))
    assert not (tmp_path / "joined.vcf.gz").exists()
