"""Continuous intake: each manifest that arrives in a folder or below an S3 prefix starts one run, once.

What was started is kept beside the manifests, in `STARTED`: one object is created for each manifest before its command
begins, which only one of many watchers can do, and one more when the command has ended. A manifest is known by its name
and its content, so that a changed one is another one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.runs.arrivals import Arrival, Arrivals, arrivals_in, read_arrival
from genomics_pipeline.runs.claims import Claims
from genomics_pipeline.stores.protocol import ObjectInfo, Store

NAME = "{name}"  # in arguments of the command: the name of the manifest's run
COMMANDS = ("run", "submit")
_USAGE = 2  # the exit code of a command that cannot be understood, whatever the manifest


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """The arguments of a watch.

    Attributes:
        prefix: The folder or S3 prefix, with a slash at its end.
        command: ``run`` or ``submit``, and its options.
        settle_s: How long a local file must be unchanged to count as complete; objects in S3 always are.
        job: The id of the Batch job that watches, whose earlier attempts have ended; empty for none.
    """

    prefix: str
    command: tuple[str, ...]
    settle_s: float
    job: str = ""


@dataclass(frozen=True, slots=True)
class EndedCommand:
    """The end of a command.

    Attributes:
        code: Its exit code.
        errors: The errors that it reported.
    """

    code: int
    errors: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings of a watch.

    Attributes:
        store: The store of the manifests.
        start: Runs a command of this program to its end, in a process that keeps descriptors open.
        now: Returns the time in seconds since the epoch.
        note: Shows a line.
    """

    store: Store
    start: Callable[[Sequence[str], Sequence[int]], EndedCommand]
    now: Callable[[], float]
    note: Callable[[str], None]


def watch_request(prefix: str, command: Sequence[str], settle_s: float, job: str = "") -> WatchRequest:
    """Return a request, after it was checked.

    Args:
        prefix: The folder or S3 prefix.
        command: The command that each manifest starts.
        settle_s: See `WatchRequest`.
        job: See `WatchRequest`.

    Raises:
        UsageError: for a place that cannot be watched, or a command that would not start one run per manifest.
    """
    if not command or command[0] not in COMMANDS:
        found = command[0] if command else "nothing"
        raise UsageError(f"expected `run` or `submit` and its options after --, found {found}")
    if command[0] == "run" and not any(NAME in argument for argument in command):
        raise UsageError(f"expected --out with {NAME}, so that each run has a folder of its own: --out runs/{NAME}")
    if "://" not in prefix:
        if not Path(prefix).is_dir():
            raise UsageError(f"{prefix}: expected a folder or an S3 prefix, found none")
        prefix = str(Path(prefix).absolute())
    elif not prefix.startswith("s3://"):
        raise UsageError(f"{without_secrets(prefix)}: expected a folder or an S3 prefix, s3://bucket/prefix/")
    return WatchRequest(f"{prefix.rstrip('/')}/", tuple(command), settle_s, job)


class Watch:
    """The watch of one folder or prefix.

    Args:
        request: The arguments.
        around: The surroundings.
    """

    def __init__(self, request: WatchRequest, around: Surroundings) -> None:
        self._request = request
        self._around = around
        self._place: Arrivals = arrivals_in(around.store, request.prefix, around.now)
        self._claims = Claims(around.store, request.prefix, around.now, request.job)

    def release_abandoned(self) -> None:
        """Remove the records of starts whose commands nobody runs any more, and name those that somebody may run.

        Raises:
            UnreadableRecord: for a record in an unknown form.
        """
        for claim, reason in self._claims.abandoned():
            self._around.note(f"{claim}: {reason}; it is started again")
        for claim in self._claims.unfinished():
            self._around.note(
                f"{claim}: begun and not ended: another watcher runs it, or was killed; remove it to start it again"
            )

    def start_arrivals(self) -> Sequence[int]:
        """Start a run for each manifest that has arrived, one after the other, and return the exit codes.

        A manifest whose claim is taken is passed over, also if its command failed.

        Raises:
            UsageError: if the command is refused as wrong usage; the manifest is then left as it was.
        """
        codes = []
        for arrival in self._arrivals():
            with ExitStack() as held:
                claim, around = self._claims.take(arrival, held), self._around
                if claim is None:  # another watcher was faster
                    self._place.remember(arrival)
                    continue
                ended = self._run(arrival, claim.uri, claim.descriptors)
                self._claims.end(claim.uri, arrival, ended.code, ended.errors)
            self._place.remember(arrival)
            codes.append(ended.code)
            advice = f"failed with exit code {ended.code}; to start it again, remove {claim.uri}"
            outcome = "ended well" if ended.code == 0 else advice
            around.note(f"{arrival.uri}: {self._request.command[0]} {outcome}")
        return codes

    def _run(self, arrival: Arrival, claim: str, descriptors: Sequence[int]) -> EndedCommand:
        note = self._around.note
        note(f"{arrival.uri}: {self._request.command[0]} begins as {arrival.name}")
        first, *rest = self._request.command
        arguments = [first, arrival.uri, *(argument.replace(NAME, arrival.name) for argument in rest)]
        try:
            ended = self._around.start(arguments, descriptors)
        except KeyboardInterrupt:
            again = "the next watch starts it again" if descriptors else f"to start it again, remove {claim}"
            note(f"{arrival.uri}: interrupted; {again}")
            raise
        if ended.code == _USAGE:
            self._around.store.delete(claim)
            raise UsageError(f"`{first}` does not accept its options; nothing was started for {arrival.uri}")
        return ended

    def _arrivals(self) -> Iterator[Arrival]:
        """Yield the complete manifests that nobody has started, in the order of their names."""
        for info in self._place.look():
            if not self._is_complete(info) or (arrival := read_arrival(info, self._around.store)) is None:
                continue
            if self._place.is_started(arrival.name):
                self._place.remember(arrival)
            else:
                yield arrival

    def _is_complete(self, info: ObjectInfo) -> bool:
        return "://" in info.uri or self._around.now() - info.modified >= self._request.settle_s
