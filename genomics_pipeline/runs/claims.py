"""The records of starts that watchers keep beside manifests: of many watchers, one creates that of a manifest.

In a folder of this machine, the watcher and its command hold a lock of the record as long as either lives. So the next
watcher knows a record that nobody works on any more.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genomics_pipeline.records.fields import RecordKind, UnreadableRecord, find_fields
from genomics_pipeline.records.holder import holder_of
from genomics_pipeline.runs.arrivals import BEGUN, STARTED, Arrival
from genomics_pipeline.runs.process_identity import is_alive, is_in_reach, this_process
from genomics_pipeline.stores.protocol import Store

ENDED = ".ended.json"
CLAIM = RecordKind("the record of a start", "remove it to start its sheet again")


@dataclass(frozen=True, slots=True)
class Claim:
    """The record of a start that this process created.

    Attributes:
        uri: Its path or URI.
        descriptors: Its file, which is locked as long as a process has it open; none in S3.
    """

    uri: str
    descriptors: tuple[int, ...]


class Claims:
    """The records of starts in one folder or prefix.

    Args:
        store: The store of the manifests.
        prefix: The folder or prefix, with a slash at its end.
        now: Returns the time in seconds since the epoch.
        job: The id of the Batch job that watches, whose earlier attempts have ended; empty for none.
    """

    def __init__(self, store: Store, prefix: str, now: Callable[[], float], job: str) -> None:
        self._store = store
        self._folder = f"{prefix}{STARTED}/"
        self._is_local = "://" not in prefix
        self._now = now
        self._job = job

    def take(self, arrival: Arrival, held: ExitStack) -> Claim | None:
        """Create the record of a manifest's start; None if there is one.

        Args:
            arrival: The manifest.
            held: Closes its file.
        """
        uri = f"{self._folder}{arrival.name}{BEGUN}"
        by = {"by": asdict(this_process())} if self._is_local else {}
        job = {"job": self._job} if self._job else {}
        if not self._store.create(uri, self._record(arrival, "begun", {**job, **by})):
            return None
        if not self._is_local:
            return Claim(uri, ())
        descriptor = os.open(uri, os.O_RDONLY | os.O_NOFOLLOW)
        held.callback(os.close, descriptor)
        with suppress(OSError):  # a file system without locks, where nobody takes a start over
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Claim(uri, (descriptor,))

    def end(self, claim: str, arrival: Arrival, code: int, errors: Sequence[str]) -> None:
        """Record the end of a manifest's command.

        Args:
            claim: The record of its start.
            arrival: The manifest.
            code: The exit code.
            errors: The errors that it reported.
        """
        outcome = {"exit_code": code, **({"errors": list(errors)} if errors else {})}
        self._store.write(_end(claim), self._record(arrival, "ended", outcome))

    def unfinished(self) -> Iterator[str]:
        """Yield the records of starts whose commands have not ended: another watcher runs them, or was killed."""
        uris = {info.uri for info in self._store.list(self._folder)}
        claims = (uri for uri in sorted(uris) if not uri.endswith(ENDED))
        yield from (claim for claim in claims if _end(claim) not in uris)

    def abandoned(self) -> Iterator[tuple[str, str]]:
        """Remove the records of starts that nobody works on any more, and yield them with the reason.

        Raises:
            UnreadableRecord: for a record in an unknown form.
        """
        for claim in list(self.unfinished()):
            if self._is_own(claim):
                self._store.delete(claim)
                yield claim, "begun by an earlier attempt of this job, which ended"
            elif self._is_local and self._delete_if_free(claim):
                yield claim, "begun by a watcher of this machine that was killed, and its command has ended too"

    def _is_own(self, claim: str) -> bool:
        """Return whether an earlier attempt of the same Batch job left a record: nothing of it runs any more."""
        fields = find_fields(self._store, claim, CLAIM) if self._job else None
        return fields is not None and fields.has("job") and fields.text("job") == self._job

    def _delete_if_free(self, claim: str) -> bool:
        """Delete a record unless its watcher or its command may run; return whether it was deleted."""
        with ExitStack() as held:
            try:
                descriptor = os.open(claim, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fields = find_fields(self._store, claim, CLAIM)
                is_same = Path(claim).stat().st_ino == os.fstat(descriptor).st_ino  # of those that look, one deletes it
                if fields is None or not fields.has("by") or not is_same:
                    return False
                watcher = holder_of(fields.object("by"))
            except (OSError, UnreadableRecord):
                return False
            if not is_in_reach(watcher) or is_alive(watcher):
                return False
            self._store.delete(claim)
            return True

    def _record(self, arrival: Arrival, kind: str, more: Mapping[str, Any]) -> bytes:
        """Return the record of a command's beginning or end.

        Args:
            arrival: The manifest.
            kind: ``begun`` or ``ended``.
            more: Further members.
        """
        time = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        return json.dumps({"manifest": arrival.uri, "sha256": arrival.sha256, kind: time, **more}).encode()


def _end(claim: str) -> str:
    """Return the URI of the record of a command's end."""
    return claim.removesuffix(BEGUN) + ENDED
