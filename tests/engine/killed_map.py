"""The Distributed Maps that `test_killed` kills; a module of its own so that a fork server can import it once."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pkgutil
import signal
import time
from pathlib import Path
from typing import Any

import genomics_pipeline.engine
from genomics_pipeline.cli.main import main

for module in pkgutil.walk_packages(genomics_pipeline.engine.__path__, "genomics_pipeline.engine."):
    importlib.import_module(module.name)  # the command itself imports modules on first use
for name in ("cli.execute", "runs.documents.execute"):
    importlib.import_module(f"genomics_pipeline.{name}")

BUCKET = "bucket"
APPEND = "arn:aws:lambda:us-east-1:000000000000:function:append"
PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": APPEND, "End": True}
LEAST_S = 0.001
ARGV = "execute machine.json --root buckets --journal journal --json --task"


def document(child: dict[str, Any], batch: int | None = None) -> dict[str, Any]:
    """Return a document with a Distributed Map whose children consist of one state.

    Args:
        child: The state.
        batch: The number of items in the input of an Express child; None for Standard children of one item.
    """
    state: dict[str, Any] = {
        "Type": "Map",
        "Label": "Items",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": BUCKET, "Key": "items.jsonl"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Item",
            "States": {"Item": child},
        },
        "ToleratedFailurePercentage": 100,
        "ResultWriter": {
            "Resource": "arn:aws:states:::s3:putObject",
            "Arguments": {"Bucket": BUCKET, "Prefix": "results"},
            "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
        },
        "End": True,
    }
    if batch is not None:
        state["ItemBatcher"] = {"MaxItemsPerBatch": batch}
        state["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] = "EXPRESS"
    return {"QueryLanguage": "JSONata", "StartAt": "Items", "States": {"Items": state}}


def prepare(folder: Path, child: dict[str, Any], items: int, batch: int | None = None) -> None:
    """Write the document, a bucket with the items, and the file to which tasks append.

    Args:
        folder: The folder for all of them.
        child: The state that the Map runs over each item.
        items: The number of items.
        batch: See `document`.
    """
    bucket = folder / "buckets" / BUCKET
    bucket.mkdir(parents=True)
    with (bucket / "items.jsonl").open("w") as file:
        file.writelines(f'{{"n":{number}}}\n' for number in range(items))
    (folder / "machine.json").write_text(json.dumps(document(child, batch)))
    (folder / "ran").touch()


class TenthItem(Exception):
    """The failure of every tenth item."""


def append(item: Any, _: Any) -> Any:
    """Append a line with the item's number to the file `ran`."""
    file = os.open("ran", os.O_WRONLY | os.O_APPEND)
    os.write(file, f"{item['n']}\n".encode())
    os.close(file)
    if item["n"] % 10 == 0:
        raise TenthItem(f"item {item['n']}")
    return item


def run(folder: Path, seconds: float | None) -> None:
    """Run the command `execute`, which runs the Map to its end or resumes it; then write its processor time.

    Args:
        folder: The folder of the Map.
        seconds: The processor time after which the kernel ends this process, as SIGKILL would; None for no limit.

    Raises:
        SystemExit: if it came to its end.
    """
    os.chdir(folder)
    if seconds is not None:
        signal.setitimer(signal.ITIMER_PROF, max(seconds, LEAST_S))  # 0 would be no limit
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main([*ARGV.split(), f"{APPEND}={__name__}:append"])
    finally:
        Path("seconds").write_text(str(time.process_time()))
