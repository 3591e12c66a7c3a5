"""A small step on Lambda for tests: its program does what each record asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from genomics_pipeline.model import quotas

PROGRAM = """
import os
import time


def handle(batch):
    print("batch", batch.digest)
    for index, record in enumerate(batch.records):
        match record.get("do"):
            case "fail":
                batch.fail(index, "no amount")
            case "raise":
                raise KeyError("amount")
            case "exit":
                os._exit(3)
            case "tell":
                open(record["pipe"], "w").close()
                time.sleep(600)
            case "wait":
                time.sleep(600)
            case "allocate":
                bytearray(1 << 40)
            case "use":
                b"x" * (260 << 20)  # for less time than passes between two samples of the memory
            case "large":
                return "x" * (7 << 20)
            case "set":
                return {1, 2}
            case "process":
                return os.getpid()
    return sum(record.get("amount", 0) for record in batch.records)
"""


def write_function(
    folder: Path,
    program: str = PROGRAM,
    *,
    form: str = "rows",
    more: str = "",
    timeout_s: int = quotas.FUNCTION_SECONDS.value,
) -> Path:
    """Write the folder of the step ``score``, and return it.

    Args:
        folder: The folder.
        program: Its program.
        form: The form of the records.
        more: Further tables of ``step.toml``.
        timeout_s: Its time limit; by default the longest, since a busy machine takes any time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "score.py").write_text(program)
    (folder / "step.toml").write_text(
        f"""
name = "score"
version = "1.0.0"
summary = "Sum amounts"
program = "score.py"

[inputs.records]
type = "records"
as = "{form}"

[resources]
runtime = "lambda"
memory_mib = 256
timeout_s = {timeout_s}

{more}
"""
    )
    return folder


def payload(items: Sequence[Any], **members: Any) -> dict[str, Any]:
    """Return a payload of the step."""
    run = {"name": "day", "bucket": "RUN", "prefix": ""}
    return {"stage": "score", "step": "score", "run": run, "parameters": {}, "items": list(items)} | members


def write_pipeline(folder: Path, *, source: str = 'format = "JSONL"', settings: str = "items_per_batch = 3") -> Path:
    """Write a pipeline over records with the step in ``score`` beside it, and return its file.

    Args:
        folder: The folder.
        source: The source of the records.
        settings: Further settings of the map.
    """
    file = folder / "sums.toml"
    file.write_text(
        f"""
name = "sums"
summary = "Sum amounts"

[maps.record]
tolerated_failure_percentage = 90
{settings}

[maps.record.source]
{source}

[[stages]]
name = "score"
step = "./score"
scope = "record"
inputs = {{ records = "records" }}
"""
    )
    return file
