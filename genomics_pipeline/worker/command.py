"""The command of a step, with its placeholders filled in."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from genomics_pipeline.model.sample import READ_COLUMNS
from genomics_pipeline.model.step import PLACEHOLDER
from genomics_pipeline.worker.step_folder import StepFolder


def argv(step: StepFolder, task: Mapping[str, Any], file: Path) -> list[str]:
    """Return the command line of a step for one task; a list of files is an argument for each file.

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
        "versions": task["versions"],
        "progress": task["progress"],
        "left_out": task["left_out"],
    }
    for group in ("inputs", "outputs", "parameters", "missing"):
        values |= {f"{group}.{name}": _files(value) for name, value in task.get(group, {}).items()}
    return [argument for word in step.spec.command for argument in _arguments(word, values)]


def _files(value: Any) -> Any:
    """Return the files of lanes as one list, and any other value as it is."""
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return [lane[column] for lane in value for column in READ_COLUMNS if lane.get(column)]
    return value


def _arguments(word: str, values: Mapping[str, Any]) -> list[str]:
    """Return the arguments that a word of the command stands for: one for each element of a list in it.

    >>> _arguments("--vcf={inputs.vcfs}", {"inputs.vcfs": ["a.vcf", "b.vcf"]})
    ['--vcf=a.vcf', '--vcf=b.vcf']
    """
    name = next((name for name in PLACEHOLDER.findall(word) if isinstance(values[name], list)), None)
    if name is None:
        return [fill_in(word, values)]
    return [fill_in(word, {**values, name: element}) for element in values[name]]


def fill_in(text: str, values: Mapping[str, Any]) -> str:
    """Return a text with its placeholders replaced by values."""
    return PLACEHOLDER.sub(lambda match: _text(values[match[1]]), text)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
