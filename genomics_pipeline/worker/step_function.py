"""The program of a step on Lambda as a function: ``handle`` is called for each batch, or once for all results."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.model.record_task import (
    GatherPayload,
    RecordAnswer,
    RecordFailure,
    RecordPayload,
    batch_digest,
)
from genomics_pipeline.model.step import ARROW, RECORDS, RESULTS
from genomics_pipeline.records.record_rows import result_lines
from genomics_pipeline.worker.container import MakeStore, buckets_of, variable
from genomics_pipeline.worker.function_files import FunctionFiles, ProgramMisfit
from genomics_pipeline.worker.lambda_batch import Batch
from genomics_pipeline.worker.lambda_gather import Gathered, GatheredRows
from genomics_pipeline.worker.lambda_parameters import ParameterFiles
from genomics_pipeline.worker.step_folder import COMMON, StepFolder, read_step

HANDLE = "handle"


class StepFunction:
    """A step's program, loaded once, as a function of payloads.

    Args:
        step: The step.
        files: The files of its parameters.
    """

    def __init__(self, step: StepFolder, files: ParameterFiles) -> None:
        self._step = step
        self._files = files
        self._handle: Callable[[Any], Any] | None = None

    def answer(self, event: Any) -> bytes:
        """Return the answer to a payload, as JSON.

        Args:
            event: The payload.

        Raises:
            DataError: for a payload of another form or step, and for a file of a parameter that cannot be read.
            ProgramMisfit: for a program without ``handle``, and a result that is not JSON.
            Exception: whatever the program raises.
        """
        spec = self._step.spec
        task = GatherPayload.from_json(event) if spec.gathers else RecordPayload.from_json(event)
        if task.step != spec.name:
            raise DataError(f"expected a payload of the step {spec.name}, found one of {task.step}")
        handle = self._handle = self._handle or load_handle(self._step)
        parameters = self._files.values(spec.parameters, task.parameters, task.run.name)
        if isinstance(task, GatherPayload):
            answer = self._gathered(handle, task, parameters)
        else:
            answer = self._of_batch(handle, task, parameters)
        return _json(answer.to_json())

    def _of_batch(
        self, handle: Callable[[Any], Any], task: RecordPayload, parameters: Mapping[str, Any]
    ) -> RecordAnswer:
        spec, digest = self._step.spec, batch_digest(task.items)
        folders = dict.fromkeys(spec.outputs, run_layout.batch_folder(task.stage, digest))
        with FunctionFiles(spec, self._files.store, task.run, folders, intermediate=True) as files:
            batch = Batch(self._records(task.items), len(task.items), parameters, task.upstream, digest, files)
            result = handle(batch)
            failures = tuple(RecordFailure(*failure) for failure in batch.failures())
            saved = {} if len(failures) == len(task.items) else files.save()
        return RecordAnswer(task.stage, len(task.items), digest, result, failures, saved)

    def _gathered(
        self, handle: Callable[[Any], Any], task: GatherPayload, parameters: Mapping[str, Any]
    ) -> RecordAnswer:
        """Call ``handle`` with the results of all records, and write the file of its results.

        Raises:
            DataError: for records without a result, unless the step's input says that some may be missing.
        """
        spec, store = self._step.spec, self._files.store
        rows = GatheredRows(store, task.earlier, task.results)
        missing = task.left_out + rows.lost()
        if missing and not any(one.missing for one in spec.inputs.values() if one.type == RESULTS):
            verb = "record has" if missing == 1 else "records have"
            raise DataError(f"expected a result of every record, found that {missing:,} {verb} none; rerun them first")
        folders = {name: f"{run_layout.RESULTS}{folder}" for name, folder in task.publish.items()}
        with FunctionFiles(spec, store, task.run, folders) as files:
            result = handle(Gathered(parameters, files, rows, missing))
            answer = RecordAnswer(task.stage, 0, "", result)
            _json(answer.to_json())  # before anything is written
            saved = files.save()
            files.write_results(task.stage, b"".join(result_lines(result)))
        return replace(answer, files=saved)

    def _records(self, items: Sequence[Any]) -> Any:
        if not any(spec.type == RECORDS and spec.as_ == ARROW for spec in self._step.spec.inputs.values()):
            return list(items)
        import pyarrow as pa

        return pa.Table.from_pylist(list(items))


def _json(value: Any) -> bytes:
    try:
        return dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise ProgramMisfit(f"{HANDLE}: expected a result in JSON, found another value: {error}") from None


def load_handle(step: StepFolder) -> Callable[[Any], Any]:
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
