"""`genomics-pipeline watch`: start a run for each manifest that arrives."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise

import click

from genomics_pipeline.cli.options import FiniteRange
from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.report.output import echo_line

JOB_VARIABLE = "AWS_BATCH_JOB_ID"  # set by AWS Batch: the same in all attempts of a job


@click.command(short_help="Start a run for each sample sheet, or file of records, that arrives.")
@click.argument("prefix")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- run|submit OPTIONS...")
@click.option(
    "--every",
    type=FiniteRange(min=0.05),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Look this often.",
)
@click.option(
    "--settle",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="Take a local file as complete when it has not changed for this long.",
)
@click.option("--once", is_flag=True, help="Look once, then end.")
def watch(prefix: str, command: tuple[str, ...], every: float, settle: int, once: bool) -> None:
    """Watch PREFIX, a folder or an s3:// prefix, and start a run for each sample sheet that arrives there, once.

    Files of records are taken likewise, by a pipeline over records.

    What follows -- is a `run` or `submit` without its sheet; {name} stands for the name of the sheet's run. Sheets are
    files directly in PREFIX that end in .csv, .tsv, .jsonl or .ndjson, compressed or not. Runs follow one another;
    `submit` returns when AWS has the run. A record of each start is in PREFIX/.started, so that neither a restart nor a
    second watcher starts a sheet twice. A sheet that failed is not started again until its record is removed; a changed
    sheet is a new one. Rename files into place when they are complete, or write them without long pauses (--settle).

    The exit code of --once is 1 if a run failed. Without it, the command ends with Ctrl-C.

    \b
    Examples:
      genomics-pipeline watch intake -- run --reference hg38.fa.gz --out runs/{name}
      genomics-pipeline watch s3://my-bucket/intake/ -- submit --reference s3://my-bucket/hg38.fa
      genomics-pipeline watch arriving --every 0.1 --settle 0 -- run --pipeline transactions --out runs/{name}
    """
    from genomics_pipeline.cli.adapters import adapters, object_store
    from genomics_pipeline.cli.warm_commands import WarmCommands
    from genomics_pipeline.runs.watch import Surroundings, Watch, watch_request
    from genomics_pipeline.stores.protocol import DeniedAccess, TransferFailed

    request = watch_request(prefix, command, settle, adapters().environment.get(JOB_VARIABLE, ""))
    _check_options(command)
    end_on_signals()
    commands = WarmCommands(command, os.environ)
    around = Surroundings(object_store(), commands.run, time.time, lambda text: echo_line(text, err=True))
    watching = Watch(request, around)
    watching.release_abandoned()
    while True:
        codes: Sequence[int] = ()
        try:
            codes = watching.start_arrivals()
        except TransferFailed as error:
            if once or isinstance(error, DeniedAccess):
                raise
            around.note(f"{error}; looking again in {every:g} s")
        if once:
            sys.exit(1 if any(codes) else 0)
        if not codes:  # others may have arrived meanwhile
            time.sleep(every)


def _check_options(command: Sequence[str]) -> None:
    """Refuse options that the command would refuse when the first sheet arrives, perhaps days later.

    Those with files whose names the sheet decides are not known before.

    Raises:
        UsageError: for options that it does not accept.
    """
    from genomics_pipeline.cli.intake import given_options
    from genomics_pipeline.runs.watch import NAME

    if all(NAME not in one or before == "--out" or one.startswith("--out=") for before, one in pairwise(command)):
        given_options(command[0], command[1:], "after --")
