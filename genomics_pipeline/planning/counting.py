"""Counts of an execution, found by executing its document in virtual time with modelled jobs.

Where a Map Run has many children, one child of each class is executed and its counts are multiplied. That is exact for
documents of `asl.generate`: what a child does there depends on the ends of its jobs alone, and the execution itself has
the same states and events whatever the number of children, as long as the tolerated failures are not exceeded. Where
they are, the moment decides which children still start, so that all children are executed, up to `MOST_EXECUTED`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.distributed_map.tolerated_failure import ToleratedFailure
from genomics_pipeline.engine.events import ChildEnded, Event
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.handlers import Handlers
from genomics_pipeline.language.errors import THRESHOLD_EXCEEDED
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.resource_names import ResourceNames
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.modelled_jobs import ModelledJobs, Place
from genomics_pipeline.planning.scripts import ChildClass, ChildScript, classes_of
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
    """

    document: Mapping[str, Any]
    names: ResourceNames
    execution_input: ExecutionInput
    maps: Mapping[str, MapLoad]
    cohort: ChildScript
    seconds: Callable[[str], float]


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
    counts = _execute(replace(load, document=_tolerant(load.document), maps=one_of_each), classes)
    exceeded = [label for label, number in counts.failed.items() if _is_exceeded(load, label, number)]
    if not exceeded:
        return counts
    if sum(len(one.sizes) for one in load.maps.values()) > MOST_EXECUTED:
        return replace(counts, status="FAILED", error=THRESHOLD_EXCEEDED)
    return count_fully(load)


def count_fully(load: RunLoad) -> Counts:
    """Return the counts of an execution of which every child is executed."""
    return _execute(load, {})


def _is_exceeded(load: RunLoad, label: str, failed: int) -> bool:
    tolerated = load.execution_input.tolerated
    state = next(state for state in load.document["States"].values() if state.get("Label") == label)
    limits = (
        ToleratedFailure(int(tolerated["count"]), tolerated["percentage"])
        if load.maps[label].scope == "sample"
        else ToleratedFailure(state["ToleratedFailureCount"], state["ToleratedFailurePercentage"])
    )
    return limits.is_exceeded(failed, load.maps[label].items)


def _tolerant(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document whose Distributed Maps tolerate any failure, and have one item in a batch."""
    tolerant: dict[str, Any] = deepcopy(dict(document))
    for state in tolerant["States"].values():
        if state["Type"] == "Map":
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
            classes = self._classes.get(event.label)
            self.failed[event.label] += classes[event.index].items if classes else event.items


def _execute(load: RunLoad, classes: Mapping[str, Sequence[ChildClass]]) -> Counts:
    """Execute a document in virtual time and return its counts.

    Args:
        load: The execution.
        classes: See `_Ends`.
    """
    jobs = ModelledJobs(partial(_script, load), load.seconds, load.names.on_demand_queue)
    ends = _Ends(classes)
    with TemporaryDirectory(prefix="genomics-pipeline-plan-") as folder:
        root = Path(folder)
        (root / _BUCKET).mkdir()
        _write_items(root / _BUCKET, load)
        result = execute(
            load.document,
            {**load.execution_input.to_json(), **_place()},
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
    return Counts(
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


def _script(load: RunLoad, place: Place) -> ChildScript:
    label, index = place
    return load.cohort if label is None or index is None else load.maps[label].scripts.get(index, {})


def _place() -> dict[str, Any]:
    place = RunPlace("plan", _BUCKET, "")
    return {
        "run": {"name": place.name, "bucket": place.bucket, "prefix": place.prefix},
        "manifest": run_layout.MANIFEST,
    }


def _write_items(bucket: Path, load: RunLoad) -> None:
    """Write the files of items: of each scope as many as the largest Map Run over it has."""
    for scope, file in run_layout.ITEM_FILES.items():
        maps = [one for one in load.maps.values() if one.scope == scope]
        lines = next((one.lines for one in maps if one.lines is not None), None)
        if lines is None:
            most = max((one.items for one in maps), default=0)
            lines = [json.dumps({scope: f"{index:09d}"}) + "\n" for index in range(most)]
        (bucket / file).write_text("".join(lines))
