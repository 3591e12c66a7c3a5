"""`genomics-pipeline results`: list the files of a run, or the items missing from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.options import (
    LocalPath,
    run_argument,
    sample_option,
    stack_option,
)
from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.printable import indented
from genomics_pipeline.report.output import echo, echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.runs.readable_run import ReadableRun
    from genomics_pipeline.runs.record_run import RecordRun
    from genomics_pipeline.runs.results import ItemResult
    from genomics_pipeline.runs.run_files import RunFiles


@click.command(short_help="List or download the files of a run.")
@run_argument
@stack_option
@sample_option
@click.option("--failed", is_flag=True, help="List the items that are not done, with reasons and rerun commands.")
@click.option(
    "--download",
    "target",
    type=LocalPath("folder"),
    help="Copy the files to this folder, and verify their digests.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line, for each sample and the cohort.")
@click.option("--tsv", "as_tsv", is_flag=True, help="With --failed: print a table with a line for each item.")
def results(
    run: str, stack: str, samples: tuple[str, ...], failed: bool, target: Path | None, as_json: bool, as_tsv: bool
) -> None:
    """List the files of each sample and of the cohort in RUN: a run folder, URI or name.

    With --failed, list every sample (or interval, or the cohort) that failed or was never started instead.

    \b
    Examples:
      genomics-pipeline results my-run
      genomics-pipeline results cohort-3f2a91c0d5e7 --sample NA12878 --download here/
      genomics-pipeline results cohort-3f2a91c0d5e7 --failed --tsv > failures.tsv
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.model.quantity import quantity
    from genomics_pipeline.runs.find_run import find_readable
    from genomics_pipeline.runs.record_run import RecordRun
    from genomics_pipeline.runs.results import Results, download_all

    if failed and target:
        raise UsageError("expected one of --failed and --download, found both")
    if as_tsv and (as_json or not failed):
        raise UsageError("--tsv: expected --failed without --json")
    backend = find_readable(run, stack, adapters())
    if isinstance(backend, RecordRun):
        if samples:
            raise UsageError("--sample: expected a run over samples, found one over records")
        _list_records(backend, failed, target, as_json, as_tsv)
        return
    if failed:
        _list_failed(backend, samples, as_json, as_tsv)
        return
    run_results = Results(backend)
    listed = ((one, None) for one in run_results.items(samples))
    for result, copied in download_all(run_results, samples, target) if target else listed:
        if as_json:
            row = _result_json(result, run_results.files)
            echo_json(row if copied is None else {**row, "copied": copied}, indent=None)
            continue
        ending = "" if copied is None else f"  {quantity(copied, 'file')} copied"
        echo_line(f"{result.item}  {result.state}{ending}")
        for name, output in result.outputs.items():
            echo_line(f"  {name}  {run_results.files.shown_key(output.key)}  {output.size_bytes:,} bytes")
        if result.failure:
            failure = result.failure.failure
            stage = f" ({failure.stage})" if failure.stage else ""
            echo(f"  {failure.failure_class.replace('_', ' ')}{stage}: {indented(failure.message, 4)}")
            if failure.stage:
                echo_line(f"  log: {run_results.files.shown_log(failure.stage, result.item)}")
    if target and not samples:
        _download_reports(backend, target, as_json)


def _download_reports(backend: ReadableRun, target: Path, as_json: bool) -> None:
    """Copy the report of a run and the files about it; make those that are not there, as of runs on AWS.

    Args:
        backend: The run.
        target: The folder to copy to.
        as_json: Whether the answer is JSON, which has the items alone.
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.model.quantity import quantity
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.runs.reporting.read import ReportRequest
    from genomics_pipeline.runs.reporting.write import write_report
    from genomics_pipeline.runs.results import download_reports
    from genomics_pipeline.runs.run_info import write_run_info

    ports = adapters()
    request = ReportRequest(user_folder(ports.environment, ports.home))
    copied = download_reports(backend.files, target, lambda file: write_report(backend, request, file))
    if backend.files.is_on_aws:
        copied += write_run_info(backend, target)
    if not as_json:
        echo_line(f"report and files about the run  {quantity(copied, 'file')} copied")


def _result_json(result: ItemResult, files: RunFiles) -> dict[str, Any]:
    failure: dict[str, Any] = {}
    if result.failure:
        failure = result.failure.to_json()
        if stage := result.failure.failure.stage:
            failure["log"] = files.shown_log(stage, result.item)
    return {
        "item": result.item,
        "state": result.state,
        "files": {
            name: {"path": files.shown_key(one.key), "size_bytes": one.size_bytes, "sha256": one.sha256}
            for name, one in result.outputs.items()
        },
        **({"failure": failure} if failure else {}),
    }


def _list_records(backend: RecordRun, failed: bool, target: Path | None, as_json: bool, as_tsv: bool) -> None:
    """List the results of a run over records, or its failures, in bounded memory.

    Args:
        backend: The run.
        failed: Whether to list the failures.
        target: The folder to copy the results to, if there is one.
        as_json: Whether to print JSON.
        as_tsv: Whether to print the table of failures.
    """
    from genomics_pipeline.report.record_failures import record_table

    if failed and as_tsv:
        for line in record_table(backend.failed_records()):
            echo(line, nl=False)
        return
    if failed:
        for row in backend.failed_records():
            if as_json:
                echo_json(row.to_json(), indent=None)
            else:
                echo(row.text())
        return
    for file, size in backend.copy_results(target) if target else backend.result_files():
        if as_json:
            echo_json({"file": file, "size_bytes": size}, indent=None)
        else:
            echo_line(f"{file}  {size:,} bytes")


def _list_failed(backend: ReadableRun, samples: tuple[str, ...], as_json: bool, as_tsv: bool) -> None:
    """Print the rows while they are read, because there may be a million."""
    from genomics_pipeline.report.ledger import row_text, tsv_lines
    from genomics_pipeline.runs.ledger import ledger

    rows = ledger(backend, samples)
    if as_tsv:
        for line in tsv_lines(rows):
            echo(line, nl=False)
        return
    for row in rows:
        if as_json:
            echo_json(row.to_json(), indent=None)
        else:
            echo(row_text(row))
