"""The choice of the parameters that name an index of the reference, before the first job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Stage
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.plan import RunInputs
from genomics_pipeline.runs.reference_indexes import choose_indexes, local_obstacle, stage_steps
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.worker.machine import Capacity

ALIGNERS = {"bwa", "minibwa"}


@pytest.fixture
def plan() -> RunInputs:
    pipeline, steps = load_pipeline("germline")
    return RunInputs(pipeline, steps, {}, (), {})


def default(plan: RunInputs) -> str:
    return str(plan.pipeline.stages[0].step.parameters["aligner"].default)


def choose(plan: RunInputs, *names: str) -> tuple[RunInputs, list[str]]:
    notes: list[str] = []

    def obstacle(stage: Stage, kind: IndexKind) -> str | None:
        return f"no {kind.name}" if kind.name in names else None

    return choose_indexes(plan, obstacle, notes.append), notes


def given(plan: RunInputs, aligner: Value) -> RunInputs:
    return replace(plan, overrides={"alignment": {"aligner": aligner, "format": "cram"}})


def test_a_default_that_can_be_used_stays(plan: RunInputs) -> None:
    assert choose(plan) == (plan, [])


def test_another_one_is_chosen_said_and_recorded(plan: RunInputs) -> None:
    (other,) = ALIGNERS - {default(plan)}
    chosen, notes = choose(plan, default(plan))
    assert chosen.overrides == {"alignment": {"aligner": other}}
    assert notes == [f"alignment.aligner={other} instead of {default(plan)}: no {default(plan)}"]
    indexed = stage_steps(plan.pipeline, plan.steps, chosen.overrides)
    assert indexed["alignment"].spec.inputs["reference"].indexes == ("fai", "dict", other)


def test_what_the_user_chose_is_refused_instead_of_replaced(plan: RunInputs) -> None:
    for aligner in sorted(ALIGNERS):
        (other,) = ALIGNERS - {aligner}
        assert choose(given(plan, aligner), other) == (given(plan, aligner), [])
        with pytest.raises(DataError) as error:
            choose(given(plan, aligner), aligner)
        advice = f"leave it out, or --param alignment.aligner={other}"
        assert str(error.value) == f"alignment.aligner={aligner} cannot be used: no {aligner}; {advice}"


def test_without_any_that_can_be_used_the_reference_decides(plan: RunInputs) -> None:
    assert choose(plan, *ALIGNERS) == (plan, [])


@pytest.mark.parametrize(
    ("memory_mib", "alt", "prebuilt", "expected"),
    [
        (4000, False, False, None),
        (4000, True, False, "it does not take account of the alternate contigs that the .alt file beside"),
        (7, False, False, "to build its index takes about 9 MiB of memory, found 7 MiB; build them where"),
        (7, False, True, "a job with its index needs"),
        (500, False, True, None),
    ],
)
def test_obstacles_of_this_machine(
    plan: RunInputs, tmp_path: Path, memory_mib: int, alt: bool, prebuilt: bool, expected: str | None
) -> None:
    fasta = tmp_path / "x.fa"
    fasta.write_text(">chr1\n" + "ACGTTGCA" * 60_000 + "\n")
    if alt:
        Path(f"{fasta}.alt").write_text("chr1\t0\tchr1\t1\t60\t5M\t*\t0\t0\t*\t*\n")
    if prebuilt:
        for ending in ("l2b", "mbw"):
            Path(f"{fasta}.{ending}").write_bytes(b"")
    store = LocalStore()
    capacity = Capacity(2, memory_mib)
    adapters = Adapters(store=store, cache=tmp_path / "cache", environment={}, home=tmp_path, clients=None)  # type: ignore[arg-type]
    obstacle = local_obstacle(str(fasta), store, adapters, capacity, lambda _: None)
    found = obstacle(plan.pipeline.stages[0], INDEX_KINDS["minibwa"])
    assert found is None if expected is None else str(found).startswith(expected)
    if memory_mib > 400:
        assert obstacle(plan.pipeline.stages[0], INDEX_KINDS["bwa"]) is None
