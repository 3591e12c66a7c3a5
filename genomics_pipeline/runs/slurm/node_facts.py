"""Facts of the node and the partition of a job, which the records of its tasks keep: `cost` counts by them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from genomics_pipeline.prices.core_hours import CORES, NODE, PARTITION

# Set for each job: sbatch(1), "OUTPUT ENVIRONMENT VARIABLES".
_VARIABLES = {PARTITION: "SLURM_JOB_PARTITION", NODE: "SLURMD_NODENAME", CORES: "SLURM_CPUS_ON_NODE"}
_FACT = re.compile(r"[A-Za-z0-9_.@+-]{1,64}", re.ASCII)


def node_facts(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the partition, the node and the allocated cores of a job; none where Slurm does not say them.

    Args:
        environment: The environment variables of the job.
    """
    facts = {name: environment.get(variable, "") for name, variable in _VARIABLES.items()}
    return {name: value for name, value in facts.items() if _FACT.fullmatch(value)}
