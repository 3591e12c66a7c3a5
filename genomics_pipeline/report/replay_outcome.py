"""The outcome of a replay: what was replayed, what could not be the same, and whether it ended as in the run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from genomics_pipeline.model.classify import Failure
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.printable import indented
from genomics_pipeline.report.explanation import WIDTH

# Failures of hosts and services, which no program and no file makes; with why a replay cannot show them.
NOT_HERE = {
    FailureClass.HOST_LOST: "the host was lost; here the task shows whether its program and files are at fault",
    FailureClass.IMAGE: "no container is started here; the program of the step is",
    FailureClass.THROTTLED: "no request is sent to Batch",
    FailureClass.OUT_OF_DISK: "the disk of the host is not this machine's",
    FailureClass.CANCELLED: "the task was ended from outside",
    FailureClass.AWS_LIMIT: "a limit of AWS that has no part in the task, unless its payload was too long",
}
# The limit that a task reaches is the same here; the words of programs that reach it are not, nor their signals, nor
# the role or the user whom access is denied to.
_BY_CLASS = frozenset(
    {FailureClass.OUT_OF_MEMORY, FailureClass.OUT_OF_DISK, FailureClass.TIMEOUT, FailureClass.ACCESS_DENIED}
)
_FOLDER = re.compile(r"[^\s:='\"()]*/")  # in front of the name of a file


class ReplayVerdict(StrEnum):
    """The verdict on a replay."""

    REPRODUCED = "reproduced"
    NOT_REPRODUCED = "not reproduced"
    OTHER_FAILURE = "another failure"
    SAME_OUTPUTS = "the same outputs"
    OTHER_OUTPUTS = "other outputs"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """The outcome of a replay.

    Attributes:
        run: The place of the run.
        item: The item.
        stage: The stage.
        before: The failure in the run; None where the task succeeded.
        after: The failure of the replay; None where it succeeded.
        verdict: The verdict.
        definition: How the run's definition compares with this installation's.
        differences: Everything that could not be the same.
        other_outputs: The names of the outputs that differ from those of the run.
        folder: The folder of the replay.
        scratch: The folder of the task's temporary files; None where its program was not started.
        command: The command of the program, for a shell; empty where it was not started.
        log: The path of the log; None where there is none.
    """

    run: str
    item: str
    stage: str
    before: Failure | None
    after: Failure | None
    verdict: ReplayVerdict
    definition: str
    differences: Sequence[str]
    other_outputs: Sequence[str]
    folder: str
    scratch: str | None
    command: str
    log: str | None

    @property
    def is_same(self) -> bool:
        """Tell whether the task ended as in the run, or succeeded where only a part of it was asked for."""
        return self.verdict in (ReplayVerdict.REPRODUCED, ReplayVerdict.SAME_OUTPUTS, ReplayVerdict.SUCCEEDED)

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``replay --json`` prints."""
        return {
            "run": self.run,
            "item": self.item,
            "stage": self.stage,
            "before": _failure_json(self.before),
            "after": _failure_json(self.after),
            "verdict": self.verdict,
            "as_in_the_run": self.is_same,
            "definition": self.definition,
            "differences": list(self.differences),
            "other_outputs": list(self.other_outputs),
            "folder": self.folder,
            "scratch": self.scratch,
            "command": self.command or None,
            "log": self.log,
        }


def replay_verdict(before: Failure | None, after: Failure | None, is_part: bool, outputs_differ: bool) -> ReplayVerdict:
    """Return the verdict on a replay.

    Args:
        before: The failure in the run; None where the task succeeded.
        after: The failure of the replay; None where it succeeded.
        is_part: True for a part of the reads or of the reference only.
        outputs_differ: True if outputs of the replay are not those of the run.

    >>> failed = Failure(FailureClass.BAD_INPUT, "/tmp/1/a.fq: bad", exit_code=65)
    >>> str(replay_verdict(failed, Failure(FailureClass.BAD_INPUT, "/tmp/2/a.fq: bad", exit_code=65), False, False))
    'reproduced'
    >>> str(replay_verdict(failed, Failure(FailureClass.BAD_INPUT, "/tmp/2/b.fq: bad", exit_code=65), False, False))
    'another failure'
    """
    if before is None and after is None:
        if is_part:
            return ReplayVerdict.SUCCEEDED
        return ReplayVerdict.OTHER_OUTPUTS if outputs_differ else ReplayVerdict.SAME_OUTPUTS
    if before is None:
        return ReplayVerdict.FAILED
    if after is None:
        return ReplayVerdict.NOT_REPRODUCED
    return ReplayVerdict.REPRODUCED if _is_same_failure(before, after) else ReplayVerdict.OTHER_FAILURE


def _is_same_failure(before: Failure, after: Failure) -> bool:
    """Return whether class, exit code and message are the same, but for folders; a limit that was reached is enough."""
    if before.failure_class != after.failure_class:
        return False
    if before.failure_class in _BY_CLASS:
        return True
    codes = before.exit_code, after.exit_code
    return (None in codes or codes[0] == codes[1]) and _words(before.message) == _words(after.message)


def _words(message: str) -> str:
    """Return a message without the folders of its files, which are others in a replay.

    >>> _words("s3://lab/reads/a_1.fq.gz: record 3")
    'a_1.fq.gz: record 3'
    """
    return _FOLDER.sub("", message.replace("s3://", "/"))


def render_replay(outcome: ReplayOutcome) -> str:
    """Return the outcome of a replay as text: a heading, and a line for each fact."""
    lines = [f"{outcome.stage} of {outcome.item}: {_heading(outcome)}"]
    lines += [f"{name:<{WIDTH}}{indented(text, WIDTH)}" for name, text in _facts(outcome)]
    return "\n".join(lines)


def _heading(outcome: ReplayOutcome) -> str:
    match outcome.verdict:
        case ReplayVerdict.REPRODUCED:
            return "the failure was reproduced"
        case ReplayVerdict.NOT_REPRODUCED:
            return "the failure was not reproduced: it succeeded here"
        case ReplayVerdict.OTHER_FAILURE:
            return "it failed in another way than in the run"
        case ReplayVerdict.SAME_OUTPUTS:
            return "it made the same outputs as in the run"
        case ReplayVerdict.OTHER_OUTPUTS:
            return f"it made other outputs than in the run: {', '.join(outcome.other_outputs)}"
        case ReplayVerdict.SUCCEEDED:
            return "it succeeded"
        case ReplayVerdict.FAILED:
            return "it failed, which it did not in the run"


def _facts(outcome: ReplayOutcome) -> Iterator[tuple[str, str]]:
    yield "in the run", failure_words(outcome.before)
    yield "here", failure_words(outcome.after)
    yield "definition", outcome.definition
    if outcome.differences:
        yield "NOT SAME", "\n".join(outcome.differences)
    yield "folder", outcome.folder
    if outcome.log:
        yield "log", outcome.log
    if outcome.scratch:
        yield "scratch", outcome.scratch
        yield "command", outcome.command


def failure_words(failure: Failure | None) -> str:
    """Return the class, the exit code and the message of a failure in words."""
    if failure is None:
        return "succeeded"
    code = "" if failure.exit_code is None else f", exit code {failure.exit_code}"
    return f"{failure.failure_class.replace('_', ' ')}{code}: {failure.message}"


def _failure_json(failure: Failure | None) -> dict[str, Any] | None:
    if failure is None:
        return None
    return {"class": str(failure.failure_class), "exit_code": failure.exit_code, "message": failure.message}
