"""Diagnostics of a document, in the shape of AWS's ValidateStateMachineDefinition."""

from __future__ import annotations

from dataclasses import dataclass

# API_ValidateStateMachineDefinitionDiagnostic lists these; those of JSONata and variables are its too, as recorded.
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
    """One thing AWS would refuse.

    Attributes:
        code: AWS's code.
        message: AWS's words where they are recorded, else what was expected and what was found.
        path: AWS's `location`: ``/States/Sort/Retry[0]/ErrorEquals``; empty where AWS gives none.
        severity: ``ERROR``: it cannot run.
    """

    code: str
    message: str
    path: str
    severity: str = "ERROR"


def refused(message: str, path: str, code: str = SCHEMA) -> Diagnostic:
    """Return a diagnostic of the schema, unless another code is given."""
    return Diagnostic(code, message, path or "/")


def unsupported(field: str, path: str) -> Diagnostic:
    """Return the diagnostic of a field that does not belong where it stands."""
    return refused(f"Field '{field}' is not supported", path)


def required(path: str, *fields: str) -> Diagnostic:
    """Fields that are missing from an object."""
    return refused(f"These fields are required: [{', '.join(fields)}]", path)
