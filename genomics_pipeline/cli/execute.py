"""`genomics-pipeline execute`: execute any state machine document on this machine."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.options import LocalPath, machine_options
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.cli.standard_output import reserved_for_results
from genomics_pipeline.report.output import echo_output, json_text

if TYPE_CHECKING:
    from genomics_pipeline.worker.machine import Limits


@click.command(short_help="Execute a state machine document on this machine.")
@click.argument("definition")
@click.option(
    "--input", "input", help="The input as JSON: a file, a URI, or - for standard input; by default an empty object."
)
@click.option(
    "--root",
    type=LocalPath("folder"),
    help="Use each folder in this folder as a bucket; by default buckets are in S3.",
)
@click.option("--mock", help="Mock file in the format of AWS Step Functions Local.")
@click.option("--test-case", help="A test case of the mock file; not needed if the file has only one.")
@click.option(
    "--task", "tasks", multiple=True, metavar="ARN=MODULE:FUNCTION", help="Call this Python function for a Resource."
)
@click.option(
    "--state-machine",
    "state_machines",
    multiple=True,
    metavar="NAME=FILE",
    help="A state machine that states:startExecution can start.",
)
@click.option("--name", help="The name of the execution.")
@click.option(
    "--journal",
    type=LocalPath("folder"),
    help="Keep a journal in this folder, so that the same command continues an interrupted execution.",
)
@click.option("--history", type=LocalPath("file"), help="Write the history to this file, one event as JSON per line.")
@click.option("--fast-forward", is_flag=True, help="Skip the time in which the execution only waits.")
@click.option(
    "--tasks",
    "batch",
    type=click.Choice(["local", "batch"]),
    default="local",
    show_default=True,
    help="Run Batch jobs on this machine (local), or through the Batch API (batch).",
)
@machine_options()
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def execute(as_json: bool, limits: Limits, **options: Any) -> None:
    """Execute DEFINITION, a state machine document in the Amazon States Language, with the semantics of AWS.

    DEFINITION is a file, or a URI such as s3://bucket/definition.json. The state machine is named after its file,
    unless --state-machine NAME=DEFINITION gives it another name.

    The exit code is 0 if the execution SUCCEEDED, and 1 if it ended with another status. It is 2 if AWS would refuse
    the document or something in it cannot run here; every problem is reported with its JSON path.

    A function of --task is called as Lambda calls it: function(event, context). It can implement a Lambda function, an
    activity or any other Resource. context.callbacks ends tasks by their tokens, and context.heartbeat() sends a
    heartbeat. What functions print goes to standard error.

    With --tasks batch, batch:submitJob(.sync) submits to AWS Batch, as Step Functions would. The queue and the job
    definition must exist, and the inputs and outputs of the jobs are in S3. An interrupted execution ends its jobs.

    \b
    Examples:
      genomics-pipeline execute machine.json --input input.json --root buckets
      echo '{"n": 3}' | genomics-pipeline execute machine.json --input - --json --fast-forward
      genomics-pipeline execute machine.json --mock mock.json --test-case RetryPath
      genomics-pipeline execute machine.json \\
          --task arn:aws:lambda:us-east-1:000000000000:function:align=tasks:align \\
          --state-machine child=child.json
      genomics-pipeline execute machine.json --journal run-1 --history run-1/history.jsonl
      genomics-pipeline execute s3://bucket/runs/r/definition.json --input s3://bucket/runs/r/input.json --tasks batch
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.execution import render_execution
    from genomics_pipeline.runs.documents.execute import execute as execute_request
    from genomics_pipeline.runs.documents.request import ExecuteRequest

    end_on_signals()
    with reserved_for_results() as output:
        result = execute_request(ExecuteRequest(**options), adapters(limits))
        members = {each.name: getattr(result, each.name) for each in fields(result)}
        with redirect_stdout(output):
            echo_output(json_text(members) if as_json else render_execution(result))
    sys.exit(0 if result.status == "SUCCEEDED" else 1)
