"""Problems of stages over records, and of the map that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.record_source import OBJECTS, VCF
from genomics_pipeline.model.step import GATHER, RECORD, RECORDS, RESULT, RESULTS, InputSpec, StepSpec
from genomics_pipeline.model.toml_file import TomlFile

_SCOPES = (RECORD, GATHER)
_NO_METRICS = "a step on Lambda has no metrics; its result is in results/"
_NOT_OF = {
    RECORD: {
        "publish": "its outputs are for a stage of scope gather; its results are in the files of ResultWriter",
        "intermediate": "the outputs of a stage over records always are",
        "metrics": _NO_METRICS,
    },
    GATHER: {"intermediate": "no stage follows it", "metrics": _NO_METRICS},
}
RECORDS_OF_RUN = "records"  # the source of an input that takes the batch's records
# The formats that have a key of the source.
_ONLY_OF = {"header": ("CSV",), "delimiter": ("CSV",), "pointer": ("JSON",), "shard_bytes": (VCF,)}
_LISTED = ("JSONL", "CSV", "JSON", "PARQUET")  # that LOAD_AND_FLATTEN reads


class StageOverRecords(Protocol):
    """The parts of a stage that matter here: see `pipeline.Stage`."""

    @property
    def name(self) -> str:
        """The name of the stage."""

    @property
    def step(self) -> StepSpec:
        """The step of the stage."""

    @property
    def scope(self) -> str:
        """The scope of the stage."""

    @property
    def inputs(self) -> Mapping[str, str]:
        """The source of each input."""

    @property
    def when(self) -> tuple[str, ...]:
        """The parameters by which the stage is optional."""

    @property
    def intermediate(self) -> bool:
        """True if only later stages need the outputs."""


def record_problems(toml: TomlFile, stages: Sequence[StageOverRecords]) -> Iterator[Problem]:
    """Yield the problems of stages over records in a pipeline, beside those of their inputs.

    Args:
        toml: The file.
        stages: The stages whose step is known.
    """
    numbers = {raw["name"]: number for number, raw in enumerate(toml.data["stages"])}
    scopes = [raw["scope"] for raw in toml.data["stages"]]
    for stage in stages:
        yield from _step_problems(toml, numbers[stage.name], stage)
    other = next((scope for scope in scopes if scope not in _SCOPES), None)
    if set(_SCOPES).intersection(scopes) and other:
        message = f"expected all stages over records, found one of scope {other!r}: a run has samples or records"
        yield toml.problem(("stages", scopes.index(other), "scope"), message)
    if GATHER in scopes and scopes.index(GATHER) in (0, *range(1, len(scopes) - 1)):
        message = "expected the stage that gathers as the last one, after those over records"
        yield toml.problem(("stages", scopes.index(GATHER), "scope"), message)
    yield from _map_problems(toml, RECORD in scopes)


def _step_problems(toml: TomlFile, number: int, stage: StageOverRecords) -> Iterator[Problem]:
    """Yield the problems of a stage whose step does not fit its scope, or whose keys do not."""
    path, step, scope = ("stages", number), stage.step, stage.scope
    if scope in _SCOPES and not step.is_function:
        message = f'expected a step with runtime = "lambda" in a stage over records, found {step.name!r}'
        yield toml.problem((*path, "step"), f"{message}: a batch of records is less than a job of AWS Batch")
    elif step.is_function and scope != (needed := GATHER if step.gathers else RECORD):
        of = "that takes the results of all records" if step.gathers else "on Lambda"
        yield toml.problem((*path, "scope"), f'expected scope = "{needed}" of a step {of}, found {scope!r}')
    for key in _NOT_OF.get(scope, ()):
        if key in toml.data["stages"][number]:
            yield toml.problem((*path, key), f"expected no {key} of a stage of scope {scope}: {_NOT_OF[scope][key]}")


def _map_problems(toml: TomlFile, over_records: bool) -> Iterator[Problem]:
    """Yield the problems of `[maps.record]`."""
    raw = toml.data.get("maps", {}).get(RECORD)
    if raw is None:
        if over_records:
            yield toml.problem((), "expected [maps.record] with a source, the form of the records; found none")
        return
    if not over_records:
        yield toml.problem(("maps", RECORD), "expected a stage of scope record, found none")
    path = ("maps", RECORD, "source")
    source = raw["source"]
    for key, formats in _ONLY_OF.items():
        if key in source and source["format"] not in formats:
            message = f'expected format = "{formats[0]}", which alone has a {key}; found {source["format"]!r}'
            yield toml.problem((*path, key), message)
    if source.get("prefix") and source["format"] not in (*_LISTED, OBJECTS):
        message = f"expected one of {', '.join(_LISTED)} of objects below a prefix, found {source['format']!r}"
        yield toml.problem((*path, "prefix"), message)
    if source.get("prefix") is False and source["format"] == OBJECTS:
        yield toml.problem((*path, "prefix"), "expected a prefix, whose objects are the records; found none")
    if (size := len(",".join(source.get("header", ())).encode())) > quotas.CSV_HEADERS.value:
        yield toml.problem((*path, "header"), f"AWS allows headers of {quotas.CSV_HEADERS}, found {size}")
    if (length := len(source.get("pointer", ""))) > quotas.ITEMS_POINTER.value:
        yield toml.problem((*path, "pointer"), f"AWS allows a pointer of {quotas.ITEMS_POINTER}, found {length}")
    listed = source.get("prefix", False) or source["format"] == OBJECTS
    if raw.get("map_runs", 1) > 1 and not listed:
        message = "expected prefix = true, whose folders are divided among Map Runs; found one object"
        yield toml.problem(("maps", RECORD, "map_runs"), message)


def record_source_misfit(spec: InputSpec, stage: StageOverRecords, earlier: Sequence[StageOverRecords]) -> str | None:
    """Return what is wrong with the source of an input of records or of a result, or None.

    Args:
        spec: The input.
        stage: Its stage.
        earlier: The stages before it.
    """
    source = stage.inputs[spec.name]
    if spec.type == RECORDS:
        return None if source == RECORDS_OF_RUN else f'expected "{RECORDS_OF_RUN}", found {source!r}'
    results = [f"{other.name}.{RESULT}" for other in earlier if other.scope == RECORD]
    if spec.type == RESULTS:
        results = results[-1:]  # a child returns that of its last stage
    if source in results:
        return None
    if spec.type == RESULTS and results:
        return f'expected "{results[0]}", the result of the last stage over records; found {source!r}'
    return f"expected the result of an earlier stage, found {source!r}; {did_you_mean(source, results)}"
