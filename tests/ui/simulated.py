"""Reports of as many samples as wanted, with known outliers, made in memory."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence

from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.report.run_page.metric_values import MetricValues
from genomics_pipeline.report.run_page.run_report import RunReport
from genomics_pipeline.report.run_page.stage_work import WorkOfStage
from genomics_pipeline.report.run_state import RunState

SPECS = (
    MetricSpec("depth", "Depth", unit="x", format=".1f", good_min=20, bad_below=10, summary="Reads over a position"),
    MetricSpec("share", "Share", format=".2%", good_max=0.3, bad_above=0.6),
    MetricSpec("count", "Count"),
)
TABLE = 8  # metrics of the table, of those that a run has


def simulated_report(samples: int, metrics: int = 28, names: Sequence[str] = (), seed: int = 1) -> RunReport:
    """Return a report of simulated samples: every thousandth one has a low depth, and one failed.

    Args:
        samples: The number of samples.
        metrics: The number of metrics.
        names: The names of the first samples.
        seed: The seed.
    """
    generator = random.Random(seed)
    columns = [_column(number, samples, generator) for number in range(metrics)]
    made = [*names, *(f"sample{number:06}" for number in range(len(names), samples))]
    states = bytearray(samples)
    states[samples // 2] = 1
    state = RunState("simulated", "/runs/simulated", "germline", "SUCCEEDED", 0.0, 3600.0, (), (("joint", True),), ())
    work = WorkOfStage("alignment", "sample")
    for _ in range(samples):
        work.starts.append(generator.uniform(0, 3000))
        work.seconds.append(generator.uniform(10, 600))
        work.peaks_mib.append(generator.gauss(2000, 100))
    work.vcpus, work.memory_mib, work.core_s = 8, 14_500, 8 * work.working_s
    return RunReport(state, 3600.0, made, states, ("alignment",), columns, (), (), (work,), (), ())


def _column(number: int, samples: int, generator: random.Random) -> MetricValues:
    spec = SPECS[number % len(SPECS)]
    own = MetricSpec(
        f"{spec.name}{number}",
        f"{spec.title} {number}",
        spec.unit,
        spec.format,
        spec.summary,
        table=number < TABLE,
        good_min=spec.good_min,
        good_max=spec.good_max,
        bad_below=spec.bad_below,
        bad_above=spec.bad_above,
    )
    column = MetricValues("alignment" if number % 2 else "variant_calling", own, array("d"))
    for index in range(samples):
        if spec.name == "depth":
            column.add(round(generator.gauss(30, 1.5), 2) if index % 1000 or number else 5.0)
        elif spec.name == "share":
            column.add(round(generator.betavariate(5, 60), 5))
        else:
            column.add(generator.randint(4_000_000, 5_000_000))
    return column
