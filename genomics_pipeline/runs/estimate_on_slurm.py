"""`plan --slurm`: how long a run takes on a Slurm cluster, which limits it meets there, and its core-hours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from genomics_pipeline.engine.tasks.shares import LeastMemory
from genomics_pipeline.model.errors import Problem, RunError, UsageError
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.planning.cluster import Cluster, NodeSize, has_room, job_share, largest_node
from genomics_pipeline.planning.cluster_figures import CALLS, PlannedCluster, cluster_figures
from genomics_pipeline.planning.local_machine import JobOverhead
from genomics_pipeline.planning.local_plan import LocalPlan, PlannedMachine, make_local_plan
from genomics_pipeline.prices.core_hours import CoreHourPrices
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.command_times import command_times
from genomics_pipeline.runs.estimate_here import (
    least_memory_of,
    planned_work,
    read_inputs_of,
    refuse_options_of_aws,
    workload_of,
)
from genomics_pipeline.runs.plan_inputs import PlanInputs
from genomics_pipeline.runs.plan_request import PlanRequest, numbers
from genomics_pipeline.runs.slurm.attempts import LOOK_S
from genomics_pipeline.runs.slurm.sending import GATHER_S
from genomics_pipeline.slurm.cluster_limits import LIMITS, ClusterLimit, array_limit, read_limits
from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError
from genomics_pipeline.worker.machine import Capacity

NODES = ("nodes", "node_cores", "node_memory_mib")  # which `--quota` gives together, so that Slurm is not asked
# From sbatch to the task on a node that is free: the median of four arrays, measured on 2026-11-30 with Slurm 22.05,
# which had no other jobs, on a machine of 2 cores (AMD EPYC).
START_S = 0.7
OVERHEAD = JobOverhead(submit=LOOK_S, start=START_S, seen=LOOK_S / 2)
RULES = "Slurm's backfill, without jobs of other users"
NOTE = (
    "jobs of other users, lost nodes and failures are not in it; "
    f"{LOOK_S:g} s until a job that is ready is submitted, and {START_S:g} s until it starts on a free node, as "
    "measured where Slurm had no others"
)


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition, as a plan sees it.

    Attributes:
        name: Its name, for people.
        nodes: Its nodes.
        limits: The limits of the user's jobs by name.
    """

    name: str
    nodes: tuple[NodeSize, ...]
    limits: Mapping[str, ClusterLimit]

    def limit(self, name: str) -> int | None:
        """Return the number of a limit; None for none."""
        return self.limits[name].value if name in self.limits else None

    def __str__(self) -> str:
        """Return a phrase for people."""
        largest = largest_node(self.nodes)
        total = quantity(sum(one.cores for one in self.nodes), "core", ",")
        size = f"{quantity(largest.cores, 'core', ',')} and {largest.memory_mib:,} MiB"
        most = "" if len(set(self.nodes)) == 1 else "at most "
        return f"Slurm, {self.name}: {quantity(len(self.nodes), 'node', ',')} of {most}{size}, {total} together"


def estimate_on_slurm(
    request: PlanRequest,
    options: SlurmOptions,
    prices: CoreHourPrices,
    adapters: Adapters,
    note: Callable[[str], None],
) -> LocalPlan:
    """Return the plan of a run on a cluster.

    Args:
        request: The arguments, with the limits of the partition as quotas.
        options: The options of its jobs.
        prices: The prices of core-hours.
        adapters: The store that reads files, the cache for references, and the limits of the user.
        note: Shows a line of progress.

    Raises:
        UsageError: for arguments that do not fit together.
        DataError: for files that cannot be used, with all problems, and for what cannot be planned.
        RunError: for nodes that are too small; without Slurm, or the sizes of its nodes.
    """
    refuse_options_of_aws(request, "--slurm", "--quota")
    given = numbers("--quota", request.quotas, dict.fromkeys((*NODES, *LIMITS, CALLS.name), 1))
    partition = _partition(given, options, adapters)
    largest, limits = largest_node(partition.nodes), adapters.limits
    node = Capacity(
        min(limits.cpus or largest.cores, largest.cores),
        min(limits.memory_mib or largest.memory_mib, largest.memory_mib),
        limits.jobs,
        "--cpus" if limits.cpus else partition.name,
        "--memory" if limits.memory_mib else partition.name,
    )
    found, capacity = read_inputs_of(request, replace(adapters, node=node), note, on_this_machine=False)
    least_mib, most = least_memory_of(found), NodeSize(capacity.cores, capacity.memory_mib)
    _refuse_without_room(found, least_mib, most, partition)
    times = command_times(found.history, on_cluster=True)
    jobs = min(filter(None, (partition.limit("max_jobs"), limits.jobs)), default=None)
    machine = PlannedMachine(
        partial(Cluster, partition.nodes, most, jobs, partition.limit("max_cores")),
        least_mib,
        max(0.0, times.outside_s - OVERHEAD.submit - OVERHEAD.start - OVERHEAD.seen) if times else 0.0,
        OVERHEAD,
        str(partition),
        RULES,
    )
    cluster = PlannedCluster(
        partition.nodes,
        most,
        partition.limits,
        least_mib,
        GATHER_S,
        options.poll_s,
        prices.of(options.partition.partition(",")[0]),
        limits.jobs or float("inf"),
        options.minutes,
    )
    run = planned_work(request, found, NOTE)
    work = workload_of(run)
    return make_local_plan(run, work, machine, lambda trace: cluster_figures(work, trace, cluster))


def _refuse_without_room(
    found: PlanInputs, least_mib: Mapping[str, LeastMemory], most: NodeSize, partition: Partition
) -> None:
    """Refuse a partition in which a job would never start.

    Args:
        found: The inputs.
        least_mib: The memory that a job of each stage needs at least, by its cores.
        most: The most that a job may have.
        partition: The partition.

    Raises:
        RunError: with a problem for each such stage.
    """
    problems, largest, cores = [], largest_node(partition.nodes), partition.limits.get("max_cores")
    for stage in found.planned.stages_that_run.stages:
        resources = stage.step.resources
        share = job_share(resources.vcpus, resources.memory_mib, least_mib[stage.name], most)
        job = f"a job of {stage.name} would never start"
        if not has_room(partition.nodes, share):
            size = f"{share.vcpus} cores and {share.memory_mib:,} MiB"
            node = f"{largest.cores} and {largest.memory_mib:,} MiB in {partition.name}"
            problems.append(Problem(f"{job}: expected a node of {size}, found at most {node}; give another partition"))
        elif cores is not None and share.vcpus > cores.value:
            limit = f"found a limit of {cores.value} ({cores.source})"
            problems.append(
                Problem(f"{job}: expected {share.vcpus} cores at a time, {limit}; give --cpus {cores.value}")
            )
    if problems:
        raise RunError(problems)


def _partition(given: Mapping[str, float], options: SlurmOptions, adapters: Adapters) -> Partition:
    """Return the partition: as the user says, or as Slurm does, where limits of the user count before those of Slurm.

    Args:
        given: What the user says, by name.
        options: The options of the jobs.
        adapters: The environment.

    Raises:
        UsageError: if the user gives the sizes of nodes in part.
        RunError: if Slurm is not there, or has no such partition.
    """
    own = {name: ClusterLimit(name, int(value), "--quota") for name, value in given.items() if name not in NODES}
    named = options.partition.partition(",")[0]
    words = f"partition {named}" if named else "the default partition"
    sizes = [int(given[name]) for name in NODES if name in given]
    if sizes and len(sizes) < len(NODES):
        raise UsageError(f"--quota: expected {', '.join(NODES)} together, or none of them to ask Slurm")
    if sizes:
        number, cores, memory_mib = sizes
        return Partition(words, (NodeSize(cores, memory_mib),) * number, own)
    slurm = SlurmCommands(adapters.environment)
    try:
        nodes = tuple(NodeSize(*size) for size in slurm.nodes(named))
        found = read_limits(slurm, named, options.account, options.qos) if nodes else {}
        arrays = array_limit(slurm)
    except SlurmError as error:
        raise RunError(f"cannot ask Slurm for its limits: {error.message}; {_BY_HAND}") from None
    if not nodes:
        raise RunError(f"{words}: expected a partition with nodes, found none; `sinfo` lists them: --slurm-partition")
    return Partition(words, nodes, {**found, arrays.name: arrays, **own})


_BY_HAND = f"or give the partition by hand: {' '.join(f'--quota {name}=NUMBER' for name in NODES)}"
