"""`.engine/holder.json`: the process that runs in a folder, so that another process can end it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from genomics_pipeline.records.fields import RecordKind, UnreadableRecord, read_fields
from genomics_pipeline.stores.protocol import MissingObject, Store

KIND = RecordKind("the record of a process", "delete the file")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs in a folder.

    Attributes:
        pid: The id of the process.
        host: The name of its machine.
        started: Its start, in seconds since the epoch, which tells it from a later process of the same id.
    """

    pid: int
    host: str
    started: float


def read_holder(store: Store, uri: str) -> Holder | None:
    """Return the process that runs in a folder.

    Returns:
        The process. None if none was recorded, or the record cannot be read: the folder's lock, and not this record,
        keeps a second process out.
    """
    try:
        fields = read_fields(store, uri, KIND)
        return Holder(fields.integer("pid"), fields.text("host"), fields.number("started"))
    except (MissingObject, UnreadableRecord):
        return None


def write_holder(store: Store, uri: str, holder: Holder) -> None:
    """Record the process that runs in a folder."""
    store.write(uri, f"{json.dumps(asdict(holder))}\n".encode())
