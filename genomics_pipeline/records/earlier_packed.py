"""`earlier.jsonl`: the packed gVCFs of earlier runs, one JSON object a line; see `worker.packed_gvcfs`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import ADVICE, Fields, RecordKind, UnreadableRecord
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, shown_place

KIND = RecordKind("a line of packed gVCFs", ADVICE)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an earlier run: its path or URI, size and sha256."""

    uri: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MadeOf:
    """The facts on which packed gVCFs depend, beside the gVCFs: where they are equal, so is what is packed of a gVCF.

    Attributes:
        step: The step that packed them.
        version: Its version.
        regions: The digest of the interval's regions.
        reference: The digest of the reference.
        files: The version of each file that a parameter of the step names, by the parameter's name.
    """

    step: str
    version: str
    regions: str
    reference: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PackedInterval:
    """The packed gVCFs of an interval: the file, its index, and what they depend on."""

    file: StoredFile
    index: StoredFile
    made_of: MadeOf


@dataclass(frozen=True, slots=True)
class KnownGvcf:
    """A gVCF of an earlier run: its path or URI, its version in its store, and its sha256."""

    uri: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class EarlierPacked:
    """The packed gVCFs of earlier runs, and the digests of their gVCFs, by which packed ones are recognised."""

    intervals: tuple[PackedInterval, ...] = ()
    gvcfs: tuple[KnownGvcf, ...] = ()
    digests: Mapping[tuple[str, str], str] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Index the digests by place and version."""
        object.__setattr__(self, "digests", {(one.uri, one.version): one.sha256 for one in self.gvcfs})


NOTHING_PACKED = EarlierPacked()


def joined_packed(several: Iterable[EarlierPacked]) -> EarlierPacked:
    """Return what several earlier runs packed, as one."""
    several = list(several)
    intervals = tuple(chain.from_iterable(one.intervals for one in several))
    return EarlierPacked(intervals, tuple(chain.from_iterable(one.gvcfs for one in several)))


def earlier_lines(earlier: EarlierPacked) -> str:
    """Return the text of the file; empty where earlier runs packed nothing."""
    if not earlier.intervals:
        return ""
    lines = [{"packed": asdict(one)} for one in earlier.intervals]
    return "".join(f"{json.dumps(line)}\n" for line in (*lines, *({"gvcf": asdict(one)} for one in earlier.gvcfs)))


def read_earlier_packed(store: ObjectReader, run: RunPlace) -> EarlierPacked:
    """Return what the earlier runs that a run was given packed; nothing where it has no such file.

    Raises:
        UnreadableRecord: for a line of another kind, with its number.
    """
    uri = run.uri(run_layout.EARLIER)
    try:
        lines = store.read(uri).splitlines()
    except MissingObject:
        return EarlierPacked()
    intervals: list[PackedInterval] = []
    gvcfs: list[KnownGvcf] = []
    for number, line in enumerate(lines, 1):
        fields = _fields(line, f"{shown_place(store, uri)}:{number}")
        if fields.has("packed"):
            intervals.append(_interval(fields.object("packed")))
        else:
            one = fields.object("gvcf")
            gvcfs.append(KnownGvcf(one.text("uri"), one.text("version"), one.sha256("sha256")))
    return EarlierPacked(tuple(intervals), tuple(gvcfs))


def _fields(line: bytes, place: str) -> Fields:
    try:
        members = json.loads(line)
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        raise UnreadableRecord(f"{place}: expected {KIND.name}, found no JSON object; {ADVICE}")
    return Fields(place, KIND, members)


def _interval(fields: Fields) -> PackedInterval:
    of = fields.object("made_of")
    step, version, regions, reference = (of.text(name) for name in ("step", "version", "regions", "reference"))
    made_of = MadeOf(step, version, regions, reference, of.object("files").text_by_name())
    return PackedInterval(_file(fields.object("file")), _file(fields.object("index")), made_of)


def _file(fields: Fields) -> StoredFile:
    return StoredFile(fields.text("uri"), fields.integer("size_bytes", 0), fields.sha256("sha256"))
