"""Findings of the advice on a definition, and the rules that make them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from genomics_pipeline.planning.advice.definition import ReadDefinition


class Severity(StrEnum):
    """The severity of a finding.

    An error is wrong in every execution, a warning in those that the definition must expect; a note costs money or
    depends on data that the definition does not show.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Saving:
    """The estimated saving of one change.

    Attributes:
        words: The saving where it cannot be counted, or its condition; empty if the count says all.
        transitions: The state transitions of STANDARD executions that are saved.
        per: The unit of the counts: ``execution``, ``item``, …
        express_requests: The EXPRESS executions that are paid for instead, each of a second and 64 MB.
        dollars_per_million: The transitions less the EXPRESS executions, of a million units, in US dollars; None
            without transitions.
    """

    words: str = ""
    transitions: float = 0
    per: str = "execution"
    express_requests: int = 0
    dollars_per_million: float | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """The occurrence of a rule's subject in a definition.

    Attributes:
        path: The place, as AWS writes paths: ``/States/Sort/Retry[0]``.
        why: One or two sentences: what is wrong, and what to do.
        saving: The estimated saving; None if there is none.
        severity: The severity, if it is not the rule's own.
    """

    path: str
    why: str
    saving: Saving | None = None
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class AdviceRule:
    """A rule.

    Attributes:
        id: Its name, which is the heading of its section in ``docs/advice.md``.
        severity: The severity of its findings, unless a remark has another.
        check: Yields the remarks on a definition.
    """

    id: str
    severity: Severity
    check: Callable[[ReadDefinition], Iterable[Remark]]


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with the rule that made it; the attributes are those of `Remark`."""

    rule: str
    severity: Severity
    path: str
    why: str
    saving: Saving | None


@dataclass(frozen=True, slots=True)
class DefinitionAdvice:
    """The advice on a definition.

    Attributes:
        name: The file, URI or pipeline.
        problems: The problems for which AWS would refuse it.
        findings: The findings of the rules, the severest first.
    """

    name: str
    problems: tuple[Diagnostic, ...]
    findings: tuple[Finding, ...]

    @property
    def is_good(self) -> bool:
        """True if there is nothing but notes."""
        return not self.problems and all(finding.severity is Severity.NOTE for finding in self.findings)
