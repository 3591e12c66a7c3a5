"""Errors that are shown to the user: what was expected, what was found, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import ClassVar

from genomics_pipeline.model import budgets


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where.

    Attributes:
        message: One sentence: what was expected, what was found, what to do.
        file: The file or URI it was found in.
        line: 1-based line in that file.
        column: 1-based column number, or the name of a column or dotted key.
    """

    message: str
    file: str | None = None
    line: int | None = None
    column: int | str | None = None

    def __post_init__(self) -> None:
        """Remove the end of a message that quotes too much of what was found."""
        most = budgets.MESSAGE.value
        if len(self.message) > most:
            rest = f" … ({len(self.message) - most:,} more characters)"
            object.__setattr__(self, "message", self.message[:most] + rest)

    def __str__(self) -> str:
        """Return the problem as compilers write it: ``file:line:column: message``.

        >>> str(Problem("expected a name, found nothing", "cohort.csv", 3, "sample"))
        'cohort.csv:3:sample: expected a name, found nothing'
        """
        where = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{where}: {self.message}" if where else self.message


class PipelineError(Exception):
    """A failure with a message for the user; `exit_code` is the command's exit code."""

    exit_code: ClassVar[int] = 1

    def __init__(self, problems: str | Problem | Sequence[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class DataError(PipelineError):
    """A manifest, FASTQ, pipeline, step or other input that cannot be used: exit code 1."""


class RunError(PipelineError):
    """A run that failed: exit code 1."""


class UsageError(PipelineError):
    """A command line that has no meaning: exit code 2."""

    exit_code: ClassVar[int] = 2


class CollectedProblems:
    """Problems of several checks, raised at once."""

    def __init__(self) -> None:
        self._errors: list[PipelineError] = []

    @contextmanager
    def check(self) -> Iterator[None]:
        """Run a check and keep the `PipelineError` that it raises."""
        try:
            yield
        except PipelineError as error:
            self._errors.append(error)

    def add(self, problems: Iterable[Problem]) -> None:
        """Keep the problems that a check found."""
        if listed := list(problems):
            self._errors.append(DataError(listed))

    def refuse(self) -> None:
        """Raise the problems that were kept, if there are any.

        Raises:
            UsageError: if only the command line is wrong.
            DataError: if anything else is.
        """
        problems = [problem for error in self._errors for problem in error.problems]
        if problems:
            usage = all(isinstance(error, UsageError) for error in self._errors)
            raise UsageError(problems) if usage else DataError(problems)


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return a hint for a misspelt name: the nearest known name, or all of them.

    >>> did_you_mean("ploidi", ["ploidy", "regions"])
    "did you mean 'ploidy'?"
    >>> did_you_mean("x", ["ploidy", "regions"])
    'known: ploidy, regions'
    """
    near = get_close_matches(name, known, n=1)
    return f"did you mean '{near[0]}'?" if near else "known: " + (", ".join(known) or "none")
