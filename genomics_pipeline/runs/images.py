"""The tag of a step's image."""

from __future__ import annotations

from genomics_pipeline.worker.step_folder import StepFolder


def tag(step: StepFolder) -> str:
    """The digest of what is in the image."""
    return step.digest[:16]
