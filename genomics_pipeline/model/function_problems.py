"""Problems of a file that declares a step, by its runtime: a job of AWS Batch or a Lambda function."""

from __future__ import annotations

from collections.abc import Iterator

from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.step import LAMBDA, PLACEHOLDER, RECORDS, RESULT, RESULTS
from genomics_pipeline.model.toml_file import TomlFile

_NOT_OF_FUNCTIONS = {
    "command": "its program defines handle(batch)",
    "metrics": "its result is what handle(batch) returns",
    "exit_codes": "a function raises exceptions",
    "retry": "AWS's own errors are retried, and a batch of records that fails is one of the failures",
    "local_memory": "memory_mib is its memory everywhere",
}
_NOT_OF_FUNCTION_RESOURCES = {
    "vcpus": "Lambda gives vCPUs in proportion to memory_mib: one for 1,769 MiB",
    "disk_gib": "ephemeral_storage_mib is the size of its /tmp",
}
_OF_FUNCTIONS = ("ephemeral_storage_mib", "reserved_concurrency")
_OF_RECORDS = ("as", "files")
_NOT_OF_FILES = ("margin_bp",)
_OF_RANGED_FILES = ("indexes", "columns")  # of a parameter whose file is read in parts
_FUNCTION_INPUTS = (RECORDS, RESULT, RESULTS)
_INPUT_KEYS = {RECORDS: _OF_RECORDS, RESULT: (), RESULTS: ("missing",)}
_LIMITS = {
    "timeout_s": (1, quotas.FUNCTION_SECONDS),
    "memory_mib": (quotas.FUNCTION_MEMORY.value, quotas.FUNCTION_MEMORY_MOST),
    "ephemeral_storage_mib": (quotas.FUNCTION_STORAGE.value, quotas.FUNCTION_STORAGE_MOST),
}


def runtime_problems(toml: TomlFile) -> Iterator[Problem]:
    """Yield what a step lacks or cannot have, by its runtime."""
    is_function = toml.data.get("resources", {}).get("runtime") == LAMBDA
    yield from _function_problems(toml) if is_function else _batch_problems(toml)


def _batch_problems(toml: TomlFile) -> Iterator[Problem]:
    """Yield what a step that runs as a job has of a function; the schema says what it lacks."""
    only = 'expected runtime = "lambda" in [resources], since only a step on Lambda has {}; found "batch"'
    if "program" in toml.data:
        yield toml.problem(("program",), only.format("a program"))
    resources = toml.data.get("resources", {})
    for key in _OF_FUNCTIONS:
        if key in resources:
            yield toml.problem(("resources", key), only.format(key))
    for name, raw in toml.data["inputs"].items():
        if raw["type"] in _FUNCTION_INPUTS:
            yield toml.problem(("inputs", name, "type"), only.format(f"an input of type {raw['type']!r}"))
        for key in _OF_RECORDS:
            if key in raw and raw["type"] not in _FUNCTION_INPUTS:
                yield toml.problem(("inputs", name, key), f'expected an input of type "records", found {raw["type"]!r}')


def _function_problems(toml: TomlFile) -> Iterator[Problem]:
    """Yield what a step that runs as a Lambda function lacks, or cannot have."""
    data, resources = toml.data, toml.data["resources"]
    if "program" not in data:
        yield toml.problem((), "expected the key 'program', the file that defines handle(batch); found none")
    for key, why in _NOT_OF_FUNCTIONS.items():
        if key in data:
            yield toml.problem((key,), f"expected no {key} of a step on Lambda: {why}")
    for key, why in _NOT_OF_FUNCTION_RESOURCES.items():
        if key in resources:
            yield toml.problem(("resources", key), f"expected no {key} of a step on Lambda: {why}")
    yield from _limit_problems(toml)
    yield from _input_problems(toml)
    yield from _parameter_problems(toml)
    for name, raw in data.get("outputs", {}).items():
        if PLACEHOLDER.search(raw["path"]):
            message = f"expected a path without placeholders of a step on Lambda, found {raw['path']!r}"
            yield toml.problem(("outputs", name, "path"), message)


def _parameter_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data.get("parameters", {}).items():
        refused = _NOT_OF_FILES if raw.get("ranged") else (*_NOT_OF_FILES, *_OF_RANGED_FILES)
        for key in refused:
            if key in raw:
                why = "the program says which regions it reads" if raw.get("ranged") else "it fetches the whole file"
                yield toml.problem(("parameters", name, key), f"expected no {key} of a step on Lambda: {why}")


def _limit_problems(toml: TomlFile) -> Iterator[Problem]:
    resources = toml.data["resources"]
    for key, (least, most) in _LIMITS.items():
        value = resources.get(key, least)
        if isinstance(value, list):
            message = f"expected one number, since the memory of a function is the same for all calls; found {value}"
            yield toml.problem(("resources", key), message)
        elif not least <= value <= most.value:
            message = f"expected {least:,} to {most.value:,}, which Lambda allows; found {value:,}"
            yield toml.problem(("resources", key), message)


def _input_problems(toml: TomlFile) -> Iterator[Problem]:
    """Yield the problems of inputs: one of records, and results of earlier stages; or the results of all records."""
    inputs = toml.data["inputs"]
    for name, raw in inputs.items():
        if raw["type"] not in _FUNCTION_INPUTS:
            types = " or ".join(f'"{kind}"' for kind in _FUNCTION_INPUTS)
            message = f"expected an input of type {types} of a step on Lambda, found {raw['type']!r}"
            yield toml.problem(("inputs", name, "type"), message)
            continue
        for key in raw:
            if key not in ("type", "summary", *_INPUT_KEYS[raw["type"]]):
                yield toml.problem(("inputs", name, key), f"expected no {key} of an input of type {raw['type']!r}")
    kinds = [raw["type"] for raw in inputs.values()]
    if RESULTS in kinds:
        if len(kinds) > 1:
            message = f"expected one input, the results of all records, found {' and '.join(map(repr, inputs))}"
            yield toml.problem(("inputs",), message)
    elif kinds.count(RECORDS) != 1:
        found = " and ".join(repr(name) for name, raw in inputs.items() if raw["type"] == RECORDS) or "none"
        yield toml.problem(("inputs",), f'expected one input of type "records", found {found}')
