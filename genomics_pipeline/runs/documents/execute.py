"""The execution of any state machine document on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from genomics_pipeline.engine import api
from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.fast_forward import FastForwardClock
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.model.errors import DataError, UsageError
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.documents.request import ExecuteRequest, plan_execution
from genomics_pipeline.runs.documents.task_table import task_table


def execute(request: ExecuteRequest, adapters: Adapters) -> ExecutionResult:
    """Execute a document to its end.

    Args:
        request: The arguments of the execution.
        adapters: The store that reads files, and the clients for AWS Batch.

    Raises:
        UsageError: for a document that AWS would refuse, or that cannot be executed here.
        RunError: for a journal that is damaged, or of another execution.
    """
    with _files_are_arguments(request.definition):
        plan = plan_execution(request, adapters)
        with _folder(request.journal) as folder:
            clock = FastForwardClock() if request.fast_forward else SystemClock()
            table = task_table(plan, folder, clock, adapters.clients)
            for name, document in plan.documents.items():
                check_document(document, name, table)
            return api.execute(
                plan.documents[plan.machine],
                plan.value,
                name=request.name or plan.machine,
                state_machine=plan.machine,
                store=plan.store,
                tasks=table,
                journal=folder,
                clock=clock,
                history=request.history,
                fast_forward=request.fast_forward,
            )


@contextmanager
def _files_are_arguments(definition: str) -> Iterator[None]:
    """Report problems of files as problems of arguments: nothing was executed, so that the exit code is 2."""
    try:
        yield
    except DataError as error:
        problems = [one if one.file or not one.column else replace(one, file=definition) for one in error.problems]
        raise UsageError(problems) from error


@contextmanager
def _folder(journal: Path | None) -> Iterator[Path]:
    if journal is not None:
        yield journal
        return
    with TemporaryDirectory(prefix="genomics-pipeline-execute-") as folder:
        yield Path(folder)
