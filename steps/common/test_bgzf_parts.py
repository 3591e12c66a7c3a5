"""BGZF files as htslib reads them."""

from __future__ import annotations

import gzip
import random
import subprocess
from pathlib import Path

import pysam
import pytest

from common.bgzf_parts import BLOCK_BYTES, END, bgzf_writer, join, open_bgzf

RANDOM = "".join(map(chr, random.Random(1).choices(range(128), k=3 * BLOCK_BYTES + 5)))  # cannot be made much smaller


@pytest.mark.parametrize(
    "texts",
    [[], ["a"], ["é" * BLOCK_BYTES], ["x" * (BLOCK_BYTES - 1), "y", "z"], [RANDOM[:9], RANDOM], ["", "ab\n"] * 9],
    ids=["empty", "one byte", "borders within a letter", "a full block", "random", "small"],
)
def test_a_file_has_its_text(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "x.gz"
    with bgzf_writer(path) as write:
        for text in texts:
            write(text)
    content = "".join(texts).encode()
    assert gzip.decompress(path.read_bytes()) == content
    assert path.read_bytes().endswith(END)
    with open_bgzf(str(path)) as file:
        assert file.read(len(content) + 1) == content


@pytest.mark.parametrize(("name", "error"), [("missing", FileNotFoundError), (".", IsADirectoryError)])
def test_a_file_that_cannot_be_opened_is_an_error(tmp_path: Path, name: str, error: type[OSError]) -> None:
    with pytest.raises(error):
        open_bgzf(str(tmp_path / name))


def test_a_pipe_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    with bgzf_writer(path) as write:
        write(RANDOM)
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        with open_bgzf(f"/dev/fd/{writer.stdout.fileno()}") as file:
            assert file.read(len(RANDOM) + 1) == RANDOM.encode()


def test_joined_parts_are_found_by_their_index(tmp_path: Path) -> None:
    parts = [tmp_path / f"{number}.gz" for number in range(3)]
    for number, part in enumerate(parts):
        with bgzf_writer(part) as write:
            for pos in range(number * 1000 + 1, number * 1000 + 1001 if number != 1 else 0):
                write(f"c\t{pos}\t.\tA\tC\t.\t.\t{RANDOM[pos : pos + 300].encode().hex()}\n")
    join("##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n", parts, tmp_path / "x.vcf.gz", False)
    with pysam.TabixFile(str(tmp_path / "x.vcf.gz")) as file:
        assert [line.split("\t")[1] for line in file.fetch("c", 998, 2002)] == ["999", "1000", "2001", "2002"]
