"""The identity of the reference of a task: its FASTA file, and the file that names its alternate contigs."""

from __future__ import annotations

from pathlib import Path

from genomics_pipeline.model.step import InputSpec
from genomics_pipeline.model.task import RunPlace, TaskPayload
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.worker.find_input import find_input


def test_alternate_contigs_are_part_of_the_identity(tmp_path: Path) -> None:
    fasta = tmp_path / "reference.fa"
    fasta.write_text(">chr1\nACGT\n")
    inputs = {"reference": "reference"}
    payload = TaskPayload("s", "s", "sample", RunPlace("r", "b", ""), str(fasta), {}, inputs, {}, (), {})

    def digest() -> str:
        spec = InputSpec("reference", "reference", ("fai",))
        return find_input(payload, spec, {"sample": "a"}, LocalStore(), tmp_path / "cache").digest()

    without = digest()
    assert digest() == without
    alt = tmp_path / "reference.fa.alt"
    alt.write_text("chr1\n")
    first = digest()
    alt.write_text("chr1\nchr1\n")
    assert len({without, first, digest()}) == 3
    alt.unlink()
    assert digest() == without
