"""`genomics-pipeline manifest`: check or write sample sheets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.completion import complete_files
from genomics_pipeline.cli.options import LocalPath, ena_option
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.report.output import echo, echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.model.sample import Sample


@click.group(short_help="Check a sample sheet, or write one from FASTQ file names.")
def manifest() -> None:
    """Check or write sample sheets.

    A sample sheet is a CSV, TSV or JSON Lines file with the columns patient, sex, status, sample, lane, fastq_1 and
    fastq_2.

    \b
    Examples:
      genomics-pipeline manifest init reads/ --out cohort.csv
      genomics-pipeline manifest validate cohort.csv --check-files
    """


@manifest.command()
@click.argument("sheet", shell_complete=complete_files)
@click.option("--check-files", is_flag=True, help="Also check the first records of the FASTQ files.")
@click.option(
    "--read-layout",
    type=click.Choice(["auto", "single", "interleaved"]),
    default="auto",
    help="As the parameter alignment.read_layout: what a lane with one file holds; needs --check-files.",
)
@click.option(
    "--quality-encoding",
    type=click.Choice(["auto", "phred33", "phred64"]),
    default="auto",
    help="As the parameter alignment.quality_encoding; needs --check-files.",
)
@ena_option
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as one JSON object.")
@click.option("--normalised", is_flag=True, help="Print the normalised form: one JSON object per line for each sample.")
def validate(
    sheet: str, check_files: bool, read_layout: str, quality_encoding: str, ena: str, as_json: bool, normalised: bool
) -> None:
    """Check SHEET, a path or URI, and report every error with its line and column.

    Accessions are looked up at ENA with --check-files and with --normalised.

    \b
    Example:
      genomics-pipeline manifest validate s3://my-bucket/cohort.csv --check-files
    """
    from genomics_pipeline.model.errors import DataError, Problem, UsageError
    from genomics_pipeline.runs.accessions import with_runs
    from genomics_pipeline.runs.given_files import uri_problems
    from genomics_pipeline.runs.manifests import checked_sheet

    for option, value in (("--read-layout", read_layout), ("--quality-encoding", quality_encoding)):
        if value != "auto" and not check_files:
            raise UsageError(f"{option} {value}: expected --check-files with it, since no file is read otherwise")
    warnings: list[str] = []

    def warn(problem: Problem) -> None:
        warnings.append(str(problem))
        echo_line(f"warning: {problem}", err=True)

    try:
        checked = checked_sheet(sheet, warn)
        if check_files or normalised:
            checked = replace(checked, others=with_runs(checked.others, without_secrets(sheet), ena, {}))
        if problems := list(uri_problems(checked.others, without_secrets(sheet))):
            raise DataError(problems)
        if check_files:
            _refuse_bad_files(checked, read_layout, quality_encoding)
    except DataError as error:
        if not as_json:
            raise
        problems_json = [
            {"message": one.message, "file": one.file, "line": one.line, "column": one.column} for one in error.problems
        ]
        echo_json({"valid": False, "problems": problems_json, "warnings": warnings})
        raise click.exceptions.Exit(1) from None
    if as_json:
        echo_json({"valid": True, "samples": checked.samples, "lanes": checked.lanes, "warnings": warnings})
    elif normalised:
        for text in checked.json_texts():
            echo(text, nl=False)
    else:
        numbers = f"{quantity(checked.samples, 'sample')}, {quantity(checked.lanes, 'lane')}"
        echo_line(f"{without_secrets(sheet)}: valid, {numbers}")


def _refuse_bad_files(samples: Iterable[Sample], read_layout: str, quality_encoding: str) -> None:
    """Check the first records of the FASTQ files; what does it is imported here, since it takes as long as a sheet.

    Args:
        samples: The samples.
        read_layout: As the parameter ``alignment.read_layout``.
        quality_encoding: As the parameter ``alignment.quality_encoding``.

    Raises:
        DataError: with all problems of the files.
    """
    from genomics_pipeline.cli.adapters import object_store
    from genomics_pipeline.model.errors import DataError
    from genomics_pipeline.runs.fastq_checks import Reading, file_problems

    if problems := list(file_problems(samples, object_store(), Reading(read_layout, quality_encoding))):
        raise DataError(problems)


@manifest.command()
@click.argument("prefix", metavar="DIR_OR_S3_PREFIX")
@click.option(
    "--out",
    type=LocalPath("file", dir_okay=False),
    help="Write the sheet to this new file instead of standard output.",
)
@click.option("--single-end", is_flag=True, help="Take files whose mates are missing as single reads.")
def init(prefix: str, out: Path | None, single_end: bool) -> None:
    """Write a sample sheet of the FASTQ files below DIR_OR_S3_PREFIX.

    Samples, lanes and mates are recognised from the names of sequencers, archives and trimmers; mates must have the
    same read names. Index reads, reads of no sample and reads without mates are left out, and reported.

    \b
    Examples:
      genomics-pipeline manifest init reads/ --out cohort.csv
      genomics-pipeline manifest init s3://my-bucket/run-17/
    """
    from genomics_pipeline.cli.adapters import object_store
    from genomics_pipeline.model.errors import UsageError
    from genomics_pipeline.runs.sheet_draft import init_sheet
    from genomics_pipeline.stores.publish import publish_bytes
    from genomics_pipeline.stores.real_parents import follow_parents

    if "://" not in prefix:
        if not Path(prefix).is_dir():
            raise UsageError(f"{prefix}: expected a folder or an S3 prefix, found none")
        prefix = follow_parents(str(Path(prefix).absolute()))
    draft = init_sheet(prefix, object_store(), single_end)
    for one in draft.left_out:
        echo_line(f"warning: {one}", err=True)
    if out is None:
        echo(draft.text, nl=False)
        return
    if out.exists():
        raise UsageError(f"--out {out}: expected a new file, found one that exists")
    try:
        out.parent.stat()  # a folder that is missing is likely to be misspelt
        publish_bytes(out, draft.text.encode())
    except OSError as error:
        raise UsageError(f"--out {out}: expected a file that can be written: {error.strerror}") from None
    echo_line(f"{out}: {quantity(draft.text.count(chr(10)) - 1, 'lane')}")
