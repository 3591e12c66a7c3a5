"""The check of the rights of a job's role, in a container of any step: see `model.rights`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.rights import RightsCheck, RightsReport, RightsRequest
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.scratch import task_folder


def check_rights(request: RightsRequest, store: Store, scratch: Path, job_id: str) -> RightsReport:
    """Read a byte of each object, list its folder, and write the report of these checks.

    Args:
        request: The objects.
        store: Their store.
        scratch: A folder for temporary files.
        job_id: The Batch job.

    Returns:
        The report, with the check of writing it.
    """
    checks = list(_reads(request, store))
    with task_folder(scratch, "rights") as folder:
        # As an output of a task is written that expires, which needs one right more; its own check is in the log only.
        file = folder / "report"
        file.write_text(RightsReport(job_id, [*checks, RightsCheck("write", request.report)]).to_text())
        checks.append(_check("write", request.report, lambda: store.publish(file, request.report, intermediate=True)))
    return RightsReport(job_id, checks)


def _reads(request: RightsRequest, store: Store) -> Iterator[RightsCheck]:
    folders = set()
    for uri in request.reads:
        yield _check("read", uri, lambda uri=uri: store.open(uri).read(1))  # type: ignore[misc]
        folder = f"{uri.rpartition('/')[0]}/"
        if folder not in folders:
            folders.add(folder)
            yield _check("list", folder, lambda folder=folder: next(iter(store.list(folder)), None))  # type: ignore[misc]


def _check(action: str, uri: str, call: Callable[[], object]) -> RightsCheck:
    try:
        call()
    except (PipelineError, OSError) as error:
        return RightsCheck(action, uri, str(error))
    return RightsCheck(action, uri)
