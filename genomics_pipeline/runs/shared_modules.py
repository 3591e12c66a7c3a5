"""The modules of ``steps/common`` that commands use too, so that they find what a step would: no step imports us."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import TYPE_CHECKING

from genomics_pipeline.runs.catalog import shipped_folder
from genomics_pipeline.worker.step_folder import COMMON

# Not ``common``, which a program of the user's may import in this process.
_NAME = "genomics_pipeline_common"


def shared_module(name: str) -> ModuleType:
    """Return a module of ``steps/common``, which imports those beside it relatively, and nothing of a step.

    Args:
        name: Its name in that folder.
    """
    if _NAME not in sys.modules:
        folder = shipped_folder("steps") / COMMON
        spec = spec_from_file_location(_NAME, folder / "__init__.py", submodule_search_locations=[str(folder)])
        assert spec is not None
        assert spec.loader is not None
        package = sys.modules[_NAME] = module_from_spec(spec)
        spec.loader.exec_module(package)
    return import_module(f"{_NAME}.{name}")


if TYPE_CHECKING:
    from common import fastq_checks, fastq_head, read_header
else:
    fastq_checks, fastq_head, read_header = map(shared_module, ("fastq_checks", "fastq_head", "read_header"))

__all__ = ["fastq_checks", "fastq_head", "read_header"]
