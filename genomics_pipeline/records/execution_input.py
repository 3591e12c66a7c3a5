"""`input.json`: the input of an execution of a run, in a folder and on AWS."""

from __future__ import annotations

from genomics_pipeline.model import quotas
from genomics_pipeline.model.execution_input import WAIT_S, ExecutionInput
from genomics_pipeline.model.first_attempt import MEMBER, FirstAttempt
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import ADVICE, Fields, RecordKind, read_fields, record_text
from genomics_pipeline.stores.protocol import Store

KIND = RecordKind("the input of an execution", ADVICE)


def read_input(store: Store, uri: str) -> ExecutionInput:
    """Read the input of an execution.

    Raises:
        MissingObject: if there is no such file.
        UnreadableRecord: if the file is in an unknown form.
    """
    fields = read_fields(store, uri, KIND)
    run, earlier = fields.object("run"), fields.object("earlier")
    return ExecutionInput(
        place=RunPlace(run.text("name"), run.text("bucket"), run.text("prefix")),
        reference=fields.text("reference"),
        parameters=fields.object("parameters").values_by_name(),
        tolerated=fields.object("tolerated").number_by_name(),
        manifest=fields.key("manifest"),
        memory_mib=fields.object("memory_mib").integer_by_name(),
        wait_s=fields.integer("wait_s") if fields.has("wait_s") else WAIT_S,  # not in older runs
        job_definitions=fields.object("job_definitions").text_by_name() if fields.has("job_definitions") else {},
        max_concurrency=(
            fields.integer("max_concurrency", 1, quotas.MAP_RUN_CONCURRENCY.value)
            if fields.has("max_concurrency")
            else None
        ),
        parts=len(fields.texts("manifests")) if fields.has("manifests") else 0,
        optional=fields.texts("optional") if fields.has("optional") else (),
        first_attempts=_first_attempts(fields.object(MEMBER)) if fields.has(MEMBER) else {},
        earlier={label: [_details(element) for element in earlier.objects(label)] for label in earlier.members},
    )


def read_concurrency(store: Store, uri: str) -> int | None:
    """Return the greatest number of children at a time in an ``input.json``, where its user gave one.

    Raises:
        UnreadableRecord: if the file is in an unknown form.
    """
    fields = read_fields(store, uri, KIND)
    return fields.integer("max_concurrency", 1) if fields.has("max_concurrency") else None


def _first_attempts(fields: Fields) -> dict[str, FirstAttempt]:
    own = {stage: fields.object(stage) for stage in fields.members}
    return {
        stage: FirstAttempt(one.integer("memory_mib", 1), one.integer("timeout_s", 1)) for stage, one in own.items()
    }


def _details(fields: Fields) -> dict[str, str]:
    return {"Bucket": fields.text("Bucket"), "Key": fields.text("Key")}


def input_text(execution_input: ExecutionInput) -> str:
    """Return the content of ``input.json``."""
    return record_text(execution_input.to_json())
