"""The folder of a run of many samples, made of the records of one run of a few: as large as after that many jobs.

Each new sample has the records and the metrics of one that ran, under its own name. Its other outputs are sparse files
of the right sizes, which is what commands compare that read a run.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMAND = Path(sys.executable).with_name("genomics-pipeline")
STAGES = ("alignment", "variant_calling")


@dataclass(frozen=True)
class OriginalSample:
    """A sample of the run that is copied.

    Attributes:
        name: The name of the sample.
        line: Its line in the manifest.
        files: The content of its records and files of metrics, by their keys.
        sizes: The sizes of its other outputs, by their keys.
    """

    name: str
    line: str
    files: dict[str, str]
    sizes: dict[str, int]

    def copy(self, run: Path, name: str) -> str:
        """Write the files of a new sample, and return its line in the manifest.

        Args:
            run: The folder of the run.
            name: The name of the new sample.
        """
        for key, text in self.files.items():
            _new_file(run, key.replace(self.name, name)).write_text(text.replace(self.name, name))
        for key, size in self.sizes.items():
            file = _new_file(run, key.replace(self.name, name))
            file.touch()
            os.truncate(file, size)
        return self.line.replace(self.name, name)


def run_a_few(folder: Path) -> Path:
    """Run the shipped pipeline over simulated samples, and return the folder of the run.

    Args:
        folder: An empty folder.
    """
    sheet, reference, run = folder / "cohort/cohort.csv", folder / "cohort/reference.fa", folder / "run"
    for argv in (
        ["simulate", "--out", str(folder / "cohort")],
        ["run", str(sheet), "--reference", str(reference), "--out", str(run)],
    ):
        subprocess.run([COMMAND, *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return run


def copy_run(original: Path, samples: int, run: Path) -> None:
    """Make the folder of a run of many samples.

    Args:
        original: The folder of the run that is copied.
        samples: The number of samples.
        run: The folder to make.
    """
    shutil.copytree(original, run)
    lines = (original / "manifest.jsonl").read_text().splitlines()
    originals = [_original(original, line) for line in lines]
    new = (originals[n % len(originals)].copy(run, f"copied{n:06}") for n in range(samples - len(lines)))
    (run / "manifest.jsonl").write_text("".join(f"{line}\n" for line in (*lines, *new)))
    for journal in run.glob(".engine/*/execution.jsonl"):
        _count_samples(journal, samples)


def _count_samples(journal: Path, samples: int) -> None:
    """Write the number of samples into the Map Run of a journal: commands decide by it what they show."""
    records = [json.loads(line) for line in journal.read_text().splitlines()]
    for record in records:
        if record.get("run", {}).get("label") == "Sample":
            for counts in (record["run"]["itemCounts"], record["run"]["executionCounts"]):
                counts |= dict.fromkeys(("total", "succeeded", "resultsWritten"), samples)
    journal.write_text("".join(f"{json.dumps(record, separators=(',', ':'))}\n" for record in records))


def _original(run: Path, line: str) -> OriginalSample:
    name: str = json.loads(line)["sample"]
    files, sizes = {}, {}
    for stage in STAGES:
        key = f"steps/{stage}/{name}/step.json"
        files[key] = (run / key).read_text()
        for output, file in _files(json.loads(files[key])):
            if output == "metrics":
                files[file["key"]] = (run / file["key"]).read_text()
            else:
                sizes[file["key"]] = file["size_bytes"]
    return OriginalSample(name, line, files, sizes)


def _files(record: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, output in record["outputs"].items():
        yield from ((name, file) for file in (output, *output["indexes"]))


def _new_file(run: Path, key: str) -> Path:
    file = run / key
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
