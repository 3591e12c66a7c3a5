"""The health check of a container: its libraries, the step's program and a writable scratch folder."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile

from genomics_pipeline.worker.step_folder import StepFolder

LIBRARIES = ("boto3", "pybwa", "pysam")


def problems(step: StepFolder, scratch: Path) -> Iterator[str]:
    """Yield a message for each requirement of the task that the container does not meet."""
    for name in LIBRARIES:
        try:
            import_module(name)
        except ImportError as error:
            yield f"{name}: cannot be imported: {error}"
    first = step.spec.command[0]
    program = first.replace("{python}", sys.executable).replace("{step_dir}", str(step.path))
    if shutil.which(program) is None:
        yield f"{first}: expected a program, found none that can be run"
    try:
        with TemporaryFile(dir=scratch):
            pass
    except OSError as error:
        yield f"{scratch}: expected a folder that can be written to: {error.strerror}"
