"""The run over records that a record is replayed from: in a folder, or on AWS, by its bucket alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.resource_names import ResourceNames, resource_names
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.local_run import read_local_run
from genomics_pipeline.report.record_failures import FailedRecord
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.aws.records.ends import failures_in_results
from genomics_pipeline.runs.find_run import find_run, record_in_bucket
from genomics_pipeline.runs.record_run import RecordRun
from genomics_pipeline.runs.replays.origin import results_in_bucket
from genomics_pipeline.runs.run_files import RunFiles


@dataclass(frozen=True, slots=True)
class RecordOrigin:
    """A run over records.

    Attributes:
        files: Its files.
        pipeline: A shipped pipeline's name, or the path of a pipeline file.
        rows: Returns the records without a result.
        names: The names of the functions in its definition.
        in_containers: Whether its functions ran in containers.
    """

    files: RunFiles
    pipeline: str
    rows: Callable[[], Iterator[FailedRecord]]
    names: ResourceNames
    in_containers: bool


def find_record_origin(text: str, stack: str, adapters: Adapters) -> RecordOrigin | None:
    """Return the run over records that an argument RUN names; None for a run over samples.

    Args:
        text: The run's folder, URI or name.
        stack: The stack in which a name is looked up.
        adapters: The clients and the store.

    Raises:
        UsageError: for what cannot be the name of a run.
        RunError: if there is no such run.
    """
    if not text.startswith("s3://"):
        run = find_run(text, stack, adapters)
        if not isinstance(run, RecordRun):
            return None
        if not run.files.is_on_aws:
            record = read_local_run(run.files.store, run.files.place.uri(run_layout.RECORD))
            contained = record is not None and bool(record.arguments.containers)
            return RecordOrigin(run.files, run.requested_pipeline, run.failed_records, ResourceNames(), contained)
        text = run.files.shown
    place, submitted = record_in_bucket(text, adapters.store)
    if submitted.reference:
        return None
    names = resource_names(submitted.stack)
    files = RunFiles(adapters.store, place, place.uri("").rstrip("/"), names.log_group)

    def rows() -> Iterator[FailedRecord]:
        document = read_run_definition(files.store, place.uri(run_layout.DEFINITION))
        labels = [str(state["Label"]) for state in distributed_maps(document)]
        for details in (one for written in results_in_bucket(files, labels).values() for one in reversed(written)):
            yield from failures_in_results(files.store, details)

    return RecordOrigin(files, submitted.requested_pipeline, rows, names, in_containers=True)
