"""The stages of a run in groups, one for each Map Run and for each stage that runs once, as its definition has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from genomics_pipeline.asl.record_map import LABEL, PARTS
from genomics_pipeline.language.walker import MachineNode, StateNode, walk_machines
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import RunError, UsageError
from genomics_pipeline.model.sample import NAME
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.fields import ADVICE
from genomics_pipeline.stores.protocol import MissingObject, Store

COHORT = "cohort"
_TOLERATED = {"percentage": "ToleratedFailurePercentage", "count": "ToleratedFailureCount"}


@dataclass(frozen=True, slots=True)
class StageGroup:
    """The stages of one Map Run, or a stage that runs once.

    Attributes:
        label: The Label of the Map Run; None for a stage that runs once.
        scope: The scope of the items: sample, interval or cohort.
        stages: The names of the stages, in the order of the definition.
        in_parts: Whether several Map Runs of one execution divide the items among them.
        tolerated: The ``percentage`` and ``count`` of items that may fail; none where the execution's input has them.
    """

    label: str | None
    scope: str
    stages: tuple[str, ...]
    in_parts: bool = False
    tolerated: Mapping[str, float] = field(default_factory=dict, hash=False)


def read_stage_groups(store: Store, uri: str, shown: str) -> tuple[MachineNode, list[StageGroup]]:
    """Return the state machine of a run, and its stages in groups, in the order of the definition.

    Args:
        store: The store of the run.
        uri: The definition.
        shown: The place of the run as users know it.

    Raises:
        RunError: if the run has no readable definition.
        UsageError: for a run over records.
    """
    try:
        machine = next(walk_machines(read_run_definition(store, uri)))
        if {LABEL, PARTS} & set(machine.nodes):
            raise UsageError(f"{shown}: expected a run over samples, found one over records")
        groups = [_group(state) for state in machine.states() if state.kind in ("Map", "Task")]
        if groups and all(one.stages for one in groups):
            return machine, groups
    except (MissingObject, ValueError, LookupError, TypeError, AttributeError, RecursionError, StopIteration):
        pass
    raise RunError(f"{shown}/{run_layout.DEFINITION}: expected a definition of ours, found none; {ADVICE}")


def _group(state: StateNode) -> StageGroup:
    if state.kind == "Task":
        return _named(StageGroup(None, COHORT, (state.name,)))
    if not state.is_distributed:  # over the parts of a manifest: `asl.map_state`
        (inner,) = (one for machine in state.machines() for one in machine.states())
        return replace(_group(inner), in_parts=True)
    label: str = state.node["Label"]
    if scope_of(label) not in run_layout.ITEM_FILES:
        raise LookupError(label)
    stages = tuple(inner.name for machine in state.machines() for inner in machine.states() if inner.kind == "Task")
    tolerated = {name: state.node.get(member) for name, member in _TOLERATED.items()}
    numbers = {name: one for name, one in tolerated.items() if isinstance(one, int | float)}
    return _named(StageGroup(label, scope_of(label), stages, tolerated=numbers if len(numbers) == 2 else {}))


def _named(group: StageGroup) -> StageGroup:
    """Return a group whose names are those of files, as ours are.

    Raises:
        LookupError: for any other name.
    """
    if not all(map(NAME.fullmatch, filter(None, (*group.stages, group.label)))):
        raise LookupError(group)
    return group


def scope_of(label: str) -> str:
    """Return the scope of the items of a Map Run by its Label.

    >>> scope_of("Sample2")
    'sample'
    """
    return label.rstrip("0123456789").lower()
