"""The origins of results: the versions, programs, tools and parameters in the records of a run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.step import PLACEHOLDER, StepSpec
from genomics_pipeline.records.completion import CompletionRecord
from genomics_pipeline.report.run_page.run_report import StageOrigin

KEPT = 20  # values of a parameter that are kept


@dataclass(slots=True)
class _Found:
    """The origins that the records of a stage name, each once, in the order in which they are found."""

    step: str
    versions: dict[str, None] = field(default_factory=dict)
    programs: dict[str, None] = field(default_factory=dict)
    tools: dict[str, dict[str, None]] = field(default_factory=dict)
    parameters: dict[str, dict[str, Value]] = field(default_factory=dict)
    last: Mapping[str, Value] = field(default_factory=dict)


class OriginsOfStages:
    """The origins of the results of a run.

    Args:
        steps: The steps of the run by stage, as far as they are known.
    """

    def __init__(self, steps: Mapping[str, StepSpec]) -> None:
        self._steps = steps
        self._found: dict[str, _Found] = {}

    def add(self, record: CompletionRecord) -> None:
        """Add what a record names."""
        made = record.provenance
        found = self._found.setdefault(record.stage, _Found(made.step))
        found.versions[made.version] = None
        found.programs[made.program] = None
        for name, version in record.tools.items():
            found.tools.setdefault(name, {})[version] = None
        if made.parameters == found.last:
            return
        found.last = made.parameters
        for name, value in made.parameters.items():
            values = found.parameters.setdefault(name, {})
            if len(values) < KEPT:
                values.setdefault(json.dumps(value), value)

    def found(self) -> list[StageOrigin]:
        """Return what was found, in the order of the stages."""
        return [self._origin(stage, found) for stage, found in self._found.items()]

    def _origin(self, stage: str, found: _Found) -> StageOrigin:
        spec = self._steps.get(stage)
        if spec is not None and (spec.name != found.step or spec.version not in found.versions):
            spec = None
        cited = {found.step, *found.tools}
        return StageOrigin(
            stage=stage,
            step=found.step,
            versions=list(found.versions),
            programs=list(found.programs),
            tools={name: list(versions) for name, versions in found.tools.items()},
            parameters={name: list(values.values()) for name, values in found.parameters.items()},
            defaults={name: one.default for name, one in spec.parameters.items()} if spec else None,
            command=spec.command if spec else (),
            methods=_filled(spec.methods, found) if spec else "",
            citations=[text for name, text in spec.citations.items() if name in cited] if spec else [],
        )


def _filled(methods: str, found: _Found) -> str:
    """Return a sentence with the values of the parameters that it names."""

    def value(name: str) -> str:
        values = [one for one in found.parameters.get(name, {}).values() if one is not None]
        return " or ".join(str(one).lower() if isinstance(one, bool) else str(one) for one in values) or "not given"

    return PLACEHOLDER.sub(lambda match: value(match[1]), methods)
