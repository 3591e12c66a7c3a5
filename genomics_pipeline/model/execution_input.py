"""The input of an execution of our definitions: all that differs from run to run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.task import RunPlace


@dataclass(frozen=True, slots=True)
class ExecutionInput:
    """What one execution is about.

    Attributes:
        place: Where the run lives.
        reference: URI of the prepared reference.
        parameters: Overridden parameters by stage.
        tolerated: How many samples may fail: ``percentage`` and ``count``; see `MapSettings.tolerance`.
        manifest: The samples' file, a key below the run; a rerun's is its own.
        memory_mib: By stage, the first rung where it is not the step's.
        earlier: By Label, ResultWriterDetails of the Map Runs of the run's earlier executions, oldest first.
    """

    place: RunPlace
    reference: str
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float]
    manifest: str = run_layout.MANIFEST
    memory_mib: Mapping[str, int] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The JSON object that our definitions read."""
        place = self.place
        return {
            "run": {"name": place.name, "bucket": place.bucket, "prefix": place.prefix},
            "reference": self.reference,
            "parameters": {stage: dict(values) for stage, values in self.parameters.items()},
            "manifest": self.manifest,
            "tolerated": dict(self.tolerated),
            "memory_mib": dict(self.memory_mib),
            "earlier": {label: list(details) for label, details in self.earlier.items()},
        }
