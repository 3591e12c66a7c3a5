"""`.engine/holder.json`: the process that runs in a folder, so that another one can find it and end it."""

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
        pid: Its id.
        host: Its machine.
        started: When it began, in seconds since the epoch: another process of that id has another time.
    """

    pid: int
    host: str
    started: float


def read_holder(store: Store, uri: str) -> Holder | None:
    """Read which process runs in a folder.

    Returns:
        The process. None where none was recorded, and where the record cannot be read: the folder's lock, and not this
        record, keeps two processes apart.
    """
    try:
        fields = read_fields(store, uri, KIND)
        return Holder(fields.integer("pid"), fields.text("host"), fields.number("started"))
    except (MissingObject, UnreadableRecord):
        return None


def write_holder(store: Store, uri: str, holder: Holder) -> None:
    """Write which process runs in a folder."""
    store.write(uri, f"{json.dumps(asdict(holder))}\n".encode())
