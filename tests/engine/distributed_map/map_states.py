"""Distributed Map states with one Task in each child, for tests."""

from __future__ import annotations

from typing import Any

from genomics_pipeline.language.errors import StatesError

WRITER = {
    "Resource": "arn:aws:states:::s3:putObject",
    "WriterConfig": {"Transformation": "NONE", "OutputType": "JSONL"},
    "Arguments": {"Bucket": "b", "Prefix": "out/"},
}


def over(items: Any, task: str = "echo", **fields: Any) -> dict[str, Any]:
    """Return a Distributed Map state whose children consist of one Task."""
    return {
        "Type": "Map",
        "Label": "Each",
        "Items": items,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "T",
            "States": {"T": {"Type": "Task", "Resource": task, "End": True}},
        },
        "End": True,
        **fields,
    }


def failing(*names: Any) -> Any:
    async def task(arguments: Any, context: Any) -> Any:
        if arguments in names:
            raise StatesError("Bad", f"because of {arguments}")
        return arguments

    return task
