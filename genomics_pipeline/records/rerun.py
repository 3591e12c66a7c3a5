"""`reruns/<n>/run.json`: the request for a rerun, in a folder or on AWS, and what it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.records.fields import ADVICE, Fields, RecordKind, find_fields, record_text
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("the record of a rerun", ADVICE)


@dataclass(frozen=True, slots=True)
class ChosenSamples:
    """The samples that a rerun runs.

    Attributes:
        execution: The name of the rerun's execution.
        samples: The number of samples that it runs.
        by_class: The number of samples by failure class, with ``pending`` for those that never started.
        first: The names of the first samples.
        left_out: The number of samples that failed or never started, and are not run.
        carried: A sample that succeeded and is run because AWS may refuse a Map without items; None if there is none.
    """

    execution: str
    samples: int
    by_class: Mapping[str, int]
    first: tuple[str, ...]
    left_out: int
    carried: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run.json`` of a rerun and ``rerun --json`` hold."""
        members = {**asdict(self), "first": list(self.first)}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RerunRecord:
    """One rerun.

    Attributes:
        number: The rerun's number within its run, from 1.
        execution: The name of its execution.
        parent: The name of the execution before it.
        manifest: Key of the manifest that it reads, below the run.
        classes: The requested failure classes; none for all.
        names: The requested samples; none for all.
        parameters: All overrides by stage.
        memory_mib: The first memory of a stage's jobs, by stage, where it is not the step's.
        chosen: The samples that it runs; ``counts`` in the file.
        begun: The time of its start or submission, ISO 8601 in UTC.
        execution_arn: Its execution on AWS; empty in a folder.
        carried: On AWS, the number of its samples that had succeeded before: see `runs.reruns.choice.Choice.carry`.
        accepted: The samples that the user accepts to miss, as ``percentage`` and ``count``; None for none.
    """

    number: int
    execution: str
    parent: str
    manifest: str
    classes: tuple[str, ...]
    names: tuple[str, ...]
    parameters: Mapping[str, Mapping[str, Value]]
    memory_mib: Mapping[str, int]
    chosen: ChosenSamples
    begun: str
    execution_arn: str = ""
    carried: int = 0
    accepted: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``run.json`` holds."""
        aws = bool(self.execution_arn)
        return {
            "rerun": self.number,
            "execution": self.execution,
            **({"execution_arn": self.execution_arn} if aws else {}),
            "parent": self.parent,
            "manifest": self.manifest,
            **({"carried": self.carried} if aws else {}),
            "classes": list(self.classes),
            "names": list(self.names),
            "parameters": self.parameters,
            "memory_mib": self.memory_mib,
            "accepted": self.accepted,
            "counts": self.chosen.to_json(),
            "submitted" if aws else "begun": self.begun,
        }


def read_rerun(store: Store, uri: str) -> RerunRecord | None:
    """Read a rerun's record; None if there is none.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    if (fields := find_fields(store, uri, KIND)) is None:
        return None
    aws = fields.has("execution_arn")
    return RerunRecord(
        number=fields.integer("rerun", 1),
        execution=fields.name("execution"),
        parent=fields.name("parent"),
        manifest=fields.key("manifest"),
        classes=fields.texts("classes"),
        names=fields.texts("names"),
        parameters=fields.object("parameters").values_by_name(),
        memory_mib=fields.object("memory_mib").integer_by_name(),
        accepted=fields.object("accepted").number_by_name() if fields.has("accepted") else None,
        chosen=_chosen(fields.object("counts")),
        begun=fields.time("submitted" if aws else "begun"),
        execution_arn=fields.text("execution_arn") if aws else "",
        carried=fields.integer("carried") if aws else 0,
    )


def _chosen(fields: Fields) -> ChosenSamples:
    return ChosenSamples(
        execution=fields.text("execution"),
        samples=fields.integer("samples"),
        by_class=fields.object("by_class").integer_by_name(),
        first=fields.texts("first"),
        left_out=fields.integer("left_out"),
        carried=fields.text("carried") if fields.has("carried") else None,
    )


def write_rerun(store: Store, uri: str, record: RerunRecord) -> None:
    """Write a rerun's record, in place of the one that was there."""
    store.write(uri, record_text(record.to_json()).encode())
