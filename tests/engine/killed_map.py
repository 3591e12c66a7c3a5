"""The Distributed Maps that `test_killed` kills; a module of its own so that a fork server can import it once."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
from pathlib import Path
from typing import Any

import genomics_pipeline.engine
from genomics_pipeline.engine.api import execute
from genomics_pipeline.engine.errors import StatesError
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.stores.routed import RoutedStore

for module in pkgutil.walk_packages(genomics_pipeline.engine.__path__, "genomics_pipeline.engine."):
    importlib.import_module(module.name)  # what an execution imports when it needs it

BUCKET = "bucket"
APPEND = "arn:aws:lambda:us-east-1:000000000000:function:append"
PASS = {"Type": "Pass", "End": True}
TASK = {"Type": "Task", "Resource": APPEND, "End": True}


def document(child: dict[str, Any]) -> dict[str, Any]:
    """A Distributed Map whose children are that one state."""
    state = {
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
    return {"QueryLanguage": "JSONata", "StartAt": "Items", "States": {"Items": state}}


def prepare(folder: Path, items: int) -> None:
    """A bucket with so many items, and the file that tasks append to."""
    (folder / BUCKET).mkdir(parents=True)
    lines = (json.dumps({"n": number}) + "\n" for number in range(items))
    (folder / BUCKET / "items.jsonl").write_text("".join(lines))
    (folder / "ran").touch()


def run(folder: Path, child: dict[str, Any]) -> None:
    """Run the map to its end, or go on with it: what the command does with its arguments."""

    async def append(item: Any, context: TaskContext) -> Any:
        ran = os.open(folder / "ran", os.O_WRONLY | os.O_APPEND)
        os.write(ran, f"{item['n']}\n".encode())
        os.close(ran)
        if item["n"] % 10 == 0:
            raise StatesError("Tenth", f"item {item['n']}")
        return item

    result = execute(
        document(child),
        {},
        name="killed",
        state_machine="machine",
        store=RoutedStore({BUCKET: folder / BUCKET}),
        tasks={APPEND: append},
        journal=folder / "journal",
    )
    assert result.status == "SUCCEEDED", result
