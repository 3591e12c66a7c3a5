"""The outputs of a stage that later jobs gather, one JSON object a line: one list in place of each item's records.

The first line counts the others, so that a list that is not whole is noticed. A list is of some Map Runs; after another
execution of the run there is another list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import OutputRecord, output_of
from genomics_pipeline.records.fields import ADVICE, Fields, RecordKind, UnreadableRecord
from genomics_pipeline.stores.protocol import MissingObject, Store, shown_place

KIND = RecordKind("a list of outputs", ADVICE)
_DIGITS = 16  # of a digest, in a name


@dataclass(frozen=True, slots=True)
class GatheredOutputs:
    """An output of a stage, of all items.

    Attributes:
        done: The ids of the items that the stage is done for, each with its output, in the order of the run's items.
        missing: The ids of all others.
    """

    done: tuple[tuple[str, OutputRecord], ...] = ()
    missing: tuple[str, ...] = ()


def list_uri(run: RunPlace, stage: str, output: str, map_runs: Sequence[Mapping[str, str]]) -> str:
    """Return the URI of the list of an output.

    Args:
        run: The run.
        stage: The stage.
        output: The output.
        map_runs: ``ResultWriterDetails`` of the Map Runs that ran the stage, oldest first.
    """
    text = json.dumps([[details["Bucket"], details["Key"]] for details in map_runs])
    return run.uri(run_layout.gathered_outputs(stage, output, sha256(text.encode()).hexdigest()[:_DIGITS]))


def write_list(store: Store, uri: str, outputs: GatheredOutputs) -> None:
    """Write a list."""
    head = {"done": len(outputs.done), "missing": len(outputs.missing)}
    lines: list[dict[str, Any]] = [head, *({"item": name, **asdict(output)} for name, output in outputs.done)]
    lines += [{"item": name} for name in outputs.missing]
    store.write(uri, "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines).encode())


def read_list(store: Store, uri: str) -> GatheredOutputs | None:
    """Read a list; None if there is none.

    Raises:
        UnreadableRecord: for one of another form, or one that is not whole.
    """
    if store.stat(uri) is None:
        return None
    try:
        with store.open(uri) as stream:
            lines = _lines(stream, shown_place(store, uri))
            return _parse(next(lines), lines)
    except MissingObject:
        return None
    except StopIteration:
        raise UnreadableRecord(f"{uri}: expected {KIND.name}, found an empty file; {KIND.advice}") from None


def _parse(head: Fields, lines: Iterator[Fields]) -> GatheredOutputs:
    done: list[tuple[str, OutputRecord]] = []
    missing: list[str] = []
    for line in lines:
        if line.has("key"):
            done.append((line.name("item"), output_of(line)))
        else:
            missing.append(line.name("item"))
    if (len(done), len(missing)) != (head.integer("done"), head.integer("missing")):
        found = f"found {len(done)} outputs and {len(missing)} missing ones, which are not those of its first line"
        raise UnreadableRecord(f"{head.uri}: expected {KIND.name}, {found}; {KIND.advice}")
    return GatheredOutputs(tuple(done), tuple(missing))


def _lines(stream: Any, place: str) -> Iterator[Fields]:
    for number, line in enumerate(stream, 1):
        try:
            members = json.loads(line)
        except (ValueError, RecursionError):
            members = None
        if not isinstance(members, dict):
            raise UnreadableRecord(f"{place}:{number}: expected {KIND.name}, found no JSON object; {KIND.advice}")
        yield Fields(f"{place}:{number}", KIND, members)
