"""Small generated pipelines, and runs of them in which jobs fail."""

from __future__ import annotations

import random
from collections.abc import Sequence

from genomics_pipeline.asl.generate import DEFAULT_NAMES, generate
from genomics_pipeline.asl.map_state import distributed_maps
from genomics_pipeline.model.execution_input import ExecutionInput
from genomics_pipeline.model.pipeline import MapSettings, Pipeline
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.counting import MapLoad, RunLoad
from genomics_pipeline.planning.scripts import ChildScript, TaskScript
from genomics_pipeline.planning.workload import part_sizes
from tests.asl.conftest import make_pipeline

SCOPES = ("sample", "sample", "interval", "cohort")


def generated_pipeline(chance: random.Random) -> Pipeline:
    """Return a pipeline of one to five stages, some of them batched, with any tolerance."""
    stages: list[tuple[str, str, dict[str, str]]] = []
    for number in range(chance.randint(1, 5)):
        sources = ["reference", *(f"{name}.out" for name, _, _ in stages)]
        stages.append((f"stage_{number}", chance.choice(SCOPES), {"given": chance.choice(sources)}))
    maps = {
        scope: MapSettings(
            max_concurrency=chance.choice([1, 3, 1000]),
            tolerated_failure_percentage=chance.choice([50, 80, 100]),
            tolerated_failure_count=chance.choice([None, None, None, 3]),
            items_per_batch=chance.choice([None, 1, 4]),
            map_runs=chance.choice([1, 1, 2, 3]),
        )
        for scope in ("sample", "interval")
    }
    return make_pipeline("generated", stages, maps)


def generated_load(chance: random.Random) -> RunLoad:
    """Return a run of a generated pipeline over up to 12 items of each scope, of which some jobs fail."""
    pipeline = generated_pipeline(chance)
    document = generate(pipeline)
    numbers = {scope: chance.randint(1, 12) for scope in ("sample", "interval")}
    maps = {}
    parts = pipeline.maps["sample"].parts(numbers["sample"])
    for state in distributed_maps(document):
        stages = [name for name, one in state["ItemProcessor"]["States"].items() if one["Type"] == "Task"]
        scope = "sample" if state["Label"].startswith("Sample") else "interval"
        divided = part_sizes(numbers[scope], (parts or 1) if scope == "sample" else 1)
        size = pipeline.maps[scope].items_per_batch or 1
        sizes = [one for items in divided for one in batches(items, size)]
        scripts = {index: failing(chance, stages) for index in range(len(sizes)) if chance.random() < 0.3}
        maps[state["Label"]] = MapLoad(scope, sizes, scripts)
    place = RunPlace("r", "b", "")
    execution_input = ExecutionInput(place, "r.fa", {}, pipeline.maps["sample"].tolerance(), parts=parts)
    cohort = [stage.name for stage in pipeline.stages if stage.scope == "cohort"]
    script = failing(chance, cohort) if cohort and chance.random() < 0.2 else {}
    steps = {stage.name: stage.step for stage in pipeline.stages}
    return RunLoad(document, DEFAULT_NAMES, execution_input, maps, script, lambda stage: 60.0, steps)


def batches(items: int, size: int) -> list[int]:
    """Return the numbers of items of batches of a size, the last of which has the rest."""
    full, rest = divmod(items, size)
    return [size] * full + [rest] * (rest > 0)


def failing(chance: random.Random, stages: Sequence[str]) -> ChildScript:
    """Return a script in which a job fails, for good or not; its memory ladder may be another than its step's."""
    kills = chance.randint(0, 2)
    rungs = chance.choice([0, 1, 2]) if kills else 0
    script = TaskScript(kills, chance.randint(0, 6), chance.random() < 0.2, rungs)
    return {chance.choice(stages): script}
