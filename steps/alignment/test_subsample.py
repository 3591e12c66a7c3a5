"""A fraction of the reads: the same ones whatever holds them, with their mates, and nothing damaged passed over."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

import pysam
import pytest
from test_support import Align, Pair, fastq, lane, pairs

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
from common.program import BadInput
from fastq_file import FastqFile
from subsample import Subsample, subsample

FRACTION = 0.3


def taken(reads: list[Pair], fraction: float = FRACTION) -> set[str]:
    """Return the names that the documented rule takes."""
    limit = fraction * 2**64
    return {name for name, *_ in reads if int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big") < limit}


def test_pieces_may_end_anywhere() -> None:
    text = b"".join(b"@r%d/1 comment\r\nACGT\r\n+\r\nFFFF\r\n" % number for number in range(400)).rstrip()
    whole = b"".join(subsample(iter([text]), FRACTION))
    assert whole.count(b"@") == len(taken([(f"r{number}", "", "") for number in range(400)]))
    rng = random.Random(3)
    for _ in range(20):
        ends = [0, *sorted(rng.choices(range(len(text)), k=30)), len(text)]
        pieces = (text[start:end] for start, end in pairwise(ends))
        assert b"".join(subsample(pieces, FRACTION)) == whole


def test_the_fraction_is_right_and_smaller_ones_are_within_larger_ones() -> None:
    reads = [(f"A00:1:FLOW:1:{number // 500}:{number % 500}", "", "") for number in range(20_000)]
    small, large = taken(reads, 0.01), taken(reads, 0.1)
    text = "".join(f"@{name}\nA\n+\nF\n" for name, *_ in reads).encode()
    lines = b"".join(subsample(iter([text]), 0.1)).decode().split("\n")
    assert {name[1:] for name in lines[::4] if name} == large > small
    assert len(small) == pytest.approx(200, rel=0.25)
    assert len(large) == pytest.approx(2000, rel=0.1)


def test_what_reads_left_out_took_is_all_choosing_and_their_share_of_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece takes 10 s to read and, by the clock that is asked twice for it, one to choose from."""
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 0.5
        return now

    def pieces() -> Iterator[bytes]:
        nonlocal now
        for number in range(300):
            now += 9.5
            yield b"@r%d\nACGT\n+\nFFFF\n" % number

    monkeypatch.setattr("subsample.thread_time", clock)
    chosen = Subsample(pieces(), FRACTION)
    taken_reads = sum(1 for _ in chosen)
    assert 60 < taken_reads < 120
    reading_s, choosing_s = 301 * 10 - 9.5, (301 + taken_reads + 1) * 0.5
    assert chosen.left_out_s == pytest.approx((1 - FRACTION) * reading_s + choosing_s)


@pytest.mark.parametrize("vcpus", [1, 2])
def test_a_pilot_says_what_reads_left_out_took(
    sequences: dict[str, str], tmp_path: Path, align: Align, vcpus: int
) -> None:
    both = lane(tmp_path, "L001", pairs(sequences, 2000, seed=4))
    pilot = align([both], vcpus=vcpus, subsample=0.05).bam.with_name("left-out.txt")
    assert 0 < float(pilot.read_text()) < 5
    assert not align([both], vcpus=vcpus).bam.with_name("left-out.txt").exists()


def test_every_kind_of_file_gives_the_same_reads(sequences: dict[str, str], tmp_path: Path, align: Align) -> None:
    reads = pairs(sequences, 700, seed=4)
    expected = taken(reads)
    two = align([lane(tmp_path, "L001", reads)], subsample=FRACTION)
    mates = [(f"{name}/{number}", bases) for name, *both in reads for number, bases in enumerate(both, 1)]
    one = {"lane": "L001", "fastq_1": str(fastq(tmp_path / "both.fastq", mates)), "fastq_2": None}
    reverse = align([lane(tmp_path, "L002", reads[::-1])], vcpus=1, subsample=FRACTION)
    whole = align([lane(tmp_path, "L003", reads)])
    outcomes = [two, align([one], subsample=FRACTION), reverse]
    outcomes.append(align([{"lane": "L001", "bam": str(whole.bam)}], subsample=FRACTION))
    for outcome in outcomes:
        assert outcome.code == 0, outcome.error
        assert {record.query_name for record in outcome.records()} == expected
        assert (outcome.metrics["reads"], outcome.metrics["subsample"]) == (2 * len(expected), FRACTION)
    assert "subsample" not in whole.metrics
    with pysam.AlignmentFile(str(two.bam)) as file:
        assert f"--param subsample={FRACTION}" in file.header.to_dict()["PG"][0]["CL"]


def test_the_reads_are_those_of_a_file_of_them(sequences: dict[str, str], tmp_path: Path, align: Align) -> None:
    """Compare with a file of the taken reads: batches and fragment sizes are those of the subsample."""
    reads = pairs(sequences, 1500, seed=5)
    chosen = [read for read in reads if read[0] in taken(reads)]
    (tmp_path / "chosen").mkdir()
    alone = align([lane(tmp_path / "chosen", "L001", chosen)])
    assert align([lane(tmp_path, "L001", reads)], subsample=FRACTION).lines() == alone.lines()


def test_damage_between_the_reads_taken_is_left_to_be_refused() -> None:
    records = {f"r{number}": f"@r{number}\nACGT\n+\nFFFF\n" for number in range(200)}
    other = next(name for name in records if name not in taken([(name, "", "")]))
    for damaged in (f"{other}\nACGT\n+\nFFFF\n", f"@{other}\nACGT\nFFFF\n"):
        text = "".join({**records, other: damaged}.values()).encode()
        assert damaged.encode() in b"".join(subsample(iter([text]), FRACTION))


def test_mates_out_of_step_are_refused(sequences: dict[str, str], tmp_path: Path, align: Align) -> None:
    reads = pairs(sequences, 200, seed=6)
    both = lane(tmp_path, "L001", reads)
    one, other = [place for place, read in enumerate(reads) if taken([read])][20:22]
    swapped = [*reads]
    swapped[one], swapped[other] = reads[other], reads[one]
    both["fastq_2"] = lane(tmp_path, "L002", swapped)["fastq_2"]
    outcome = align([both], subsample=FRACTION)
    problem = f"record 21: expected the mate of {reads[one][0]}, found {reads[other][0]}"
    note = "(records are counted within the subsample of 0.3)"
    assert (outcome.code, outcome.error) == (65, f"error: {both['fastq_2']}: {problem} {note}")


def test_no_read_is_taken(sequences: dict[str, str], tmp_path: Path, align: Align) -> None:
    reads = [read for read in pairs(sequences, 60, seed=7) if not taken([read], 0.1)]
    both = lane(tmp_path, "L001", reads)
    message = "expected reads in the subsample of 0.1, found none of this file; set a larger fraction"
    outcome = align([both], subsample=0.1)
    assert (outcome.code, outcome.error) == (65, f"error: {both['fastq_1']}: {message}")
    whole = align([both])
    outcome = align([{"lane": "L001", "bam": str(whole.bam)}], subsample=0.1)
    assert (outcome.code, outcome.error.splitlines()[-1]) == (65, f"error: {whole.bam}: {message}")


@pytest.mark.parametrize("end", [b"", b"\n+\n"])
def test_lines_that_are_too_long_are_refused_in_bounded_memory(end: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"@r\n"
        yield b"A" * (1 << 20)
        yield b"A" + end
        raise AssertionError("read on")

    file = FastqFile("a.fq", pieces(), FRACTION)
    with pytest.raises(BadInput, match="record 1: expected lines of at most 1 MiB"):
        file.available(1, 1 << 20)
