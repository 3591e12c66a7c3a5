"""The RetryStrategy of job definitions: failures that AWS Batch itself retries.

Batch user guide, "Automated job retries"; API reference, RetryStrategy and EvaluateOnExit: there are 1 to 10 attempts
and at most five entries. An entry matches if all of its conditions do; the first matching entry decides, and an attempt
that matches no entry is retried. Jobs that were cancelled or timed out are never retried, whatever the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from genomics_pipeline.model.failure import FailureClass

RETRY, EXIT = "RETRY", "EXIT"
TIMED_OUT = "Job attempt duration exceeded timeout"
EXITED = "Essential container in task exited"  # the status reason of an attempt whose container ended by itself
SIGTERM_EXIT_CODE = 143  # of a container that was asked to end


@dataclass(frozen=True, slots=True)
class EvaluateOnExit:
    """An entry of ``evaluateOnExit``: which ends of an attempt are retried, or are final.

    A pattern is a whole text, or the beginning of one followed by ``*``.

    Attributes:
        action: ``RETRY`` or ``EXIT``.
        on_status_reason: Pattern of the attempt's ``StatusReason``.
        on_reason: Pattern of its container's ``Reason``.
        on_exit_code: Pattern of its container's ``ExitCode``.
    """

    action: str
    on_status_reason: str | None = None
    on_reason: str | None = None
    on_exit_code: str | None = None

    def matches(self, status_reason: str, reason: str, exit_code: str) -> bool:
        """Tell whether the end of an attempt matches all patterns."""
        pairs = (
            (self.on_status_reason, status_reason),
            (self.on_reason, reason),
            (self.on_exit_code, exit_code),
        )
        return all(pattern is None or _fits(pattern, text) for pattern, text in pairs)

    def to_json(self) -> dict[str, str]:
        """Return the entry as CloudFormation and Step Functions write it.

        >>> EvaluateOnExit("RETRY", on_status_reason="Host EC2*").to_json()
        {'OnStatusReason': 'Host EC2*', 'Action': 'RETRY'}
        """
        members = {
            "OnStatusReason": self.on_status_reason,
            "OnReason": self.on_reason,
            "OnExitCode": self.on_exit_code,
            "Action": self.action,
        }
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class RetryStrategy:
    """The number of attempts of a job, and which ends of an attempt are retried."""

    attempts: int = 1
    evaluate_on_exit: tuple[EvaluateOnExit, ...] = ()

    def retries(self, status_reason: str, reason: str | None, exit_code: int | None) -> bool:
        """Tell whether an attempt with this end is followed by another, if any is left.

        >>> RetryStrategy(3).retries("Essential container in task exited", None, 1)
        True
        >>> RetryStrategy(3).retries("Job attempt duration exceeded timeout", None, 137)
        False
        """
        if status_reason == TIMED_OUT:
            return False
        ends = status_reason, reason or "", "" if exit_code is None else str(exit_code)
        entry = next((entry for entry in self.evaluate_on_exit if entry.matches(*ends)), None)
        return entry is None or entry.action.upper() == RETRY

    def to_json(self) -> dict[str, Any]:
        """Return the strategy as CloudFormation and Step Functions write it."""
        entries = [entry.to_json() for entry in self.evaluate_on_exit]
        return {"Attempts": self.attempts, **({"EvaluateOnExit": entries} if entries else {})}

    @staticmethod
    def from_json(members: Mapping[str, Any]) -> RetryStrategy:
        """Return the strategy of a submission's ``RetryStrategy``."""
        entries = (
            EvaluateOnExit(one["Action"], one.get("OnStatusReason"), one.get("OnReason"), one.get("OnExitCode"))
            for one in members.get("EvaluateOnExit") or ()
        )
        return RetryStrategy(int(members.get("Attempts", 1)), tuple(entries))


ONCE = RetryStrategy()


def _fits(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


# Ends of an attempt that another host or another attempt may avoid, by class, the most frequent first.
_ENDS: Mapping[FailureClass, tuple[EvaluateOnExit, ...]] = {
    FailureClass.HOST_LOST: (
        EvaluateOnExit(RETRY, on_status_reason="Host EC2*"),  # reclaimed by Spot, or failed
        # The agent of a host that is about to go may stop the container first, and report that end only. Batch does not
        # retry a job that was terminated by a request, which ends with the same code.
        EvaluateOnExit(RETRY, on_exit_code=str(SIGTERM_EXIT_CODE)),
    ),
    FailureClass.IMAGE: (
        EvaluateOnExit(RETRY, on_reason="CannotPullContainer*"),
        EvaluateOnExit(RETRY, on_status_reason="Task failed to start*"),  # the ECS agent's
    ),
}


def retry_strategy(attempts: int, classes: Iterable[FailureClass]) -> RetryStrategy:
    """Return the strategy that retries these classes only; the last entry makes all other ends final."""
    entries = (entry for each in classes for entry in _ENDS[each])
    return RetryStrategy(attempts, (*entries, EvaluateOnExit(EXIT, on_reason="*")))


# The retry strategy of every job definition of a stack.
STACK_RETRY_STRATEGY = retry_strategy(5, (FailureClass.HOST_LOST, FailureClass.IMAGE))
