"""Lambda functions of steps, called in this process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from genomics_pipeline.cli.adapters import object_store
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.lambda_functions import FunctionFailed
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.worker.lambda_parameters import ParameterFiles
from genomics_pipeline.worker.step_folder import StepFolder
from genomics_pipeline.worker.step_function import StepFunction


class InProcessFunctions:
    """The functions of steps by name; implements `LambdaFunctions`.

    Args:
        folder: The folder for copies of files that parameters name.

    Attributes:
        steps: The steps by the name of their function.
        before: Called with each payload before its function; may raise `StatesError`, as Lambda refuses a call.
    """

    def __init__(self, folder: Path) -> None:
        self.steps: dict[str, StepFolder] = {}
        self.before: Callable[[Mapping[str, Any]], None] = lambda payload: None
        self._folder = folder

    def __contains__(self, resource: str) -> bool:
        return resource in self.steps

    async def call(self, resource: str, event: Any, context: TaskContext) -> str:
        """Call a function, with the errors that Lambda gives."""
        self.before(event)
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            return (
                StepFunction(self.steps[resource], ParameterFiles(object_store(), self._folder)).answer(event).decode()
            )
        except StatesError:
            raise
        except Exception as error:
            response = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
            raise FunctionFailed(type(error).__name__, str(error), compact(json.loads(json.dumps(response)))) from error
