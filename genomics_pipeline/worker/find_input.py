"""The files of a task's inputs: reads of the item, outputs of earlier stages, files of the user's, the reference."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import EARLIER_PACKED, GIVEN_GVCFS, GVCF, ITEM_FILES, READS, REFERENCE
from genomics_pipeline.model.sample import READ_COLUMNS
from genomics_pipeline.model.step import InputSpec, StepSpec, with_indexes
from genomics_pipeline.model.task import RunPlace, TaskPayload, item_id
from genomics_pipeline.model.web_uri import uri_beside
from genomics_pipeline.records.completion import FileRecord, OutputRecord, read_completion
from genomics_pipeline.records.earlier_packed import EarlierPacked, read_earlier_packed
from genomics_pipeline.records.gathered_outputs import GatheredOutputs, list_uri
from genomics_pipeline.records.given_gvcfs import GivenGvcf, read_given_gvcfs
from genomics_pipeline.reference.alternate_contigs import alt_file
from genomics_pipeline.reference.index_kinds import required_kinds
from genomics_pipeline.reference.prepare import find_prepared
from genomics_pipeline.stores.given_file import stat_given
from genomics_pipeline.stores.protocol import Expected, MissingObject, Store
from genomics_pipeline.worker.inputs import Input, InputFile, InputLane
from genomics_pipeline.worker.packed_gvcfs import with_packed
from genomics_pipeline.worker.provenance import parameter_files
from genomics_pipeline.worker.shared_list import shared_outputs
from genomics_pipeline.worker.upstream import Gather, gathered_items, in_parallel, missing_words

Given = Callable[[Store, RunPlace], Sequence[GivenGvcf]]
Earlier = Callable[[Store, RunPlace], EarlierPacked]


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of inputs that are files of the run.

    Attributes:
        gather: Returns the items of an earlier stage whose outputs are gathered.
        given: Returns the gVCFs that the run was given, which are gathered behind those of its own samples.
        earlier: Returns what the earlier runs packed that the run was given.
    """

    gather: Gather = gathered_items
    given: Given = read_given_gvcfs
    earlier: Earlier = read_earlier_packed


def find_inputs(
    payload: TaskPayload,
    step: StepSpec,
    item: Mapping[str, Any],
    parameters: Mapping[str, Value],
    store: Store,
    cache: Path,
    sources: Sources | None = None,
    without: Collection[str] = (),
) -> list[Input]:
    """Find the inputs of a task.

    Args:
        payload: The task.
        step: The step.
        item: The item that the task is for.
        parameters: All parameters, with defaults.
        store: The store of the inputs.
        cache: The user's cache folder, for references.
        sources: The sources of inputs; None for the files of the run.
        without: The names of inputs to leave out.

    Raises:
        DataError: if an input does not exist.
    """
    sources = sources or Sources()
    declared = {name: spec for name, spec in with_indexes(step, parameters).inputs.items() if name not in without}
    inputs = [
        find_input(payload, spec, item, store, cache, sources.gather, sources.given)
        for name, spec in declared.items()
        if payload.inputs.get(name, EARLIER_PACKED) != EARLIER_PACKED
    ]
    if not any(each.spec.packed_in for each in inputs):
        return inputs
    files = parameter_files(step, parameters, store)
    return with_packed(inputs, payload, step, item, files, sources.earlier(store, payload.run), store)


def find_input(
    payload: TaskPayload,
    spec: InputSpec,
    item: Mapping[str, Any],
    store: Store,
    cache: Path,
    gather: Gather = gathered_items,
    given: Given = read_given_gvcfs,
) -> Input:
    """Find one input of a task.

    Args:
        payload: The task.
        spec: The input's declaration.
        item: The item that the task is for.
        store: The store of the input.
        cache: The user's cache folder, for references.
        gather: Returns the items of an earlier stage whose outputs are gathered.
        given: Returns the gVCFs that the run was given, which are gathered behind those of its own samples.

    Raises:
        DataError: if the input does not exist.
    """
    found = _find_input(payload, spec, item, store, cache, gather, given)
    return replace(found, regions=tuple(item.get("regions", ()))) if spec.ranged else found


def _find_input(
    payload: TaskPayload,
    spec: InputSpec,
    item: Mapping[str, Any],
    store: Store,
    cache: Path,
    gather: Gather,
    given: Given,
) -> Input:
    source = payload.inputs[spec.name]
    if source == READS:
        return _reads(spec, item, store)
    if source == ITEM_FILES:
        return _given_files(spec, item["files"][spec.name], store)
    if source == REFERENCE:
        path = find_prepared(payload.reference, spec.indexes, store, cache)
        names = [str(file) for kind in required_kinds(spec.indexes) for file in kind.files(path)]
        indexes = tuple(_stored_file(name, store) for name in names)
        fasta = replace(_stored_file(str(path), store), indexes=indexes)
        alt = alt_file(str(path))  # which changes alignments
        return Input(spec, (fasta, _stored_file(alt, store)) if store.stat(alt) else (fasta,))
    if source == GIVEN_GVCFS:
        return _given_files(spec, [gvcf.uri for gvcf in given(store, payload.run)], store)
    stage, _, output = source.partition(".")
    if stage in payload.upstream:
        outputs = _gathered(payload, stage, output, store, gather)
        files = [_output_file(payload, stage, *one) for one in outputs.done]
        more = [gvcf.uri for gvcf in given(store, payload.run)] if output == GVCF else []
        files = [*files, *_given_files(spec, more, store).files]
        return Input(spec, tuple(files), missing=outputs.missing if spec.missing else ())
    name = item_id(item)
    if (record := read_completion(store, payload.run, stage, name)) and output in record.outputs:
        return Input(spec, (_output_file(payload, stage, name, record.outputs[output]),), source=source)
    # The one output of the cohort serves every item.
    made = _output(payload, stage, "cohort", output, store, name)
    return Input(spec, (_output_file(payload, stage, "cohort", made),))


def _gathered(payload: TaskPayload, stage: str, output: str, store: Store, gather: Gather) -> GatheredOutputs:
    """Return an output of all items of an earlier stage, by the list that the jobs of a run elsewhere share."""
    map_runs = payload.upstream[stage]

    def collect() -> GatheredOutputs:
        items = gather(store, payload.run, stage, map_runs)
        found = in_parallel(lambda name: _output(payload, stage, name, output, store), items.done)
        return GatheredOutputs(tuple(zip(items.done, found, strict=True)), missing_words(store, payload.run, items))

    uri = list_uri(payload.run, stage, output, map_runs)
    if payload.scope == "cohort" or store.local(uri) is not None:  # one job; records that are at hand
        return collect()
    return shared_outputs(store, uri, collect)


def _reads(spec: InputSpec, item: Mapping[str, Any], store: Store) -> Input:
    files: list[InputFile] = []
    lanes: list[InputLane] = []
    for lane in item["lanes"]:
        uris = [(column, uri) for column in READ_COLUMNS if (uri := lane.get(column))]
        numbers = tuple((column, number) for number, (column, _) in enumerate(uris, len(files)))
        lanes.append(InputLane(lane["lane"], lane.get("library"), numbers, lane.get("start")))
        files += [_stored_file(uri, store) for _, uri in uris]
    return Input(spec, tuple(files), tuple(lanes))


def _given_files(spec: InputSpec, uris: Sequence[str], store: Store) -> Input:
    """Return files that the user named, each with the indexes beside it."""
    return Input(spec, tuple(in_parallel(lambda uri: _given_file(spec, uri, store), uris)))


def _given_file(spec: InputSpec, uri: str, store: Store) -> InputFile:
    """Return a file that the user named, with the indexes beside it.

    Raises:
        DataError: if it does not exist or cannot be read, or has no index.
    """
    indexes = tuple(_given_indexes(spec, uri, store))
    if spec.indexes and not indexes:
        expected = " or ".join(uri_beside(uri, f".{ending}") for ending in spec.indexes)
        raise DataError(f"{uri}: expected its index beside it ({expected}), found none")
    return replace(_stored_file(uri, store), indexes=indexes)


def _given_indexes(spec: InputSpec, uri: str, store: Store) -> Iterator[InputFile]:
    """Yield the indexes beside a file that the user named; of a ranged input, the first, by which it is read."""
    for ending in spec.indexes:
        with suppress(MissingObject):
            yield _stored_file(uri_beside(uri, f".{ending}"), store)
            if spec.ranged:
                return


def _stored_file(uri: str, store: Store) -> InputFile:
    """Return a file that the user named.

    Raises:
        DataError: if it does not exist, cannot be read, or is no regular file.
    """
    info = stat_given(uri, store)
    return InputFile(uri, f"{uri} {info.version}", info.size_bytes, expected=Expected(version=info.version))


def _output(
    payload: TaskPayload, stage: str, item: str, name: str, store: Store, wanted_by: str | None = None
) -> OutputRecord:
    record = read_completion(store, payload.run, stage, item)
    if record is None or name not in record.outputs:
        raise DataError(f"{stage}: expected it to be done for {wanted_by or item}, found no step.json")
    return record.outputs[name]


def _output_file(payload: TaskPayload, stage: str, item: str, output: OutputRecord) -> InputFile:
    def made(file: FileRecord, indexes: tuple[InputFile, ...] = (), version: str = "") -> InputFile:
        uri, expected = payload.run.uri(file.key), Expected(sha256=file.sha256)
        return InputFile(uri, file.sha256, file.size_bytes, indexes, expected, (stage, item), version)

    return made(output, tuple(map(made, output.indexes)), output.version)
