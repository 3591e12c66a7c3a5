"""`plan --here` against the run that it plans: a pilot of a fraction of the reads, a plan from it, then the whole run.

    python -m benchmarks.plan_here COHORT.csv REFERENCE.fa --subsample 0.2

Prints the planned and the measured seconds, of `run` as it reports them and of the whole command, and their ratio, and
the processor time that other programs of the machine took meanwhile, which should be next to none. With ``--stages``,
each stage follows: the start of its first job and the end of its last one since the first job of all, and the mean
duration of a job.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from statistics import mean
from subprocess import run as call
from tempfile import TemporaryDirectory
from typing import Any

COMMAND = [sys.executable, "-m", "genomics_pipeline"]


def command(*arguments: str) -> tuple[float, str]:
    """Run a command of the package to its end; return its seconds and what it printed."""
    started = time.perf_counter()
    ended = call([*COMMAND, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - started, ended.stdout


def others_s() -> float:
    """Return the processor time of this machine so far, without that of the commands which this program has run."""
    user, nice, system, _, _, interrupts, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    )
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = (user + nice + system + interrupts + soft) / os.sysconf("SC_CLK_TCK")
    return busy - own.ru_utime - own.ru_stime


def reported_s(folder: Path) -> float:
    """Return the seconds that a run reports."""
    return float(json.loads((folder / "run.json").read_text())["summary"]["seconds"])


def measured_spans(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Return the start and the end of each task of a run by stage, in seconds since the start of the first one."""
    spans = defaultdict(list)
    for file in folder.glob("steps/*/*/step.json"):
        record = json.loads(file.read_text())
        start = datetime.fromisoformat(record["started"]).timestamp()
        spans[str(record["stage"])].append((start, start + float(record["seconds"])))
    first = min(start for tasks in spans.values() for start, _ in tasks)
    return {stage: [(start - first, end - first) for start, end in tasks] for stage, tasks in spans.items()}


def print_stages(planned: Mapping[str, Any], pilot: Path, run: Path) -> None:
    """Print each stage as it was planned, and as it was in the pilot and in the run.

    Args:
        planned: The plan as JSON.
        pilot: The folder of the pilot.
        run: The folder of the run.
    """
    of_pilot, of_run = measured_spans(pilot), measured_spans(run)
    begin = min(one["first_s"] for one in planned["timeline"])
    for one in planned["timeline"]:
        spans, before = of_run[one["stage"]], of_pilot[one["stage"]]
        first, last = min(start for start, _ in spans), max(end for _, end in spans)
        job_s, pilot_s = (mean(end - start for start, end in each) for each in (spans, before))
        print(
            f"  {one['stage']:<16} planned {one['first_s'] - begin:6.2f} to {one['last_s'] - begin:6.2f}, a job "
            f"{one['job_s']:6.3f}; measured {first:6.2f} to {last:6.2f}, a job {job_s:6.3f}; pilot {pilot_s:6.3f}"
        )
    first_s = reported_s(run) - max(end for spans in of_run.values() for _, end in spans)
    print(f"  {'the command':<16} planned {planned['command_s']:.2f}; measured {first_s:.2f}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet")
    parser.add_argument("reference")
    parser.add_argument("--subsample", default="0.2", help="The fraction of the pilot.")
    parser.add_argument("--times", type=int, default=1, help="Repeat pilot, plan and run.")
    parser.add_argument("--stages", action="store_true", help="Print each stage, too.")
    options = parser.parse_args()
    for _ in range(options.times):
        with TemporaryDirectory() as scratch:
            pilot, whole = Path(scratch, "pilot"), Path(scratch, "run")
            others = others_s()
            cohort = [options.sheet, "--reference", options.reference]
            command("run", *cohort, "--out", str(pilot), "--subsample", options.subsample)
            _, text = command("plan", *cohort, "--here", "--history", str(pilot), "--json")
            plan = json.loads(text)
            planned = plan["duration_s"]
            wall_s, _ = command("run", *cohort, "--out", str(whole))
            found = reported_s(whole)
            print(
                f"pilot {reported_s(pilot):.1f} s, planned {planned['p50']:.1f} s "
                f"({planned['p10']:.1f} to {planned['p90']:.1f}), run {found:.1f} s (command {wall_s:.1f} s): "
                f"planned / run {planned['p50'] / found:.2f}, / command {planned['p50'] / wall_s:.2f}; "
                f"other programs {others_s() - others:.1f} s",
                flush=True,
            )
            if options.stages:
                print_stages(plan, pilot, whole)


if __name__ == "__main__":
    main()
