"""The program of a step on Lambda as a function: ``handle(batch)`` is called for each batch of records."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.model.record_task import RecordAnswer, RecordFailure, RecordPayload, batch_digest
from genomics_pipeline.model.step import ARROW, RECORDS
from genomics_pipeline.worker.container import MakeStore, buckets_of, variable
from genomics_pipeline.worker.lambda_batch import Batch
from genomics_pipeline.worker.lambda_parameters import ParameterFiles
from genomics_pipeline.worker.step_folder import COMMON, StepFolder, read_step

HANDLE = "handle"


class ProgramMisfit(Exception):
    """The error of a step's program that defines no ``handle``, or whose result is not JSON."""


class StepFunction:
    """A step's program, loaded once, as a function of payloads.

    Args:
        step: The step.
        files: The files of its parameters.
    """

    def __init__(self, step: StepFolder, files: ParameterFiles) -> None:
        self._step = step
        self._files = files
        self._handle: Callable[[Batch], Any] | None = None

    def answer(self, event: Any) -> bytes:
        """Return the answer to a payload, as JSON.

        Args:
            event: The payload.

        Raises:
            DataError: for a payload of another form or step, and for a file of a parameter that cannot be read.
            ProgramMisfit: for a program without ``handle``, and a result that is not JSON.
            Exception: whatever the program raises.
        """
        task = RecordPayload.from_json(event)
        if task.step != self._step.spec.name:
            raise DataError(f"expected a payload of the step {self._step.spec.name}, found one of {task.step}")
        handle = self._handle = self._handle or load_handle(self._step)
        digest = batch_digest(task.items)
        parameters = self._files.values(self._step.spec.parameters, task.parameters, task.run.name)
        store = self._files.store if self._step.spec.reads_files else None
        batch = Batch(self._records(task.items), len(task.items), parameters, task.upstream, digest, store)
        result = handle(batch)
        failures = tuple(RecordFailure(*failure) for failure in batch.failures())
        answer = RecordAnswer(task.stage, len(task.items), digest, result, failures)
        try:
            return dumps(answer.to_json())
        except (TypeError, ValueError, RecursionError) as error:
            raise ProgramMisfit(f"{HANDLE}: expected a result in JSON, found another value: {error}") from None

    def _records(self, items: Sequence[Any]) -> Any:
        if not any(spec.type == RECORDS and spec.as_ == ARROW for spec in self._step.spec.inputs.values()):
            return list(items)
        import pyarrow as pa

        return pa.Table.from_pylist(list(items))


def load_handle(step: StepFolder) -> Callable[[Batch], Any]:
    """Return ``handle`` of a step's program, which may import the modules of its folder.

    Raises:
        ProgramMisfit: if it defines none.
        Exception: whatever the program raises while it is loaded.
    """
    path = step.path / step.spec.program
    if str(step.path) not in sys.path:
        sys.path.insert(0, str(step.path))
    if step.spec.common and not (step.path / COMMON).is_dir():  # in an image it is within the step's folder
        sys.path.append(str(step.path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    handle = getattr(module, HANDLE, None)
    if not callable(handle):
        raise ProgramMisfit(f"{path.name}: expected a function {HANDLE}(batch), found none")
    return handle  # type: ignore[no-any-return]


def step_function(environment: Mapping[str, str], make_store: MakeStore) -> StepFunction:
    """Return the function of a step.

    Args:
        environment: The variables that `lambda_handler` lists.
        make_store: Makes the store that reads the files of parameters, given local folders by bucket.

    Raises:
        DataError: for a step that cannot be read.
    """
    step = read_step(Path(variable(environment, "STEP")), is_checked=True)  # by the run, or when its image was built
    files = ParameterFiles(make_store(buckets_of(environment)), Path(mkdtemp(prefix="parameters-")))
    return StepFunction(step, files)
