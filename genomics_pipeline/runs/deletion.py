"""The deletion of a run: what it holds, and what is left."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class DeletionRequest:
    """A request to delete a run.

    Attributes:
        versions: Delete the noncurrent versions of objects too, which cannot be undone; only on AWS.
    """

    versions: bool = False


@dataclass(frozen=True, slots=True)
class RunContents:
    """The contents of a run that is to be deleted.

    Attributes:
        run: The name of the run.
        place: Its folder, or its URI.
        status: The status of its newest execution; empty where none began.
        begun: The time of its start or submission, ISO 8601 in UTC; empty where it is not known.
        executions: The number of its executions: the first and its reruns.
        files: The number of its files or objects; with the request for versions, of all versions.
        size_bytes: Their size.
        referrers: What refers to files of the run: links, and the records of other runs.
        kept: Names in its folder that are not those of a run's files, and are kept.
    """

    run: str
    place: str
    status: str
    begun: str
    executions: int
    files: int
    size_bytes: int
    referrers: tuple[str, ...]
    kept: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``delete --json`` prints, without the outcome."""
        return {**asdict(self), "referrers": list(self.referrers), "kept": list(self.kept)}


def refers_to(text: bytes, places: tuple[bytes, ...]) -> bool:
    r"""Return whether a text names a place or a file below it.

    >>> refers_to(b'"/data/run/results/a.fq"', (b"/data/run",)), refers_to(b'"/data/run2/a.fq"', (b"/data/run",))
    (True, False)
    """
    return any(place + end in text for place in places for end in (b"/", b'"'))
