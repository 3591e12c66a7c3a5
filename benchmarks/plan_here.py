"""`plan --here` against the run that it plans: a pilot of a fraction of the reads, a plan from it, then the whole run.

    python -m benchmarks.plan_here COHORT.csv REFERENCE.fa --subsample 0.2

Prints the planned and the measured seconds, of `run` as it reports them and of the whole command, and their ratio.
Nothing else should run on the machine meanwhile.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from subprocess import run as call
from tempfile import TemporaryDirectory

COMMAND = [sys.executable, "-m", "genomics_pipeline"]


def command(*arguments: str) -> tuple[float, str]:
    """Run a command of the package to its end; return its seconds and what it printed."""
    started = time.perf_counter()
    ended = call([*COMMAND, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - started, ended.stdout


def reported_s(folder: Path) -> float:
    """Return the seconds that a run reports."""
    return float(json.loads((folder / "run.json").read_text())["summary"]["seconds"])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet")
    parser.add_argument("reference")
    parser.add_argument("--subsample", default="0.2", help="The fraction of the pilot.")
    parser.add_argument("--times", type=int, default=1, help="Repeat pilot, plan and run.")
    options = parser.parse_args()
    for _ in range(options.times):
        with TemporaryDirectory() as scratch:
            pilot, whole = Path(scratch, "pilot"), Path(scratch, "run")
            cohort = [options.sheet, "--reference", options.reference]
            command("run", *cohort, "--out", str(pilot), "--subsample", options.subsample)
            _, text = command("plan", *cohort, "--here", "--history", str(pilot), "--json")
            planned = json.loads(text)["duration_s"]
            wall_s, _ = command("run", *cohort, "--out", str(whole))
            found = reported_s(whole)
            print(
                f"pilot {reported_s(pilot):.1f} s, planned {planned['p50']:.1f} s "
                f"({planned['p10']:.1f} to {planned['p90']:.1f}), run {found:.1f} s (command {wall_s:.1f} s): "
                f"planned / run {planned['p50'] / found:.2f}, / command {planned['p50'] / wall_s:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
