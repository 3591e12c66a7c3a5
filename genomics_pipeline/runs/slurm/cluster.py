"""The cluster of a run: the size of its nodes, and the runner of the run's jobs there."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.tasks.job_runner import JobRunner
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.display import Display
from genomics_pipeline.runs.local.worker_jobs import job_definitions
from genomics_pipeline.runs.lost_attempts import LostAttempts
from genomics_pipeline.runs.run_folder import BUCKET, RunFolder
from genomics_pipeline.runs.slurm.attempts import Attempts
from genomics_pipeline.runs.slurm.jobs import SlurmJobs
from genomics_pipeline.runs.slurm.published_work import PublishedWork
from genomics_pipeline.runs.slurm.submission import Submissions
from genomics_pipeline.slurm.commands import NoSlurm, SlurmCommands, SlurmError
from genomics_pipeline.worker.machine import Capacity, Limits
from genomics_pipeline.worker.step_folder import StepFolder


def node_capacity(options: SlurmOptions, environment: Mapping[str, str], limits: Limits) -> Capacity:
    """Return the cores and the memory of the largest node of a partition, as the user limits them.

    Args:
        options: The options of the jobs, with the limits that the user set for the run.
        environment: The environment variables.
        limits: What the user sets now; its ``jobs`` is the greatest number of jobs at once.

    Raises:
        RunError: without Slurm's commands, or an answer, or such a partition.
    """
    partition = options.partition.partition(",")[0]
    named = f"partition {partition}" if partition else "the default partition"
    try:
        nodes = SlurmCommands(environment).nodes(partition)
    except NoSlurm as error:
        raise RunError(error.message) from None
    except SlurmError as error:
        raise RunError(f"cannot ask Slurm for its nodes: {error.message}") from None
    if not nodes:
        raise RunError(f"{named}: expected a partition with nodes, found none; `sinfo` lists them: --slurm-partition")
    cores, memory_mib = max(nodes, key=lambda node: (node[1], node[0]))
    cpus, mib = limits.cpus or options.cpus, limits.memory_mib or options.memory_mib
    return Capacity(
        cpus or cores,
        mib or memory_mib,
        limits.jobs or options.jobs or None,
        "--cpus" if cpus else named,
        "--memory" if mib else named,
    )


def slurm_runner(
    folder: RunFolder,
    steps: Mapping[str, StepFolder],
    options: SlurmOptions,
    adapters: Adapters,
    display: Display,
    images: Mapping[str, str],
) -> JobRunner:
    """Return the runner of the jobs of a run on the cluster.

    Args:
        folder: The folder of the run, which all nodes have at the same path.
        steps: The steps of the pipeline by name.
        options: The options of the jobs.
        adapters: The environment, the cache and the size of the nodes.
        display: Shows the progress.
        images: The files of the images that Apptainer runs tasks in, by step; none for no containers.
    """
    slurm, capacity = SlurmCommands(adapters.environment), adapters.capacity()
    submissions = Submissions(folder.path, slurm, options, sys.executable)
    attempts = Attempts(folder.path, slurm, submissions, SystemClock(), options.poll_s, capacity.jobs, display.note)
    named = {ResourceNames().job_definition(name): step for name, step in steps.items()}
    store = adapters.store.with_buckets({BUCKET: folder.path})
    lost, published = LostAttempts(store, steps), PublishedWork(store, steps, adapters.cache)
    return SlurmJobs(
        job_definitions(steps), named, folder.path, attempts, options, capacity, adapters.cache, published, lost, images
    )
