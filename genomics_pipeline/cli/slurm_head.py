"""`run --slurm-head` and `rerun --slurm-head`: the command again, as a job of Slurm."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click
from click.core import ParameterSource

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.slurm_options import HeadOptions, SlurmOptions
from genomics_pipeline.report.output import echo_json, echo_line
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.local.request import LocalRunRequest
from genomics_pipeline.runs.reruns.request import RerunRequest, with_changes


def submit_head(request: LocalRunRequest, head: HeadOptions, ports: Adapters, as_json: bool) -> None:
    """Check a request, submit the running command as a job that resumes the run, and show its ID.

    Args:
        request: The arguments of the run.
        head: The options of the job.
        ports: The environment and the stores.
        as_json: Whether to print JSON.

    Raises:
        UsageError: for a wrong request.
        DataError: likewise.
        RunError: if Slurm does not take the job.
    """
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.local.checks import check_request
    from genomics_pipeline.runs.local.jobs_place import on_nodes
    from genomics_pipeline.runs.run_folder import BUCKET, RunFolder

    folder = RunFolder(request.out)
    on_nodes(request, ports)
    with ProgressDisplay(quiet=as_json, verbose=False) as display:
        check_request(request, folder, ports.store.with_buckets({BUCKET: folder.path}), display)
    folder.create()
    assert request.slurm is not None
    _submit(folder.path, ("run", "--resume"), request.slurm, head, ports, as_json)


def submit_rerun_head(
    backend: RunBackend, request: RerunRequest, head: HeadOptions, ports: Adapters, as_json: bool
) -> bool:
    """Check a rerun, submit the running command as a job that begins or resumes it, and show its ID.

    Args:
        backend: The run.
        request: The arguments of the rerun.
        head: The options of the job.
        ports: The environment and the stores.
        as_json: Whether to print JSON.

    Returns:
        False if the rerun needs no head: there is nothing to run, or only a profile asks for one, and the run has no
        jobs on a cluster.

    Raises:
        UsageError: if the user asks for a head of such a run.
        RunError: if Slurm does not take the job, or the run cannot be rerun.
    """
    from genomics_pipeline.report.progress import ProgressDisplay
    from genomics_pipeline.runs.reruns.outcome import NOTHING

    folder = backend.folder
    record = folder.executed() if folder else None
    if folder is None or record is None or record.arguments.slurm is None:
        if click.get_current_context().get_parameter_source("slurm_head") is ParameterSource.COMMANDLINE:
            raise UsageError("--slurm-head: expected a run whose jobs are on a cluster, `run --slurm`")
        return False
    after = record.execution
    if record.status in ("SUCCEEDED", "FAILED"):
        with ProgressDisplay(quiet=True, verbose=False) as display:
            if backend.rerun(replace(request, dry_run=True), display).status == NOTHING:
                return False
    else:
        after -= 1  # it is unfinished, and the head resumes it
    options = with_changes(record.arguments.slurm, request.slurm)
    assert options is not None
    _submit(folder.path, ("rerun", "--after", str(after)), options, head, ports, as_json)
    return True


def _submit(
    run: Path, command: Sequence[str], options: SlurmOptions, head: HeadOptions, ports: Adapters, as_json: bool
) -> None:
    """Submit the running command as a job, and show its ID.

    Args:
        run: The folder of the run.
        command: The command, and the options that it has as a head.
        options: The options of the jobs of the run.
        head: The options of the job.
        ports: The environment.
        as_json: Whether to print JSON.
    """
    from genomics_pipeline.report.command_line import command_line
    from genomics_pipeline.runs.slurm.head import HeadCommand, RunHead

    words = _as_head(click.get_current_context().obj, *command)
    argv = (sys.executable, "-P", "-m", "genomics_pipeline", *words)
    submitted = RunHead(run, ports.environment)
    job_id = submitted.submit(HeadCommand(argv, str(Path.cwd())), options, head, sys.executable)
    if as_json:
        echo_json({"run": str(run), "head": job_id, "log": str(submitted.log)})
        return
    echo_line(f"{run}: its head is job {job_id} of Slurm")
    for name, shown in (("status", ()), ("logs", ("--head",)), ("cancel", ())):
        echo_line(f"  {command_line(name, str(run), *shown)}")


def _as_head(arguments: Sequence[str], command: str, *added: str) -> list[str]:
    """Return the arguments of the program for the head: those of the command, which returns last.

    Args:
        arguments: The arguments of the program.
        command: The command.
        added: Its options as a head.

    >>> _as_head(["--debug", "run", "a.csv", "--slurm", "--slurm-head", "--", "b"], "run", "--resume")
    ['--debug', 'run', '--no-slurm-head', '--resume', 'a.csv', '--slurm', '--', 'b']
    """
    kept = [word for word in arguments if word != "--slurm-head"]
    after = kept.index(command) + 1
    return [*kept[:after], "--no-slurm-head", *added, *kept[after:]]
