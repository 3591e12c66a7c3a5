"""`genomics-pipeline watch`: start a run for each manifest that arrives."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.signals import end_on_signals
from genomics_pipeline.report.output import echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.watch import EndedCommand

ERROR = "error: "  # begins each problem that a command reports
MOST_ERRORS = 32  # in the record of a command's end
JOB_VARIABLE = "AWS_BATCH_JOB_ID"  # set by AWS Batch: the same in all attempts of a job


@click.command(short_help="Start a run for each sample sheet, or file of records, that arrives.")
@click.argument("prefix")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="-- run|submit OPTIONS...")
@click.option(
    "--every",
    type=click.FloatRange(min=0.05),
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
    from genomics_pipeline.runs.watch import Surroundings, release_own, start_arrivals, unfinished, watch_request
    from genomics_pipeline.stores.protocol import DeniedAccess, TransferFailed

    request = watch_request(prefix, command, settle, adapters().environment.get(JOB_VARIABLE, ""))
    around = Surroundings(object_store(), _start, time.time, lambda text: echo_line(text, err=True))
    _check_options(command)
    end_on_signals()
    release_own(request, around)
    for claim in unfinished(request, around.store):
        around.note(
            f"{claim}: begun and not ended: another watcher runs it, or was killed; remove it to start it again"
        )
    while True:
        try:
            failed = start_arrivals(request, around)
        except TransferFailed as error:
            if once or isinstance(error, DeniedAccess):
                raise
            around.note(f"{error}; looking again in {every:g} s")
        if once:
            sys.exit(1 if failed else 0)
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


def _start(arguments: Sequence[str]) -> EndedCommand:
    """Run a command of this program to its end, and pass on what it says; when interrupted, let it end in order."""
    from genomics_pipeline.runs.watch import EndedCommand

    with subprocess.Popen(
        [sys.executable, "-P", "-m", "genomics_pipeline", *arguments],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # a terminal would interrupt it as well, and so a second time
    ) as process:
        assert process.stderr is not None
        errors: list[str] = []
        try:
            for line in process.stderr:
                echo_line(line.removesuffix("\n"), err=True)
                if line.startswith(ERROR) and len(errors) < MOST_ERRORS:
                    errors.append(line.removeprefix(ERROR).rstrip())
            return EndedCommand(process.wait(), errors)
        except KeyboardInterrupt:
            process.terminate()
            for line in process.stderr:  # it could not end in order if nobody read them
                echo_line(line.removesuffix("\n"), err=True)
            raise
