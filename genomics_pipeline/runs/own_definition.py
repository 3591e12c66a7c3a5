"""Comparison of a run's definition with the one that this installation generates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genomics_pipeline.asl.canonical import canonical_json
from genomics_pipeline.asl.generate import generate
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.model.resource_names import ResourceNames

DEFAULT_NAMES = ResourceNames()


def is_generated_here(definition: Mapping[str, Any], pipeline: Pipeline, names: ResourceNames = DEFAULT_NAMES) -> bool:
    """Return whether this installation generates a definition, byte for byte.

    Args:
        definition: The definition of a run.
        pipeline: The pipeline of this installation.
        names: The names of the resources in the definition.
    """
    try:
        return canonical_json(generate(pipeline, names)) == canonical_json(definition)
    except DataError:  # the pipeline has come to exceed a limit of AWS
        return False
