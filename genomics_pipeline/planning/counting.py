"""Counts of an execution, found by executing its document in virtual time with modelled jobs.

Where a Map Run has many children, one child of each class is executed and its counts are multiplied. That is exact for
documents of `asl.generate`: what a child does there depends on the ends of its jobs alone, and the execution itself has
the same states and events whatever the number of children, as long as the tolerated failures are not exceeded. Where
they are, the moment decides which children still start, so that all children are executed, up to `MOST_EXECUTED`.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure
from genomics_pipeline.engine.events import ChildEnded, Event
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import THRESHOLD_EXCEEDED
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.first_attempt import MEMBER, FirstAttempt, member_of
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.modelled_jobs import ModelledJobs, Place
from genomics_pipeline.planning.scripts import ChildClass, ChildScript, classes_of
from genomics_pipeline.planning.workload import part_sizes
from genomics_pipeline.stores.local import Folders, LocalStore

DESCRIBE_JOBS = "arn:aws:states:::aws-sdk:batch:describeJobs"
MOST_EXECUTED = 20_000  # children of an execution whose failures exceed the tolerance
_BUCKET = "plan"


@dataclass(frozen=True, slots=True)
class MapLoad:
    """The children of a Distributed Map.

    Attributes:
        scope: ``sample`` or ``interval``.
        sizes: The number of items of each child.
        scripts: The scripts of the children of which a job fails, by index.
        lines: The lines of the file of items; None for items of which only the number matters.
    """

    scope: str
    sizes: Sequence[int]
    scripts: Mapping[int, ChildScript] = field(default_factory=dict)
    lines: Sequence[str] | None = None

    @property
    def items(self) -> int:
        """The number of items."""
        return sum(self.sizes)


@dataclass(frozen=True, slots=True)
class RunLoad:
    """An execution to be counted.

    Attributes:
        document: The document, made by `asl.generate`.
        names: The names of its AWS resources.
        execution_input: Its input; the place of the run does not matter.
        maps: The children of each Distributed Map, by Label.
        cohort: The scripts of the cohort's stages.
        seconds: Returns the duration of an attempt of a stage.
        steps: The step of each stage; only of those with tasks that have first attempts of their own.
    """

    document: Mapping[str, Any]
    names: ResourceNames
    execution_input: ExecutionInput
    maps: Mapping[str, MapLoad]
    cohort: ChildScript
    seconds: Callable[[str], float]
    steps: Mapping[str, StepSpec] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of an execution.

    Attributes:
        status: ``SUCCEEDED`` or ``FAILED``.
        error: The error's name, unless it succeeded.
        transitions: State transitions that AWS bills: each state entered, each retry, and each start of a child.
        events: The events of all histories.
        longest_history: The most events of one execution.
        seconds: The virtual time that the executed part took, without waits for hosts.
        children: The child executions by Label.
        failed: The failed items by Label.
        jobs: The submitted jobs by stage.
        attempts: Their attempts by stage.
    """

    status: str
    error: str | None
    transitions: int
    events: int
    longest_history: int
    seconds: float
    children: Mapping[str, int]
    failed: Mapping[str, int]
    jobs: Mapping[str, int]
    attempts: Mapping[str, int]


def count(load: RunLoad) -> Counts:
    """Return the counts of an execution, with one executed child for each class wherever that is exact.

    Where more children fail than are tolerated, and they are too many to execute all of them, the counts are those of
    an execution that goes on nevertheless: an upper bound.
    """
    classes = {label: classes_of(one.scripts, one.sizes) for label, one in load.maps.items()}
    one_of_each = {
        label: MapLoad(load.maps[label].scope, [1] * len(found), {i: one.script for i, one in enumerate(found)})
        for label, found in classes.items()
    }
    tolerant = replace(load, document=_tolerant(load.document), maps=one_of_each)
    counts, failed = _execute(tolerant, classes)
    fates = {label: [classes[label][index].script for index in indexes] for label, indexes in failed.items()}
    if not any(_is_exceeded(load, label, scripts) for label, scripts in fates.items()):
        return counts
    if sum(len(one.sizes) for one in load.maps.values()) > MOST_EXECUTED:
        return replace(counts, status="FAILED", error=THRESHOLD_EXCEEDED)
    return count_fully(load)


def count_fully(load: RunLoad) -> Counts:
    """Return the counts of an execution of which every child is executed."""
    return _execute(load, {})[0]


def _is_exceeded(load: RunLoad, label: str, failed: Sequence[ChildScript]) -> bool:
    """Return whether more items of a Map Run fail than it tolerates.

    Args:
        load: The execution.
        label: The Label of the Map Run.
        failed: The scripts of the children that fail.
    """
    tolerated = load.execution_input.tolerated
    state = next(state for state in distributed_maps(load.document) if state["Label"] == label)
    limits = (
        ToleratedFailure(int(tolerated["count"]), tolerated["percentage"])
        if load.maps[label].scope == "sample"
        else ToleratedFailure(state["ToleratedFailureCount"], state["ToleratedFailurePercentage"])
    )
    one, parts = load.maps[label], 1
    if load.maps[label].scope == "sample" and load.execution_input.parts:
        parts = load.execution_input.parts
        limits = replace(limits, count=math.ceil(tolerated["count"] / parts))
    children = iter(one.sizes)
    bad = {child: one.sizes[child] for child, script in one.scripts.items() if script in failed}
    first = 0
    for items in part_sizes(one.items, parts):
        own = _children_of(items, children)
        if limits.is_exceeded(sum(size for child, size in bad.items() if first <= child < first + own), items):
            return True
        first += own
    return False


def _children_of(items: int, sizes: Iterator[int]) -> int:
    """Return the number of the next children that have this number of items together."""
    children = 0
    while items > 0:
        items -= next(sizes)
        children += 1
    return children


def _tolerant(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document whose Distributed Maps tolerate any failure, and have one item in a batch."""
    tolerant: dict[str, Any] = deepcopy(dict(document))
    for state in distributed_maps(tolerant):
        state["ToleratedFailurePercentage"] = 100
        state.pop("ToleratedFailureCount", None)
        if "ItemBatcher" in state:
            state["ItemBatcher"]["MaxItemsPerBatch"] = 1
    return tolerant


class _Ends:
    """An observer that counts the ends of children.

    Args:
        classes: The class that each executed child stands for, by Label; children of other Labels stand for themselves.
    """

    def __init__(self, classes: Mapping[str, Sequence[ChildClass]]) -> None:
        self._classes = classes
        self.transitions = self.events = self.longest = 0
        self.children: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.failed_children: dict[str, set[int]] = {}

    def weight(self, place: Place) -> int:
        """Return the number of children that an executed one stands for; 0 for one that only fills a file of items."""
        label, index = place
        if label is None or index is None or label not in self._classes:
            return 1
        classes = self._classes[label]
        return classes[index].children if index < len(classes) else 0

    def take(self, event: Event) -> None:
        """Count the end of a child."""
        if not isinstance(event, ChildEnded) or not (weight := self.weight((event.label, event.index))):
            return
        self.transitions += weight * event.transitions
        self.events += weight * event.events
        self.longest = max(self.longest, event.events)
        self.children[event.label] += weight
        if event.status in ("FAILED", "TIMED_OUT"):
            self.failed_children.setdefault(event.label, set()).add(event.index)
            classes = self._classes.get(event.label)
            self.failed[event.label] += classes[event.index].items if classes else event.items


def _execute(
    load: RunLoad, classes: Mapping[str, Sequence[ChildClass]]
) -> tuple[Counts, Mapping[str, Collection[int]]]:
    """Execute a document in virtual time; return its counts, and the indexes of the children that fail by Label.

    Args:
        load: The execution.
        classes: See `_Ends`.
    """
    children = {} if classes else _children_of_parts(load)
    jobs = ModelledJobs(partial(_script, load, children), load.seconds, load.names.on_demand_queue)
    ends = _Ends(classes)
    with TemporaryDirectory(prefix="genomics-pipeline-plan-") as folder:
        root = Path(folder)
        (root / _BUCKET).mkdir()
        _write_items(root / _BUCKET, load, one_of_each=bool(classes))
        result = execute(
            load.document,
            {**load.execution_input.to_json(), **_place(), **_of_scripts(load, load.cohort)},
            name="plan",
            state_machine="plan",
            store=LocalStore(Folders(root)),
            tasks=Handlers({**BatchTasks(jobs).handlers(), DESCRIBE_JOBS: jobs.describe}),
            journal=root / "journal",
            observer=ends.take,
            history=root / "history.jsonl",
            fast_forward=True,
        )
        own_events = (root / "history.jsonl").read_bytes().count(b"\n")
    submitted: Counter[str] = Counter()
    attempts: Counter[str] = Counter()
    for place, stages in jobs.counts.items():
        for stage, counted in stages.items():
            submitted[stage] += ends.weight(place) * counted.jobs
            attempts[stage] += ends.weight(place) * counted.attempts
    counts = Counts(
        result.status,
        result.error,
        result.transitions - sum(run["transitions"] for run in result.map_runs) + ends.transitions,
        own_events + ends.events,
        max(own_events, ends.longest),
        result.seconds,
        dict(ends.children),
        dict(ends.failed),
        dict(submitted),
        dict(attempts),
    )
    return counts, ends.failed_children


def _script(load: RunLoad, children: Mapping[str, Mapping[int, int]], place: Place) -> ChildScript:
    """Return the script of a child.

    Args:
        load: The execution.
        children: The number of a child by its index, by Label; other Labels have one Map Run, where they are the same.
        place: Its Label and index.
    """
    label, index = place
    if label is None or index is None:
        return load.cohort
    return load.maps[label].scripts.get(children[label].get(index, -1) if label in children else index, {})


def _children_of_parts(load: RunLoad) -> dict[str, dict[int, int]]:
    """Return the numbers of the children of each Label whose items several Map Runs divide, by their indexes.

    The indexes of a Map Run's children follow the number of items of those before it: `engine.events`.
    """
    numbers: dict[str, dict[int, int]] = {}
    for label, one in load.maps.items():
        if one.scope == "sample" and load.execution_input.parts:
            known, child, first = numbers.setdefault(label, {}), 0, 0
            for items in part_sizes(one.items, load.execution_input.parts):
                left, position = items, first
                while left > 0:
                    known[position] = child
                    left, child, position = left - one.sizes[child], child + 1, position + 1
                first += items
    return numbers


def _place() -> dict[str, Any]:
    place = RunPlace("plan", _BUCKET, "")
    return {
        "run": place.to_json(),
        "manifest": run_layout.MANIFEST,
    }


def _first_attempts(load: RunLoad, maps: Iterable[MapLoad], parts: int) -> dict[int, dict[str, Any]]:
    """Return the members of items with first attempts that matter, by line: those whose jobs are killed.

    Args:
        load: The execution.
        maps: The Maps over one scope.
        parts: The number of Map Runs that divide the lines; the children of one follow those of another.
    """
    found: dict[int, dict[str, Any]] = {}
    for one in maps:
        lines = [line for part in range(parts) for line in range(part, one.items, parts)]
        firsts = list(accumulate(one.sizes, initial=0))
        for child, script in one.scripts.items():
            member = _of_scripts(load, script)
            for line in lines[firsts[child] : firsts[child + 1]] if member else ():
                found[line] = {MEMBER: {**found.get(line, {MEMBER: {}})[MEMBER], **member[MEMBER]}}
    return found


def _of_scripts(load: RunLoad, script: ChildScript) -> dict[str, Any]:
    """Return the member with first attempts from which the memory ladders have the entries of a script."""
    return member_of({stage: _first(load.steps[stage], one.rungs) for stage, one in script.items() if one.rungs})


def _first(step: StepSpec, rungs: int) -> FirstAttempt:
    ladder = step.resources.memory_ladder
    memory_mib = ladder[-rungs] if rungs <= len(ladder) else ladder[0] - 1
    return FirstAttempt(memory_mib, step.resources.timeout_s)


def _write_items(bucket: Path, load: RunLoad, *, one_of_each: bool) -> None:
    """Write the files of items: of each scope as many as the largest Map over it has.

    Args:
        bucket: The folder of the bucket.
        load: The execution.
        one_of_each: Whether the first part of a manifest has all items, and each other part one that does not count.
    """
    for scope, file in run_layout.ITEM_FILES.items():
        maps = [one for one in load.maps.values() if one.scope == scope]
        lines = next((one.lines for one in maps if one.lines is not None), None)
        if lines is None:
            most = max((one.items for one in maps), default=0)
            divided = load.execution_input.parts if scope == "sample" and not one_of_each else 0
            attempts = _first_attempts(load, maps, max(1, divided))
            lines = [json.dumps({scope: f"{index:09d}", **attempts.get(index, {})}) + "\n" for index in range(most)]
        (bucket / file).write_text("".join(lines))
        parts = load.execution_input.parts if scope == "sample" else 0
        for number, key in enumerate(run_layout.manifest_parts(file, parts) if parts > 1 else ()):
            (bucket / key).parent.mkdir(parents=True)
            part = (lines[:1] if number else lines) if one_of_each else lines[number::parts]
            (bucket / key).write_text("".join(part))
