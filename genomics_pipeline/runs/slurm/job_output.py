"""The output of a job as Slurm keeps it, which is the log of items where the worker was killed before it wrote one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.task import item_id
from genomics_pipeline.runs.run_folder import BUCKET
from genomics_pipeline.runs.slurm.node_task import NodeTask
from genomics_pipeline.stores.publish import publish_new
from genomics_pipeline.worker.adapters import make_store
from genomics_pipeline.worker.payload import read_payload

LOG_BYTES = 20_000  # of the end of a job's output


def tail(path: Path) -> str:
    """Return the end of a job's output; empty while there is none to be read."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - LOG_BYTES))
            return file.read(LOG_BYTES).decode(errors="replace")
    except OSError:
        return ""


def keep_output(task: NodeTask, text: str) -> None:
    """Write the output of a job as the log of each of its items that has none.

    Args:
        task: The task that it ran.
        text: The output.
    """
    run = Path(task.run)
    with suppress(PipelineError, OSError):  # the failure itself matters more
        payload = read_payload(task.payload, make_store({BUCKET: run}))
        for item in payload.items:
            publish_new(run / run_layout.log(payload.stage, item_id(item)), text.encode(), run)
