"""`run.json` of a run in a folder of this machine: its arguments, its status and its outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from genomics_pipeline.model.container_choice import CONTAINERS, NO_CONTAINERS
from genomics_pipeline.model.metric_spec import DeclaredMetrics
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.slurm_options import CHECKS, SlurmOptions
from genomics_pipeline.records.fields import ADVICE, Fields, RecordKind, find_fields, record_text
from genomics_pipeline.records.metrics import read_declared_metrics
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("the record of a run", ADVICE)
_NAME = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,59}")  # that of a journal's folder begins with it
MAX_EXECUTIONS = 1_000_000
STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "ABORTED")


@dataclass(frozen=True, slots=True)
class RunArguments:
    """The arguments of a run, which its reruns need.

    Attributes:
        manifest: Absolute path or URI of the sample sheet; empty for none.
        reference: Absolute path or URI of the FASTA file.
        pipeline: A shipped pipeline's name, or the absolute path of a pipeline file.
        parameters: ``STAGE.NAME=VALUE`` overrides.
        bounds: ``STAGE.METRIC.BOUND=NUMBER`` bounds of metrics.
        samples: The names of the requested samples; none for all.
        tolerate: The samples that the user accepts to miss, as a share or a number; None for none.
        max_failures: The samples that may fail before no new ones start, likewise; None for the pipeline's limit.
        containers: The program that ran each task in a container; empty for no containers.
        slurm: The options of jobs on a Slurm cluster; None for jobs on this machine.
        registry: The registry of the images; empty for none.
        others: The options that only the run itself has, each with its value: a rerun does not need them.
    """

    manifest: str
    reference: str
    pipeline: str
    parameters: tuple[str, ...]
    bounds: tuple[str, ...]
    samples: tuple[str, ...]
    tolerate: str | None
    max_failures: str | None
    containers: str
    slurm: SlurmOptions | None = None
    registry: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalRunRecord:
    """A run in a folder, and its newest execution.

    Attributes:
        run: The run's name.
        status: One of `STATUSES`.
        execution: The number of the newest execution, from 1.
        first: The number of the newest execution over the whole manifest.
        input: Key of the newest execution's input, below the folder.
        digest: sha256 of everything that decides the results of the newest execution.
        pipeline: The pipeline's name.
        parameters: The run's overrides by stage.
        tolerated: The samples that may fail before no new ones start, as ``percentage`` and ``count``.
        accepted: The samples that the user accepts to miss in the newest execution, likewise; None for none.
        arguments: The run's arguments.
        started: The start of the newest execution, ISO 8601 in UTC.
        summary: The outcome, as ``run --json`` prints it, with keys for paths; empty until an execution has ended.
    """

    run: str
    status: str
    execution: int
    first: int
    input: str
    digest: str
    pipeline: str
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float]
    accepted: Mapping[str, float] | None
    arguments: RunArguments
    started: str
    summary: Mapping[str, Any]

    @property
    def seconds(self) -> float | None:
        """The duration of the newest execution; None until it has ended."""
        seconds: float | None = self.summary.get("seconds")
        return seconds

    @property
    def error(self) -> str | None:
        """The reason for the failure of the newest execution, if it failed."""
        error: str | None = self.summary.get("error")
        return error

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run.json`` holds."""
        return {
            "run": self.run,
            "status": self.status,
            "execution": self.execution,
            "first": self.first,
            "input": self.input,
            "digest": self.digest,
            "pipeline": self.pipeline,
            "parameters": self.parameters,
            "tolerated": self.tolerated,
            "accepted": self.accepted,
            "request": asdict(self.arguments),
            "started": self.started,
            "summary": self.summary,
        }


def read_local_run(store: Store, uri: str) -> LocalRunRecord | None:
    """Read a run's record; None if there is none.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, uri, KIND)) is None:
        return None
    run, execution, first = fields.name("run"), fields.integer("execution"), fields.integer("first")
    if not _NAME.fullmatch(run):
        raise fields.error("run", "the name of a run")
    if not 1 <= first <= execution <= MAX_EXECUTIONS:
        raise fields.error("execution", f"the number of an execution, from {first} to {MAX_EXECUTIONS}")
    return LocalRunRecord(
        run=run,
        status=fields.one_of("status", STATUSES),
        execution=execution,
        first=first,
        input=fields.key("input"),
        digest=fields.text("digest"),
        pipeline=fields.text("pipeline"),
        parameters=fields.object("parameters").values_by_name(),
        tolerated=fields.object("tolerated").number_by_name(),
        accepted=fields.object("accepted").number_by_name() if fields.has("accepted") else None,
        arguments=_arguments(fields.object("request")),
        started=fields.time("started"),
        summary=_summary(fields.object("summary")),
    )


def summary_metrics(record: LocalRunRecord, uri: str) -> DeclaredMetrics:
    """Return the metrics that the steps of a run declare, with its bounds; none until an execution has ended.

    Args:
        record: The record of the run.
        uri: Its file, for messages.

    Raises:
        UnreadableRecord: if they are in an unknown form.
    """
    fields = Fields(uri, KIND, record.summary, "summary.")
    return read_declared_metrics(fields.object("metrics")) if fields.has("metrics") else {}


def _arguments(fields: Fields) -> RunArguments:
    return RunArguments(
        manifest=fields.text("manifest"),
        reference=fields.text("reference"),
        pipeline=fields.text("pipeline"),
        parameters=fields.texts("parameters"),
        bounds=fields.texts("bounds"),
        samples=fields.texts("samples"),
        tolerate=fields.text("tolerate") if fields.has("tolerate") else None,
        max_failures=fields.text("max_failures") if fields.has("max_failures") else None,
        containers=fields.one_of("containers", (NO_CONTAINERS, *CONTAINERS)),
        registry=fields.text("registry"),
        slurm=_slurm(fields.object("slurm")) if fields.has("slurm") else None,
        others=fields.texts("others") if fields.has("others") else (),
    )


def _slurm(fields: Fields) -> SlurmOptions:
    return SlurmOptions(
        partition=fields.text("partition"),
        on_demand_partition=fields.text("on_demand_partition"),
        account=fields.text("account"),
        qos=fields.text("qos"),
        scratch=fields.text("scratch"),
        mem_per_cpu=fields.flag("mem_per_cpu"),
        extra=fields.texts("extra"),
        poll_s=fields.integer("poll_s", 1),
        check=fields.one_of("check", CHECKS),
        cpus=fields.integer("cpus", 0),
        memory_mib=fields.integer("memory_mib", 0),
        jobs=fields.integer("jobs", 0),
        minutes=fields.integer("minutes", 0) if fields.has("minutes") else 0,
    )


def _summary(fields: Fields) -> Mapping[str, Any]:
    if fields.members:
        fields.number("seconds")
    if fields.has("error"):
        fields.text("error")
    return fields.members


def write_local_run(store: Store, uri: str, record: LocalRunRecord) -> None:
    """Write a run's record, in place of the one that was there."""
    store.write(uri, record_text(record.to_json()).encode())
