"""Rates that are corrected by the tasks of a machine."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from genomics_pipeline.planning.calibration import Calibration, StepRates
from genomics_pipeline.planning.history.machine_rates import LEAST_DEVIATION, MachineRates
from genomics_pipeline.planning.resource_model import STEP_DEVIATION, TaskEstimate, TaskFeatures
from genomics_pipeline.records.machine_tasks import MachineTask

MB = 1_000_000
OF_STEP = StepRates("1.0", "measured", {"per_gb": 1000}, 0.0, 1.2, {"fixed": 100}, 1.1, {"per_gb": MB})
READS = StepRates("1.0", "m", {"per_gb": 1000}, 0.0, 1.2, {"fixed": 100}, 1.1, {"per_gb": 10**9})
RATES = Calibration("rates.toml", "2026-01-01", "a machine", {}, {"align": OF_STEP, "call": OF_STEP, "sort": READS})


def task(megabytes: float, seconds: float, step: str = "align", **members: object) -> MachineTask:
    """Return a task of one core, whose memory and outputs are those of the rates."""
    needs = {"vcpus": 1, "peak_memory_mib": 100, "outputs": {"out": int(megabytes * 1000)}, **members}
    of_sample = {"alignment_format": "", "reads_alignments": False, "reference_bases": 1, "samples": 1}
    size = {"input_bytes": int(megabytes * MB), "seconds": seconds, "processor_seconds": seconds}
    return MachineTask(**{"step": step, "version": "1.0", "parameters": "", **of_sample, **size, **needs})  # type: ignore[arg-type]


def estimate(tasks: Sequence[MachineTask], megabytes: float, step: str = "align") -> TaskEstimate:
    """Return the needs of a task that takes a second a megabyte by the rates."""
    model = MachineRates(RATES, {"bam": 3.0}, tasks)
    return model.estimate(step, TaskFeatures(int(megabytes * MB), 1, 1, 1))


def test_tasks_of_the_same_size_say_how_long_one_takes() -> None:
    found = estimate([task(10, 20)] * 12, 10)
    assert found.seconds.p50 == pytest.approx(20, rel=0.05)
    assert found.processor_seconds.p50 == pytest.approx(20, rel=0.05)
    assert found.seconds.p90 == pytest.approx(1.2 * found.seconds.p50)
    assert found.deviation == LEAST_DEVIATION
    assert found.basis.endswith("as 12 tasks of about this size took in earlier runs here")


def test_tiny_tasks_tell_nothing_of_large_ones() -> None:
    found = estimate([task(0.1, 5), task(0.1, 5, "call")] * 12, 1000)
    assert found.seconds.p50 == pytest.approx(1000, rel=1e-3)
    assert found.deviation == pytest.approx(STEP_DEVIATION)
    assert "earlier runs" not in found.basis


def test_the_nearest_sizes_count_most() -> None:
    found = estimate([task(1, 3)] * 12 + [task(100, 100)] * 12, 100)
    assert found.seconds.p50 == pytest.approx(100, rel=0.01)
    assert 2.5 < estimate([task(1, 3)] * 12 + [task(100, 100)] * 12, 1.5).seconds.p50 / 1.5 < 3


def test_other_steps_say_how_fast_the_machine_is() -> None:
    found = estimate([task(10, 20, "call")] * 12, 10)
    assert 14 < found.seconds.p50 < 20
    assert found.peak_memory_mib.p50 == pytest.approx(100)
    assert found.deviation == pytest.approx(STEP_DEVIATION)
    assert found.basis.endswith("as tasks of other sizes or steps took in earlier runs here")


def test_outputs_and_memory_are_those_of_the_tasks() -> None:
    found = estimate([task(10, 10, peak_memory_mib=400, outputs={"out": 30_000})] * 12, 10)
    assert found.peak_memory_mib.p50 == pytest.approx(400, rel=0.1)
    assert found.output_bytes.p50 == pytest.approx(30_000, rel=0.1)


def test_alignments_are_compared_in_the_format_of_the_rates() -> None:
    """30 MB of BAM are 10 MB of CRAM, which take 10 s by the rates."""
    bam = {"alignment_format": "bam", "reads_alignments": True, "outputs": {"alignment": 30 * MB}}
    found = estimate([task(30, 20, "sort", **bam)] * 12, 10, "sort")
    assert found.seconds.p50 == pytest.approx(20, rel=0.05)
    assert found.output_bytes.p50 == pytest.approx(10 * MB, rel=0.01)


def test_tasks_of_steps_without_rates_are_left_to_others() -> None:
    assert estimate([task(10, 20, "own")] * 12, 10).seconds.p50 == pytest.approx(10)
