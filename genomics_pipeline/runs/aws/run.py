"""A run on AWS: its name, its place in the bucket, its record, and the adapters to read it."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.deployment import Deployment
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.aws_run import AwsRunRecord, read_aws_run
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.routed import RoutedStore


@dataclass(frozen=True, slots=True)
class AwsRun:
    """A run on AWS.

    Attributes:
        name: The name of the run and of its first execution.
        place: The place of its files.
        deployment: The stack that it runs in.
        clients: The AWS clients.
        store: The store that reads and writes its files.
        record: The record of the run, ``run.json``.
    """

    name: str
    place: RunPlace
    deployment: Deployment
    clients: Clients
    store: RoutedStore
    record: AwsRunRecord

    @property
    def files(self) -> RunFiles:
        """The files of the run."""
        return RunFiles(self.store, self.place, self.place.uri("").rstrip("/"), self.deployment.names.log_group)


def run_place(name: str, bucket: str) -> RunPlace:
    """Return the place of a run in the bucket of its stack."""
    return RunPlace(name, bucket, run_layout.run_prefix(name))


def read_record(place: RunPlace, store: Store) -> AwsRunRecord:
    """Return the ``run.json`` of a run on AWS.

    Raises:
        MissingObject: if there is no record.
        RunError: if the file is not the record of a run on AWS, or cannot be read.
    """
    with aws_call(f"read {place.uri(run_layout.RECORD)}"):
        return read_aws_run(store, place)
