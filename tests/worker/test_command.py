"""Arguments of a step's command: one for each file of a list."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.step_file import parse_step
from genomics_pipeline.worker.command import argv
from genomics_pipeline.worker.step_folder import StepFolder

STEP = """
name = "s"
version = "1"
summary = "A step"
command = ["tool", {words}]
[inputs.vcfs]
type = "files"
missing = true
[inputs.reads]
type = "reads"
[inputs.bam]
type = "file"
[outputs.out]
path = "out.txt"
[parameters.panel]
type = "file"
summary = "A file"
"""
LANES = [
    {"lane": "L1", "fastq_1": "1.fq", "fastq_2": "2.fq"},
    {"lane": "L2", "fastq_1": "3.fq", "fastq_2": None},
]
TASK: dict[str, Any] = {
    "inputs": {"vcfs": ["a b.vcf", "$(c).vcf"], "reads": LANES, "bam": "x.bam"},
    "outputs": {"out": "out/out.txt"},
    "parameters": {"panel": None},
    "missing": {"vcfs": ["s1", "s2"]},
    "scratch": "tmp",
    "versions": "versions.json",
    "progress": "progress.txt",
    "left_out": "left-out.txt",
    "vcpus": 2,
    "memory_mib": 100,
}


def words(text: str, **inputs: Any) -> list[str]:
    spec = parse_step(STEP.replace("{words}", text), file="step.toml")
    task = {**TASK, "inputs": {**TASK["inputs"], **inputs}}
    return argv(cast(StepFolder, SimpleNamespace(spec=spec, path=Path("/step"))), task, Path("task.json"))[1:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"{inputs.vcfs}"', ["a b.vcf", "$(c).vcf"]),
        ('"--vcf={inputs.vcfs}"', ["--vcf=a b.vcf", "--vcf=$(c).vcf"]),
        (
            '"-o", "{outputs.out}", "{inputs.vcfs}", "{inputs.bam}"',
            ["-o", "out/out.txt", "a b.vcf", "$(c).vcf", "x.bam"],
        ),
        ('"{inputs.reads}"', ["1.fq", "2.fq", "3.fq"]),
        ('"{inputs.bam}={missing.vcfs}"', ["x.bam=s1", "x.bam=s2"]),
        ('"{vcpus}", "{parameters.panel}", "{versions}"', ["2", "", "versions.json"]),
    ],
)
def test_a_list_is_an_argument_for_each_file(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_an_empty_list_is_no_argument() -> None:
    assert words('"-v", "{inputs.vcfs}"', vcfs=[]) == ["-v"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '"{inputs.vcfs}:{inputs.reads}"',
            "expected at most one list of files in an argument, which is repeated for each, "
            "found '{inputs.vcfs}:{inputs.reads}'",
        ),
        ('"{missing.bam}"', "unknown placeholder {missing.bam}; did you mean 'missing.vcfs'?"),
    ],
)
def test_other_words_are_refused_with_the_step(text: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        words(text)
    assert [problem.message for problem in refused.value.problems] == [message]


def test_only_files_can_be_missing() -> None:
    words = r"expected an input of type \"files\" or \"results\", of which some may be missing, found"
    with pytest.raises(DataError, match=words):
        parse_step(STEP.replace("{words}", '"x"').replace('"file"\n[out', '"file"\nmissing = true\n[out'), file="s")
