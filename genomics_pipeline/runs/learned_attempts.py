"""The first attempts of a run to submit, learned from the records of earlier runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.first_attempt import FirstAttempt, FirstAttempts, member_of
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.planning.calibration import read_calibration
from genomics_pipeline.planning.history.first_attempts import StageAttempts, stage_attempts
from genomics_pipeline.records.earlier_packed import NOTHING_PACKED
from genomics_pipeline.reference.fai import Contig
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.history import learn
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.plan_request import PlanRequest
from genomics_pipeline.runs.planned_cohort import planned_cohort, sample_sizes
from genomics_pipeline.runs.run_files import RunFiles


@dataclass(frozen=True, slots=True)
class LearnedAttempts:
    """The first attempts of a run.

    Attributes:
        stages: Those of each stage.
        notes: Why there are none, beside the lines of the stages.
    """

    stages: Sequence[StageAttempts] = ()
    notes: Sequence[str] = ()

    def lines(self, scope: str, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a file of items, each with its first attempts.

        Args:
            scope: sample or interval.
            lines: The lines without them.
        """
        own = [one for one in self.stages if one.stage.scope == scope]
        for index, line in enumerate(lines):
            member = member_of(_of_item(own, index))
            yield compact({**json.loads(line), **member}) + "\n" if member else line

    @property
    def cohort(self) -> FirstAttempts:
        """The first attempts of the cohort's stages."""
        return _of_item([one for one in self.stages if one.stage.scope == "cohort"], 0)

    def words(self) -> list[str]:
        """Return a line for each stage, and the notes."""
        return [*map(str, self.stages), *self.notes]


NOTHING_LEARNED = LearnedAttempts()


def _of_item(stages: Sequence[StageAttempts], index: int) -> dict[str, FirstAttempt]:
    found = ((one.stage.name, one.by_item[index]) for one in stages)
    return {stage: one for stage, one in found if one is not None}


def learned_attempts(
    history: Sequence[RunFiles], planned: RunInputs, request: PlanRequest, contigs: Sequence[Contig], adapters: Adapters
) -> LearnedAttempts:
    """Return the first attempts of a run.

    Args:
        history: The files of the earlier runs.
        planned: The run.
        request: The same run, as one to plan.
        contigs: The contigs of the reference.
        adapters: The store that reads records, and the sizes of files.

    Raises:
        DataError: for earlier runs without records.
    """
    if not history:
        return NOTHING_LEARNED
    pipeline, calibration = planned.stages_that_run, read_calibration()
    model = learn(history, [stage.step for stage in pipeline.stages], calibration, strictly=False)
    try:
        sizes = sample_sizes(request, planned, adapters.store)
    except DataError as error:  # files of unknown size: those that are missing were found before
        return LearnedAttempts(notes=[f"no first attempts are learned: {error}"])
    cohort = planned_cohort(request, planned, sizes, contigs, calibration, adapters.store)
    return LearnedAttempts(stage_attempts(pipeline, cohort, model, joins_earlier=planned.earlier != NOTHING_PACKED))
