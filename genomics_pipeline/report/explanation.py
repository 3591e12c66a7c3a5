"""The explanation of a failure, for people and for programs: class, reason, place and advice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genomics_pipeline.model.classify import Failure, StageTry
from genomics_pipeline.report.advice import advice

WIDTH = 11  # of the column of names, in characters


def render_explanation(failure: Failure) -> str:
    """Return the explanation of a failure as text.

    >>> from genomics_pipeline.model.classify import classify
    >>> print(render_explanation(classify("States.Timeout", "")))
    timeout: the task took longer than its timeout
    why        error: States.Timeout
    by itself  one retry, with twice the time
    to do      check in the log whether the task hung; if it did not, raise timeout_s in step.toml; then rerun
    """
    advised = advice(failure)
    lines = [f"{failure.failure_class}: {advised.means}"]
    for name, text in (*_facts(failure), ("by itself", advised.by_itself), ("to do", advised.to_do)):
        first, *others = text.splitlines() or [""]
        lines += [f"{name:<{WIDTH}}{first}", *(f"{'':<{WIDTH}}{other}" for other in others)]
    return "\n".join(lines)


def explanation_json(failure: Failure) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    advised = advice(failure)
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
        yield f"{failure.memory_mib} MiB"


def _try_text(one: StageTry) -> str:
    memory = f" with {one.memory_mib} MiB" if one.memory_mib else ""
    return f"{one.failure_class}{memory}{f', job {one.job_id}' if one.job_id else ''}"
