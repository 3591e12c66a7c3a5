"""The inputs, outputs, parameters and resources of a step, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.model.parameters import ParameterSpec, Value, value_words
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import ARROW, LAMBDA, RECORDS, InputSpec, OutputSpec, Resources, StepSpec

INPUT_WORDS = {
    "reads": "the FASTQ files of a sample's lanes",
    "reference": "the reference, a FASTA file",
    "file": "a file",
    "files": "a file of each item",
    "records": "the records of a batch",
    "result": "the result of an earlier stage over the same records",
    "results": "the results of all records",
}
KIND_WORDS = {"string": "text", "boolean": "true or false", "file": "a file"}
FORMAT_WORDS = {"panel": "a VCF or BCF file", "genetic_map": "a genetic map", "people": "a list of names"}


def kind_words(spec: ParameterSpec) -> str:
    """Return which values a parameter takes.

    >>> kind_words(ParameterSpec("ploidy", "integer", "copies", minimum=1, maximum=2))
    'integer from 1 to 2'
    >>> kind_words(ParameterSpec("format", "string", "format", choices=("bam", "cram")))
    'bam or cram'
    >>> kind_words(ParameterSpec("umi", "string", "UMI", pattern="[ACGT]+", expected="one base or more"))
    'one base or more'
    """
    if spec.pattern is not None:
        return spec.expected
    if spec.choices is not None:
        *others, last = map(value_words, spec.choices)
        return f"{', '.join(others)} or {last}" if others else last
    of_format = FORMAT_WORDS.get(spec.format or "", f"a {(spec.format or '').upper()} file")
    kind = of_format if spec.format else KIND_WORDS.get(spec.type, spec.type)
    match spec.minimum, spec.maximum:
        case None, None:
            return kind
        case least, None:
            return f"{kind}, at least {least}"
        case None, most:
            return f"{kind}, at most {most}"
        case least, most:
            return f"{kind} from {least} to {most}"


def default_words(spec: ParameterSpec, given: Mapping[str, Value]) -> Sequence[str]:
    """Return a parameter's value where the user gives none: in the pipeline, and on AWS where it is another.

    Args:
        spec: The parameter.
        given: The values that the pipeline gives to the parameters of the stage.

    >>> default_words(ParameterSpec("format", "string", "", default="bam", default_on_aws="cram"), {})
    ['default bam', 'on AWS cram']
    >>> default_words(ParameterSpec("format", "string", "", default="bam", default_on_aws="cram"), {"format": "bam"})
    ['bam in this pipeline']
    """
    if spec.name in given:
        return [f"{value_words(given[spec.name])} in this pipeline"]
    none = "required" if spec.required else "no default"
    usual = none if spec.default is None else f"default {value_words(spec.default)}"
    return [usual, *([] if spec.default_on_aws is None else [f"on AWS {value_words(spec.default_on_aws)}"])]


def input_words(spec: InputSpec) -> str:
    """Return what an input is, and which index must be beside it."""
    what = spec.summary or INPUT_WORDS[spec.type]
    if spec.type == "reference":
        return f"{what} (indexes: {', '.join(spec.indexes)})" if spec.indexes else what
    details = [f"with its index: {' or '.join(spec.indexes)}"] if spec.indexes else []
    if spec.as_ == ARROW:
        details.append("as an Arrow table")
    if spec.ranged:
        details.append(f"of a remote file, only the interval and {spec.margin_bp:,} bp beside it are read")
    if spec.optional:
        details.append("optional")
    return f"{what} ({'; '.join(details)})" if details else what


def output_words(spec: OutputSpec, folder: str | None = None) -> str:
    """Return what an output is, and its path.

    Args:
        spec: The output.
        folder: The folder below ``results/`` that a pipeline publishes it in; None for a step alone.
    """
    path = spec.path if folder is None else f"{run_layout.RESULTS}{folder.rstrip('/')}/{spec.path}"
    words = f"{spec.summary}: {path}" if spec.summary else path
    return f"{words} (optional)" if spec.optional else words


def metric_words(spec: MetricSpec) -> str:
    """Return what a metric is, and its bounds.

    >>> metric_words(MetricSpec("mean_depth", "Depth", unit="x", summary="Mean depth", good_min=20, bad_below=10))
    'Depth (x): Mean depth; good from 20, bad below 10'
    """
    bounds = (
        ("good from", spec.good_min),
        ("good up to", spec.good_max),
        ("bad below", spec.bad_below),
        ("bad above", spec.bad_above),
    )
    limits = ", ".join(f"{words} {bound}" for words, bound in bounds if bound is not None)
    what = f"{spec.heading}: {spec.summary}" if spec.summary else spec.heading
    return f"{what}; {limits}" if limits else what


def resource_words(resources: Resources) -> str:
    """Return the resources of one task.

    >>> resource_words(Resources(vcpus=2, memory_ladder=(4096, 8192), disk_gib=50))
    '2 vCPUs, 4096 MiB of memory (then 8192 MiB), 50 GiB of disk, at most 24 hours'
    """
    longest = _longest(resources.timeout_s)
    if resources.runtime == LAMBDA:
        storage = f"{resources.ephemeral_storage_mib} MiB of ephemeral storage"
        return f"a Lambda function with {resources.memory_mib} MiB of memory, {storage}, at most {longest}"
    first, *further = resources.memory_ladder
    then = f" (then {', '.join(map(str, further))} MiB)" if further else ""
    vcpus = quantity(resources.vcpus, "vCPU")
    return f"{vcpus}, {first} MiB of memory{then}, {resources.disk_gib} GiB of disk, at most {longest}"


def _longest(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return quantity(seconds, "second") if rest else quantity(hours, "hour")


def step_json(spec: StepSpec) -> dict[str, Any]:
    """Return a step's declarations, under the names that they have in ``step.toml``."""
    resources = spec.resources
    return {
        "name": spec.name,
        "version": spec.version,
        "summary": spec.summary,
        "inputs": {
            name: {
                "type": one.type,
                "summary": one.summary,
                "indexes": list(one.indexes),
                "stream": one.stream,
                "ranged": one.ranged,
                "margin_bp": one.margin_bp,
                "optional": one.optional,
                **({"as": one.as_} if one.type == RECORDS else {}),
            }
            for name, one in spec.inputs.items()
        },
        "outputs": {
            name: {"path": one.path, "summary": one.summary, "indexes": list(one.indexes), "optional": one.optional}
            for name, one in spec.outputs.items()
        },
        "metrics": {name: one.to_json() for name, one in spec.metrics.items()},
        "parameters": {name: _parameter_json(one) for name, one in spec.parameters.items()},
        "resources": {
            "vcpus": resources.vcpus,
            "memory_mib": list(resources.memory_ladder),
            "disk_gib": resources.disk_gib,
            "timeout_s": resources.timeout_s,
            "runtime": resources.runtime,
            **({"ephemeral_storage_mib": resources.ephemeral_storage_mib} if spec.is_function else {}),
        },
    }


def _parameter_json(spec: ParameterSpec) -> dict[str, Any]:
    return {
        "type": spec.type,
        "summary": spec.summary,
        "default": spec.default,
        "default_on_aws": spec.default if spec.default_on_aws is None else spec.default_on_aws,
        "choices": None if spec.choices is None else list(spec.choices),
        "minimum": spec.minimum,
        "maximum": spec.maximum,
        "format": spec.format,
        "pattern": spec.pattern,
    }
