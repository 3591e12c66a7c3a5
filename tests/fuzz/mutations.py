"""Damage to bytes and to JSON values, each the same for the same seed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

# What readers of text stumble over: ends of lines, quotes, controls, bytes that are no UTF-8, and paths that lead out.
HOSTILE = (
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\r",
    b"\t",
    b'"',
    b"'",
    b",",
    b"\\",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\xbd",
    b"\xef\xbb\xbf",
    b"\x1b[31m",
    b"\xc2\x9b",
    b"\xe2\x80\xae",
    b"../../outside",
    b"/etc/passwd",
    b"file:///",
    b"s3://",
    b"%00",
    b"=1+1",
    b"-1",
    b"1e400",
    b"9" * 5000,
    b"x" * 5000,
    b"[" * 3000,
    b'{"a":' * 3000,
)
HOSTILE_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    10**30,
    "",
    "x" * 3000,
    "../../outside",
    "/etc/passwd",
    "s3://RUN/../outside",
    "\x1b[31m",
    "\x00",
    "=1+1",
    [],
    {},
    [[]],
    {"a": 1},
)


def damage_bytes(data: bytes, random: Random, words: Sequence[bytes] = HOSTILE) -> bytes:
    """Return data after one to three changes: cut off, exchanged, doubled, or with bytes or words put in."""
    for _ in range(random.randint(1, 3)):
        start = random.randint(0, len(data))
        end = min(len(data), start + random.choice((1, 1, 2, 10, 100)))
        part = data[start:end]
        match random.randrange(7):
            case 0:
                data = data[:start]
            case 1:
                data = data[:start] + data[end:]
            case 2:
                data = data[:end] + part + data[end:]
            case 3:
                data = data[:start] + bytes(byte ^ 1 << random.randrange(8) for byte in part) + data[end:]
            case 4:
                data = data[:start] + random.randbytes(len(part)) + data[end:]
            case 5:
                data = data[:start] + random.choice(words) + data[end:]
            case _:
                other = random.randint(0, len(data))
                data = data[:other] + part + data[other:]
    return data


def damage_value(value: Any, random: Random, words: Sequence[Any] = HOSTILE_VALUES) -> Any:
    """Return a JSON object or array after one to three changes of its members: left out, renamed, replaced, moved."""
    damaged = copy.deepcopy(value)
    for _ in range(random.randint(1, 3)):
        places = list(_members(damaged))
        if not places:
            break
        owner, name = random.choice(places)
        match random.randrange(5):
            case 0:
                del owner[name]
            case 1 if isinstance(owner, dict):
                owner[f"{name}x"] = owner.pop(name)
            case 2:
                other, other_name = random.choice(places)
                owner[name] = copy.deepcopy(other[other_name])
            case _:
                owner[name] = copy.deepcopy(random.choice(words))
    return damaged


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the owner and the name, or the number, of each member and element of a value."""
    for name, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield value, name
        if isinstance(member, (dict, list)):
            yield from _members(member)
