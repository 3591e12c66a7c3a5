"""The input of an execution of a generated definition: everything that differs between runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.first_attempt import FirstAttempts, member_of
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.task import RunPlace

# By default. A job that no host can run is cancelled by its queue long before; one of a large cohort waits its turn.
WAIT_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class ExecutionInput:
    """The input of one execution.

    Attributes:
        place: The run's location in the store.
        reference: URI of the prepared reference.
        parameters: Values that override the pipeline's, by stage.
        tolerated: How many samples may fail: ``percentage`` and ``count``; see `MapSettings.tolerance`.
        manifest: The key of the samples' file below the run; a rerun has a file of its own.
        memory_mib: Memory of the first attempt, by stage, where it differs from the step's.
        earlier: By Label, ResultWriterDetails of the Map Runs of the run's earlier executions, oldest first.
        wait_s: The longest time in seconds that a job may wait for hosts, with all attempts.
        job_definitions: By step, the ARN of the revision of its job definition; the newest of its name where there is
            none.
        optional: The optional stages that run; see `Pipeline.optional_stages`.
        parts: The number of parts of the manifest, each of which a Map Run reads; 0 where the definition has one Map
            Run over the manifest. A rerun has one part.
        max_concurrency: The greatest number of children of a Map Run at a time; None for the pipeline's.
        first_attempts: The first attempts of the cohort's stages, where they are not the step's.
    """

    place: RunPlace
    reference: str
    parameters: Mapping[str, Mapping[str, Value]]
    tolerated: Mapping[str, float]
    manifest: str = run_layout.MANIFEST
    memory_mib: Mapping[str, int] = field(default_factory=dict)
    earlier: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)
    wait_s: int = WAIT_S
    job_definitions: Mapping[str, str] = field(default_factory=dict)
    max_concurrency: int | None = None
    optional: Sequence[str] = ()
    parts: int = 0
    first_attempts: FirstAttempts = field(default_factory=dict)

    @property
    def manifests(self) -> list[str]:
        """The keys of the files below the run that the Map Runs over samples read."""
        return run_layout.manifest_parts(self.manifest, self.parts or 1)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that the definition reads."""
        place = self.place
        return {
            "run": place.to_json(),
            "reference": self.reference,
            "parameters": {stage: dict(values) for stage, values in self.parameters.items()},
            "manifest": self.manifest,
            **({"manifests": self.manifests} if self.parts else {}),
            "tolerated": dict(self.tolerated),
            "memory_mib": dict(self.memory_mib),
            "wait_s": self.wait_s,
            "job_definitions": dict(self.job_definitions),
            **({} if self.max_concurrency is None else {"max_concurrency": self.max_concurrency}),
            **({"optional": list(self.optional)} if self.optional else {}),
            **member_of(self.first_attempts),
            "earlier": {label: list(details) for label, details in self.earlier.items()},
        }
