"""Steps, declared in `step.toml`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.local_memory import LocalMemory
from genomics_pipeline.model.metric_spec import METRIC_NAME, MetricSpec, bounds_misfit, parse_metric
from genomics_pipeline.model.parameters import ParameterSpec, misfit
from genomics_pipeline.model.toml_file import TomlFile

METRICS = "metrics"  # the name of the output with the metrics of an item
SCOPES = ("sample", "interval", "cohort")
REGION_INDEXES = ("tbi", "csi")  # by which the records of a region are found
NAME = re.compile(r"[a-z][a-z0-9_]{0,47}")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Once more on On-Demand hosts, after Batch has retried on Spot hosts; once more with twice the time after a timeout;
# twice with twice the vCPUs, and so twice the share of a host's disk.
RETRY = {FailureClass.HOST_LOST: 1, FailureClass.TIMEOUT: 1, FailureClass.OUT_OF_DISK: 2}
BAD_INPUT_EXIT_CODE = 65  # EX_DATAERR in sysexits.h
OUT_OF_DISK_EXIT_CODE = 73  # EX_CANTCREAT in sysexits.h: the output cannot be created
ACCESS_DENIED_EXIT_CODE = 77  # EX_NOPERM in sysexits.h
OUT_OF_MEMORY_EXIT_CODE = 137  # 128 + SIGKILL: the container was killed for its memory


@dataclass(frozen=True, slots=True)
class InputSpec:
    """An input: ``reads`` (a sample's lanes), ``reference``, ``file`` or ``files`` (one of each upstream item).

    The program of `reads` takes files of the `formats`: fastq, bam, cram; with `as_aligned`, those that are to be
    passed on as they are aligned, too. `scratch_per_byte` is the disk in bytes that a byte of a format takes at most,
    copies of remote files included; ``as_aligned`` is one of these formats, too.
    An index of a reference may be a ``{parameter}``, whose value names it: see `with_indexes`.
    Of a remote file that is `ranged`, the program gets the header and the records of the item's regions, and of
    `margin_bp` bases on both sides of each. Remote files of a `stream` are named pipes, which are read once, from
    beginning to end. With `missing`, the program of `files` is given the names of the items that have none. A pipeline
    may leave out a `file` that is `optional`.
    """

    name: str
    type: str
    indexes: tuple[str, ...] = ()
    stream: bool = False
    missing: bool = False
    summary: str = ""
    formats: tuple[str, ...] = ("fastq",)
    as_aligned: bool = False
    scratch_per_byte: Mapping[str, float] = field(default_factory=dict)
    ranged: bool = False
    margin_bp: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """An output file. `path` may have placeholders; if there are `indexes`, one of them must be beside the file.

    The program may leave out an output that is `optional`, because of its parameters or inputs.
    """

    name: str
    path: str
    indexes: tuple[str, ...] = ()
    summary: str = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources of one task of a step.

    Attributes:
        memory_ladder: Memory in MiB of the first attempt, and of each further one after running out of memory.
    """

    vcpus: int = 1
    memory_ladder: tuple[int, ...] = (2048,)
    disk_gib: int = 20
    timeout_s: int = 86400

    @property
    def memory_mib(self) -> int:
        """Return the memory of the first attempt, in MiB."""
        return self.memory_ladder[0]


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step: a command over local files, with its inputs and outputs.

    Attributes:
        local_memory: The memory that a job needs on one machine; None where only the memory ladder is known.
        metrics: The metrics that it declares, by name, in the order of the tables.
        common: The folder ``common`` beside the step's is part of its program.
        exit_codes: Failure class by exit code; tool_error for all others.
        retry: Number of retries by failure class; 0 for a class that is missing. After running out of memory, there
            is one for each further entry of `Resources.memory_ladder`.
    """

    name: str
    version: str
    summary: str
    command: tuple[str, ...]
    inputs: Mapping[str, InputSpec]
    outputs: Mapping[str, OutputSpec]
    parameters: Mapping[str, ParameterSpec]
    resources: Resources
    exit_codes: Mapping[int, FailureClass]
    retry: Mapping[FailureClass, int]
    local_memory: LocalMemory | None = None
    metrics: Mapping[str, MetricSpec] = field(default_factory=dict)
    common: bool = False

    def lacking(self, outputs: Collection[str]) -> list[str]:
        """Return the outputs that are not among those of a task that is done, though they are not optional."""
        return [name for name, spec in self.outputs.items() if not spec.optional and name not in outputs]


def with_indexes(spec: StepSpec, values: Mapping[str, object]) -> StepSpec:
    """Return a step whose inputs have the indexes that values of parameters name.

    Args:
        spec: The step.
        values: Values of parameters; of others, the default is taken.
    """

    def filled(name: str) -> str:
        match = PLACEHOLDER.fullmatch(name)
        return str(values.get(match[1]) or spec.parameters[match[1]].default) if match else name

    inputs = {name: replace(one, indexes=tuple(map(filled, one.indexes))) for name, one in spec.inputs.items()}
    return replace(spec, inputs=inputs)


def index_parameters(spec: StepSpec) -> list[ParameterSpec]:
    """Return the parameters of a step that name an index of its reference."""
    names = [
        match[1] for one in spec.inputs.values() for index in one.indexes if (match := PLACEHOLDER.fullmatch(index))
    ]
    return [spec.parameters[name] for name in names]


def parse_step(text: str, *, file: str) -> StepSpec:
    """Return the step that a ``step.toml`` declares.

    Raises:
        DataError: with all problems, in source order.
    """
    toml = TomlFile(text, file=file, schema="step")
    data = toml.data
    parameters = {name: _parameter(name, raw) for name, raw in data.get("parameters", {}).items()}
    metrics = {name: parse_metric(name, raw) for name, raw in data.get("metrics", {}).items()}
    toml.refuse(
        [
            *_name_problems(toml),
            *_parameter_problems(toml, parameters),
            *_metric_problems(toml, metrics),
            *_stream_problems(toml),
            *_missing_problems(toml),
            *_ranged_problems(toml),
            *_optional_problems(toml),
            *_format_problems(toml),
            *_placeholder_problems(toml),
            *_memory_problems(toml),
            *_exit_code_problems(toml),
        ]
    )
    codes = {
        BAD_INPUT_EXIT_CODE: FailureClass.BAD_INPUT,
        OUT_OF_DISK_EXIT_CODE: FailureClass.OUT_OF_DISK,
        OUT_OF_MEMORY_EXIT_CODE: FailureClass.OUT_OF_MEMORY,
    }
    return StepSpec(
        name=data["name"],
        version=data["version"],
        summary=data["summary"],
        command=tuple(data["command"]),
        inputs={name: _input(name, raw) for name, raw in data["inputs"].items()},
        outputs={
            name: OutputSpec(name, raw["path"], _indexes(raw), raw.get("summary", ""), raw.get("optional", False))
            for name, raw in data["outputs"].items()
        },
        parameters=parameters,
        resources=_resources(data.get("resources", {})),
        exit_codes=codes | {int(code): FailureClass(name) for code, name in data.get("exit_codes", {}).items()},
        local_memory=LocalMemory(**data["local_memory"]) if "local_memory" in data else None,
        metrics=metrics,
        common=data.get("common", False),
        retry=RETRY | {FailureClass(name): times for name, times in data.get("retry", {}).items()},
    )


def _resources(raw: Mapping[str, Any]) -> Resources:
    rest = {name: value for name, value in raw.items() if name != "memory_mib"}
    if "memory_mib" not in raw:
        return Resources(**rest)
    memory = raw["memory_mib"]
    return Resources(memory_ladder=(memory,) if isinstance(memory, int) else tuple(memory), **rest)


def _input(name: str, raw: Mapping[str, Any]) -> InputSpec:
    return InputSpec(
        name,
        raw["type"],
        _indexes(raw),
        raw.get("stream", False),
        raw.get("missing", False),
        raw.get("summary", ""),
        tuple(raw.get("formats", ("fastq",))),
        raw.get("as_aligned", False),
        raw.get("scratch_per_byte", {}),
        raw.get("ranged", False),
        raw.get("margin_bp", 0),
        raw.get("optional", False),
    )


def _indexes(raw: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(raw.get("indexes", ()))


def _parameter(name: str, raw: Mapping[str, Any]) -> ParameterSpec:
    choices = tuple(raw["choices"]) if "choices" in raw else None
    return ParameterSpec(
        name=name,
        type=raw["type"],
        summary=raw["summary"],
        default=raw.get("default"),
        choices=choices,
        minimum=raw.get("minimum"),
        maximum=raw.get("maximum"),
        format=raw.get("format"),
        default_on_aws=raw.get("default_on_aws"),
        indexes=_indexes(raw),
        columns=raw.get("columns"),
        aligns=raw.get("aligns", False),
        required=raw.get("required", False),
        pattern=raw.get("pattern"),
        expected=raw.get("expected", ""),
        architectures=tuple(map(Architecture, raw.get("architectures", ()))),
    )


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
    output = toml.data["outputs"].get(METRICS, {})
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


def _stream_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        if raw.get("stream") and (raw["type"] == "reference" or "indexes" in raw):
            expected = "expected an input that is read once, from beginning to end"
            yield toml.problem(("inputs", name, "stream"), f"{expected}, not a reference or an input with indexes")


def _missing_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        if raw.get("missing") and raw["type"] != "files":
            expected = 'expected an input of type "files", of which some may be missing'
            yield toml.problem(("inputs", name, "missing"), f"{expected}, found {raw['type']!r}")


def _ranged_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        if not raw.get("ranged"):
            if "margin_bp" in raw:
                message = "expected ranged = true, since only of a ranged input the records of regions are read"
                yield toml.problem(("inputs", name, "margin_bp"), f"{message}; found none")
            continue
        if raw["type"] not in ("file", "files"):
            message = f'expected an input of type "file" or "files", found {raw["type"]!r}'
            yield toml.problem(("inputs", name, "ranged"), message)
        elif not raw.get("indexes") or set(raw["indexes"]) - set(REGION_INDEXES):
            expected = f"expected no indexes but {' and '.join(REGION_INDEXES)}, by which records of regions are found"
            found = ", ".join(raw.get("indexes", ["none"]))
            yield toml.problem(("inputs", name, "ranged"), f"{expected}; found {found}")


def _optional_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        if raw.get("optional") and raw["type"] != "file":
            expected = 'expected an input of type "file", which alone may be left out'
            yield toml.problem(("inputs", name, "optional"), f"{expected}, found {raw['type']!r}")


def _optional_inputs(data: Mapping[str, Any]) -> list[str]:
    return [name for name, raw in data["inputs"].items() if raw.get("optional")]


def _format_problems(toml: TomlFile) -> Iterator[Problem]:
    for name, raw in toml.data["inputs"].items():
        for key in ("formats", "as_aligned", "scratch_per_byte"):
            if key in raw and raw["type"] != "reads":
                yield toml.problem(("inputs", name, key), f'expected an input of type "reads", found {raw["type"]!r}')


def _placeholder_problems(toml: TomlFile) -> Iterator[Problem]:
    data = toml.data
    in_paths = [*SCOPES, *data.get("parameters", {})]
    for name, raw in data["outputs"].items():
        for placeholder in PLACEHOLDER.findall(raw["path"]):
            if placeholder not in in_paths:
                path = ("outputs", name, "path")
                hint = did_you_mean(placeholder, in_paths)
                yield toml.problem(path, f"unknown placeholder {{{placeholder}}}; {hint}")
    yield from _index_problems(toml)
    groups = ("inputs", "outputs", "parameters")
    known = ["python", "step_dir", "task", "scratch", "versions", "vcpus", "memory_mib"]
    known += [f"{group}.{name}" for group in groups for name in data.get(group, {})]
    known = [name for name in known if name not in {f"inputs.{one}" for one in _optional_inputs(data)}]
    lists = {f"inputs.{name}" for name, raw in data["inputs"].items() if raw["type"] in ("reads", "files")}
    missing = {f"missing.{name}" for name, raw in data["inputs"].items() if raw.get("missing")}
    known += sorted(missing)
    for word in data["command"]:
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
