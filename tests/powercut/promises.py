"""The promises that the records of a run make about its files, checked without the package's own readers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any


def broken_promises(run: Path) -> list[str]:
    """Return what records say is done and is not: in the folder of a run after a power cut."""
    problems: list[str] = []
    for file in [*run.glob("run.json"), *run.glob("steps/*/*/step.json"), *run.glob("map-runs/*/*/manifest.json")]:
        try:
            record = json.loads(file.read_bytes())
        except ValueError:
            problems.append(f"{file.relative_to(run)}: {file.stat().st_size} bytes, no JSON")
            continue
        outputs = record.get("outputs", {}).values() if file.name == "step.json" else ()
        problems += [problem for output in outputs for problem in _broken_output(run, output)]
        results = record.get("ResultFiles", {}).values()
        files = [(each["Key"], each["Size"]) for kind in results for each in kind]
        problems += [f"{key}: not {size} bytes" for key, size in files if _size(run / key) != size]
    for file in run.glob(".engine/*/*.jsonl"):
        for step in _ended_steps(file):
            if not (run / "steps" / step / "step.json").is_file():
                problems.append(f"{step} has ended without a step.json")
    if (run / "run.json").exists():
        inputs = ("manifest.jsonl", "intervals.jsonl", "definition.json", "input.json")
        problems += [f"{name}: missing or empty" for name in inputs if not _size(run / name)]
    return problems


def _broken_output(run: Path, output: dict[str, Any]) -> Iterator[str]:
    key = output["key"]
    if _size(run / key) != output["size_bytes"]:
        yield f"{key}: expected {output['size_bytes']} bytes, found {_size(run / key)}"
    elif sha256((run / key).read_bytes()).hexdigest() != output["sha256"]:
        yield f"{key}: another content"
    for index in output.get("indexes", ()):
        yield from _broken_output(run, index)


def _ended_steps(journal: Path) -> Iterator[str]:
    """Yield the folders below ``steps/`` of the steps that have ended by a journal."""
    for line in journal.read_bytes().splitlines(keepends=True):
        record = json.loads(line) if line.endswith(b"\n") else {}
        if "end" in record and record["status"] == "SUCCEEDED":
            item = json.loads(_row(journal, *record["row"])["Input"])["item"]
            if "interval" in item:
                yield f"aggregation/{item['interval']}"
            else:
                yield from (f"{stage}/{item['sample']}" for stage in ("alignment", "variant_calling"))
        elif record.get("result", {}).get("status") == "SUCCEEDED":
            yield "gather/cohort"


def _row(journal: Path, redrive: int, offset: int, size: int) -> dict[str, Any]:
    """Return the row of a child that succeeded, from the file of rows beside its journal."""
    rows = journal.with_suffix(f".{redrive}.rows").read_bytes()
    row: dict[str, Any] = json.loads(rows[offset : offset + size])
    return row


def _size(file: Path) -> int | None:
    return file.stat().st_size if file.is_file() else None
