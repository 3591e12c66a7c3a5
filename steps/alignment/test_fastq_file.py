"""FASTQ files in memory that does not grow with them."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
import fastq_file
from common.program import BadInput
from fastq_file import FastqFile
from inflate import PIECE_BYTES, Damaged, inflate

# The step's process leaves its files open until its end.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
# Lines of FASTQ have any lengths here; only their number counts.
texts = st.lists(st.binary(max_size=12).map(lambda line: line.replace(b"\n", b"")), min_size=4, max_size=60).map(
    lambda lines: b"".join(line + b"\n" for line in lines)
)


@settings(max_examples=100)
@given(text=texts, zipped=st.booleans(), ended=st.booleans(), sizes=st.lists(st.integers(1, 4), min_size=1, max_size=5))
def test_records_are_taken_in_order_whatever_is_read_ahead(
    text: bytes, zipped: bool, ended: bool, sizes: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = text if ended else text[:-1] or b"x"
    path = tmp_path_factory.getbasetemp() / "records.fastq"
    path.write_bytes(gzip.compress(text, 1) if zipped else b"\n" + text)
    expected = (text if zipped else b"\n" + text).split(b"\n")
    file = FastqFile(str(path))
    taken = b""
    while True:
        size = sizes[file.lines % len(sizes)]
        ahead = file.available(size, 10)
        assert 1 <= ahead <= size
        before = file.lines
        piece = file.take(ahead)
        if not piece:
            break
        assert file.lines - before == min(4 * ahead, piece.count(b"\n") + (not piece.endswith(b"\n")))
        taken += piece
    assert taken.split(b"\n") == expected


@pytest.mark.parametrize("zipped", [False, True])
def test_long_records_come_in_smaller_numbers(zipped: bool, tmp_path: Path) -> None:
    record = b"@r\n" + b"A" * 1000 + b"\n+\n" + b"I" * 1000 + b"\n"
    path = tmp_path / "long.fastq"
    path.write_bytes(gzip.compress(record * 5000) if zipped else record * 5000)
    file = FastqFile(str(path))
    counts = []
    while text := file.take(file.available(1000, 200_000)):
        counts.append(len(text) // len(record))
    assert sum(counts) == 5000
    assert max(counts) <= 600  # the size that was asked for, and a piece of the file


class TestLongLines:
    @pytest.fixture(autouse=True)
    def limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fastq_file, "BUFFER_BYTES", 1 << 14)

    @pytest.mark.parametrize("excess", [0, 1])
    @pytest.mark.parametrize("place", range(4))
    def test_a_line_has_a_limit(self, place: int, excess: int, tmp_path: Path) -> None:
        lines = [b"@r2", b"A", b"+", b"I"]
        lines[place] = b"@" * ((1 << 20) + excess)
        path = tmp_path / "long.fastq"
        path.write_bytes(b"@r1\nA\n+\nI\n" + b"\n".join([*lines, b""]))
        file = FastqFile(str(path))
        if not excess:
            assert len(file.take(2)) == path.stat().st_size
            return
        with pytest.raises(BadInput, match=f"record 2: expected lines of at most 1 MiB .*, found one: '{'@' * 40}'"):
            file.take(2)

    def test_a_bomb_ends_after_the_first_pieces(self, tmp_path: Path) -> None:
        path = tmp_path / "bomb.fastq.gz"
        zeros = gzip.compress(bytes(50 << 20))
        path.write_bytes(zeros * 20)  # a gigabyte
        file = FastqFile(str(path))
        with pytest.raises(BadInput, match="record 1: expected lines of at most 1 MiB"):
            file.take(1000)
        assert sum(map(len, file._parts)) <= 2 << 20


def test_a_piece_is_small_however_much_a_chunk_holds(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    content = bytes(30 << 20)
    path.write_bytes(gzip.compress(content))
    with path.open("rb") as file:
        sizes = [len(piece) for piece in inflate(file)]
    assert sum(sizes) == len(content)
    assert max(sizes) <= PIECE_BYTES


def test_what_comes_before_damage_within_a_chunk_of_many_pieces(tmp_path: Path) -> None:
    content = bytes(range(256)) * (40 << 12)
    data = bytearray(gzip.compress(content))
    data[-4] ^= 1  # of the length
    path = tmp_path / "damaged.gz"
    path.write_bytes(data)
    pieces: list[bytes] = []
    with path.open("rb") as file:
        reader = inflate(file)
        with pytest.raises(Damaged, match="incorrect length check"):
            pieces.extend(reader)
    assert b"".join(pieces) == content
