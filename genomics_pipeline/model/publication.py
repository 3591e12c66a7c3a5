"""The folders below ``results/`` that the outputs of a stage are published in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.step import GATHER, PLACEHOLDER, SCOPES, StepSpec
from genomics_pipeline.model.toml_file import TomlFile

SHOWN = 3  # outputs in a message
OTHERS = "*"  # in `publish`: all outputs that are not named
_ONCE = ("cohort", GATHER)  # scopes of stages that run once


class PublishingStage(Protocol):
    """The parts of a stage that are about its outputs: see `pipeline.Stage`."""

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
    def publish(self) -> Mapping[str, str]:
        """The folder of each output."""


def publish_folders(publish: str | Mapping[str, str], step: StepSpec) -> dict[str, str]:
    """Return the folder of each output; one folder may be given for all, or as ``*`` for those that are not named."""
    if isinstance(publish, str):
        return dict.fromkeys(step.outputs, publish)
    named = {name: folder for name, folder in publish.items() if name != OTHERS}
    return {**(dict.fromkeys(step.outputs, publish[OTHERS]) if OTHERS in publish else {}), **named}


def publish_problems(toml: TomlFile, number: int, stage: PublishingStage) -> Iterator[Problem]:
    """Yield the problems of the folders of a stage's outputs."""
    path = ("stages", number, "publish")
    outputs = list(stage.step.outputs)
    for name, folder in stage.publish.items():
        if name not in outputs:
            yield toml.problem(path, f"unknown output {name!r}; {did_you_mean(name, outputs)}")
        parts = folder.split("/")
        if folder.startswith("/") or ".." in parts or "" in parts[:-1]:
            yield toml.problem(path, f"expected a folder below results/, found {folder!r}")
        for placeholder in PLACEHOLDER.findall(folder):
            if placeholder != stage.scope:
                message = f"unknown placeholder {{{placeholder}}} in scope {stage.scope}; known: {stage.scope}"
                yield toml.problem(path, message)
    if lacking := [name for name in outputs if name not in stage.publish]:
        yield toml.problem(path, f'expected a folder for {_outputs(lacking)}, or for "{OTHERS}", found none')
    own = f"{{{stage.scope}}}"
    paths = {name: stage.publish[name] + stage.step.outputs[name].path for name in outputs if name in stage.publish}
    if shared := [name for name, where in paths.items() if stage.scope not in _ONCE and own not in where]:
        yield toml.problem(path, f"each {stage.scope} would overwrite {_outputs(shared)}: add {own} to the folder")
    for scope in SCOPES:
        named = [name for name, spec in stage.step.outputs.items() if scope in PLACEHOLDER.findall(spec.path)]
        if named and scope != stage.scope:
            message = f"expected a stage of scope {scope}, after which {_outputs(named)} is named; found {stage.scope}"
            yield toml.problem(("stages", number, "scope"), message)


def _outputs(names: list[str]) -> str:
    """Return the first outputs of a list in words.

    >>> _outputs(["vcf"]), _outputs(["vcf", "gvcf", "metrics", "stats", "plot"])
    ("the output 'vcf'", "each of the outputs 'vcf', 'gvcf', 'metrics' and 2 more")
    """
    if len(names) == 1:
        return f"the output {names[0]!r}"
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"each of the outputs {', '.join(map(repr, names[:SHOWN]))}{more}"


def overwrite_problems(
    toml: TomlFile, number: int, stage: PublishingStage, earlier: Sequence[PublishingStage]
) -> Iterator[Problem]:
    """Yield a problem for each stage of which outputs have the same paths as outputs of this one."""
    outputs: dict[str, str] = {}
    again: dict[str, list[str]] = {}
    for other in (*earlier, stage):
        for name, spec in other.step.outputs.items():
            if name not in other.publish or not set(SCOPES).issuperset(PLACEHOLDER.findall(spec.path)):
                continue  # parameters may make the paths differ
            where = f"{other.publish[name].rstrip('/')}/{spec.path}"
            first = outputs.setdefault(where, f"{other.name}.{name}")
            if other is stage and first != f"{other.name}.{name}":
                again.setdefault(first.partition(".")[0], []).append(
                    f"{name!r} would overwrite {first!r}, results/{where}"
                )
    for others in again.values():
        more = f", and {len(others) - 1} more" if len(others) > 1 else ""
        message = f"the output {others[0]}{more}: expected another folder"
        yield toml.problem(("stages", number, "publish"), message)
