"""`run.json` of a run on AWS: what was submitted. The run's status is that of its executions in Step Functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_spec import DeclaredMetrics, declared_json
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import RecordKind, read_fields, record_text
from genomics_pipeline.records.metrics import read_declared_metrics
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("the record of a run on AWS", "submit the run again")


@dataclass(frozen=True, slots=True)
class AwsRunRecord:
    """A submitted run.

    Attributes:
        run: The run's name.
        pipeline: The pipeline's name.
        stack: The stack that the run was submitted to.
        state_machine_arn: The pipeline's state machine.
        execution_arn: The run's first execution; each rerun has another.
        digest: sha256 of everything that decides the results.
        definition: sha256 of the definition that was deployed, as canonical JSON.
        parameters: The run's overrides by stage.
        tolerated: The samples that may fail before no new ones start, as ``percentage`` and ``count``.
        accepted: The samples that the user accepts to miss, likewise; None for none.
        reference: URI of the prepared reference.
        manifest: The sample sheet, as the user named it; empty for none.
        requested_pipeline: A shipped pipeline's name, or the absolute path of a pipeline file.
        samples: The number of samples.
        submitted: The time of the submission, ISO 8601 in UTC.
        metrics: The metrics that the steps declare, with the bounds of the run; none in records of older versions.
    """

    run: str
    pipeline: str
    stack: str
    state_machine_arn: str
    execution_arn: str
    digest: str
    definition: str
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float]
    accepted: Mapping[str, float] | None
    reference: str
    manifest: str
    requested_pipeline: str
    samples: int
    submitted: str
    metrics: DeclaredMetrics = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """Return the content of ``run.json``."""
        return record_text(self._to_json()).encode()

    def _to_json(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "pipeline": self.pipeline,
            "stack": self.stack,
            "state_machine_arn": self.state_machine_arn,
            "execution_arn": self.execution_arn,
            "digest": self.digest,
            "definition": self.definition,
            "parameters": self.parameters,
            "tolerated": self.tolerated,
            "accepted": self.accepted,
            "reference": self.reference,
            "manifest": self.manifest,
            "request": {"pipeline": self.requested_pipeline},
            "samples": self.samples,
            "submitted": self.submitted,
            "metrics": declared_json(self.metrics),
        }


def read_aws_run(store: Store, run: RunPlace) -> AwsRunRecord:
    """Read a run's record.

    Raises:
        MissingObject: if there is no record.
        UnreadableRecord: if it is not the record of a run on AWS.
        TransferFailed: if it cannot be read.
    """
    fields = read_fields(store, run.uri(run_layout.RECORD), KIND)
    return AwsRunRecord(
        run=fields.name("run"),
        pipeline=fields.text("pipeline"),
        stack=fields.text("stack"),
        state_machine_arn=fields.text("state_machine_arn"),
        execution_arn=fields.text("execution_arn"),
        digest=fields.text("digest"),
        definition=fields.sha256("definition"),
        parameters=fields.object("parameters").values_by_name(),
        tolerated=fields.object("tolerated").number_by_name(),
        accepted=fields.object("accepted").number_by_name() if fields.has("accepted") else None,
        reference=fields.text("reference"),
        manifest=fields.text("manifest"),
        requested_pipeline=fields.object("request").text("pipeline"),
        samples=fields.integer("samples"),
        submitted=fields.time("submitted"),
        metrics=read_declared_metrics(fields.object("metrics")) if fields.has("metrics") else {},
    )
