"""Latency of the transaction monitor: from the rename of a file into place to its durable alerts.

`simulate --every 1` lets a file of 278 transactions appear each second, which is a million an hour, and `watch` starts
a run for each. A file arrives when it is renamed, and is answered when ``run.json`` says so, which is published after
the alerts are on disk. All files count, with alerts or without; precision and recall are of accounts of files. Memory
is that of the watcher and its servers, without the runs, in the second and in the last tenth of the time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

RECORDS = 278
SECONDS = 600
GOALS = {95: 1.0, 99: 2.0}
BAR = 50  # characters of the longest bar
BUCKET_S = 0.1
SEED = 77
STILL_S = 30.0  # after the last file, at most
EVERY_S = 1.0  # between two measurements of the memory
GROWTH = 1.05  # of the memory, which counts as flat


@dataclass(slots=True)
class Use:
    """The use of the machine by the watcher and its servers.

    Attributes:
        memory_mib: The resident memory at each measurement.
        processor_s: The seconds of processor time, with those of all runs and functions that ended.
    """

    memory_mib: list[float] = field(default_factory=list)
    processor_s: float = 0

    def measure(self, watching: psutil.Process) -> None:
        """Measure once."""
        servers = [one for one in watching.children(recursive=True) if _is_server(one)]
        used = [one.cpu_times() for one in (watching, *servers)]
        self.memory_mib.append(sum(one.memory_info().rss for one in (watching, *servers)) / (1 << 20))
        self.processor_s = sum(sum((one.user, one.system, one.children_user, one.children_system)) for one in used)

    def memory_in_tenth(self, number: int) -> float:
        """Return the median memory in one tenth of the time, from 0."""
        size = max(1, len(self.memory_mib) // 10)
        found = sorted(self.memory_mib[number * size : (number + 1) * size])
        return found[len(found) // 2]


def _is_server(process: psutil.Process) -> bool:
    """Return whether a process is a server, and not a fork of it, which has its command line."""
    parent, command = process.parent(), process.cmdline()
    return "_server" in " ".join(command) and parent is not None and parent.cmdline() != command


def watched(folder: Path, files: int) -> Use:
    """Let files arrive, and return the use of the machine when all are answered.

    Args:
        folder: The folder, in which ``pay`` and ``runs`` are made.
        files: The number of files, one a second.
    """
    options = ("--transactions", str(RECORDS), "--files", str(files), "--every", "1", "--seed", str(SEED))
    simulating = _start(["simulate", "--out", "pay", *options], folder)
    while not (folder / "pay/transactions").exists():
        time.sleep(0.05)
    run = ("run", "--pipeline", "transactions", "--param", "transactions.profiles=pay/profiles.json")
    watch = ("watch", "pay/transactions", "--every", "0.1", "--settle", "0", "--")
    watching = _start([*watch, *run, "--out", "runs/{name}"], folder)
    use, until = Use(), float("inf")
    try:
        while len(list((folder / "pay/transactions/.started").glob("*.ended.json"))) < files:
            if until == float("inf") and simulating.poll() is not None:
                until = time.monotonic() + STILL_S
            if time.monotonic() > until or watching.poll() is not None:
                raise RuntimeError(_unanswered(folder, files, watching))
            with suppress(psutil.NoSuchProcess):  # a run that ended meanwhile
                use.measure(psutil.Process(watching.pid))
            time.sleep(EVERY_S)
    finally:
        watching.terminate()
        watching.wait()
    return use


def _start(arguments: list[str], folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "genomics_pipeline", *arguments]
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=log)


def _unanswered(folder: Path, files: int, watching: subprocess.Popen[bytes]) -> str:
    answered = len(list((folder / "pay/transactions/.started").glob("*.ended.json")))
    said = (folder / "watch.log").read_text(errors="replace")[-500:]
    return f"{answered} of {files} files were answered; the exit code of `watch` is {watching.poll()}; it said: {said}"


def latencies(folder: Path) -> list[float]:
    """Return the seconds of each file, sorted."""
    arrived = {file.stem: file.stat().st_ctime for file in (folder / "pay/transactions").glob("*.jsonl")}
    answered = {run.parent.name.rpartition("-")[0]: run.stat().st_ctime for run in folder.glob("runs/*/run.json")}
    return sorted(answered[name] - arrived[name] for name in arrived)


def print_histogram(seconds: list[float]) -> None:
    """Print how many files have each latency."""
    counts = Counter(int(one / BUCKET_S) for one in seconds)
    most = max(counts.values())
    for bucket in sorted(counts):
        bar = "#" * round(BAR * counts[bucket] / most)
        print(f"  {bucket * BUCKET_S:5.1f} to {(bucket + 1) * BUCKET_S:4.1f} s {counts[bucket]:5}  {bar}")


def agreement(folder: Path) -> tuple[float, float]:
    """Return the precision and the recall of the alerts, by account and file."""
    truth: dict[str, set[str]] = {}
    for line in (folder / "pay/truth.jsonl").read_text().splitlines():
        row = json.loads(line)
        truth.setdefault(f"{int(row['id'][1:]) // RECORDS:06d}", set()).add(row["account"])
    right, alerted = 0, 0
    for results in folder.glob("runs/*/results/transactions.jsonl"):
        found = {json.loads(line)["account"] for line in results.read_text().splitlines()}
        alerted += len(found)
        right += len(found & truth.get(results.parents[1].name.rpartition("-")[0], set()))
    return right / max(1, alerted), right / max(1, sum(map(len, truth.values())))


def verdict(is_met: bool) -> str:
    """Return the word for a goal."""
    return "met" if is_met else "MISSED"


def main() -> None:
    """Print the histogram and the goals."""
    files = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        use = watched(folder, files)
        seconds = latencies(folder)
        precision, recall = agreement(folder)
    print(f"{files} files of {RECORDS} transactions, one a second: {RECORDS * 3600:,} an hour")
    print_histogram(seconds)
    for percentile, goal in GOALS.items():
        found = seconds[min(len(seconds) - 1, len(seconds) * percentile // 100)]
        print(f"latency, {percentile} %: {found:.2f} s  (goal: less than {goal:g} s: {verdict(found < goal)})")
    print(f"median {seconds[len(seconds) // 2]:.2f} s, most {seconds[-1]:.2f} s")
    before, after = use.memory_in_tenth(1), use.memory_in_tenth(9)
    words = f"goal: grows by less than {GROWTH - 1:.0%}: {verdict(after < before * GROWTH)}"
    print(f"memory of the watcher and its servers: {before:.1f} MiB, at the end {after:.1f} MiB  ({words})")
    print(f"processor time: {use.processor_s / files:.3f} s a file")
    print(f"alerts: precision {precision:.3f}, recall {recall:.3f}")


if __name__ == "__main__":
    main()
