"""Continuous intake: each manifest that arrives in a folder or below an S3 prefix starts one run, once.

What was started is kept beside the manifests, in `STARTED`: one object is created for each manifest before its command
begins, which only one of many watchers can do, and one more when the command has ended. A manifest is known by its name
and its content, so that a changed one is another one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.secrets import without_secrets
from genomics_pipeline.records.fields import RecordKind, find_fields
from genomics_pipeline.stores.protocol import MissingObject, ObjectInfo, Store

STARTED = ".started"
NAME = "{name}"  # in arguments of the command: the name of the manifest's run
COMMANDS = ("run", "submit")
_MANIFEST = re.compile(r"[^./][^/]*\.(csv|tsv|jsonl|ndjson)(\.(gz|bgz|bz2|xz|zst))?", re.IGNORECASE)
_SUFFIXES = re.compile(r"(\.(csv|tsv|jsonl|ndjson))(\.(gz|bgz|bz2|xz|zst))?$", re.IGNORECASE)
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")
_NAME_CHARACTERS, _DIGEST_CHARACTERS, _PIECE = 40, 12, 1 << 20
_BEGUN, _ENDED = ".json", ".ended.json"
CLAIM = RecordKind("the record of a start", "remove it to start its sheet again")
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
class Arrival:
    """A manifest that has not been started.

    Attributes:
        uri: Its path or URI.
        name: The name of its run: of its file, and the beginning of its digest.
        sha256: The digest of its content.
    """

    uri: str
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The surroundings of a watch.

    Attributes:
        store: The store of the manifests.
        start: Runs a command of this program to its end.
        now: Returns the time in seconds since the epoch.
        note: Shows a line.
        digests: The sha256 of manifests by URI and version, so that each is read once.
    """

    store: Store
    start: Callable[[Sequence[str]], EndedCommand]
    now: Callable[[], float]
    note: Callable[[str], None]
    digests: dict[tuple[str, str], str] = field(default_factory=dict)


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


def unfinished(request: WatchRequest, store: Store) -> Iterator[str]:
    """Yield the claims whose commands have not ended: another watcher runs them, or was killed."""
    uris = {info.uri for info in store.list(f"{request.prefix}{STARTED}/")}
    claims = (uri for uri in sorted(uris) if not uri.endswith(_ENDED))
    yield from (claim for claim in claims if _end(claim) not in uris)


def release_own(request: WatchRequest, around: Surroundings) -> None:
    """Remove the claims that an earlier attempt of the same Batch job left that lost its host: nothing runs any more.

    Args:
        request: The arguments.
        around: The surroundings.

    Raises:
        UnreadableRecord: for a claim in an unknown form.
    """
    if not request.job:
        return
    for claim in list(unfinished(request, around.store)):
        fields = find_fields(around.store, claim, CLAIM)
        if fields and fields.has("job") and fields.text("job") == request.job:
            around.note(f"{claim}: begun by an earlier attempt of this job, which ended; it is started again")
            around.store.delete(claim)


def start_arrivals(request: WatchRequest, around: Surroundings) -> int:
    """Start a run for each manifest that has arrived, one after the other, and return how many of them failed.

    A manifest whose claim is taken is passed over, also if its command failed.

    Args:
        request: The arguments.
        around: The surroundings.

    Raises:
        UsageError: if the command is refused as wrong usage; the manifest is then left as it was.
    """
    failed = 0
    for arrival in _arrivals(request, around):
        claim = f"{request.prefix}{STARTED}/{arrival.name}{_BEGUN}"
        job = {"job": request.job} if request.job else {}
        if not around.store.create(claim, _record(arrival, "begun", around.now(), job)):
            continue  # another watcher was faster
        ended = _run(request, arrival, claim, around)
        errors = {"errors": list(ended.errors)} if ended.errors else {}
        outcome_of = {"exit_code": ended.code, **errors}
        around.store.write(_end(claim), _record(arrival, "ended", around.now(), outcome_of))
        failed += ended.code != 0
        advice = f"failed with exit code {ended.code}; to start it again, remove {claim}"
        outcome = "ended well" if ended.code == 0 else advice
        around.note(f"{arrival.uri}: {request.command[0]} {outcome}")
    return failed


def _run(request: WatchRequest, arrival: Arrival, claim: str, around: Surroundings) -> EndedCommand:
    around.note(f"{arrival.uri}: {request.command[0]} begins as {arrival.name}")
    first, *rest = request.command
    try:
        ended = around.start([first, arrival.uri, *(argument.replace(NAME, arrival.name) for argument in rest)])
    except KeyboardInterrupt:
        around.note(f"{arrival.uri}: interrupted; to start it again, remove {claim}")
        raise
    if ended.code == _USAGE:
        around.store.delete(claim)
        raise UsageError(f"`{first}` does not accept its options; nothing was started for {arrival.uri}")
    return ended


def _arrivals(request: WatchRequest, around: Surroundings) -> Iterator[Arrival]:
    """Yield the complete manifests that nobody has started, in the order of their names."""
    infos = list(around.store.list(request.prefix))
    claims = f"{request.prefix}{STARTED}/"
    claimed = {info.uri.removeprefix(claims) for info in infos if info.uri.startswith(claims)}
    for info in infos:
        if not _MANIFEST.fullmatch(info.uri.removeprefix(request.prefix)) or not _is_complete(info, request, around):
            continue
        arrival = _arrival(info, request, around)
        if arrival and f"{arrival.name}{_BEGUN}" not in claimed:
            yield arrival


def _is_complete(info: ObjectInfo, request: WatchRequest, around: Surroundings) -> bool:
    return "://" in info.uri or around.now() - info.modified >= request.settle_s


def _arrival(info: ObjectInfo, request: WatchRequest, around: Surroundings) -> Arrival | None:
    """Return a manifest; None if it is gone."""
    key = (info.uri, info.version)
    if key not in around.digests:
        digest = hashlib.sha256()
        try:
            with around.store.open(info.uri) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except MissingObject:
            return None
        around.digests[key] = digest.hexdigest()
    sha256 = around.digests[key]
    stem = _SUFFIXES.sub("", info.uri.removeprefix(request.prefix))
    clean = _NOT_IN_NAMES.sub("-", stem).strip("-")[:_NAME_CHARACTERS] or "manifest"
    return Arrival(info.uri, f"{clean}-{sha256[:_DIGEST_CHARACTERS]}", sha256)


def _end(claim: str) -> str:
    """Return the URI of the record of a command's end."""
    return claim.removesuffix(_BEGUN) + _ENDED


def _record(arrival: Arrival, kind: str, time_s: float, more: Mapping[str, Any]) -> bytes:
    """Return the record of a command's beginning or end.

    Args:
        arrival: The manifest.
        kind: ``begun`` or ``ended``.
        time_s: Its time, in seconds since the epoch.
        more: Further members.
    """
    time = datetime.fromtimestamp(time_s, UTC).isoformat(timespec="seconds")
    return json.dumps({"manifest": arrival.uri, "sha256": arrival.sha256, kind: time, **more}).encode()
