"""BAM and CRAM files that are taken as aligned: the same alignments and figures, from a file or a named pipe."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pysam
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_support import Align, Outcome, lane, pairs

METRICS = {"reads", "mapped", "properly_paired", "duplicates", "median_insert_size_bp", "mean_depth"}


@pytest.fixture
def aligned(align: Align, sequences: dict[str, str], tmp_path: Path) -> Outcome:
    """Align pairs, some of them duplicates, of two read groups."""
    reads = pairs(sequences, 300, seed=6)
    lanes = {"L001": reads, "L002": [(f"{name}:again", *bases) for name, *bases in reads[:40]]}
    return align([lane(tmp_path, name, some) for name, some in lanes.items()])  # type: ignore[arg-type]


def taken(path: Path) -> dict[str, Any]:
    return {"lane": "L001", path.suffix[1:]: str(path), "start": "variant_calling"}


def header(outcome: Outcome) -> dict[str, Any]:
    with pysam.AlignmentFile(str(outcome.bam)) as file:
        return dict(file.header.to_dict())


@pytest.mark.parametrize(("given", "written"), [("bam", "cram"), ("cram", "bam")])
def test_records_figures_and_duplicates_are_those_of_the_file(
    align: Align, aligned: Outcome, tmp_path: Path, given: str, written: str
) -> None:
    path = tmp_path / f"given.{given}"
    options = ["-O", given, "-T", str(aligned.reference), "-o", str(path)]
    pysam.samtools.view(*options, str(aligned.bam), catch_stdout=False)
    outcome = align([taken(path)], format=written)
    assert outcome.code == 0, outcome.error
    assert [one.split("\t")[:11] for one in outcome.lines()] == [one.split("\t")[:11] for one in aligned.lines()]
    assert {name: outcome.metrics[name] for name in METRICS} == {name: aligned.metrics[name] for name in METRICS}
    assert outcome.metrics["duplicates"] == 80
    for ending in ("sorted.flagstat.txt", "sorted.coverage.txt", "mosdepth.global.dist.txt"):
        assert outcome.file(ending) == aligned.file(ending)
    assert not outcome.path("markdup.json").exists()
    assert Path(f"{outcome.bam}.{'crai' if written == 'cram' else 'bai'}").is_file()


@pytest.mark.parametrize(("written", "samtools"), [("bam", []), ("cram", ["view"])])
def test_the_header_says_what_the_file_said_and_what_was_done(
    align: Align, aligned: Outcome, written: str, samtools: list[str]
) -> None:
    before, after = header(aligned), header(align([taken(aligned.bam)], format=written))
    assert after["HD"] == {"VN": "1.6", "SO": "coordinate"}
    assert (after["SQ"], after["RG"]) == (before["SQ"], before["RG"])
    assert after["PG"][: len(before["PG"])] == before["PG"]
    step, *commands = after["PG"][len(before["PG"]) :]
    assert (step["ID"], step["PP"]) == ("genomics-pipeline-alignment.1", before["PG"][-1]["ID"])
    assert [(one["PP"], one["CL"].split()[:2]) for one in commands] == [
        (step["ID"], ["samtools", name]) for name in samtools
    ]
    assert len({one["ID"] for one in after["PG"]}) == len(after["PG"])


def test_a_named_pipe_is_read_once(align: Align, aligned: Outcome, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.bam"
    os.mkfifo(pipe)
    writer = Thread(target=lambda: pipe.write_bytes(aligned.bam.read_bytes()))
    writer.start()
    outcome = align([taken(pipe)])
    writer.join()
    assert outcome.code == 0, outcome.error
    assert outcome.lines() == aligned.lines()


def test_unmarked_duplicates_are_reported(align: Align, aligned: Outcome, tmp_path: Path) -> None:
    path = tmp_path / "unmarked.bam"
    with (
        pysam.AlignmentFile(str(aligned.bam)) as file,
        pysam.AlignmentFile(str(path), "wb", header={**file.header.to_dict(), "HD": {"VN": "1.6"}}) as out,
    ):
        for record in file:
            record.is_duplicate = False
            out.write(record)
    outcome = align([taken(path)])
    assert outcome.code == 0, outcome.error
    assert "note: unmarked.bam: none of its reads is marked as a duplicate" in outcome.error
    assert "note: " not in align([taken(aligned.bam)]).error
    assert "note: " not in align([taken(path)], mark_duplicates=False).error


def test_primers_cannot_be_clipped_from_it(align: Align, aligned: Outcome, tmp_path: Path) -> None:
    (tmp_path / "primers.bed").write_text("chr1\t100\t120\n")
    outcome = align([taken(aligned.bam)], primers=str(tmp_path / "primers.bed"))
    assert outcome.code == 65
    assert "expected reads to align where the parameter primers is set, found a file that is taken as" in outcome.error


@pytest.mark.parametrize("kind", ["bam", "cram"])
def test_a_named_pipe_that_lacks_its_end_is_refused(align: Align, aligned: Outcome, tmp_path: Path, kind: str) -> None:
    path, pipe = tmp_path / f"given.{kind}", tmp_path / f"pipe.{kind}"
    options = ["-O", kind, "-T", str(aligned.reference), "-o", str(path)]
    pysam.samtools.view(*options, str(aligned.bam), catch_stdout=False)
    os.mkfifo(pipe)
    end = {"bam": 28, "cram": 38}[kind]
    writer = Thread(target=lambda: pipe.write_bytes(path.read_bytes()[:-end]))
    writer.start()
    outcome = align([taken(pipe)])
    writer.join()
    expected = f"{pipe}: expected a whole {kind.upper()} file, found no last block (EOF): it is cut off"
    assert (outcome.code, f"error: {expected}" in outcome.error) == (65, True)
