"""A run on AWS: its name, its place in the bucket, its record, and the adapters to read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.deployment import Deployment, find_deployment
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.overrides import assignments
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.aws_run import AwsRunRecord, read_aws_run
from genomics_pipeline.records.execution_input import read_input
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.stores.protocol import MissingObject, Store
from genomics_pipeline.stores.routed import RoutedStore


@dataclass(frozen=True)
class AwsRun:
    """A run on AWS, as its record describes it.

    Attributes:
        name: The name of the run and of its first execution.
        place: The place of its files.
        clients: The AWS clients.
        store: The store that reads and writes its files.
        record: The record of the run, ``run.json``.
    """

    name: str
    place: RunPlace
    clients: Clients
    store: RoutedStore
    record: AwsRunRecord

    @property
    def names(self) -> ResourceNames:
        """The names of the resources of its stack."""
        return ResourceNames(self.record.stack)

    @property
    def partition(self) -> str:
        """The partition of its state machine: ``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self._of_arn(1)

    @property
    def region(self) -> str:
        """The Region of its state machine."""
        return self._of_arn(3)

    @cached_property
    def deployment(self) -> Deployment:
        """The stack that it runs in, for what only CloudFormation tells.

        Raises:
            RunError: if there is none, or the call fails.
        """
        return find_deployment(self.record.stack, self.clients)

    @property
    def files(self) -> RunFiles:
        """The files of the run."""
        return RunFiles(self.store, self.place, self.place.uri("").rstrip("/"), self.names.log_group)

    def _of_arn(self, place: int) -> str:
        """Return a part of the ARN of its state machine; an empty text where the record has no ARN."""
        return dict(enumerate(self.record.state_machine_arn.split(":"))).get(place, "")

    def definition_problems(self) -> Iterator[Problem]:
        """Compare the definition in the bucket with the digest that was recorded when the run was submitted."""
        found = self.files.definition_digest()
        if found != self.record.definition:
            expected = f"expected the definition that was submitted, of the digest {self.record.definition}"
            yield Problem(f"{expected}, found {found}", self.files.shown_key(run_layout.DEFINITION))

    def facts(self) -> Iterator[tuple[str, str]]:
        """Yield what identifies the run in its record; see `runs.readable_run.ReadableRun.facts`."""
        record = self.record
        yield "Submitted", record.submitted
        yield "Sample sheet", record.manifest
        yield "Reference", record.reference
        yield "Pipeline", record.pipeline
        yield "Overridden parameters", ", ".join(assignments(record.parameters))
        yield "State machine", record.state_machine_arn
        yield "First execution", record.execution_arn
        yield "Digest of all that decides the results", record.digest
        yield "Digest of the definition", record.definition
        with suppress(MissingObject):
            used = read_input(self.store, self.place.uri(run_layout.INPUT)).job_definitions
            yield from ((f"Job definition of {step}", arn) for step, arn in used.items())


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
