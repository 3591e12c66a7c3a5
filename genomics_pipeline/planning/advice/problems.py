"""The problems for which AWS would refuse a definition, except those that its deployment removes."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.language.validation.validate import diagnose
from genomics_pipeline.planning.advice.fields import PLACEHOLDER, values


def problems(document: Any, *, express: bool = False) -> list[Diagnostic]:
    """Return the problems of a definition, in its order.

    A value with a placeholder such as ``${QueueArn}`` may be anything: it is replaced when the definition is deployed.

    Args:
        document: The definition: any JSON value.
        express: True if its type is EXPRESS.
    """
    diagnostics = diagnose(document, express=express)
    if not diagnostics or not isinstance(document, dict):
        return diagnostics
    replaced = {path for path, _, value in values(document) if isinstance(value, str) and PLACEHOLDER in value}
    return [diagnostic for diagnostic in diagnostics if diagnostic.path not in replaced]
