"""The files of a run as its containers see them: mounts, and the variables that name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.runs.containers.mounts import Mount, of_run
from genomics_pipeline.runs.run_folder import BUCKET
from genomics_pipeline.stores.layered import LAYER_VARIABLE, layer_text
from genomics_pipeline.stores.publish import make_folders


@dataclass(frozen=True, slots=True)
class ContainerView:
    """The files of a run as its containers see them.

    Attributes:
        mounts: Returns the mounts.
        buckets: The folders that stand for buckets.
        variables: Further variables.
        is_remote: Whether files of the run are in S3.
        keeps_scratch: Whether the temporary files of a container stay.
    """

    mounts: Callable[[], Sequence[Mount]]
    buckets: Mapping[str, Path]
    variables: Mapping[str, str] = field(default_factory=dict)
    is_remote: bool = False
    keeps_scratch: bool = False


def view_of_run(run: Path) -> ContainerView:
    """Return the view of a run's folder, which containers write to."""

    def mounts() -> list[Mount]:
        make_folders(run / run_layout.VERIFIED, run)
        return of_run(run)

    return ContainerView(mounts, {BUCKET: run})


def view_of_replay(folder: Path, layer: Path, prefix: str, run: Path | None) -> ContainerView:
    """Return the view of a replay, whose containers read the files of the run and write to a folder above them.

    Args:
        folder: The folder of the replay.
        layer: The folder of the files that the replay writes, in it.
        prefix: The URI of the run's files.
        run: The folder of the run; None of one on AWS.
    """
    mounts = [Mount(folder, folder, readonly=False), *([Mount(run, run)] if run else [])]
    variables = {LAYER_VARIABLE: layer_text(prefix, layer), "GENOMICS_PIPELINE_KEEP_SCRATCH": "1"}
    return ContainerView(lambda: mounts, {BUCKET: run} if run else {}, variables, run is None, keeps_scratch=True)
