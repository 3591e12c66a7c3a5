"""`.engine/holder.json`: the process that runs in a folder; the time of its last write is the process's heartbeat."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from genomics_pipeline.records.fields import Fields, RecordKind, UnreadableRecord, read_fields
from genomics_pipeline.stores.protocol import MissingObject, Store

KIND = RecordKind("the record of a process", "delete the file")


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that runs in a folder.

    Attributes:
        pid: The id of the process.
        host: The name of its machine, which is only shown: names change, and several machines may share one.
        machine: The identity of its running kernel.
        namespace: The identity of its namespace of process ids.
        started: Its start, which tells it from a later process of the same id.
        token: A text that no other holder has.
    """

    pid: int
    host: str
    machine: str
    namespace: str
    started: str
    token: str

    def __str__(self) -> str:
        """Return the process as messages name it."""
        return f"process {self.pid} on {self.host}" if self.pid else "a process"


UNRECORDED = Holder(0, "", "", "", "", "")  # of which there is no record, or not yet


def read_holder(store: Store, uri: str) -> Holder | None:
    """Return the process that runs in a folder.

    Returns:
        The process. None if none was recorded, or the record cannot be read: the folder's lock, and not this record,
        keeps a second process out.
    """
    try:
        return holder_of(read_fields(store, uri, KIND))
    except (MissingObject, UnreadableRecord):
        return None


def holder_of(fields: Fields) -> Holder:
    """Return the process that a JSON object describes.

    Raises:
        UnreadableRecord: for an object of another form.
    """
    return Holder(
        fields.integer("pid"),
        fields.text("host"),
        fields.text("machine"),
        fields.text("namespace"),
        fields.text("started"),
        fields.text("token"),
    )


def write_holder(store: Store, uri: str, holder: Holder) -> None:
    """Record the process that runs in a folder."""
    store.write(uri, f"{json.dumps(asdict(holder))}\n".encode())
