"""The alignment step's program, run as the worker runs it, over a small reference."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.reference.prepare import prepare

sys.path.insert(0, str(Path(__file__).parent))
from test_support import CONTIGS, PROGRAM, Align, Outcome

from tests.patience import PATIENCE_S

STEP = tomllib.loads(PROGRAM.with_name("step.toml").read_text())


@pytest.fixture(scope="session")
def sequences() -> dict[str, str]:
    rng = random.Random(7)
    return {name: "".join(rng.choices("ACGT", k=length)) for name, length in CONTIGS.items()}


@pytest.fixture(scope="session")
def reference(sequences: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    fasta = tmp_path_factory.mktemp("reference") / "reference.fa"
    fasta.write_text("".join(f">{name}\n{bases}\n" for name, bases in sequences.items()))
    return prepare(str(fasta), ["fai", "bwa", "minibwa"], object_store(), fasta.parent / "cache")


@pytest.fixture
def aligner(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", defaults()["aligner"]))


@pytest.fixture
def align(reference: Path, aligner: str, tmp_path: Path) -> Align:
    def run(
        lanes: list[dict[str, Any]], vcpus: int = 2, reference: Path = reference, sex: str = "NA", **parameters: Any
    ) -> Outcome:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        (out / "scratch").mkdir(parents=True)
        values = {**defaults(), "aligner": aligner, **parameters}
        names = {"sample": "s1", "format": values["format"]}
        bam = out / f"s1.md.{values['format']}"
        task = {
            "step": "alignment",
            "version": "1",
            "item": {"sample": "s1", "sex": sex},
            "inputs": {"reads": lanes, "reference": str(reference)},
            "outputs": {name: str(out / one["path"].format(**names)) for name, one in STEP["outputs"].items()},
            "parameters": values,
            "vcpus": vcpus,
            "memory_mib": 1000,
            "scratch": str(out / "scratch"),
            "versions": str(out / "versions.json"),
            "left_out": str(out / "left-out.txt"),
        }
        (out / "task.json").write_text(json.dumps(task))
        process = subprocess.run(
            [sys.executable, str(PROGRAM), str(out / "task.json")], capture_output=True, text=True, timeout=PATIENCE_S
        )
        metrics = json.loads((out / "s1.alignment.json").read_text()) if process.returncode == 0 else {}
        return Outcome(process.returncode, process.stderr.strip(), bam, metrics, reference)

    return run


def defaults() -> dict[str, Any]:
    """Return the defaults of the step's parameters."""
    return {name: one.get("default") for name, one in STEP["parameters"].items()}
