"""A run on this machine: the samples of a manifest through a pipeline, into the folder of the run."""

from __future__ import annotations

import time

from genomics_pipeline.report.run_summary import RunSummary
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.checks import check_request
from genomics_pipeline.runs.local.jobs_place import on_nodes
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.worker.credentials import without_credentials
from genomics_pipeline.worker.interpreters import start_interpreters


def run(request: LocalRunRequest, adapters: Adapters, display: Display) -> RunSummary:
    """Check a request and run it to its end; completed steps whose inputs and parameters have not changed are reused.

    Args:
        request: The arguments of the run.
        adapters: The store that reads files, the environment of containers and the cache.
        display: Shows the progress.

    Raises:
        UsageError: see `plan`.
        DataError: see `plan`; also for a reference or a file of faults that cannot be used.
        RunError: if another process is running in the folder.
    """
    started = time.monotonic()
    adapters = on_nodes(request, adapters)
    folder = RunFolder(request.out)
    store = adapters.store.with_buckets({BUCKET: folder.path})
    planned, faults = check_request(request, folder, store, display)
    commands = [] if request.containers or request.slurm else [step.spec.command for step in planned.steps.values()]
    interpreters = start_interpreters(commands, without_credentials(adapters.environment)) if commands else None
    # The interpreters import their modules meanwhile.
    from genomics_pipeline.runs.local.checked_run import CheckedRun, execute_run

    checked = CheckedRun(request, folder, store, planned, faults, interpreters, started)
    return execute_run(checked, adapters, display)
