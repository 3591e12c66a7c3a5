"""Rates of steps: estimates by hand, the shipped file, and what is refused of a user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.planning.calibration import parse_calibration, read_calibration, terms_of
from genomics_pipeline.planning.human_genome import GRCH38
from genomics_pipeline.planning.resource_model import TaskFeatures, UnknownStep
from genomics_pipeline.runs.catalog import load_step, step_names

RATES = """
date = "2026-11-28"
machine = "a machine"
[steps.count]
version = "1"
basis = "a measurement"
core_seconds = { fixed = 10, per_gb = 400, per_gigabase = 100 }
serial_fraction = 0.5
staging_seconds_per_gb = 2
spread = 2.0
memory_mib = { fixed = 100, per_sample = 3 }
memory_spread = 1.5
output_bytes = { per_gigabase_sample = 1000 }
"""
FEATURES = TaskFeatures(input_bytes=2_000_000_000, reference_bases=3_000_000_000, samples=5, vcpus=4)


def test_an_estimate_by_hand() -> None:
    estimate = parse_calibration(RATES, file="rates.toml").estimate("count", FEATURES)
    # 10 s fixed; 1,100 s, half of it on one core and half on four; 2 s for each GB.
    median = 10 + 550 + 550 / 4 + 4
    assert (estimate.seconds.p10, estimate.seconds.p50, estimate.seconds.p90) == (median / 2, median, median * 2)
    assert estimate.processor_seconds.p50 == 1110
    assert estimate.peak_memory_mib.p50 == 115
    assert estimate.output_bytes.p50 == 15_000
    assert "rates.toml of 2026-11-28 (a machine): a measurement" in estimate.basis


def test_the_time_of_the_worker_is_not_that_of_a_core() -> None:
    """A short task mostly waits for its files, whatever its cores."""
    text = RATES.replace("staging_seconds_per_gb = 2", "staging_seconds_per_gb = 2\nworker_seconds = 3")
    before, found = (parse_calibration(each, file="r.toml").estimate("count", FEATURES) for each in (RATES, text))
    assert found.seconds.p50 == before.seconds.p50 + 3
    assert found.processor_seconds == before.processor_seconds


def test_the_work_on_bases_with_reads_grows_with_the_first_of_them() -> None:
    """Half of a gigabase at 0.3 GB, nine tenths at 2.7, and nothing without reads."""
    shares = [
        terms_of(TaskFeatures(size, 10**9, 1, 1))["per_read_gigabase"] for size in (0, 3 * 10**8, 27 * 10**8, 10**12)
    ]
    assert shares == pytest.approx([0, 0.5, 0.9, 1], abs=1e-3)


def test_a_step_without_rates_is_unknown() -> None:
    with pytest.raises(UnknownStep):
        parse_calibration(RATES, file="rates.toml").estimate("other", FEATURES)


def test_the_shipped_rates_are_of_every_step() -> None:
    shipped = read_calibration()
    jobs = [spec for name in step_names() if not (spec := load_step(name).spec).is_function]
    assert sorted(shipped.steps) == [spec.name for spec in jobs]
    shipped.check(jobs, strictly=False)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("spread = 2.0", "spread = 0.5", "rates.toml:10:steps.count.spread: "),
        ("per_sample", "per_read", "rates.toml:11:steps.count.memory_mib.per_read: "),
        ('date = "2026-11-28"', 'date = "today"', "rates.toml:2:date: "),
        ('version = "1"\n', "", "rates.toml:4:steps.count: "),
    ],
)
def test_wrong_rates_are_refused_with_their_place(before: str, after: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        parse_calibration(RATES.replace(before, after), file="rates.toml")
    assert str(refused.value).startswith(message)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a file of rates that can be read: No such file or directory"):
        read_calibration(tmp_path / "none.toml")


def test_the_chromosomes_of_the_human_genome() -> None:
    # Samtools' `faidx` of GRCh38 gives 3,088,269,832 bases for chromosomes 1 to 22, X and Y.
    assert len(GRCH38) == 25
    assert sum(contig.length_bp for contig in GRCH38 if contig.name != "chrM") == 3_088_269_832
