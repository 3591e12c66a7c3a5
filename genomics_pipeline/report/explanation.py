"""The explanation of a failure, for people and for programs: class, reason, place and advice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.stage_try import StageTry
from genomics_pipeline.report.advice import advice

WIDTH = 11  # of the column of names, in characters
SHOWN_ITEMS = 5


def render_explanation(failure: Failure, here: bool = False) -> str:
    """Return the explanation of a failure as text.

    Args:
        failure: The failure.
        here: Whether it is of a run on this machine or its cluster.

    >>> from genomics_pipeline.model.classify import classify
    >>> print(render_explanation(classify("States.Timeout", "")))
    timeout: the task took longer than its timeout
    why        error: States.Timeout
    by itself  one retry, with twice the time
    to do      check in the log whether the task hung; if it did not, raise timeout_s in step.toml; then rerun
    """
    advised = advice(failure, here)
    lines = [f"{failure.failure_class}: {advised.means}"]
    for name, text in (*_facts(failure), ("by itself", advised.by_itself), ("to do", advised.to_do)):
        first, *others = text.splitlines() or [""]
        lines += [f"{name:<{WIDTH}}{first}", *(f"{'':<{WIDTH}}{other}" for other in others)]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures of one kind: of the same class, stage, error and exit code.

    Attributes:
        failure: The first of them.
        count: Their number.
        items: The names of their items, as far as they are known.
    """

    failure: Failure
    count: int
    items: tuple[str, ...]


def group_failures(failures: Sequence[tuple[Failure, str]]) -> list[FailureGroup]:
    """Return failures in groups, the largest first.

    Args:
        failures: Each failure with the name of its item, empty where it is not known.
    """
    groups: dict[tuple[object, ...], list[tuple[Failure, str]]] = {}
    for failure, item in failures:
        kind = failure.failure_class, failure.stage, failure.error, failure.exit_code
        groups.setdefault(kind, []).append((failure, item))
    ordered = sorted(groups.values(), key=len, reverse=True)
    return [FailureGroup(each[0][0], len(each), tuple(item for _, item in each if item)) for each in ordered]


def render_groups(groups: Sequence[FailureGroup], here: bool = False) -> str:
    """Return the explanations of several failures as text; of a single one, its explanation only.

    Args:
        groups: The failures.
        here: See `render_explanation`.
    """
    if len(groups) == 1 and groups[0].count == 1:
        return render_explanation(groups[0].failure, here)
    return "\n\n".join(f"{_heading(one)}\n{render_explanation(one.failure, here)}" for one in groups)


def groups_json(groups: Sequence[FailureGroup], here: bool = False) -> Any:
    """Return what ``--json`` prints: the explanation of a single failure, or an array of explanations.

    Args:
        groups: The failures.
        here: See `render_explanation`.
    """
    if len(groups) == 1 and groups[0].count == 1:
        return explanation_json(groups[0].failure, here)
    return [{"count": one.count, "items": list(one.items), **explanation_json(one.failure, here)} for one in groups]


def _heading(group: FailureGroup) -> str:
    shown = ", ".join(group.items[:SHOWN_ITEMS])
    more = f" and {len(group.items) - SHOWN_ITEMS:,} more" if len(group.items) > SHOWN_ITEMS else ""
    first = "; the first of them" if group.count > 1 else ""
    return f"{quantity(group.count, 'failure', ',')}{f' ({shown}{more})' if shown else ''}{first}:"


def explanation_json(failure: Failure, here: bool = False) -> dict[str, Any]:
    """Return the explanation of a failure as a JSON object; see `render_explanation`."""
    advised = advice(failure, here)
    return {
        "class": str(failure.failure_class),
        "why": failure.why or None,
        "message": failure.message,
        "error": failure.error or None,
        "stage": failure.stage,
        "exit_code": failure.exit_code,
        "job_id": failure.job_id,
        "memory_mib": failure.memory_mib,
        "attempts": failure.attempts,
        "tried": [
            {"class": str(one.failure_class), "memory_mib": one.memory_mib, "job_id": one.job_id}
            for one in failure.tried
        ],
        "log_streams": list(failure.log_streams),
        "means": advised.means,
        "by_itself": advised.by_itself,
        "to_do": advised.to_do,
    }


def _facts(failure: Failure) -> Iterator[tuple[str, str]]:
    yield "why", failure.why or "nothing in it is known"
    if failure.message not in (failure.error, failure.why.partition(": ")[2]):
        yield "message", failure.message
    if failure.stage:
        yield "stage", failure.stage
    if failure.job_id:
        yield "job", ", ".join((failure.job_id, *_job_facts(failure)))
    if failure.attempts:
        yield "attempts", str(failure.attempts)
    if failure.tried:
        yield "tried", "\n".join(map(_try_text, failure.tried))
    if failure.log_streams and failure.log_streams[-1]:
        yield "log", failure.log_streams[-1]


def _job_facts(failure: Failure) -> Iterator[str]:
    if failure.exit_code is not None:
        yield f"exit code {failure.exit_code}"
    if failure.memory_mib:
        yield f"{failure.memory_mib:,} MiB requested"


def _try_text(one: StageTry) -> str:
    memory = f" with {one.memory_mib:,} MiB requested" if one.memory_mib else ""
    return f"{one.failure_class}{memory}{f', job {one.job_id}' if one.job_id else ''}"
