"""The comparison that decides whether outputs are reused, and gives the reasons why not."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from genomics_pipeline.model.provenance import (
    DIGEST,
    Difference,
    DifferenceKind,
    InputVersion,
    Provenance,
    differences,
)

READS = InputVersion("d1", 2, ("/x/a_1.fq 10-1", "/x/a_2.fq 11-2"))
OUTPUT = InputVersion("d2", 1, ("ab" * 32,))
COHORT = InputVersion("d3", 500)
BEFORE = Provenance(
    step="align",
    version="1.0",
    program="p1",
    parameters={"aligner": "bwa", "marked": True, "panel": None},
    files={"regions": "5-1"},
    inputs={"reads": READS, "alignment": OUTPUT, "gvcfs": COHORT},
    members={"sample": "S2", "patient": "P", "sex": None, "lanes": f"{DIGEST}1"},
    publish={"bam": "a/{sample}"},
)


def with_input(name: str, digest: str = "new", **changes: Any) -> dict[str, InputVersion]:
    return {**BEFORE.inputs, name: replace(BEFORE.inputs[name], digest=digest, **changes)}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"step": "map"}, ["the step changed from align to map"]),
        ({"version": "1.1", "program": "p2"}, ["the version of the step changed from 1.0 to 1.1"]),
        ({"program": "p2"}, ["the program of the step changed"]),
        (
            {"parameters": {"aligner": "minibwa", "marked": False, "panel": None}},
            ["parameter `aligner` changed from bwa to minibwa", "parameter `marked` changed from true to false"],
        ),
        ({"parameters": {**BEFORE.parameters, "panel": "/p.bed"}}, ["parameter `panel` changed from none to /p.bed"]),
        ({"parameters": {**BEFORE.parameters, "extra": None}}, ["parameter `extra` is new: none"]),
        ({"parameters": {"aligner": "bwa", "marked": True}}, ["parameter `panel` is gone, it was none"]),
        ({"files": {"regions": "6-1"}}, ["the file of parameter `regions` changed"]),
        (
            {"inputs": with_input("reads", files=("/x/a_1.fq 10-9", READS.files[1]))},
            ["input `reads` changed: /x/a_1.fq"],
        ),
        (
            {"inputs": with_input("reads", files=("/y/a b_1.fq 10-1", READS.files[1]))},
            ["input `reads` is /y/a b_1.fq, not /x/a_1.fq"],
        ),
        ({"inputs": with_input("reads", count=1, files=READS.files[:1])}, ["input `reads` has 1 file, not 2 files"]),
        ({"inputs": with_input("alignment", files=("cd" * 32,))}, ["input `alignment` changed"]),
        ({"inputs": with_input("gvcfs", count=1501)}, ["input `gvcfs` has 1,501 files, not 500 files"]),
        ({"inputs": with_input("gvcfs")}, ["input `gvcfs` changed"]),
        ({"members": {**BEFORE.members, "patient": "Q"}}, ["`patient` in the sample sheet changed from P to Q"]),
        ({"members": {**BEFORE.members, "lanes": f"{DIGEST}2"}}, ["`lanes` in the sample sheet changed"]),
        ({"publish": {"bam": "b"}}, ["the folder of output `bam` changed from a/{sample} to b"]),
    ],
)
def test_each_difference_is_found_and_named(change: dict[str, Any], words: list[str]) -> None:
    assert list(map(str, differences(BEFORE, replace(BEFORE, **change)))) == words


def test_nothing_differs_from_itself_and_every_part_counts() -> None:
    assert differences(BEFORE, replace(BEFORE)) == ()
    other = Provenance("o", "2", "q", {"x": 1}, {"x": "1"}, {"x": OUTPUT}, {"x": 1}, {"x": "f"})
    for part in fields(Provenance):
        changed = replace(BEFORE, **{part.name: getattr(other, part.name)})
        assert differences(BEFORE, changed), part.name
        assert differences(changed, BEFORE), part.name


def test_a_whole_number_is_a_number() -> None:
    one, two = (replace(BEFORE, parameters={"min_qual": value}) for value in (20, 20.0))
    assert differences(one, two) == ()


def test_reasons_that_are_no_difference_in_words() -> None:
    assert str(Difference(DifferenceKind.RECORD)) == "it is not done yet"
    damaged = Difference(DifferenceKind.OUTPUT, now="results/a.bam: expected a file of 5 bytes, found none")
    assert str(damaged) == "an output is missing or damaged: results/a.bam: expected a file of 5 bytes, found none"
