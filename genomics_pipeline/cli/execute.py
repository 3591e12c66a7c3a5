"""`genomics-pipeline execute`: any state machine document, on this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from genomics_pipeline.cli.signals import end_on_sigterm


@click.command(short_help="Execute a state machine document on this machine.")
@click.argument("definition")
@click.option("--input", "input", help="JSON: a file, a URI, or - for standard input; an empty object by default.")
@click.option("--root", type=click.Path(path_type=Path), help="Folder whose folders are the buckets; else S3.")
@click.option("--mock", help="Mock file, as AWS Step Functions Local takes it.")
@click.option("--test-case", help="The mock file's test case; may be left out where it has only one.")
@click.option("--task", "tasks", multiple=True, metavar="ARN=MODULE:FUNCTION", help="Python function for a Resource.")
@click.option(
    "--state-machine", "state_machines", multiple=True, metavar="NAME=FILE", help="A state machine that can be started."
)
@click.option("--name", help="The execution's name.")
@click.option("--journal", type=click.Path(path_type=Path), help="Folder that lets the same command go on later.")
@click.option("--history", type=click.Path(path_type=Path), help="File for the events, one JSON line each.")
@click.option("--fast-forward", is_flag=True, help="Let time pass at once where nothing real is waited for.")
@click.option(
    "--tasks",
    "batch",
    type=click.Choice(["local", "batch"]),
    default="local",
    show_default=True,
    help="Where Batch jobs run: on this machine, or through the Batch API.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def execute(as_json: bool, **options: Any) -> None:
    """Execute DEFINITION, a state machine document in the Amazon States Language, with the semantics of AWS.

    DEFINITION is a file, or a URI such as s3://bucket/definition.json.

    The state machine is named after its file, or by --state-machine NAME=DEFINITION.

    Exit code 0: the execution SUCCEEDED; 1: it did not; 2: AWS would refuse the document, or something in it cannot run
    here; every problem is told, with its JSON path.

    A function of --task is called as Lambda calls it, function(event, context). It can stand for a Lambda function, an
    activity or any other Resource; context.callbacks ends tasks by their tokens, context.heartbeat() says it is alive.

    With --tasks batch, batch:submitJob(.sync) submits to AWS Batch, as Step Functions would: the queue and the job
    definition must be there, and what the jobs read and write is in S3. An interrupted execution ends its jobs.

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
    from genomics_pipeline.runs.documents.execute import ExecuteRequest
    from genomics_pipeline.runs.documents.execute import execute as execute_request

    end_on_sigterm()
    result = execute_request(ExecuteRequest(**options), adapters())
    if as_json:
        members = {each.name: getattr(result, each.name) for each in fields(result)}
        click.echo(json.dumps(members, indent=2, ensure_ascii=False))
    else:
        click.echo(render_execution(result))
    sys.exit(0 if result.status == "SUCCEEDED" else 1)
