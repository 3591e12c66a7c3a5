"""The items of an earlier stage that a later one gathers: those that are done, by all executions of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.task import RunPlace, item_id
from genomics_pipeline.records.completion import is_done
from genomics_pipeline.records.items import read_item_ids, read_regions
from genomics_pipeline.records.result_files import result_rows
from genomics_pipeline.stores.protocol import Store

READERS = 32  # records read at once: each is small, and S3 answers slowly
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class GatheredItems:
    """The items of a stage that a later one gathers, in the order of the run's manifest or of its intervals.

    Attributes:
        done: The ids of the items that the stage is done for.
        missing: The ids of all others.
        scope: The scope of the stage; empty where no item of it has ended.
    """

    done: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    scope: str = ""


# Returns the items of a stage, given the store, the run, the stage and its Map Runs.
Gather = Callable[[Store, RunPlace, str, Sequence[Mapping[str, str]]], GatheredItems]


def gathered_items(store: Store, run: RunPlace, stage: str, map_runs: Sequence[Mapping[str, str]]) -> GatheredItems:
    """Return the items that a stage is done for, and those that are missing.

    An item is done if its child execution succeeded in the newest execution that ran it, or if its batch failed but its
    completion records show that only other items of the batch failed. So the selection and the order of items do not
    depend on which other items failed, when, and how often.

    Args:
        store: The store of the run.
        run: The run.
        stage: The stage.
        map_runs: ``ResultWriterDetails`` of the Map Runs that ran the stage, oldest first.

    Raises:
        DataError: for files that are missing, and result files that are not ResultWriter's.
    """
    succeeded: dict[str, bool] = {}
    scope = ""
    for details in map_runs:
        for kind in ("SUCCEEDED", "FAILED"):
            for row in result_rows(store, details, kind):
                for item in row.items():
                    succeeded[item_id(item)] = kind == "SUCCEEDED"
                    scope = scope or next(name for name in run_layout.ITEM_FILES if name in item)
    doubtful = [item for item, success in succeeded.items() if not success]
    succeeded |= zip(doubtful, in_parallel(partial(is_done, store, run, stage), doubtful), strict=True)
    if not scope:
        return GatheredItems()
    done: list[str] = []
    missing: list[str] = []
    for name in read_item_ids(store, run.uri(run_layout.ITEM_FILES[scope])):
        (done if succeeded.get(name) else missing).append(name)
    return GatheredItems(tuple(done), tuple(missing), scope)


def missing_words(store: Store, run: RunPlace, items: GatheredItems) -> tuple[str, ...]:
    """Return the missing items as a step is given them: their ids; of intervals, with the regions in brackets."""
    if items.scope != "interval" or not items.missing:
        return items.missing
    regions = read_regions(store, run, set(items.missing))
    return tuple(f"{name} ({' '.join(regions.get(name, ()))})" for name in items.missing)


def in_parallel(read: Callable[[T], R], items: Sequence[T]) -> Iterable[R]:
    """Return the result of a read for each item, in their order."""
    if len(items) < 2:
        return list(map(read, items))
    with ThreadPoolExecutor(READERS) as readers:
        return list(readers.map(read, items))
