"""Steps: their inputs, outputs, parameters and resources."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.local_memory import LocalMemory
from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.model.parameters import ParameterSpec

METRICS = "metrics"  # the name of the output with the metrics of an item
SCOPES = ("sample", "interval", "cohort")  # of items with names
RECORD = "record"  # the scope of stages over records, which run as Lambda functions
GATHER = "gather"  # the scope of a stage over the results of all records, which is a function, too
BATCH, LAMBDA = "batch", "lambda"  # the runtimes of steps: jobs of AWS Batch, and functions
RECORDS, RESULT, RESULTS = "records", "result", "results"  # types of inputs of a step on Lambda
ROWS, ARROW = "rows", "arrow"  # forms of records
REGION_INDEXES = ("tbi", "csi")  # by which the records of a region are found
FUNCTION_TIMEOUT_S = 60  # of a step on Lambda that gives none
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

    A step on Lambda has ``records``, which it takes `as_` a list of ``rows`` or as an ``arrow`` table, and may have
    the ``result`` of an earlier stage over the same batch. Of records that name `files`, its program reads these. Or it
    gathers the ``results`` of all records; unless they may be `missing`, it is only called when each record has one.

    The program of `reads` takes files of the `formats`: fastq, bam, cram; with `as_aligned`, those that are to be
    passed on as they are aligned, too. `scratch_per_byte` is the disk in bytes that a byte of a format takes at most,
    copies of remote files included; ``as_aligned`` is one of these formats, too.
    An index of a reference may be a ``{parameter}``, whose value names it: see `with_indexes`.
    Of a remote file that is `ranged`, the program gets the header and the records of the item's regions, and of
    `margin_bp` bases on both sides of each. Remote files of a `stream` are named pipes, which are read once, from
    beginning to end. With `missing`, the program of `files` is given the names of the items that have none. A pipeline
    may leave out a `file` or `files` that are `optional`. Of `files` that are `packed_in` another input, those that an
    earlier run packed are not read: the program gets null in their place.
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
    packed_in: str = ""
    as_: str = ROWS
    files: bool = False


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
        runtime: ``batch`` or ``lambda``; a function has no vCPUs or disk of its own choice.
        ephemeral_storage_mib: The size of a function's ``/tmp``.
        reserved_concurrency: The executions of a function at a time that its account keeps for it, and its limit; None
            for neither.
    """

    vcpus: int = 1
    memory_ladder: tuple[int, ...] = (2048,)
    disk_gib: int = 20
    timeout_s: int = 86400
    runtime: str = BATCH
    ephemeral_storage_mib: int = 512
    reserved_concurrency: int | None = None

    @property
    def memory_mib(self) -> int:
        """Return the memory of the first attempt, in MiB."""
        return self.memory_ladder[0]


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step: a command over local files, with its inputs and outputs, or a function over a batch of records.

    Attributes:
        program: Of a step on Lambda: the file in its folder that defines ``handle(batch)``. It has no command and no
            metrics: what ``handle`` returns is its result. It may have files as outputs.
        local_memory: The memory that a job needs on one machine; None where only the memory ladder is known.
        metrics: The metrics that it declares, by name, in the order of the tables.
        common: The folder ``common`` beside the step's is part of its program.
        methods: What it does, in a sentence of a paper; ``{name}`` is the value of a parameter.
        citations: The publications to cite, by the tool whose version the program names; others are always cited.
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
    program: str = ""
    methods: str = ""
    citations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_function(self) -> bool:
        """True if the step runs as a Lambda function."""
        return self.resources.runtime == LAMBDA

    @property
    def gathers(self) -> bool:
        """True for a step on Lambda over the results of all records."""
        return any(one.type == RESULTS for one in self.inputs.values())

    @property
    def reads_files(self) -> bool:
        """True for a step on Lambda whose program reads files that records, results or parameters name."""
        in_parts = self.is_function and any(one.ranged for one in self.parameters.values())
        return self.gathers or in_parts or any(one.files for one in self.inputs.values())

    @property
    def writes_files(self) -> bool:
        """True for a step on Lambda that writes into the folder of the run."""
        return self.is_function and (self.gathers or bool(self.outputs))

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
