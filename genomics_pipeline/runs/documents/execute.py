"""Execute any state machine document on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from genomics_pipeline.engine import api
from genomics_pipeline.engine.check_document import check_document
from genomics_pipeline.engine.clock import Clock, SystemClock
from genomics_pipeline.engine.execution import Engine, TaskHandler
from genomics_pipeline.engine.fast_forward import FastForwardClock
from genomics_pipeline.engine.history import EventFile
from genomics_pipeline.engine.result import ExecutionResult
from genomics_pipeline.engine.start import StartRequest, run_execution
from genomics_pipeline.engine.tasks import lambda_invoke, start_execution
from genomics_pipeline.engine.tasks.batch import BatchTasks
from genomics_pipeline.engine.tasks.callbacks import Callbacks, WaitForTaskToken
from genomics_pipeline.engine.tasks.functions import Function, Functions
from genomics_pipeline.engine.tasks.mock import MockFile, Mocks, parse_mock_file
from genomics_pipeline.engine.tasks.s3 import S3Tasks
from genomics_pipeline.engine.tasks.sfn import SendTask
from genomics_pipeline.engine.tasks.table import CALLBACK, TaskTable
from genomics_pipeline.language.walker import StateNode, walk_states
from genomics_pipeline.model.errors import DataError, UsageError, did_you_mean
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.documents.user_functions import load_functions
from genomics_pipeline.runs.json_file import read_json
from genomics_pipeline.stores.local import Folders, LocalStore
from genomics_pipeline.stores.protocol import Store

if TYPE_CHECKING:
    from genomics_pipeline.aws.clients import Clients
    from genomics_pipeline.engine.tasks.job_runner import JobRunner

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """The arguments of `execute`.

    Attributes:
        definition: The state machine document's file.
        input: A file of JSON, or ``-`` for standard input; an empty object where there is none.
        root: Folder whose folders are the buckets; S3 where there is none.
        mock: Mock file.
        test_case: Its test case.
        tasks: ``ARN=module:function`` each.
        state_machines: ``NAME=FILE`` each: state machines that the execution can start; where the file is the
            definition's, the name is the running one's, which else is named after its file.
        name: The execution's name; the state machine's where there is none.
        journal: Folder that lets the same command go on after an interruption.
        history: File for the execution's events.
        fast_forward: Whether time passes at once where nothing real is waited for.
        batch: Where Batch jobs run: ``local``, on this machine, or ``batch``, through the Batch API.
    """

    definition: str
    input: str | None = None
    root: Path | None = None
    mock: str | None = None
    test_case: str | None = None
    tasks: Sequence[str] = ()
    state_machines: Sequence[str] = ()
    name: str | None = None
    journal: Path | None = None
    history: Path | None = None
    fast_forward: bool = False
    batch: str = "local"


@dataclass(frozen=True, slots=True)
class _Plan:
    """A request that was read and checked."""

    machine: str
    documents: Mapping[str, Document]
    value: Any
    functions: Mapping[str, Function]
    mocks: Mocks | None
    store: Store
    batch: str
    cache: Path


def execute(request: ExecuteRequest, adapters: Adapters) -> ExecutionResult:
    """Execute a document to its end.

    Args:
        request: What to execute.
        adapters: Where files are read, and AWS Batch is reached.

    Raises:
        UsageError: for a document that AWS would refuse, and for all else that cannot be executed.
        RunError: for a journal that is damaged, or of another execution.
    """
    with _files_are_arguments(request.definition):
        plan = _plan(request, adapters)
        with _folder(request.journal) as folder:
            clock = FastForwardClock() if request.fast_forward else SystemClock()
            table = _table(plan, folder, clock, adapters.clients)
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
    """Report problems of files as problems of arguments, with exit code 2: nothing was executed."""
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


def _plan(request: ExecuteRequest, adapters: Adapters) -> _Plan:
    machine = Path(request.definition).name.removesuffix(".json").removesuffix(".asl")
    others: dict[str, Document] = {}
    for assignment in request.state_machines:
        arn, _, file = assignment.partition("=")
        name = arn.rsplit(":stateMachine:", 1)[-1]
        if not (name and file):
            raise UsageError(f"--state-machine {assignment}: expected NAME=FILE")
        if Path(file).absolute() == Path(request.definition).absolute():
            machine = name
        else:
            others[name] = _document(file, adapters.store)
    documents = {**others, machine: _document(request.definition, adapters.store)}
    if request.batch == "batch" and request.fast_forward:
        raise UsageError("--fast-forward lets time jump, and --tasks batch waits for real jobs: give one of them")
    if request.batch == "batch" and request.root is not None:
        raise UsageError("--tasks batch: jobs of AWS Batch find no folder of this machine; leave --root out, use S3")
    value = {} if request.input is None else read_json(request.input, adapters.store)
    if request.root is not None and not request.root.is_dir():
        raise UsageError(f"--root {request.root}: expected a folder whose folders are the buckets, found none")
    store: Store = adapters.store if request.root is None else LocalStore(Folders(request.root))
    mocks = _mocks(request, machine, documents, adapters.store)
    return _Plan(machine, documents, value, load_functions(request.tasks), mocks, store, request.batch, adapters.cache)


def _document(file: str, store: Store) -> Document:
    document = read_json(file, store)
    if not isinstance(document, dict):
        raise DataError(f"{file}: expected a state machine, an object with States")
    return document


def _mocks(request: ExecuteRequest, machine: str, documents: Mapping[str, Document], store: Store) -> Mocks | None:
    if request.mock is None:
        if request.test_case is not None:
            raise UsageError("--test-case names a case of a mock file; give the file with --mock")
        return None
    file = parse_mock_file(read_json(request.mock, store), request.mock)
    for name, document in documents.items():
        file.check_states(name, {state.name for state in _tasks(document)})
    return Mocks(file, _test_case(file, machine, request.definition, request.test_case))


def _test_case(file: MockFile, machine: str, definition: str, wanted: str | None) -> str:
    if machine not in file.cases:
        hint = did_you_mean(machine, sorted(file.cases))
        raise UsageError(
            f"--mock {file.file}: expected test cases of the state machine {machine!r}, found none; "
            f"name it with --state-machine NAME={definition}; {hint}"
        )
    cases = sorted(file.cases[machine])
    if wanted is None and len(cases) == 1:
        return cases[0]
    if wanted is None:
        raise UsageError(f"--mock {file.file}: expected --test-case, one of: {', '.join(cases) or 'none'}")
    if wanted not in cases:
        raise UsageError(f"--test-case {wanted}: no such test case of {machine!r}; {did_you_mean(wanted, cases)}")
    return wanted


def _tasks(document: Document) -> Iterator[StateNode]:
    """Yield the Task states of a document, those inside Map and Parallel states too."""
    return (state for state in walk_states(document) if state.kind == "Task")


def _batch_api(clock: Clock, clients: Clients) -> JobRunner:
    """Return AWS Batch as the runner of jobs."""
    from genomics_pipeline.aws.batch import BatchJobs
    from genomics_pipeline.runs.aws.batch_api import BatchApi

    return BatchApi(BatchJobs(clients), clock)


def _worker_jobs(store: Store, folder: Path, cache: Path) -> JobRunner:
    """Return the worker as the runner of jobs of the shipped steps."""
    from genomics_pipeline.runs.catalog import load_step, step_names
    from genomics_pipeline.runs.local.worker_jobs import WorkerJobs, jobs_of_steps

    steps = {name: load_step(name) for name in step_names()}
    return jobs_of_steps(steps, WorkerJobs(steps, store, folder / "scratch", cache).run_attempt)


def _table(plan: _Plan, folder: Path, clock: Clock, clients: Clients) -> TaskTable:
    """Return the handlers of an execution and of those it starts."""
    callbacks = Callbacks()
    functions = Functions(plan.functions, callbacks)
    handlers: dict[str, TaskHandler] = S3Tasks(plan.store).handlers() | SendTask(callbacks).handlers()
    starts = start_execution.StartExecution(plan.documents, lambda *given: run(*given))
    resource = start_execution.START_EXECUTION
    handlers |= {
        resource: starts.request,
        f"{resource}.sync": starts.sync,
        f"{resource}.sync:2": starts.sync_2,
        f"{resource}{CALLBACK}": WaitForTaskToken(starts.request, callbacks),
    }
    if functions.has_lambda():
        invoke = lambda_invoke.LambdaInvoke(functions)
        handlers |= {
            lambda_invoke.INVOKE: invoke,
            f"{lambda_invoke.INVOKE}{CALLBACK}": WaitForTaskToken(invoke, callbacks),
        }
    drains = [starts.drain]
    tasks = [state for document in plan.documents.values() for state in _tasks(document)]
    if any("batch:submitJob" in str(state.node.get("Resource")) for state in tasks):
        jobs = _batch_api(clock, clients) if plan.batch == "batch" else _worker_jobs(plan.store, folder, plan.cache)
        handlers |= BatchTasks(jobs).handlers()
        drains.append(jobs.drain)
    table = TaskTable(handlers, functions, callbacks, plan.mocks, drains)

    async def run(machine: str, name: str, value: Any) -> ExecutionResult:
        place = folder / "executions" / hashlib.sha256(f"{machine}:{name}".encode()).hexdigest()
        place.mkdir(parents=True, exist_ok=True)
        engine = Engine(plan.store, table, clock, lambda event: None, place)
        return await run_execution(engine, StartRequest(plan.documents[machine], value, name, machine), EventFile(None))

    return table
