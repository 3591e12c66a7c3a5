"""`genomics-pipeline doctor`: check this installation."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from genomics_pipeline.cli.options import machine_options
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.worker.machine import Limits


@click.command(short_help="Check this installation with one tiny sample.")
@machine_options()
@click.option("--stack", help="Check also that images for this deployed stack can be built here; asks AWS.")
@click.option("--json", "as_json", is_flag=True, help="Print the checks as one JSON object.")
def doctor(as_json: bool, stack: str | None, limits: Limits) -> None:
    """Check this installation: its libraries, this machine, and a run of one tiny sample to a joint VCF.

    \b
    Examples:
      genomics-pipeline doctor
      genomics-pipeline doctor --stack genomics-pipeline
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.containers.emulation import describe_builds
    from genomics_pipeline.runs.local.doctor import check_all

    ports = adapters(limits)
    more = {"images": lambda: describe_builds(stack, ports)} if stack else {}
    with TemporaryDirectory(prefix="genomics-pipeline-doctor-") as folder:
        checks = []
        for check in check_all(Path(folder), ports, more):
            checks.append(check)
            if not as_json:
                echo_line(f"{'ok     ' if check.ok else 'MISSING'}  {check.name}: {check.detail}")
    ok = all(check.ok for check in checks)
    if as_json:
        rows = [{"name": check.name, "ok": check.ok, "found": check.detail} for check in checks]
        echo_json({"ok": ok, "checks": rows})
    sys.exit(0 if ok else 1)
