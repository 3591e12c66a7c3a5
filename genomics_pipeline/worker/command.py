"""The command of a step, with its placeholders filled in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genomics_pipeline.model.step import PLACEHOLDER
from genomics_pipeline.worker.step_folder import StepFolder


def argv(step: StepFolder, task: Mapping[str, Any], file: Path) -> list[str]:
    """Return the command line of a step for one task.

    Args:
        step: The step.
        task: The content of ``task.json``.
        file: The path of ``task.json``.
    """
    values: dict[str, Any] = {
        "python": sys.executable,
        "step_dir": step.path,
        "task": file,
        "scratch": task["scratch"],
        "vcpus": task["vcpus"],
        "memory_mib": task["memory_mib"],
    }
    for group in ("inputs", "outputs", "parameters"):
        values |= {f"{group}.{name}": value for name, value in task[group].items()}
    return [fill_in(word, values) for word in step.spec.command]


def fill_in(text: str, values: Mapping[str, Any]) -> str:
    """Return a text with its placeholders replaced by values."""
    return PLACEHOLDER.sub(lambda match: _text(values[match[1]]), text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
