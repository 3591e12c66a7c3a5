"""Diagnostics of a document, in the shape of AWS's ValidateStateMachineDefinition."""

from __future__ import annotations

from dataclasses import dataclass

# Listed in API_ValidateStateMachineDefinitionDiagnostic, but for those of JSONata and variables, which were recorded.
SCHEMA = "SCHEMA_VALIDATION_FAILED"
DUPLICATE_LABEL = "DUPLICATE_LABEL_NAME"
DUPLICATE_STATE = "DUPLICATE_STATE_NAME"
DUPLICATE_VARIABLE = "DUPLICATE_VARIABLE_NAME"
INVALID_JSONATA = "INVALID_JSONATA_EXPRESSION"
INVALID_LABEL = "INVALID_LABEL_NAME"
INVALID_STATE_NAME = "INVALID_STATE_NAME"
INVALID_VARIABLE = "INVALID_VARIABLE_NAME"
MISSING_END_STATE = "MISSING_END_STATE"
MISSING_TARGET = "MISSING_TRANSITION_TARGET"
RESERVED_VARIABLE = "RESERVED_VARIABLE_NAME"
TOO_DEEP = "TOO_DEEPLY_NESTED"
UNSUPPORTED_JSONATA = "UNSUPPORTED_JSONATA_EXPRESSION"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A problem for which AWS would refuse a document.

    Attributes:
        code: AWS's code.
        message: AWS's words if they are recorded, else the expectation and the actual value.
        path: AWS's `location`: ``/States/Sort/Retry[0]/ErrorEquals``; empty if AWS gives none.
        severity: ``ERROR``: the document cannot run.
    """

    code: str
    message: str
    path: str
    severity: str = "ERROR"


def schema_violation(message: str, path: str) -> Diagnostic:
    """Return the diagnostic of a violation of the schema."""
    return Diagnostic(SCHEMA, message, path or "/")


def unsupported_field(field: str, path: str) -> Diagnostic:
    """Return the diagnostic of a field that its object does not support."""
    return schema_violation(f"Field '{field}' is not supported", path)


def missing_fields(path: str, *fields: str) -> Diagnostic:
    """Return the diagnostic of fields that an object lacks."""
    return schema_violation(f"These fields are required: [{', '.join(fields)}]", path)
