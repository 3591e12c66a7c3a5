"""The provenance of a step's outputs: all that they were made of, and how it differs from what there is now.

Outputs are reused if and only if nothing differs, so that a difference is the reason for which a step runs again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genomics_pipeline.model.parameters import Value, value_words
from genomics_pipeline.model.quantity import quantity

LISTED = 20  # files of an input that are listed; a cohort may have a million
DIGEST = "sha256:"  # in front of the digest that stands for a long value


@dataclass(frozen=True, slots=True)
class InputVersion:
    """The identity of the content of an input.

    Attributes:
        digest: sha256 of the versions of all its files, and of their order.
        count: The number of its files.
        files: The version of each file, where there are at most `LISTED`: the sha256 of an output of an earlier stage;
            of a file of the user's its URI, size and time.
    """

    digest: str
    count: int
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything that the outputs of a step over an item depend on; they do not depend on cores and memory.

    Attributes:
        step: The step's name.
        version: The step's version.
        program: sha256 of the files of the step's folder.
        parameters: All parameters, with defaults.
        files: The version of each file that a parameter names, by the parameter's name.
        inputs: The version of each input by name.
        members: The members of the item, such as the sample's ``patient``; a digest of those that are long.
        publish: The folder of each output below ``results/``, by name.
    """

    step: str
    version: str
    program: str
    parameters: Mapping[str, Value]
    files: Mapping[str, str]
    inputs: Mapping[str, InputVersion]
    members: Mapping[str, Value]
    publish: Mapping[str, str]


class DifferenceKind(StrEnum):
    """The part of a provenance that differs; the last two are of outputs that cannot be reused anyway."""

    STEP = "step"
    VERSION = "version"
    PROGRAM = "program"
    PARAMETER = "parameter"
    FILE = "file"
    INPUT = "input"
    ITEM = "item"
    FOLDER = "folder"
    RECORD = "record"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason for which a step runs over an item.

    Attributes:
        kind: What differs.
        name: The name of the parameter, input, member of the item or output; where there is no record, the attempt that
            failed before, such as ``attempt 2``; empty for the others.
        before: The value that the outputs were made with, as text; None where there was none. Where there is no record,
            the class of the failure of the attempt before.
        now: The value now, as text; None where there is none.
    """

    kind: DifferenceKind
    name: str = ""
    before: str | None = None
    now: str | None = None

    def __str__(self) -> str:
        """Return the difference in words, which can follow "because".

        >>> str(Difference(DifferenceKind.PARAMETER, "aligner", "bwa", "minibwa"))
        'parameter `aligner` changed from bwa to minibwa'
        """
        match self.kind:
            case DifferenceKind.RECORD:
                if self.before is None:
                    return "it is not done yet"
                return f"it is not done yet: {self.name} failed ({self.before.replace('_', ' ')})"
            case DifferenceKind.OUTPUT:
                return f"an output is missing or damaged: {self.now}"
            case DifferenceKind.PROGRAM:
                return "the program of the step changed"
            case DifferenceKind.FILE:
                return f"the file of parameter `{self.name}` changed"
            case DifferenceKind.INPUT:
                return _input_words(self)
        what = {
            DifferenceKind.STEP: "the step",
            DifferenceKind.VERSION: "the version of the step",
            DifferenceKind.PARAMETER: f"parameter `{self.name}`",
            DifferenceKind.ITEM: f"`{self.name}` in the sample sheet",
            DifferenceKind.FOLDER: f"the folder of output `{self.name}`",
        }[self.kind]
        if self.before is None:
            return f"{what} is new: {self.now}"
        if self.now is None:
            return f"{what} is gone, it was {self.before}"
        if self.before.startswith(DIGEST) or self.now.startswith(DIGEST):
            return f"{what} changed"
        return f"{what} changed from {self.before} to {self.now}"

    def to_json(self) -> dict[str, Any]:
        """Return the difference as JSON, with its words."""
        return {"kind": self.kind, "name": self.name, "before": self.before, "now": self.now, "words": str(self)}


def differences(before: Provenance, now: Provenance) -> tuple[Difference, ...]:
    """Return what differs between two provenances; nothing if outputs of one are outputs of the other.

    >>> one = Provenance("align", "1", "p", {"aligner": "bwa"}, {}, {}, {}, {})
    >>> two = Provenance("align", "1", "p", {"aligner": "minibwa"}, {}, {}, {}, {})
    >>> [str(each) for each in differences(one, two)], differences(one, one)
    (['parameter `aligner` changed from bwa to minibwa'], ())
    """
    return tuple(_differences(before, now))


def _differences(before: Provenance, now: Provenance) -> Iterator[Difference]:
    kind = DifferenceKind
    if before.step != now.step:
        yield Difference(kind.STEP, before=before.step, now=now.step)
    elif before.version != now.version:
        yield Difference(kind.VERSION, before=before.version, now=now.version)
    elif before.program != now.program:
        yield Difference(kind.PROGRAM, before=before.program, now=now.program)
    yield from _by_name(kind.PARAMETER, before.parameters, now.parameters)
    yield from _by_name(kind.FILE, before.files, now.files)
    for name in {**before.inputs, **now.inputs}:
        one, two = before.inputs.get(name), now.inputs.get(name)
        if one != two:
            yield _input_difference(name, one, two)
    yield from _by_name(kind.ITEM, before.members, now.members)
    yield from _by_name(kind.FOLDER, before.publish, now.publish)


def _by_name(kind: DifferenceKind, before: Mapping[str, Value], now: Mapping[str, Value]) -> Iterator[Difference]:
    for name in {**before, **now}:
        one, two = (value_words(values[name]) if name in values else None for values in (before, now))
        if name not in before or name not in now or before[name] != now[name]:
            yield Difference(kind, name, one, two)


def _input_difference(name: str, before: InputVersion | None, now: InputVersion | None) -> Difference:
    """Return the difference of an input: its first file that differs, or else the number of files, or the digest."""
    if before is not None and now is not None:
        for one, two in zip(before.files, now.files, strict=False):
            if one != two:
                return Difference(DifferenceKind.INPUT, name, one, two)
        if before.count != now.count:
            return count_difference(name, before.count, now.count)
    digests = (None if each is None else f"{DIGEST}{each.digest}" for each in (before, now))
    return Difference(DifferenceKind.INPUT, name, *digests)


def count_difference(name: str, before: int, now: int) -> Difference:
    """Return the difference of an input that has another number of files.

    >>> str(count_difference("gvcfs", 2, 1))
    'input `gvcfs` has 1 file, not 2 files'
    """
    return Difference(DifferenceKind.INPUT, name, *(quantity(count, "file", ",") for count in (before, now)))


def _input_words(difference: Difference) -> str:
    what, before, now = f"input `{difference.name}`", difference.before or "", difference.now or ""
    (file_before, _, version), (file_now, _, _) = before.rpartition(" "), now.rpartition(" ")
    if version in ("file", "files"):
        return f"{what} has {now}, not {before}"
    if file_now and file_before == file_now:
        return f"{what} changed: {file_now}"
    if file_now and file_before:
        return f"{what} is {file_now}, not {file_before}"
    return f"{what} changed"
