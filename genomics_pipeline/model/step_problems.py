"""Problems of a file that declares a step, beyond what its schema says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.function_problems import runtime_problems
from genomics_pipeline.model.metric_spec import METRIC_NAME, MetricSpec, bounds_misfit
from genomics_pipeline.model.parameters import ParameterSpec, misfit
from genomics_pipeline.model.step import LAMBDA, METRICS, NAME, PLACEHOLDER, REGION_INDEXES, SCOPES
from genomics_pipeline.model.toml_file import TomlFile

# The type of the inputs that may have a key, and why.
_ONLY_OF = {
    "missing": (("files", "results"), "of which some may be missing"),
    "optional": (("file", "files"), "which alone may be left out"),
    "packed_in": (("files",), "of which some may be packed"),
}


def step_problems(
    toml: TomlFile, parameters: Mapping[str, ParameterSpec], metrics: Mapping[str, MetricSpec]
) -> Iterator[Problem]:
    """Yield the problems of a file that fits its schema.

    Args:
        toml: The file.
        parameters: The parameters that it declares, by name.
        metrics: The metrics that it declares, by name.
    """
    yield from runtime_problems(toml)
    yield from _name_problems(toml)
    yield from _parameter_problems(toml, parameters)
    yield from _metric_problems(toml, metrics)
    yield from _stream_problems(toml)
    yield from _type_problems(toml)
    yield from _ranged_problems(toml)
    yield from _packed_problems(toml)
    yield from _format_problems(toml)
    yield from _placeholder_problems(toml)
    yield from _memory_problems(toml)
    yield from _exit_code_problems(toml)


def _name_problems(toml: TomlFile) -> Iterator[Problem]:
    for kind in ("inputs", "outputs", "parameters"):
        for name in toml.data.get(kind, {}):
            if not NAME.fullmatch(name):
                expected = "expected a name of lower-case letters, digits and _, at most 48 characters"
                yield toml.problem((kind, name), f"{expected}, found {name!r}")


def _parameter_problems(toml: TomlFile, parameters: Mapping[str, ParameterSpec]) -> Iterator[Problem]:
    for spec in parameters.values():
        if message := _pattern_misfit(spec):
            yield toml.problem(("parameters", spec.name, "pattern"), message)
            continue
        for key, value in (("default", spec.default), ("default_on_aws", spec.default_on_aws)):
            if value is not None and (message := misfit(spec, value)):
                yield toml.problem(("parameters", spec.name, key), message)
        for choice in spec.choices or ():
            if message := misfit(replace(spec, choices=None), choice):
                yield toml.problem(("parameters", spec.name, "choices"), message)
        for key in ("format", "indexes", "columns"):
            if getattr(spec, key) and spec.type != "file":
                message = f"expected a parameter of type file, found {spec.type}"
                yield toml.problem(("parameters", spec.name, key), message)
        if spec.columns and (spec.columns not in parameters or parameters[spec.columns].type != "string"):
            message = f"expected the name of a parameter of type string, found {spec.columns!r}"
            yield toml.problem(("parameters", spec.name, "columns"), message)
        if spec.name == METRICS:
            message = f"expected another name: {METRICS!r} holds bounds of metrics in files of parameters"
            yield toml.problem(("parameters", spec.name), message)
        if spec.name in SCOPES:
            yield toml.problem(
                ("parameters", spec.name), f"expected another name: {{{spec.name}}} is the placeholder of the item"
            )


def _pattern_misfit(spec: ParameterSpec) -> str | None:
    """Return what is wrong with the pattern of a parameter, or None."""
    if (spec.pattern is None) == bool(spec.expected):
        return "expected both a pattern and, in words, what is `expected`, found one of them"
    if spec.pattern is None:
        return None
    if spec.type != "string":
        return f"expected a parameter of type string, found {spec.type}"
    try:
        re.compile(spec.pattern)
    except re.error as error:
        return f"expected a regular expression: {error}"
    return None


def _metric_problems(toml: TomlFile, metrics: Mapping[str, MetricSpec]) -> Iterator[Problem]:
    output = toml.data.get("outputs", {}).get(METRICS, {})
    if metrics and not str(output.get("path", "")).endswith(".json"):
        found = f"found {output['path']!r}" if output else "found none"
        yield toml.problem(
            ("metrics", next(iter(metrics))), f"expected an output {METRICS!r} whose path ends with .json, {found}"
        )
    for name, spec in metrics.items():
        if not METRIC_NAME.fullmatch(name):
            expected = "expected a name of letters, digits, _ and -, at most 48 characters"
            yield toml.problem(("metrics", name), f"{expected}, found {name!r}")
        if contradiction := bounds_misfit(spec):
            yield toml.problem(("metrics", name), contradiction)
        if spec.against and spec.against not in metrics:
            expected = f"expected the name of another metric, found {spec.against!r}"
            yield toml.problem(("metrics", name, "against"), f"{expected}; {did_you_mean(spec.against, list(metrics))}")


def _stream_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        if raw.get("stream") and (raw["type"] == "reference" or "indexes" in raw):
            expected = "expected an input that is read once, from beginning to end"
            yield toml.problem(("inputs", name, "stream"), f"{expected}, not a reference or an input with indexes")


def _type_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        for key, (kinds, why) in _ONLY_OF.items():
            if raw.get(key) and raw["type"] not in kinds:
                types = " or ".join(f'"{kind}"' for kind in kinds)
                expected = f"expected an input of type {types}, {why}"
                yield toml.problem(("inputs", name, key), f"{expected}, found {raw['type']!r}")


def _ranged_problems(toml: TomlFile) -> Iterator[Problem]:
    is_function = toml.data.get("resources", {}).get("runtime") == LAMBDA
    allowed = {*REGION_INDEXES, "fai"} if is_function else {*REGION_INDEXES}
    for group, noun, types in (("inputs", "input", ("file", "files")), ("parameters", "parameter", ("file",))):
        for name, raw in toml.data.get(group, {}).items():
            if not raw.get("ranged"):
                if "margin_bp" in raw:
                    message = f"expected ranged = true, since only of a ranged {noun} the records of regions are read"
                    yield toml.problem((group, name, "margin_bp"), f"{message}; found none")
                continue
            if raw["type"] not in types:
                kinds = " or ".join(f'"{kind}"' for kind in types)
                message = f"expected the type {kinds} of a ranged {noun}, found {raw['type']!r}"
                yield toml.problem((group, name, "ranged"), message)
            elif not raw.get("indexes") or set(raw["indexes"]) - allowed:
                indexes = " and ".join(REGION_INDEXES)
                expected = f"expected no indexes but {indexes}, by which records of regions are found"
                found = ", ".join(raw.get("indexes", ["none"]))
                yield toml.problem((group, name, "ranged"), f"{expected}; found {found}")


def _packed_problems(toml: TomlFile) -> Iterator[Problem]:
    inputs = toml.data["inputs"]
    for name, raw in inputs.items():
        other = raw.get("packed_in")
        if other is not None and (other not in inputs or inputs[other]["type"] != "files"):
            message = f'expected the name of an input of type "files", found {other!r}'
            yield toml.problem(("inputs", name, "packed_in"), message)


def _format_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        for key in ("formats", "as_aligned", "scratch_per_byte"):
            if key in raw and raw["type"] != "reads":
                yield toml.problem(("inputs", name, key), f'expected an input of type "reads", found {raw["type"]!r}')


def _placeholder_problems(toml: TomlFile) -> Iterator[Problem]:
    data = toml.data
    for placeholder in PLACEHOLDER.findall(data.get("methods", "")):
        if placeholder not in data.get("parameters", {}):
            hint = did_you_mean(placeholder, list(data.get("parameters", {})))
            yield toml.problem(("methods",), f"unknown placeholder {{{placeholder}}}; {hint}")
    in_paths = [*SCOPES, *data.get("parameters", {})]
    for name, raw in data.get("outputs", {}).items():
        for placeholder in PLACEHOLDER.findall(raw["path"]):
            if placeholder not in in_paths:
                path = ("outputs", name, "path")
                hint = did_you_mean(placeholder, in_paths)
                yield toml.problem(path, f"unknown placeholder {{{placeholder}}}; {hint}")
    yield from _index_problems(toml)
    known = ["python", "step_dir", "task", "scratch", "versions", "progress", "left_out", "vcpus", "memory_mib"]
    known += [f"inputs.{name}" for name, raw in data["inputs"].items() if not raw.get("optional")]
    known += [f"{group}.{name}" for group in ("outputs", "parameters") for name in data.get(group, {})]
    lists = {f"inputs.{name}" for name, raw in data["inputs"].items() if raw["type"] in ("reads", "files")}
    missing = {f"missing.{name}" for name, raw in data["inputs"].items() if raw.get("missing")}
    known += sorted(missing)
    for word in data.get("command", ()):
        if len([one for one in PLACEHOLDER.findall(word) if one in lists | missing]) > 1:
            expected = "expected at most one list of files in an argument, which is repeated for each"
            yield toml.problem(("command",), f"{expected}, found {word!r}")
        for placeholder in PLACEHOLDER.findall(word):
            if placeholder not in known:
                hint = did_you_mean(placeholder, known)
                yield toml.problem(("command",), f"unknown placeholder {{{placeholder}}}; {hint}")


def _index_problems(toml: TomlFile) -> Iterator[Problem]:
    parameters = toml.data.get("parameters", {})
    chosen = [name for name, raw in parameters.items() if "choices" in raw and "default" in raw]
    for name, raw in toml.data["inputs"].items():
        for index in raw.get("indexes", ()):
            match = PLACEHOLDER.fullmatch(index)
            if match and (raw["type"] != "reference" or match[1] not in chosen):
                expected = "expected a parameter with choices and a default, which names an index of a reference"
                yield toml.problem(("inputs", name, "indexes"), f"{expected}, found {index}")


def _memory_problems(toml: TomlFile) -> Iterator[Problem]:
    memory = toml.data.get("resources", {}).get("memory_mib")
    if isinstance(memory, list) and memory != sorted(set(memory)):
        expected = "expected a memory ladder in increasing order, such as [8192, 16384]"
        yield toml.problem(("resources", "memory_mib"), f"{expected}, found {memory}")


def _exit_code_problems(toml: TomlFile) -> Iterator[Problem]:
    for code in toml.data.get("exit_codes", {}):
        if not (re.fullmatch("[0-9]{1,3}", code) and 1 <= int(code) <= 255):
            yield toml.problem(("exit_codes", code), f"expected an exit code from 1 to 255, found {code!r}")
