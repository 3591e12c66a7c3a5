"""Verdicts that steps give themselves on a whole cohort, such as contradictions to the sample sheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.metric_spec import GOOD, VERDICTS, reason_of
from genomics_pipeline.model.step import METRICS
from genomics_pipeline.records.completion import read_completion
from genomics_pipeline.records.metrics import parse_metrics
from genomics_pipeline.report.run_state import CohortCheck
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT


def cohort_checks(files: RunFiles, stages: Iterable[str]) -> Iterator[CohortCheck]:
    """Yield the verdicts that are not good and have a reason; a file that is gone or damaged by now has none.

    Args:
        files: The files of the run.
        stages: The stages that run once.
    """
    for stage in stages:
        with suppress(OSError, PipelineError):
            record = read_completion(files.store, files.place, stage, COHORT)
            output = record.outputs.get(METRICS) if record else None
            if output is None or not output.key.endswith(".json"):
                continue
            for metric, value in parse_metrics(files.store.read(files.place.uri(output.key))).items():
                reason = reason_of(value)
                if reason is not None and value["verdict"] in VERDICTS and value["verdict"] != GOOD:
                    yield CohortCheck(stage, metric, value["verdict"], reason)
