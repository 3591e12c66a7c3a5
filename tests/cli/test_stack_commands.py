"""`genomics-pipeline template`, `deploy` and `destroy` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.aws.stack import Change, ChangeSet, StackEvent
from genomics_pipeline.cli.terminal import Terminal
from genomics_pipeline.runs.catalog import usual_pipelines
from genomics_pipeline.runs.stack.template import stack_template

GOLDEN = Path(__file__).parents[1] / "golden"
FOLLOWED = "followed by a second change set with at most "


def test_template_prints_the_same_bytes_every_time(
    cli: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = cli("template", "--pipeline", GOLDEN / "cohort.toml", "--stack", "mine")
    monkeypatch.chdir(tmp_path)
    assert cli("template", "--pipeline", GOLDEN / "cohort.toml", "--stack", "mine") == first
    assert (first.code, first.err) == (0, "")
    assert first.out == canonical_json(stack_template([str(GOLDEN / "cohort.toml")], "mine").document())


def test_the_stacks_name_comes_from_the_environment(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENOMICS_PIPELINE_STACK", "from-environment")
    out = cli("template").out
    assert json.loads(out)["Resources"]["JobQueue"]["Properties"]["JobQueueName"] == "from-environment"


def test_an_invalid_stack_name_is_refused(cli: Callable[..., Any]) -> None:
    ended = cli("template", "--stack", "My_Stack")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "error: --stack My_Stack: expected lower-case letters, digits and single hyphens, a letter first, at most 32\n"
    )


@pytest.mark.usefixtures("cloudformation")
def test_a_stack_is_created_and_deleted(cli: Callable[..., Any]) -> None:
    made = cli("deploy", "--yes")
    assert made.code == 0
    lines = made.out.splitlines()
    assert next(line.split() for line in lines if "GermlineStateMachine" in line) == [
        "Add",
        "GermlineStateMachine",
        "AWS::StepFunctions::StateMachine",
    ]
    assert (
        "    2 AWS::Batch::JobQueue" in lines[lines.index(next(line for line in lines if line.startswith(FOLLOWED))) :]
    )
    assert lines[-1] == "next: genomics-pipeline containers push, then genomics-pipeline submit SHEET"
    assert "CREATE_COMPLETE              genomics-pipeline" in made.err

    again = cli("deploy", "--json")  # nothing changes, so no confirmation is needed
    outputs = json.loads(again.out)
    assert (again.code, again.err.splitlines()[-1]) == (0, "no changes")
    assert outputs["JobQueue"] == "arn:aws:batch:us-east-1:000000000000:job-queue/genomics-pipeline"

    policy = json.loads(cli("template", "--caller-policy").out)
    assert [statement["Resource"] for statement in policy["Statement"] if statement["Sid"] == "FindObjects"] == [
        [f"arn:aws:s3:::{outputs['Bucket']}"]
    ]

    gone = cli("destroy", "--yes")
    assert gone.code == 0
    assert gone.out == (
        f"kept: s3://{outputs['Bucket']} with all runs; AWS charges for its storage "
        "(S3 Standard: about $0.023 for each GB and month in us-east-1)\n"
    )


@pytest.mark.usefixtures("cloudformation")
def test_without_a_terminal_confirmation_is_refused(cli: Callable[..., Any]) -> None:
    ended = cli("deploy")
    assert ended.code == 2
    assert " Add     Bucket " in ended.out
    assert ended.err == "error: Execute? expected a confirmation, found no terminal; use --yes\n"
    assert cli("destroy", "--yes").err == (
        "error: stack genomics-pipeline: expected a deployed stack, found none; is the region right?\n"
    )


@pytest.mark.usefixtures("cloudformation")
def test_no_revision_of_a_job_definition_is_left(cli: Callable[..., Any]) -> None:
    cli("deploy", "--yes")
    batch = boto3.client("batch", region_name="us-east-1")
    for name in (
        "genomics-pipeline-alignment",
        "genomics-pipeline-2-alignment",
    ):  # a revision more, of another stack too
        batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            containerProperties={"image": "i", "vcpus": 1, "memory": 512},
        )
    assert len(batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]) > 2
    assert cli("destroy", "--yes").code == 0
    left = batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
    assert [one["jobDefinitionName"] for one in left] == ["genomics-pipeline-2-alignment"]


@pytest.mark.usefixtures("cloudformation")
def test_data_are_deleted_only_on_request(cli: Callable[..., Any]) -> None:
    cli("deploy", "--yes")
    ended = cli("destroy", "--yes", "--delete-data")
    assert (ended.code, ended.out) == (0, "nothing is left\n")
    assert ended.err.endswith(f"{1 + len(usual_pipelines())} object versions deleted\n")


def test_removed_resources_are_shown_first(capfd: pytest.CaptureFixture[str]) -> None:
    changes = (
        Change("Add", "New", "AWS::S3::Bucket", ""),
        Change("Modify", "Queue", "AWS::Batch::JobQueue", "Conditional"),
        Change("Remove", "Old", "AWS::ECR::Repository", ""),
    )
    Terminal(yes=True).show(ChangeSet("arn", "id", changes), {})
    rows = [line.split() for line in capfd.readouterr().out.splitlines()]
    assert rows == [
        ["action", "logical", "id", "type", "replacement"],
        ["Remove", "Old", "AWS::ECR::Repository"],
        ["Modify", "Queue", "AWS::Batch::JobQueue", "Conditional"],
        ["Add", "New", "AWS::S3::Bucket"],
    ]


def test_a_change_of_outputs_alone(capfd: pytest.CaptureFixture[str]) -> None:
    Terminal(yes=True).show(ChangeSet("arn", "id", ()), {})
    Terminal(yes=True).report(StackEvent("A", "AWS::S3::Bucket", "CREATE_FAILED", "it is there already"))
    out, err = capfd.readouterr()
    assert out == "no resource changes, outputs only\n"
    assert err == "CREATE_FAILED                A: it is there already\n"
