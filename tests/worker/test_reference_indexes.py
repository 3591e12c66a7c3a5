"""The building of indexes in a container: the exit codes of its ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomics_pipeline.model.errors import Problem
from genomics_pipeline.model.index_order import INDEX_VARIABLE, IndexOrder
from genomics_pipeline.model.step import BAD_INPUT_EXIT_CODE
from genomics_pipeline.reference.build import KilledBuild
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.worker.container import main


def run(folder: Path, order: str, memory_mib: int = 100) -> int:
    environment = {
        INDEX_VARIABLE: order,
        "GENOMICS_PIPELINE_STEP": str(load_step("alignment").path),
        "GENOMICS_PIPELINE_SCRATCH": str(folder),
        "GENOMICS_PIPELINE_MEMORY_MIB": str(memory_mib),
    }
    return main([], environment, folder / "cache", LocalStore)


@pytest.fixture
def order(tmp_path: Path) -> str:
    """Return an order for all indexes of a file beside it."""
    fasta = tmp_path / "x.fa"
    fasta.write_text(f">chr1\n{'ACGTTGCAAC' * 10_000}\n")
    return IndexOrder(str(fasta), ("minibwa",)).to_text()


def test_the_indexes_are_built(tmp_path: Path, order: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, order, memory_mib=1) == BAD_INPUT_EXIT_CODE
    assert "to build its index for minibwa takes about 2 MiB of memory, found 1 MiB" in capfd.readouterr().err
    assert run(tmp_path, order) == 0
    assert sorted(path.name for path in tmp_path.glob("x.fa*")) == ["x.fa", "x.fa.fai", "x.fa.l2b", "x.fa.mbw"]


def test_a_build_that_was_killed_ran_out_of_memory(
    tmp_path: Path, order: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def kill(*_: object) -> None:
        raise KilledBuild(Problem("the building of its indexes was killed", "x.fa"))

    monkeypatch.setattr("genomics_pipeline.reference.prepare.build_indexes", kill)
    assert run(tmp_path, order) == 137
    assert "error: x.fa: the building of its indexes was killed" in capfd.readouterr().err


@pytest.mark.parametrize("text", ["{}", "[]", "x", '{"reference": "x", "kinds": 1, "out": null}'])
def test_a_wrong_order(tmp_path: Path, text: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, text) == BAD_INPUT_EXIT_CODE
    assert f"error: {INDEX_VARIABLE}: expected a JSON object with reference, kinds and out" in capfd.readouterr().err
