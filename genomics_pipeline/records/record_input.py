"""`input.json` of an execution over records."""

from __future__ import annotations

from genomics_pipeline.model import quotas
from genomics_pipeline.model.record_input import GatherAgain, RecordInput, RecordsPlace
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.execution_input import KIND
from genomics_pipeline.records.fields import Fields, read_fields
from genomics_pipeline.stores.protocol import Store


def read_record_input(store: Store, uri: str) -> RecordInput:
    """Read the input of an execution over records.

    Raises:
        MissingObject: if there is no such file.
        UnreadableRecord: if the file is in an unknown form.
    """
    fields = read_fields(store, uri, KIND)
    run, records = fields.object("run"), fields.object("records")
    listed = records.has("prefix")
    place = RecordsPlace(
        records.text("bucket"),
        records.text("prefix" if listed else "key"),
        records.texts("prefixes") if records.has("prefixes") else (),
    )
    most = quotas.MAP_RUN_CONCURRENCY.value
    return RecordInput(
        place=RunPlace(run.text("name"), run.text("bucket"), run.text("prefix")),
        records=place,
        listed=listed,
        parameters=fields.object("parameters").values_by_name(),
        tolerated=fields.object("tolerated").number_by_name(),
        max_concurrency=fields.integer("max_concurrency", 1, most) if fields.has("max_concurrency") else None,
        again=fields.has("again") and fields.flag("again"),
        gather=_gather(fields) if fields.has("earlier") else None,
    )


def _gather(fields: Fields) -> GatherAgain:
    only = fields.has("gather_only") and fields.flag("gather_only")
    earlier = tuple(one.text_by_name() for one in fields.objects("earlier"))
    return GatherAgain(earlier, fields.integer("left_out", 0), only)
