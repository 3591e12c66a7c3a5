"""The jobs of the shipped steps on simulated machines, with references of human and of small size."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from genomics_pipeline.engine.tasks.admission import Admission
from genomics_pipeline.engine.tasks.shares import Share
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.model.task import PAYLOAD_VARIABLE
from genomics_pipeline.runs.catalog import load_pipeline, load_step
from genomics_pipeline.runs.local.fit import concurrent_jobs, least_memory, refuse_small_machine
from genomics_pipeline.worker.machine import Capacity

LAPTOP = Capacity(8, int(14 * 1024 * 0.9))
SERVER = Capacity(64, int(230 * 1024 * 0.9))
# GRCh38 with alternate contigs (hs38DH): bases, and the bytes of .l2b and .mbw; chr1.
HUMAN = (3_217_346_917, {"l2b": 804_400_000, "mbw": 6_434_693_944})
CHR1_BP = 248_956_422
VIRUS = (29_903, {"l2b": 7_565, "mbw": 59_944})


@pytest.fixture
def reference(tmp_path: Path) -> Callable[..., Path]:
    """Return `reference(size, longest)`, which makes files of a reference's sizes, without content on the disk."""

    def make(size: tuple[int, dict[str, int]], longest_bp: int, indexed: bool = True) -> Path:
        fasta = tmp_path / "reference.fa"
        for file, length in [(fasta, size[0]), *((Path(f"{fasta}.{end}"), length) for end, length in size[1].items())]:
            if file == fasta or indexed:
                with file.open("wb") as sparse:
                    sparse.truncate(length)
        if indexed:
            Path(f"{fasta}.fai").write_text(f"chr1\t{longest_bp}\t6\t60\t61\n")
        return fasta

    return make


def shares_of(step: str, count: int, machine: Capacity, fasta: Path) -> list[Share]:
    """Return the shares of the jobs of a step that run at once, of a number that wait."""
    spec = load_step(step).spec
    of_job = least_memory(spec)
    assert of_job is not None
    least = of_job({PAYLOAD_VARIABLE: json.dumps({"reference": str(fasta)})})

    async def admit() -> list[Share]:
        admission = Admission(machine.cores, machine.memory_mib, machine.jobs)
        resources = spec.resources
        waiting = [
            asyncio.create_task(admission.acquire(resources.vcpus, resources.memory_mib, least)) for _ in range(count)
        ]
        for _ in range(10):
            await asyncio.sleep(0)
        granted = [task.result() for task in waiting if task.done()]
        for task in waiting:
            task.cancel()
        assert all(share.memory_mib >= least(share.vcpus) for share in granted)
        assert sum(share.memory_mib for share in granted) <= machine.memory_mib
        assert sum(share.vcpus for share in granted) <= machine.cores
        return granted

    return asyncio.run(admit())


@pytest.mark.parametrize(
    ("machine", "samples", "cores"),
    [
        (LAPTOP, 1, [8]),
        (LAPTOP, 2, [8]),
        (LAPTOP, 8, [8]),
        (SERVER, 1, [8]),
        (SERVER, 8, [8] * 8),
        (SERVER, 100, [2] * 17 + [3] * 10),
        (Capacity(64, SERVER.memory_mib, 3), 100, [8] * 3),
    ],
)
def test_alignments_to_a_human_reference(
    reference: Callable[..., Path], machine: Capacity, samples: int, cores: list[int]
) -> None:
    granted = shares_of("alignment", samples, machine, reference(HUMAN, CHR1_BP))
    assert [share.vcpus for share in granted] == cores
    assert all(share.memory_mib > 6900 for share in granted)  # minibwa's index alone


@pytest.mark.parametrize(
    ("machine", "samples", "cores"),
    [(LAPTOP, 2, [4, 4]), (LAPTOP, 8, [1] * 8), (SERVER, 2, [8, 8]), (SERVER, 100, [1] * 64)],
)
def test_alignments_to_a_small_reference_run_side_by_side(
    reference: Callable[..., Path], machine: Capacity, samples: int, cores: list[int]
) -> None:
    assert [share.vcpus for share in shares_of("alignment", samples, machine, reference(VIRUS, 29_903))] == cores


@pytest.mark.parametrize("step", sorted(load_pipeline("germline")[1]))
@pytest.mark.parametrize("machine", [LAPTOP, SERVER])
def test_every_shipped_step_declares_what_it_needs_and_fits(
    reference: Callable[..., Path], step: str, machine: Capacity
) -> None:
    assert shares_of(step, 3, machine, reference(HUMAN, CHR1_BP))
    assert concurrent_jobs(load_step(step).spec, reference(HUMAN, CHR1_BP), machine) >= 1


@pytest.mark.parametrize("indexed", [True, False])
def test_a_machine_that_is_too_small_is_refused_before_and_after_the_index_is_built(
    reference: Callable[..., Path], indexed: bool
) -> None:
    _, steps = load_pipeline("germline")
    with pytest.raises(RunError) as refused:
        refuse_small_machine(steps, reference(HUMAN, CHR1_BP, indexed), Capacity(8, 4000, memory_from="ulimit -v"))
    (problem,) = map(str, refused.value.problems)
    assert re.fullmatch(
        r"this machine is too small: a job of step alignment needs [0-9,]{5} MiB, of which 6,[0-9]{3} MiB for the "
        r"reference's index, found 4,000 MiB for jobs \(ulimit -v\); what would fit: a machine or limit of 9 GiB, "
        r"a smaller reference, or AWS \(`submit`\)",
        problem,
    )


def test_all_steps_that_do_not_fit_are_named(reference: Callable[..., Path]) -> None:
    _, steps = load_pipeline("germline")
    with pytest.raises(RunError) as refused:
        refuse_small_machine(steps, reference(VIRUS, 29_903), Capacity(1, 100, memory_from="--memory"))
    assert [re.findall(r"step (\w+) .* --memory (\d+)MiB or more", str(one))[0] for one in refused.value.problems] == [
        ("alignment", "481"),
        ("variant_calling", "301"),
        ("aggregation", "501"),
        ("gather", "350"),
        ("annotation", "400"),
    ]


def test_a_small_machine_fits_a_small_reference(reference: Callable[..., Path]) -> None:
    refuse_small_machine(load_pipeline("germline")[1], reference(VIRUS, 29_903), Capacity(1, 1000))
