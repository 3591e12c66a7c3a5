"""Typed access to the members of a record's JSON object: the one place where records are validated."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError, RunError
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.plain_path import is_plain_key, is_plain_name
from genomics_pipeline.stores.open_folder import LeadsOutside
from genomics_pipeline.stores.protocol import (
    ForbiddenFile,
    IrregularFile,
    MissingObject,
    ObjectReader,
    OversizedObject,
    Store,
    shown_place,
)

T = TypeVar("T")

ADVICE = "repeat the command of the run: steps that are done are reused"
GREATEST = (1 << 63) - 1  # of a whole number
LINE_FEED = b"\n"
_NUMBERS = (int, float)
_NESTED = (dict, list)  # types of values that JSON has beside plain ones
# Errors of the system that are about one file; those about this process or the disk are no matter of a record.
_NO_ACCESS = frozenset({errno.EACCES, errno.EPERM, errno.ELOOP, errno.EIO, errno.ENXIO, errno.ENAMETOOLONG})
SHA256 = re.compile("[0-9a-f]{64}")


class UnreadableRecord(RunError):
    """The error of a record in an unknown form; the message names its file and member, and the remedy."""


@dataclass(frozen=True, slots=True)
class RecordKind:
    """A kind of record, for messages.

    Attributes:
        name: The name of such a record, such as ``the record of a run on AWS``.
        advice: The remedy for a file in an unknown form, such as ``submit the run again``.
    """

    name: str
    advice: str


@dataclass(slots=True)  # not frozen, which takes three times as long: there is one for each file of each record
class Fields:
    """A JSON object of a record.

    Each method returns a member and raises `UnreadableRecord` where it is missing or of another type. A member of the
    very type that is expected is returned at once: the records of a large run have millions of them.

    Attributes:
        uri: The record's file.
        kind: The kind of the record.
        members: The object.
        prefix: The dotted name of the object within the record, empty or ending in a dot.
    """

    uri: str
    kind: RecordKind
    members: Mapping[str, Any]
    prefix: str = ""

    def text(self, name: str) -> str:
        """Return a string."""
        value = self.members.get(name)
        return value if type(value) is str else self._typed(name, str, "a string")

    def integer(self, name: str, least: int = -GREATEST, most: int = GREATEST) -> int:
        """Return a whole number from `least` to `most`."""
        number = self.members.get(name)
        if type(number) is not int:
            number = self._typed(name, int, "a whole number")
        if not least <= number <= most:
            raise self.error(name, f"a whole number from {least:,} to {most:,}")
        return number

    def number(self, name: str) -> float:
        """Return a number."""
        value: float | None = self.members.get(name)
        return value if type(value) in _NUMBERS else self._typed(name, _NUMBERS, "a number")  # type: ignore[return-value]

    def flag(self, name: str) -> bool:
        """Return true or false."""
        value: bool = self._present(name)
        if not isinstance(value, bool):
            raise self.error(name, "true or false")
        return value

    def time(self, name: str) -> str:
        """Return a time as text, ISO 8601 with its offset from UTC."""
        text = self.text(name)
        try:
            aware = datetime.fromisoformat(text).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            raise self.error(name, "a time such as 2026-01-31T12:00:00+00:00")
        return text

    def optional_time(self, name: str) -> str:
        """Return a time as `time` does; an empty text where there is none."""
        return self.time(name) if self.members.get(name) else ""

    def one_of(self, name: str, allowed: Collection[str]) -> str:
        """Return a string that is one of those allowed."""
        text = self.text(name)
        if text not in allowed:
            raise self.error(name, f"one of {', '.join(allowed)}")
        return text

    def sha256(self, name: str) -> str:
        """Return a SHA-256 digest in hexadecimal."""
        text = self.text(name)
        if SHA256.fullmatch(text) is None:
            raise self.error(name, "a sha256")
        return text

    def name(self, name: str) -> str:
        """Return a string that can be one part of a path."""
        text = self.text(name)
        if not is_plain_name(text):
            raise self.error(name, "a plain name")
        return text

    def key(self, name: str, below: str = "") -> str:
        """Return a key below the run, or below a prefix of it."""
        text = self.text(name)
        return text if is_plain_key(text, below) else self._keys(name, [text], below)[0]

    def keys(self, name: str, below: str = "") -> tuple[str, ...]:
        """Return an array of keys below the run, or below a prefix of it."""
        return self._keys(name, self.texts(name), below)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return an array of strings."""
        values = self._typed(name, list, "an array of strings")
        if not all(isinstance(value, str) for value in values):
            raise self.error(name, "an array of strings")
        return tuple(values)

    def object(self, name: str) -> Fields:
        """Return an object within this one."""
        members = self.members.get(name)
        if type(members) is not dict:
            members = self._typed(name, dict, "an object")
        return Fields(self.uri, self.kind, members, f"{self.prefix}{name}.")

    def objects(self, name: str) -> list[Fields]:
        """Return an array of objects."""
        values = self._typed(name, list, "an array of objects")
        if not values:
            return []
        if not all(isinstance(value, dict) for value in values):
            raise self.error(name, "an array of objects")
        return [
            Fields(self.uri, self.kind, members, f"{self.prefix}{name}[{number}].")
            for number, members in enumerate(values)
        ]

    def has(self, name: str) -> bool:
        """Return whether the object has a member that is not null."""
        return self.members.get(name) is not None

    def text_by_name(self) -> dict[str, str]:
        """Return all members, each a string."""
        return {name: self.text(name) for name in self.members}

    def number_by_name(self) -> dict[str, float]:
        """Return all members, each a number."""
        return {name: self.number(name) for name in self.members}

    def integer_by_name(self) -> dict[str, int]:
        """Return all members, each a whole number."""
        return {name: self.integer(name) for name in self.members}

    def value_by_name(self) -> dict[str, Value]:
        """Return all members, each a string, a number, true, false or null."""
        for name, value in self.members.items():
            if type(value) in _NESTED:
                raise self.error(name, "a parameter's value")
        return dict(self.members)

    def values_by_name(self) -> dict[str, dict[str, Value]]:
        """Return all members, each an object of such values."""
        return {name: self.object(name).value_by_name() for name in self.members}

    def error(self, name: str, expected: str) -> UnreadableRecord:
        """Return the error for a member that is not as expected."""
        value = repr(self.members[name])[:80]
        member = f"{self.prefix}{name}"
        return UnreadableRecord(
            f"{self.uri}: expected {self.kind.name}, found {member!r} that is not {expected}: {value}; "
            f"{self.kind.advice}"
        )

    def _keys(self, name: str, keys: Sequence[str], below: str) -> tuple[str, ...]:
        """Return keys, each of which becomes a path."""
        for key in keys:
            if not is_plain_key(key, below):
                raise self.error(name, f"a key below the run{f' and {below}' if below else ''}")
        return tuple(keys)

    def _present(self, name: str) -> Any:
        try:
            return self.members[name]
        except KeyError:
            member = f"{self.prefix}{name}"
            raise UnreadableRecord(
                f"{self.uri}: expected {self.kind.name}, found no member {member!r}; {self.kind.advice}"
            ) from None

    def _typed(self, name: str, kind: type[T] | tuple[type[T], ...], expected: str) -> T:
        value = self._present(name)
        if not isinstance(value, kind) or value is True or value is False:
            raise self.error(name, expected)
        return value


def find_fields(store: Store, uri: str, kind: RecordKind) -> Fields | None:
    """Read a record's JSON object; None if there is no such file.

    Raises:
        UnreadableRecord: if it holds anything but a JSON object.
    """
    try:
        return read_fields(store, uri, kind)
    except MissingObject:
        return None


def delete_record(store: Store, uri: str) -> None:
    """Delete a record's file if it exists: in a bucket with versions, each deletion adds a delete marker."""
    try:
        exists = store.stat(uri) is not None
    except (DataError, OSError):  # such as a link in its place, which is deleted itself
        exists = True
    if exists:
        store.delete(uri)


def record_text(members: Mapping[str, Any]) -> str:
    """Return the content of a record's file that people read too: an indented JSON object and a line feed."""
    return f"{json.dumps(members, indent=2)}\n"


def read_fields(store: ObjectReader, uri: str, kind: RecordKind) -> Fields:
    """Read a record's JSON object.

    Raises:
        MissingObject: if there is no such file.
        UnreadableRecord: if it holds anything but a JSON object.
    """
    shown, place = shown_place(store, uri), ""
    try:
        data = store.read(uri)
    except OversizedObject as error:
        raise UnreadableRecord(f"{OversizedObject(shown, error.budget)}; {kind.advice}") from None
    except (IrregularFile, LeadsOutside) as error:
        raise UnreadableRecord(str(error)) from None
    except ForbiddenFile as error:
        raise UnreadableRecord(f"{error}, or {kind.advice}") from None
    except OSError as error:
        if error.errno not in _NO_ACCESS:
            raise
        raise UnreadableRecord(f"{shown}: expected {kind.name}, found: {error.strerror}; {kind.advice}") from None
    try:
        members = parse_json(data)
    except json.JSONDecodeError as error:
        members, place = None, f":{error.lineno}:{error.colno}"
    except UnicodeDecodeError as error:
        members, place = None, f":{data.count(LINE_FEED, 0, error.start) + 1}"
    except ValueError:
        members = None
    if not isinstance(members, dict):
        raise UnreadableRecord(f"{shown}{place}: expected {kind.name}, found no JSON object; {kind.advice}")
    return Fields(shown, kind, members)
