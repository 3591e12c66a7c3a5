"""`gvcfs.jsonl`: the gVCFs that a run was given, of samples that no job of it processes, one JSON object a line."""

from __future__ import annotations

import json
from typing import NamedTuple

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.fields import ADVICE, UnreadableRecord
from genomics_pipeline.stores.protocol import MissingObject, ObjectReader, shown_place


class GivenGvcf(NamedTuple):
    """A gVCF: its sample, and its absolute path or URI."""

    sample: str
    uri: str


def read_given_gvcfs(store: ObjectReader, run: RunPlace) -> list[GivenGvcf]:
    """Return the gVCFs that a run was given, in their order; none where it has no such file.

    Raises:
        UnreadableRecord: for a line of another kind, with its number.
    """
    uri = run.uri(run_layout.GVCFS)
    try:
        lines = store.read(uri).splitlines()
    except MissingObject:
        return []
    return [_gvcf(line, f"{shown_place(store, uri)}:{number}") for number, line in enumerate(lines, 1)]


def _gvcf(line: bytes, place: str) -> GivenGvcf:
    try:
        data = json.loads(line)
        sample, uri = data["sample"], data["gvcf"]
    except (ValueError, RecursionError, TypeError, KeyError):
        sample, uri = None, None
    if not (isinstance(sample, str) and NAME.fullmatch(sample) and isinstance(uri, str)):
        raise UnreadableRecord(f"{place}: expected a sample and its gVCF; {ADVICE}")
    return GivenGvcf(sample, uri)
