"""Problems of the stages that a pipeline declares: names, sources of inputs, parameters."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from genomics_pipeline.model.declared_file import DeclaredFile
from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.parameters import override_problems
from genomics_pipeline.model.pipeline import EARLIER_PACKED, GIVEN_GVCFS, READS, REFERENCE, Stage
from genomics_pipeline.model.publication import overwrite_problems, publish_problems
from genomics_pipeline.model.record_stages import record_source_misfit
from genomics_pipeline.model.step import (
    GATHER,
    RECORD,
    RECORDS,
    REGION_INDEXES,
    RESULT,
    RESULTS,
    InputSpec,
    OutputSpec,
    StepSpec,
)
from genomics_pipeline.model.toml_file import TomlFile


def stage_problems(
    toml: TomlFile, number: int, stage: Stage, earlier: list[Stage], unknown: Collection[str]
) -> Iterator[Problem]:
    """Yield the problems of one stage; outputs of stages whose step is unknown are not checked.

    Args:
        toml: The file of the pipeline.
        number: The position of the stage in it.
        stage: The stage.
        earlier: The stages before it.
        unknown: The names of stages whose step could not be loaded.
    """
    path = ("stages", number)
    if stage.name in [other.name for other in earlier]:
        yield toml.problem((*path, "name"), f"expected a unique name, found {stage.name!r} a second time")
    for name in stage.inputs:
        if name not in stage.step.inputs:
            hint = did_you_mean(name, list(stage.step.inputs))
            yield toml.problem((*path, "inputs"), f"unknown input {name!r} of step {stage.step.name}; {hint}")
    for name, spec in stage.step.inputs.items():
        if name not in stage.inputs:
            if spec.optional:
                continue
            yield toml.problem((*path, "inputs"), f"expected a source for the input {name!r}, found none")
        elif stage.inputs[name].partition(".")[0] in unknown:
            continue
        elif message := _source_misfit(spec, stage, earlier):
            yield toml.problem((*path, "inputs"), f"{name}: {message}")
    yield from _when_problems(toml, number, stage)
    if stage.scope == RECORD or (stage.scope == GATHER and not stage.step.outputs):
        return
    if "publish" not in toml.data["stages"][number]:
        yield toml.problem(path, "expected the key 'publish', found none")
    yield from publish_problems(toml, number, stage)
    yield from overwrite_problems(toml, number, stage, earlier)


def _when_problems(toml: TomlFile, number: int, stage: Stage) -> Iterator[Problem]:
    path = ("stages", number, "when")
    if stage.when and stage.scope != "cohort":
        yield toml.problem(path, f"expected a stage of scope cohort, which alone may be left out; found {stage.scope}")
    for name in stage.when:
        if name not in stage.step.parameters:
            hint = did_you_mean(name, list(stage.step.parameters))
            yield toml.problem(path, f"unknown parameter {name!r} of step {stage.step.name}; {hint}")


_PACKED_MISFIT = (
    f'expected an input of type "files" in a stage of scope interval for "{EARLIER_PACKED}", '
    'found type "{}" in scope {}'
)
_GVCFS_MISFIT = (
    f'expected an input of type "files" in a stage of scope interval or cohort for "{GIVEN_GVCFS}", '
    'found type "{}" in scope {}'
)


def _source_misfit(spec: InputSpec, stage: Stage, earlier: list[Stage]) -> str | None:
    """Return what is wrong with the source of one input, or None."""
    source = stage.inputs[spec.name]
    if spec.type in (RECORDS, RESULT, RESULTS):
        return record_source_misfit(spec, stage, earlier)
    if spec.type == "reads":
        wrong = source != READS or stage.scope != "sample"
        return (
            f'expected "{READS}" in a stage of scope sample, found {source!r} in scope {stage.scope}' if wrong else None
        )
    if spec.type == "reference":
        return None if source == REFERENCE else f'expected "{REFERENCE}", found {source!r}'
    if source == EARLIER_PACKED:
        taken = spec.type == "files" and stage.scope == "interval"
        return None if taken else _PACKED_MISFIT.format(spec.type, stage.scope)
    if source == GIVEN_GVCFS:
        taken = spec.type == "files" and stage.scope != "sample"
        return None if taken else _GVCFS_MISFIT.format(spec.type, stage.scope)
    outputs = {f"{other.name}.{output}": other for other in earlier for output in other.step.outputs}
    if source not in outputs:
        return f"expected an output of an earlier stage, found {source!r}; {did_you_mean(source, list(outputs))}"
    if outputs[source].when:
        return f"expected an output of a stage of every run, found {source!r}, whose stage may be left out"
    output = outputs[source].step.outputs[source.partition(".")[2]]
    if output.optional:
        return f"expected an output that is always written, found {source!r}, which is optional"
    if spec.ranged and (message := _ranged_misfit(stage, source, output)):
        return message
    one = outputs[source].scope in (stage.scope, "cohort")
    if spec.type == "file" and not one:
        return (
            f"expected one file, found {source!r}, which has one for each {outputs[source].scope}; "
            f'the step must declare the input as type "files"'
        )
    return None


def _ranged_misfit(stage: Stage, source: str, output: OutputSpec) -> str | None:
    """Return what is wrong with the source of a ranged input, or None."""
    if stage.scope != "interval":
        return f"expected a stage of scope interval, since the input is ranged; found scope {stage.scope}"
    if not output.indexes or set(output.indexes) - set(REGION_INDEXES):
        expected = f"expected an output with indexes of {' or '.join(REGION_INDEXES)}, since the input is ranged"
        return f"{expected}; found {source!r} with {', '.join(output.indexes) or 'none'}"
    return None


def parameter_problems(
    declared: DeclaredFile,
    above: Sequence[str],
    parameters: Mapping[str, Mapping[str, Any]],
    known: Mapping[str, StepSpec],
) -> Iterator[Problem]:
    """Yield the problems of values of parameters in a file.

    Args:
        declared: The file.
        above: The path of the table of stages in it.
        parameters: The values by stage and name.
        known: The steps by stage.
    """
    for stage, values in parameters.items():
        if stage not in known:
            hint = did_you_mean(stage, list(known))
            yield declared.problem((*above, stage), f"unknown stage {stage!r}; {hint}")
            continue
        for name, message in override_problems(known[stage].parameters, values):
            yield declared.problem((*above, stage, name), message)
