from __future__ import annotations

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.parameters import ParameterSpec
from genomics_pipeline.model.step import RETRY, InputSpec, OutputSpec, Resources
from genomics_pipeline.model.step_file import parse_step
from genomics_pipeline.runs.catalog import load_step, step_names

MINIMAL = """
name = "count"
version = "1"
summary = "Counts"
command = ["count", "{inputs.reads}", "-o", "{outputs.table}"]
inputs.reads.type = "file"
outputs.table.path = "{sample}.tsv"
"""
ALL = """
name = "count"
version = "2.0.1"
summary = "Counts"
command = ["{python}", "{step_dir}/count.py", "{task}", "--mib={memory_mib}", "-n{parameters.least}", "{scratch}"]

[inputs.alignment]
type = "file"
indexes = ["bai", "crai"]
summary = "Alignments"

[inputs.reference]
type = "reference"
indexes = ["fai"]

[outputs.table]
path = "{sample}.{format}.tsv.gz"
indexes = ["tbi"]
summary = "The counts"

[parameters.least]
type = "integer"
summary = "Least count"
default = 3
minimum = 1
maximum = 9

[parameters.format]
type = "string"
summary = "Form"
default = "long"
choices = ["long", "wide"]

[parameters.panel]
type = "file"
summary = "Where to count; everywhere without"

[resources]
vcpus = 4
memory_mib = [1024, 2048]
disk_gib = 5
timeout_s = 600

[exit_codes]
3 = "bad_input"
65 = "tool_error"
9 = "out_of_disk"

[retry]
timeout = 0
tool_error = 2
"""


def test_a_minimal_step() -> None:
    step = parse_step(MINIMAL, file="step.toml")
    assert (step.name, step.version, step.summary) == ("count", "1", "Counts")
    assert step.inputs == {"reads": InputSpec("reads", "file")}
    assert step.outputs == {"table": OutputSpec("table", "{sample}.tsv")}
    assert step.parameters == {}
    assert step.resources == Resources(vcpus=1, memory_ladder=(2048,), disk_gib=20, timeout_s=86400)
    assert step.retry == {FailureClass.HOST_LOST: 1, FailureClass.TIMEOUT: 1, FailureClass.OUT_OF_DISK: 2}
    assert step.exit_codes == {
        65: FailureClass.BAD_INPUT,
        73: FailureClass.OUT_OF_DISK,
        137: FailureClass.OUT_OF_MEMORY,
    }


def test_a_step_with_every_setting() -> None:
    step = parse_step(ALL, file="step.toml")
    assert step.command[3:] == ("--mib={memory_mib}", "-n{parameters.least}", "{scratch}")
    assert step.inputs["alignment"] == InputSpec("alignment", "file", ("bai", "crai"), summary="Alignments")
    assert step.outputs == {"table": OutputSpec("table", "{sample}.{format}.tsv.gz", ("tbi",), "The counts")}
    assert list(step.parameters.values()) == [
        ParameterSpec("least", "integer", "Least count", 3, minimum=1, maximum=9),
        ParameterSpec("format", "string", "Form", "long", ("long", "wide")),
        ParameterSpec("panel", "file", "Where to count; everywhere without"),
    ]
    assert step.resources == Resources(4, (1024, 2048), 5, 600)
    assert step.resources.memory_mib == 1024
    assert step.retry == RETRY | {FailureClass.TIMEOUT: 0, FailureClass.TOOL_ERROR: 2}
    # The step's own exit codes override the usual ones.
    assert step.exit_codes == {
        3: FailureClass.BAD_INPUT,
        9: FailureClass.OUT_OF_DISK,
        65: FailureClass.TOOL_ERROR,
        73: FailureClass.OUT_OF_DISK,
        137: FailureClass.OUT_OF_MEMORY,
    }


def test_a_parameter_with_another_default_on_aws() -> None:
    text = ALL.replace('default = "long"', 'default = "long"\ndefault_on_aws = "wide"')
    assert parse_step(text, file="step.toml").parameters["format"].default_on_aws == "wide"
    with pytest.raises(DataError, match="default_on_aws: expected one of long, wide, found 'tall'"):
        parse_step(text.replace('aws = "wide"', 'aws = "tall"'), file="step.toml")


def test_an_input_is_streamed_if_the_step_declares_it() -> None:
    assert not parse_step(MINIMAL, file="step.toml").inputs["reads"].stream
    streamed = MINIMAL.replace("inputs.reads.type", "inputs.reads.stream = true\ninputs.reads.type")
    assert parse_step(streamed, file="step.toml").inputs["reads"] == InputSpec("reads", "file", stream=True)


RANGED = "inputs.reads.ranged = true\ninputs.reads.margin_bp = 9\ninputs.reads.indexes = ['tbi']\ninputs.reads.type"


def test_an_input_is_ranged_if_the_step_declares_it() -> None:
    spec = parse_step(MINIMAL.replace("inputs.reads.type", RANGED), file="step.toml").inputs["reads"]
    assert spec == InputSpec("reads", "file", ("tbi",), ranged=True, margin_bp=9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("['tbi']", "['tbi', 'bai']"), "; found tbi, bai"),
        (
            ("inputs.reads.indexes = ['tbi']\n", ""),
            "reads.ranged: expected no indexes but tbi and csi, by which records of regions are found; found none",
        ),
        (
            ("ranged = true", "ranged = false"),
            "inputs.reads.margin_bp: expected ranged = true, since only of a ranged input",
        ),
        (("margin_bp = 9", "margin_bp = -9"), "margin_bp: expected a number >= 0, found -9"),
    ],
)
def test_ranged_inputs_that_cannot_be_are_refused(change: tuple[str, str], message: str) -> None:
    with pytest.raises(DataError) as error:
        parse_step(MINIMAL.replace("inputs.reads.type", RANGED.replace(*change)), file="step.toml")
    assert message in str(error.value)


PANEL = f"""{MINIMAL}
[parameters.panel]
summary = 'Genotypes'
type = 'file'
ranged = true
indexes = ['tbi']
margin_bp = 9
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "['tbi']",
            "['bai']",
            "panel.ranged: expected no indexes but tbi and csi, by which records of regions are found",
        ),
        ("ranged = true", "", "panel.margin_bp: expected ranged = true, since only of a ranged parameter the records"),
        ("'file'", "'string'", "panel.ranged: expected the type \"file\" of a ranged parameter, found 'string'"),
    ],
)
def test_a_parameter_may_be_ranged(old: str, new: str, message: str) -> None:
    spec = parse_step(PANEL, file="step.toml").parameters["panel"]
    assert (spec.ranged, spec.margin_bp) == (True, 9)
    with pytest.raises(DataError) as error:
        parse_step(PANEL.replace(old, new), file="step.toml")
    assert f"parameters.{message}" in str(error.value)


def test_reads_are_not_ranged() -> None:
    text = MINIMAL.replace("inputs.reads.type", RANGED).replace('reads.type = "file"', 'reads.type = "reads"')
    with pytest.raises(DataError, match=r"expected the type \"file\" or \"files\" of a ranged input, found 'reads'"):
        parse_step(text, file="step.toml")


@pytest.mark.parametrize("name", step_names())
def test_the_shipped_steps(name: str) -> None:
    folder = load_step(name)
    assert folder.spec.name == name == folder.path.name
    assert len(folder.digest) == 64
    assert folder == load_step(name)


def test_an_unknown_failure_class_in_the_retry_table_is_a_problem_of_its_line() -> None:
    text = f"{MINIMAL}\n[retry]\nlost_host = 2\n"
    line = text.splitlines().index("lost_host = 2") + 1
    with pytest.raises(DataError, match=rf"^step\.toml:{line}:retry\.lost_host: expected one of host_lost, image, "):
        parse_step(text, file="step.toml")
