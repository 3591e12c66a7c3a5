"""The report of the advice on a definition: the verdict first, then each finding with its estimated saving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.planning.advice.finding import DefinitionAdvice, Finding, Saving, Severity

PAGE = "docs/advice.md"


def render_advice(advice: DefinitionAdvice) -> str:
    """Return the advice for people: a line with the verdict, then the errors and findings."""
    return "\n".join(_lines(advice))


def advice_json(advice: DefinitionAdvice) -> dict[str, Any]:
    """Return the advice as a JSON object."""
    return {
        "definition": advice.name,
        "counts": _counts(advice),
        "problems": [
            {"code": problem.code, "path": problem.path or "/", "message": problem.message}
            for problem in advice.problems
        ],
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity.value,
                "path": finding.path,
                "why": finding.why,
                "saving": _saving_json(finding.saving),
                "page": f"{PAGE}#{finding.rule}",
            }
            for finding in advice.findings
        ],
    }


def _counts(advice: DefinitionAdvice) -> dict[str, int]:
    counts = Counter(finding.severity for finding in advice.findings)
    counts[Severity.ERROR] += len(advice.problems)
    return {severity.value: counts[severity] for severity in Severity}


def _lines(advice: DefinitionAdvice) -> Iterator[str]:
    counted = [quantity(count, name) for name, count in _counts(advice).items() if count]
    yield printable_line(f"{advice.name}: {', '.join(counted) or 'nothing found'}")
    for problem in advice.problems:
        yield ""
        yield printable_line(f"error: {problem.code} at {problem.path or '/'}")
        yield printable_line(f"  AWS would refuse this definition: {problem.message}")
    for (rule, severity, why, saving), paths in _grouped(advice.findings).items():
        yield ""
        places = f"at {paths[0]}" if len(paths) == 1 else f"in {len(paths)} places"
        yield printable_line(f"{severity}: {rule} {places}")
        yield from (printable_line(f"  {path}") for path in paths if len(paths) > 1)
        yield printable_line(f"  {why}")
        if saving:
            yield printable_line(f"  Saving: {_saving_words(saving)}.")
        yield f"  {PAGE}#{rule}"


def _grouped(findings: Iterable[Finding]) -> dict[tuple[str, Severity, str, Saving | None], list[str]]:
    """Return the paths of the findings that differ in nothing else."""
    groups: dict[tuple[str, Severity, str, Saving | None], list[str]] = {}
    for finding in findings:
        groups.setdefault((finding.rule, finding.severity, finding.why, finding.saving), []).append(finding.path)
    return groups


def _saving_words(saving: Saving) -> str:
    if saving.dollars_per_million is None:
        return saving.words
    count = saving.transitions
    number = f"{count:,.0f}" if count >= 1000 else f"{count:.4g}"
    counted = f"{number} state transition{'' if count == 1 else 's'} per {saving.per}"
    dollars = f"${saving.dollars_per_million:,.2f} per million"
    return ", ".join(part for part in (counted, saving.words, dollars) if part)


def _saving_json(saving: Saving | None) -> dict[str, Any] | None:
    if saving is None:
        return None
    counted = saving.dollars_per_million is not None
    return {
        "words": saving.words,
        "transitions": saving.transitions if counted else None,
        "per": saving.per if counted else None,
        "dollars_per_million": saving.dollars_per_million,
    }
