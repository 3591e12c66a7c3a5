"""`genomics-pipeline deploy`: create or change the stack on AWS."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click

from genomics_pipeline.cli.options import pipelines_option, stack_option, yes_option
from genomics_pipeline.cli.terminal import Terminal
from genomics_pipeline.report.output import echo_json, echo_line


@click.command(short_help="Create or change the stack on AWS.")
@stack_option
@pipelines_option
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="KEY=VALUE",
    help="Set a parameter of the template (may be repeated); others keep their values. `template` lists them.",
)
@click.option(
    "--max-vcpus",
    type=click.IntRange(min=1),
    metavar="N",
    help="Set MaxVcpus: the vCPUs at a time of Spot hosts, and again of On-Demand ones. They limit the cost.",
)
@click.option(
    "--intake",
    metavar="PREFIX",
    help="Submit each sample sheet that arrives below this prefix of the stack's bucket, with the `submit` after --.",
)
@yes_option
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- submit OPTIONS...]")
@click.option("--json", "as_json", is_flag=True, help="Print the outputs of the stack as one JSON object.")
def deploy(
    stack: str,
    pipelines: Sequence[str],
    parameters: Sequence[str],
    max_vcpus: int | None,
    intake: str | None,
    command: Sequence[str],
    yes: bool,
    as_json: bool,
) -> None:
    """Create or change the stack that runs the pipelines on AWS.

    The command shows the changes as a table, and applies them once you confirm. The stack contains the named pipelines
    and no others, and an intake only with --intake. Images of steps that run on Lambda are built and pushed, since a
    function cannot be created without one.

    \b
    Examples:
      genomics-pipeline deploy
      genomics-pipeline deploy --max-vcpus 1024 --parameter InputBuckets=arn:aws:s3:::reads
      genomics-pipeline deploy --pipeline germline --pipeline ./my-pipeline.toml --yes
      genomics-pipeline deploy --intake intake/ -- submit --reference s3://my-bucket/hg38.fa
    """
    from genomics_pipeline.aws.deployment import ARCHITECTURE
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.cli.intake import arriving_sheets
    from genomics_pipeline.model.architecture import Architecture
    from genomics_pipeline.runs.containers.emulation import emulation_note
    from genomics_pipeline.runs.containers.images import this_architecture
    from genomics_pipeline.runs.stack.deploy import deploy as deploy_stack
    from genomics_pipeline.runs.stack.deploy import parse_parameters
    from genomics_pipeline.runs.stack.functions import FunctionImages
    from genomics_pipeline.runs.stack.template import stack_template

    values = parse_parameters(parameters)
    if max_vcpus is not None:
        values["MaxVcpus"] = str(max_vcpus)
    arriving = arriving_sheets(intake, command, stack)
    plan = stack_template(pipelines, stack, arriving)
    ports, terminal = adapters(), Terminal(yes, quiet=as_json)
    functions = FunctionImages(plan.names, ports, terminal.note)
    outputs = deploy_stack(plan, values, ports.clients, terminal, functions.push)
    if outputs is None:
        echo_line("nothing was changed", err=True)
    elif as_json:
        echo_json(outputs)
    else:
        for name, value in outputs.items():
            echo_line(f"{name}: {value}")
        if emulated := emulation_note(Architecture(outputs[ARCHITECTURE]), this_architecture()):
            echo_line(f"note: {emulated}", err=True)
        chosen = "".join(f" --pipeline {shlex.quote(pipeline)}" for pipeline in pipelines)
        submitted = f" --pipeline {shlex.quote(pipelines[0])}" if pipelines else ""
        if plan.images:
            echo_line(
                f"next: genomics-pipeline containers push{chosen}, then genomics-pipeline submit SHEET{submitted}"
            )
        else:
            echo_line(f"next: genomics-pipeline submit RECORDS{submitted}")
