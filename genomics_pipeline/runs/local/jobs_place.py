"""The place where the jobs of a run run; the engine is not imported, which takes time before the first job."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from genomics_pipeline.model.slurm_options import SlurmOptions
from genomics_pipeline.runs.adapters import Adapters


class JobsPlace(Protocol):
    """The part of a run's arguments that says where its jobs run: in processes of this machine by default."""

    @property
    def containers(self) -> str:
        """Return the program that runs each attempt in a container of its step's image; empty for no containers."""

    @property
    def registry(self) -> str:
        """Return the registry that Apptainer pulls the images from; empty for files in the cache."""

    @property
    def slurm(self) -> SlurmOptions | None:
        """Return the options of jobs on a Slurm cluster; None for jobs on this machine."""


def on_nodes(place: JobsPlace, adapters: Adapters) -> Adapters:
    """Return adapters whose capacity is that of the largest node, for jobs on a cluster.

    Args:
        place: Where the jobs run.
        adapters: The environment, and the limits of the user.

    Raises:
        RunError: if Slurm does not answer, or has no such partition.
    """
    if place.slurm is None:
        return adapters
    from genomics_pipeline.runs.slurm.cluster import node_capacity

    return replace(adapters, node=node_capacity(place.slurm, adapters.environment, adapters.limits))
