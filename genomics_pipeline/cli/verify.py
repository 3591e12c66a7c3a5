"""`genomics-pipeline verify`: compare a run with its records."""

from __future__ import annotations

import sys

import click

from genomics_pipeline.cli.options import run_argument, stack_option
from genomics_pipeline.report.output import echo_error, echo_json, echo_line


@click.command(short_help="Verify that a run is as its records say.")
@run_argument
@stack_option
@click.option("--quick", is_flag=True, help="Compare the sizes of files only; do not read them.")
@click.option("--json", "as_json", is_flag=True, help="Print the verification as one JSON object.")
def verify(run: str, stack: str, quick: bool, as_json: bool) -> None:
    """Verify RUN, a run folder, URI or name; exit with 0 if all that was checked is as recorded, and 1 if not.

    Each output and index has the size and the digest of its completion record, and was made of the outputs that there
    are; no item is missing but those that were accepted; the joint VCF holds exactly the samples that are done. The
    definition is the recorded one. Of a run on AWS by its name, it is also the deployed one, with the images of this
    installation; by its URI, its bucket alone is read, and one line says what was not checked. The verdict is kept
    beside the run and shown in its report, which is written again.

    \b
    Examples:
      genomics-pipeline verify my-run
      genomics-pipeline verify s3://bucket/runs/cohort-3f2a91c0d5e7 --quick --json
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.prices.load import user_folder
    from genomics_pipeline.report.verification import unchecked_words, verdict
    from genomics_pipeline.runs.find_run import find_readable_over_samples
    from genomics_pipeline.runs.sign_off import renew_report, sign_off

    ports = adapters()
    subject = find_readable_over_samples(run, stack, ports)
    found, _ = sign_off(subject, quick)
    renew_report(subject, user_folder(ports.environment, ports.home))
    if as_json:
        echo_json(found.to_json())
    else:
        for deviation in found.deviations:
            echo_error(deviation)
        echo_line(verdict(found))
        if found.unchecked:
            echo_line(unchecked_words(found.unchecked))
        for note in found.notes:
            echo_line(f"note: {note}")
    sys.exit(1 if found.deviations else 0)
