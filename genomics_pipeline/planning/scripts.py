"""Scripts of modelled tasks: what happens to each job of a child before it succeeds or fails for good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from genomics_pipeline.model.batch_retry import STACK_RETRY_STRATEGY

MOST_LOST = STACK_RETRY_STRATEGY.attempts  # of a job: its retry is on On-Demand hosts


@dataclass(frozen=True, slots=True, order=True)
class TaskScript:
    """The fate of one stage over one item or batch; by default it succeeds at once.

    Attributes:
        out_of_memory: The number of jobs that are killed because they need more memory than they have.
        hosts_lost: The number of attempts whose host is lost, at most `MOST_LOST`; they follow the kills.
        fails: Whether the program then fails for good.
        rungs: The entries of the memory ladder where a first attempt of its own makes them other than the step's; 0 for
            the step's. It matters for jobs that are killed only.
    """

    out_of_memory: int = 0
    hosts_lost: int = 0
    fails: bool = False
    rungs: int = 0


SUCCEEDS = TaskScript()
ChildScript = Mapping[str, TaskScript]  # by stage; a stage that is missing succeeds at once


@dataclass(frozen=True, slots=True)
class ChildClass:
    """Children whose jobs have the same fate, so that they take the same path through their states.

    Attributes:
        children: The number of children.
        items: The number of their items together.
        script: The fate of their jobs.
    """

    children: int
    items: int
    script: ChildScript


def classes_of(children: Mapping[int, ChildScript], sizes: Sequence[int]) -> list[ChildClass]:
    """Return the classes of a Map Run's children, the largest first.

    Args:
        children: The scripts of the children that have one, by index.
        sizes: The number of items of each child.
    """
    groups: dict[tuple[tuple[str, TaskScript], ...], list[int]] = {(): [0, 0]}
    groups[()] = [len(sizes) - len(children), sum(sizes) - sum(sizes[index] for index in children)]
    for index, script in children.items():
        group = groups.setdefault(tuple(sorted(script.items())), [0, 0])
        group[0] += 1
        group[1] += sizes[index]
    classes = [ChildClass(number, items, dict(key)) for key, (number, items) in groups.items() if number]
    return sorted(classes, key=lambda one: (-one.children, sorted(one.script.items())))
