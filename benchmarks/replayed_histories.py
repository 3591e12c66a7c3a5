"""First attempts replayed on records: the memory that a static, a calibrated and a learned ladder waste, and kills.

The records are made anew by the pipelines `germline` and `amplicon` on this machine: of the sets in ``shared/data`` and
of simulated cohorts of different depths. A step's tasks are then drawn from them: sizes vary as those of the real sets
do, and needs as the records differ from their own median line. Each cohort has a history of its own, from which ladders
are made, and new tasks, on which they are compared:

- *static*: the ladder of ``step.toml``.
- *calibrated*: the first entry is what 99 of 100 tasks of the history do not exceed, whatever their sizes, by the same
  rules as a learned one; each further entry is twice as much.
- *learned*: `LearnedModel.first_attempt` for the size of each task, with the calibrated ladder above it.

Durations are processor time, with one core a job, since others may use the machine at the same time. Waste is what
attempts had and did not use, in GiB-hours; an attempt that is killed at a random moment used nothing. The duration of a
stage is simulated (`planning.discrete_events`) with the drawn durations, and compared with that of a plan that learned
from a pilot.
"""

from __future__ import annotations

import argparse
import math
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from statistics import median, stdev

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model.first_attempt import ladder_above
from genomics_pipeline.model.step import Resources, StepSpec
from genomics_pipeline.planning.account import AccountLimits
from genomics_pipeline.planning.calibration import read_calibration
from genomics_pipeline.planning.discrete_events import Phase, StageLoad, simulate
from genomics_pipeline.planning.draws import Z90
from genomics_pipeline.planning.history.learned_model import FEWEST_FOR_QUANTILES, LearnedModel
from genomics_pipeline.planning.history.observation import Observation
from genomics_pipeline.planning.resource_model import WORKER_MIB, TaskFeatures
from genomics_pipeline.runs.catalog import load_step
from genomics_pipeline.runs.find_run import find_run
from genomics_pipeline.runs.history import observations

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COMMAND = Path(sys.executable).with_name("genomics-pipeline")
DEPTHS = (5, 10, 20, 40, 80, 160)
LENGTH_BP, SAMPLES = 150_000, 3
COHORTS, HISTORY, NEW = 40, 120, 200  # cohorts of a step, and the tasks of each
QUICK_COHORTS = 4
PILOT = 15
ASSUMED_SPREAD = 0.5  # of sizes, where the real sets are missing
RUNGS = 3
_HOURS, _GIB = 3600, 1024
LIMITS = AccountLimits(1e4, 1e4, 1e4, (8, 0), 8, 0, 100, 100, 0)  # hosts at once, so that only tasks take time


@dataclass(frozen=True, slots=True)
class Source:
    """A distribution of the tasks of a step, made of its records.

    Attributes:
        step: The step, with the cores of the records.
        records: Its records.
        model: The lines of their medians.
        spread: The standard deviation of the logarithm of sizes.
    """

    step: StepSpec
    records: Sequence[Observation]
    model: LearnedModel
    spread: float

    def draw(self, count: int, chance: random.Random) -> list[Observation]:
        """Return new tasks: of log-normal size within that of the records, and with the deviations of any of them."""
        sizes = sorted(one.input_bytes for one in self.records)
        return [self._task(sizes, chance) for _ in range(count)]

    def _task(self, sizes: Sequence[int], chance: random.Random) -> Observation:
        size = int(median(sizes) * math.exp(self.spread * chance.gauss(0, 1)))
        size = min(max(size, sizes[0]), sizes[-1])
        like, here = chance.choice(self.records), self._line(size)
        there = self._line(like.input_bytes)
        ratios = [need / max(line, 1e-9) for need, line in zip(_needs(like), there, strict=True)]
        smooth = [math.exp(chance.gauss(0, 0.02)) for _ in ratios]  # between those that few records have
        seconds, memory = (line * ratio * one for line, ratio, one in zip(here, ratios, smooth, strict=True))
        work = like.processor_seconds / max(like.seconds, 1e-9) * seconds
        return replace(
            like, input_bytes=size, seconds=seconds, processor_seconds=work, peak_memory_mib=math.ceil(memory)
        )

    def _line(self, size: int) -> tuple[float, float]:
        estimate = self.model.estimate(self.step.name, _features(size, self.step))
        return estimate.seconds.p50, estimate.peak_memory_mib.p50


def _needs(one: Observation) -> tuple[float, float]:
    return one.seconds, one.peak_memory_mib


def _features(size: int, step: StepSpec) -> TaskFeatures:
    return TaskFeatures(size, 1, 1, step.resources.vcpus)


def source_of(records: Sequence[Observation], spread: float) -> Source:
    """Return the distribution of the tasks of a step.

    Args:
        records: Records of one step.
        spread: See `Source`.
    """
    spec = load_step(records[0].step).spec
    vcpus = min(one.vcpus for one in records)
    step = replace(spec, resources=replace(spec.resources, vcpus=vcpus))
    return Source(step, records, _learned(records), spread)


def _learned(records: Iterable[Observation]) -> LearnedModel:
    found = list(records)
    return LearnedModel(found, {one.step: one.version for one in found}, read_calibration())


@dataclass(slots=True)
class Replay:
    """The outcome of a ladder over tasks.

    Attributes:
        tasks: The number of tasks.
        killed: The number of first attempts that were killed.
        wasted: GiB-hours that attempts had and did not use.
        used: GiB-hours that the tasks needed.
    """

    tasks: int = 0
    killed: int = 0
    wasted: float = 0.0
    used: float = 0.0

    def add(self, ladder: Sequence[int], task: Observation, chance: random.Random) -> None:
        """Run a task with a ladder.

        Args:
            ladder: The memory of its attempts.
            task: The task.
            chance: Draws the moment at which an attempt is killed.
        """
        needed, hours = task.peak_memory_mib + WORKER_MIB, task.seconds / _HOURS
        self.tasks += 1
        self.killed += ladder[0] < needed
        for memory in ladder:
            moment = chance.random()
            if memory >= needed:
                self.wasted += (memory - needed) / _GIB * hours
                break
            self.wasted += memory / _GIB * hours * moment
        self.used += needed / _GIB * hours

    def plus(self, other: Replay) -> Replay:
        """Return both together."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Replay(*(one + two for one, two in pairs))


LADDERS = ("static", "calibrated", "learned")


def replay(source: Source, cohorts: int, seed: int, history: int = HISTORY, new: int = NEW) -> dict[str, Replay]:
    """Return what each of `LADDERS` wastes on new tasks of cohorts.

    Args:
        source: The tasks of a step.
        cohorts: The number of cohorts.
        seed: The seed of all draws.
        history: The records from which each cohort's ladders are made.
        new: The tasks on which they are compared.
    """
    found = {name: Replay() for name in LADDERS}
    for number in range(cohorts):
        chance = random.Random(f"{seed} {number} {source.step.name}")
        before, after = source.draw(history, chance), source.draw(new, chance)
        model = _learned(before)
        calibrated = calibrated_ladder(source.step, before)
        step = replace(source.step, resources=replace(source.step.resources, memory_ladder=calibrated))
        for task in after:
            own = model.first_attempt(step, _features(task.input_bytes, step))
            ladders = {
                "static": source.step.resources.memory_ladder,
                "calibrated": calibrated,
                "learned": calibrated if own is None else ladder_above(own.memory_mib, calibrated),
            }
            for name, ladder in ladders.items():
                found[name].add(ladder, task, chance)
    return found


def calibrated_ladder(step: StepSpec, before: Sequence[Observation]) -> tuple[int, ...]:
    """Return a ladder whose first entry 99 of 100 tasks do not exceed, as if all sizes were the largest.

    Args:
        step: The step.
        before: The tasks of a history.
    """
    largest = max(one.input_bytes for one in before)
    alike = _learned(replace(one, input_bytes=largest) for one in before)
    unlimited = replace(step, resources=Resources(step.resources.vcpus, (1 << 30,)))
    first = alike.first_attempt(unlimited, _features(largest, step))
    assert first is not None
    return tuple(first.memory_mib << number for number in range(RUNGS))


def stage_ratios(source: Source, cohorts: int, seed: int, pilot: int = PILOT, new: int = NEW) -> list[float]:
    """Return, for each cohort, the duration of a stage in that of the plan that learned from a pilot.

    Args:
        source: The tasks of a step.
        cohorts: The number of cohorts.
        seed: The seed of all draws.
        pilot: The tasks of a pilot.
        new: The tasks of a cohort.
    """
    ratios = []
    for number in range(cohorts):
        chance = random.Random(f"{seed} {number} {source.step.name} pilot")
        model, tasks = _learned(source.draw(pilot, chance)), source.draw(new, chance)
        step = source.step
        estimates = [model.estimate(step.name, _features(one.input_bytes, step)).seconds for one in tasks]
        planned = [one.p50 * (one.p90 / one.p50) ** (chance.gauss(0, 1) / Z90) for one in estimates]
        ratios.append(_stage_seconds(step, [one.seconds for one in tasks]) / _stage_seconds(step, planned))
    return ratios


def _stage_seconds(step: StepSpec, seconds: Sequence[float]) -> float:
    load = StageLoad(step.name, step.resources.vcpus, RUNGS, list(seconds))
    times = simulate([Phase("Sample", [load], len(seconds), 1000, {})], LIMITS, 0).stages[step.name]
    return times.last - times.first


def make_records(folder: Path, *, quick: bool = False) -> list[Observation]:
    """Return the records of the pipelines over the real sets and simulated cohorts, with one core a job.

    Args:
        folder: A folder; runs that are in it are continued.
        quick: Whether to take short genomes and no real sets, as a test of this program.
    """
    runs = []
    for number, depth in enumerate(DEPTHS, 1):
        cohort, length = folder / f"depth-{depth}", LENGTH_BP // (10 if quick else 1)
        size = ["--samples", str(SAMPLES), "--length", str(length), "--depth", str(depth), "--seed", str(number)]
        if not cohort.exists():
            _call(["simulate", "--out", str(cohort), *size])
        runs.append(_run(folder, cohort.name, cohort / "cohort.csv", cohort / "reference.fa"))
    for data, pairs in ({} if quick else real_sets()).items():
        sheet = folder / f"{data.name}.csv"
        rows = [",".join([name, *map(str, pair)]) for name, pair in pairs.items()]
        sheet.write_text("\n".join(["sample,fastq_1,fastq_2", *rows]) + "\n")
        pipeline = "amplicon" if data.name.startswith("sarscov2") else "germline"
        runs.append(_run(folder, data.name, sheet, data / "reference.fa.gz", "--pipeline", pipeline))
    rates = read_calibration()
    sizes = rates.formats, rates.overheads
    found = (one for run in runs for one in observations(find_run(str(run), "", adapters()).files, *sizes))
    return [replace(one, seconds=one.processor_seconds) for one in found]


def real_sets() -> dict[Path, dict[str, list[Path]]]:
    """Return the FASTQ files of the samples of each real set."""
    sets = {}
    for data in sorted(DATA.iterdir() if DATA.is_dir() else ()):
        names = [one.name.removesuffix("_R1.fastq.gz") for one in sorted(data.glob("*_R1.fastq.gz"))]
        if names:
            sets[data] = {name: [data / f"{name}_R{mate}.fastq.gz" for mate in (1, 2)] for name in names}
    return sets


def size_spread() -> float:
    """Return the standard deviation of the logarithm of sizes of samples within the largest of the real sets."""
    sets = real_sets().values()
    largest = max(sets, key=len, default={})
    sizes = [math.log(sum(file.stat().st_size for file in pair)) for pair in largest.values()]
    return stdev(sizes) if len(sizes) > 1 else ASSUMED_SPREAD


def _run(folder: Path, name: str, sheet: Path, reference: Path, *options: str) -> Path:
    run = folder / f"run-{name}"
    _call(["run", str(sheet), "--reference", str(reference), "--out", str(run), "--cpus", "1", *options])
    return run


def _call(arguments: Sequence[str]) -> None:
    subprocess.run(["nice", "-n", "10", str(COMMAND), *arguments], check=True, stdout=subprocess.DEVNULL)


def by_step(records: Iterable[Observation]) -> dict[str, list[Observation]]:
    """Return records by step, of the steps that have enough of them."""
    found: dict[str, list[Observation]] = {}
    for one in records:
        found.setdefault(one.step, []).append(one)
    return {step: some for step, some in found.items() if len(some) >= FEWEST_FOR_QUANTILES}


def report(records: Iterable[Observation], spread: float, seed: int = 1, cohorts: int = COHORTS) -> Iterator[str]:
    """Yield the lines of the tables.

    Args:
        records: The records of all steps.
        spread: See `Source`.
        seed: The seed of all draws.
        cohorts: The number of cohorts of each step.
    """
    yield "step             ladder      killed at first   GiB wasted per GiB used   waste below calibrated"
    total = {name: Replay() for name in LADDERS}
    durations = []
    for step, some in by_step(records).items():
        source = source_of(some, spread)
        found = replay(source, cohorts, seed)
        yield from _lines(step, found)
        for name, one in found.items():
            total[name] = total[name].plus(one)
        ratios = stage_ratios(source, cohorts, seed)
        within = sum(abs(ratio - 1) <= 0.2 for ratio in ratios)
        low, high = min(ratios), max(ratios)
        durations.append(
            f"{step:16} {low:.2f} to {high:.2f}, median {median(ratios):.2f}; {within} of {len(ratios)} within 20 %"
        )
    yield from _lines("all", total)
    yield ""
    yield f"duration of a stage in that of a plan after a pilot of {PILOT} tasks"
    yield from durations


def _lines(step: str, found: Mapping[str, Replay]) -> Iterator[str]:
    calibrated = found["calibrated"].wasted
    for name, one in found.items():
        saved = f"{1 - one.wasted / calibrated:.1%}" if name == "learned" else ""
        yield f"{step:16} {name:11} {one.killed / one.tasks:15.2%} {one.wasted / one.used:25.3f} {saved:>26}"


def main() -> None:
    """Make the records, and print the tables."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--quick", action="store_true", help="Small genomes and few cohorts, to test the program.")
    parser.add_argument("--work", type=Path, help="Keep the runs in this folder, and continue from those in it.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.work or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        records = make_records(folder, quick=options.quick)
    for step, some in by_step(records).items():
        memory, sizes = [one.peak_memory_mib for one in some], [one.input_bytes for one in some]
        print(
            f"{step}: {len(some)} records, {min(sizes):,} to {max(sizes):,} bytes, {min(memory)} to {max(memory)} MiB"
        )
    spread = size_spread()
    print(f"sizes differ by {spread:.2f} (standard deviation of the logarithm), as in the largest real set")
    for line in report(records, spread, cohorts=QUICK_COHORTS if options.quick else COHORTS):
        print(line)


if __name__ == "__main__":
    main()
