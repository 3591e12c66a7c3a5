"""`genomics-pipeline step`: run one step on files."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.completion import complete_files, complete_step_parameters, complete_steps
from genomics_pipeline.cli.options import LocalPath, machine_options
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.cli.step_command import StepCommand
from genomics_pipeline.model.manifest import SEXES
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.worker.machine import Limits


@click.command(cls=StepCommand, short_help="Run one step on FASTQ, BAM or VCF files.")
@click.argument("step", metavar="NAME", shell_complete=complete_steps)
@click.argument("files", nargs=-1, shell_complete=complete_files)
@click.option("--out", required=True, type=LocalPath("folder"), help="Write the outputs to this folder.")
@click.option("--reference", shell_complete=complete_files, help="FASTA file, plain or compressed: a path or URI.")
@click.option("--sample", help="The sample's name; by default derived from the first file's name.")
@click.option("--sex", type=click.Choice(SEXES), help="The sample's sex, which decides the ploidy of X and Y.")
@click.option(
    "--input",
    "inputs",
    multiple=True,
    metavar="NAME=FILE",
    help="Assign a file to an input, if the step has several (may be repeated).",
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    shell_complete=complete_step_parameters,
    help="Set a parameter of the step (may be repeated).",
)
@machine_options()
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
def step(step: str, as_json: bool, limits: Limits, **options: Any) -> None:
    """Run the step NAME (a shipped step, or the path of a step's folder) on FILES, without a sample sheet.

    With a NAME, --help lists the inputs, outputs, parameters and resources of that step.

    \b
    Examples:
      genomics-pipeline step alignment --help
      genomics-pipeline step alignment a_R1.fastq.gz a_R2.fastq.gz --reference hg38.fa --out a
      genomics-pipeline step variant_calling a/results/a.md.bam --reference hg38.fa --out a-calls --sex XY
      genomics-pipeline step ./my-step reads.fastq.gz --out mine
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.local.single_step import StepRequest, run_step

    end_on_signals()
    outcome = run_step(StepRequest(step, **options), adapters(limits), lambda text: echo_line(text, err=True))
    if as_json:
        echo_json(asdict(outcome))
        return
    state = "already done" if outcome.reused else f"done in {outcome.seconds} s"
    echo_line(f"{outcome.step} {outcome.item}: {state}")
    for name, file in outcome.files.items():
        echo_line(f"  {name}: {file}")
