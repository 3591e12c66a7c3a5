"""`genomics-pipeline rerun`: what failed, once more."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.options import stack_option
from genomics_pipeline.cli.signals import end_on_sigterm
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.resource_names import DEFAULT_STACK

if TYPE_CHECKING:
    from collections.abc import Mapping

CLASSES = [*map(str, FailureClass), "pending"]  # which is `runs.rerun_items.NEVER_STARTED`, without what it imports
FOLLOWING = ("status {} --watch", "logs {} --failed", "results {}", "cancel {}")


@click.command(short_help="Run again the samples that failed.")
@click.argument("run")
@stack_option
@click.option("--class", "classes", multiple=True, type=click.Choice(CLASSES), help="Only what failed so (repeatable).")
@click.option("--sample", "samples", multiple=True, metavar="NAME", help="Only this sample (may be repeated).")
@click.option(
    "--memory", multiple=True, metavar="[STAGE=]MIB", help="Memory to begin with, of all sample stages or one."
)
@click.option("--param", "parameters", multiple=True, metavar="STAGE.NAME=VALUE", help="A parameter of a stage.")
@click.option("--tolerate", metavar="5%|20", help="How many of the run's samples may fail.")
@click.option("--dry-run", is_flag=True, help="Say what would run; write and start nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def rerun(
    run: str,
    stack: str,
    classes: tuple[str, ...],
    samples: tuple[str, ...],
    memory: tuple[str, ...],
    parameters: tuple[str, ...],
    tolerate: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run again the samples of RUN that failed or never began: a run's folder, its s3:// URI, or its name on AWS.

    It is another execution in the run's place, over those samples only; stages over intervals and the cohort take all
    that have succeeded by then. What is finished is not run again. --param, --memory and --tolerate hold for this
    rerun.

    \b
    Examples:
      genomics-pipeline rerun my-run --dry-run
      genomics-pipeline rerun my-run --sample NA12878
      genomics-pipeline rerun cohort-3f2a91c0d5e7 --class out_of_memory --memory alignment=65536
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.find_run import find_run
    from genomics_pipeline.runs.reruns.choice import SampleFilter
    from genomics_pipeline.runs.reruns.request import RerunRequest

    found = find_run(run, stack, adapters())
    request = RerunRequest(SampleFilter(classes, samples), memory, parameters, tolerate, dry_run)
    end_on_sigterm()
    with ProgressDisplay(quiet=as_json) as display:
        answer = found.rerun(request, display)
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        _show(answer, stack)
    sys.exit(1 if answer["status"] in ("FAILED", "TIMED_OUT", "ABORTED") else 0)


def _show(answer: Mapping[str, Any], stack: str) -> None:
    if answer["status"] == "NOTHING":
        click.echo(f"{answer['run']}: nothing to rerun: {answer['message']}")
    elif answer["status"] == "CHECKED":
        click.echo(f"{answer['run']}: {_what(answer)}; nothing was written or started")
    elif "execution_arn" in answer:
        did = "" if answer["started"] else ": already " + answer["status"].lower()
        click.echo(f"{answer['run']}: {answer['execution']}{did}: {_samples(answer)}")
        click.echo("next:")
        option = "" if stack == DEFAULT_STACK else f" --stack {stack}"
        for line in FOLLOWING:
            click.echo(f"  genomics-pipeline {line.format(answer['run'])}{option}")
    else:
        from genomics_pipeline.report.cohort_table import render_table

        render_table(answer)


def _what(answer: Mapping[str, Any]) -> str:
    if not answer["samples"]:
        return f"{answer['execution']} would run the stages after the samples again"
    return f"{answer['execution']} would run again {_samples(answer)}"


def _samples(answer: Mapping[str, Any]) -> str:
    """How many samples, of which classes, and the first names.

    >>> _samples({"samples": 3, "by_class": {"bad_input": 2, "pending": 1}, "first": ["a", "b"]})
    '3 samples, 2 bad input, 1 pending: a, b and 1 more'
    """
    if not answer["samples"]:
        return "no sample failed; the stages after the samples run again"
    from genomics_pipeline.runs.aws.submit import counted

    classes = "".join(f", {count} {name.replace('_', ' ')}" for name, count in answer["by_class"].items())
    more = f" and {answer['samples'] - len(answer['first'])} more" if answer["samples"] > len(answer["first"]) else ""
    return f"{counted(answer['samples'], 'sample')}{classes}: {', '.join(answer['first'])}{more}"
