"""The gVCFs that a task need not read, since an earlier run packed what they say of the item's interval.

A packed file names the content of each of its gVCFs in its index, an object of JSON whose ``groups`` hold objects with
a member ``content``: the sha256 of an output of a run, or place, size and time of a file of the user's. It fits if it
was made by the same version of the step, of the same regions, reference and files of parameters. The task then gets it,
and null in the place of each gVCF that it has.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import EARLIER_PACKED
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.earlier_packed import EarlierPacked, MadeOf, PackedInterval, StoredFile
from genomics_pipeline.stores.protocol import Expected, OtherContent, Store
from genomics_pipeline.worker.inputs import Input, InputFile
from genomics_pipeline.worker.provenance import file_version, member_version


def with_packed(
    inputs: Sequence[Input],
    payload: TaskPayload,
    step: StepSpec,
    item: Mapping[str, Any],
    files: Mapping[str, str],
    earlier: EarlierPacked,
    store: Store,
) -> list[Input]:
    """Return the inputs of a task, with packed files of earlier runs in place of gVCFs that they have.

    Args:
        inputs: The inputs, without those of packed files.
        payload: The task.
        step: The step.
        item: The item.
        files: The versions of the files that parameters name.
        earlier: What earlier runs packed.
        store: The store of the files.

    Raises:
        OtherContent: for an index of a packed file that is not as it was recorded.
    """
    found: list[Input] = []
    for each in inputs:
        if not each.spec.packed_in:
            found.append(each)
            continue
        content = tuple(_content(file, earlier) for file in each.files)
        taken = replace(each, content=content)
        if payload.inputs.get(each.spec.packed_in) == EARLIER_PACKED:
            regions = str(member_version(item.get("regions")))
            now = MadeOf(step.name, step.version, regions, _reference(inputs), files)
            fitting, notes = _fitting(earlier.intervals, now, store)
            used, packed = _used(fitting, content, store)
            notes.append(f"{quantity(len(packed), 'gVCF', ',')} of {len(content):,} are packed in earlier runs")
            taken = replace(taken, packed=packed, notes=tuple(notes) if earlier.intervals else ())
            found.append(Input(step.inputs[each.spec.packed_in], tuple(map(_input_file, used))))
        found.append(taken)
    return found


def _content(file: InputFile, earlier: EarlierPacked) -> str:
    """Return what identifies the content of a gVCF, the same in all runs."""
    if file.made_by is not None:
        return file.version
    known = earlier.digests.get((file.uri, file.expected.version or ""))
    return known or file_version(file)


def _reference(inputs: Iterable[Input]) -> str:
    return next((each.digest() for each in inputs if each.spec.type == "reference"), "")


def _fitting(intervals: Iterable[PackedInterval], now: MadeOf, store: Store) -> tuple[list[PackedInterval], list[str]]:
    """Return the packed files of an interval that fit, and a note about each that does not."""
    fitting, notes = [], []
    for one in intervals:
        if one.made_of.regions != now.regions:
            continue
        reason = next(_misfits(one, now, store), None)
        if reason is None:
            fitting.append(one)
        else:
            notes.append(f"{one.file.uri}: packed gVCFs not used: {reason}")
    if not fitting and not notes:
        notes.append("packed gVCFs of earlier runs not used: none are of this interval")
    return fitting, notes


def _misfits(one: PackedInterval, now: MadeOf, store: Store) -> Iterator[str]:
    """Yield the reasons for which a packed file cannot be used."""
    before = one.made_of
    if (before.step, before.version) != (now.step, now.version):
        yield f"of {before.step} {before.version}, not {now.step} {now.version}"
    if before.reference != now.reference:
        yield "of another reference"
    for name in sorted({*before.files, *now.files}):
        if before.files.get(name) != now.files.get(name):
            yield f"the file of parameter `{name}` is another one"
    for file in (one.file, one.index):
        info = store.stat(file.uri)
        if info is None:
            yield f"{file.uri} is not there any more"
        elif info.size_bytes != file.size_bytes:
            yield f"{file.uri} has {info.size_bytes} bytes, not {file.size_bytes}"


def _used(
    fitting: Iterable[PackedInterval], content: Sequence[str], store: Store
) -> tuple[list[PackedInterval], frozenset[int]]:
    """Return the packed files that have gVCFs of the task, and the numbers of those that they have."""
    used: list[PackedInterval] = []
    packed: set[int] = set()
    for one in fitting:
        there = _packed_content(one.index, store)
        more = {number for number, each in enumerate(content) if each in there} - packed
        if more:
            used.append(one)
            packed |= more
    return used, frozenset(packed)


def _packed_content(index: StoredFile, store: Store) -> Collection[str]:
    data = store.read(index.uri)
    if sha256(data).hexdigest() != index.sha256:
        found = f"expected content with the sha256 {index.sha256}, found {sha256(data).hexdigest()}"
        raise OtherContent(index.uri, f"{found}; delete it, and the gVCFs are read")
    try:
        return {member["content"] for group in json.loads(data)["groups"] for member in group} - {""}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{index.uri}: expected the index of packed gVCFs, found another file: {error}") from None


def _input_file(one: PackedInterval) -> InputFile:
    def made(file: StoredFile, indexes: tuple[InputFile, ...] = ()) -> InputFile:
        return InputFile(file.uri, file.sha256, file.size_bytes, indexes, Expected(sha256=file.sha256))

    return made(one.file, (made(one.index),))
