"""Requests to execute a state machine document, and their plans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genomics_pipeline.engine.tasks.functions import Function
from genomics_pipeline.engine.tasks.mock import MockFile, Mocks, parse_mock_file
from genomics_pipeline.language.walker import StateNode, walk_states
from genomics_pipeline.model.errors import DataError, UsageError, did_you_mean
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.documents.user_functions import load_functions
from genomics_pipeline.runs.json_file import read_json
from genomics_pipeline.stores.local import Folders, LocalStore
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.worker.machine import Capacity

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ExecuteRequest:
    """The arguments of an execution.

    Attributes:
        definition: The path or URI of the document.
        input: The file with the input, or ``-`` for standard input; None for an empty object.
        root: The folder whose subfolders are the buckets; None for S3.
        mock: The mock file; None for no mocks.
        test_case: The test case of the mock file; None for its only one.
        tasks: ``ARN=module:function`` for each function of the user.
        state_machines: ``NAME=FILE`` for each state machine that the execution may start. If the file is the
            definition, the name is that of the executed state machine, which is otherwise named after its file.
        name: The name of the execution; None for that of the state machine.
        journal: The folder of the journal, with which the same command resumes an interrupted execution.
        history: The file for the events of the execution.
        fast_forward: Whether to skip the time in which nothing real is waited for.
        batch: The place of Batch jobs: ``local`` for this machine, ``batch`` for AWS Batch.
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
class DocumentPlan:
    """A request after its files were read and checked.

    Attributes:
        machine: The name of the executed state machine.
        documents: The documents by name: of this state machine, and of those that it may start.
        value: The input.
        functions: The functions of the user by resource.
        mocks: The mocks; None for no mocks.
        store: The store that has the buckets.
        batch: The place of Batch jobs; see `ExecuteRequest.batch`.
        cache: The user's cache folder.
        environment: The environment variables of the steps' programs.
        capacity: The resources for jobs on this machine.
    """

    machine: str
    documents: Mapping[str, Document]
    value: Any
    functions: Mapping[str, Function]
    mocks: Mocks | None
    store: Store
    batch: str
    cache: Path
    environment: Mapping[str, str]
    capacity: Capacity


def plan_execution(request: ExecuteRequest, adapters: Adapters) -> DocumentPlan:
    """Read and check the files of a request.

    Raises:
        UsageError: for arguments that do not fit together.
        DataError: for a file that cannot be read, or has unexpected content.
    """
    machine, documents = _read_documents(request, adapters.store)
    _refuse_conflicts(request)
    return DocumentPlan(
        machine=machine,
        documents=documents,
        value={} if request.input is None else read_json(request.input, adapters.store),
        functions=load_functions(request.tasks),
        mocks=_mocks(request, machine, documents, adapters.store),
        store=adapters.store if request.root is None else LocalStore(Folders(request.root)),
        batch=request.batch,
        cache=adapters.cache,
        environment=adapters.environment,
        capacity=adapters.capacity(),
    )


def _read_documents(request: ExecuteRequest, store: Store) -> tuple[str, dict[str, Document]]:
    """Return the name of the executed state machine, and all documents by name."""
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
            others[name] = _document(file, store)
    return machine, {**others, machine: _document(request.definition, store)}


def _refuse_conflicts(request: ExecuteRequest) -> None:
    if request.batch == "batch" and request.fast_forward:
        raise UsageError("--fast-forward skips time, but --tasks batch waits for real jobs: use one of them")
    if request.batch == "batch" and request.root is not None:
        raise UsageError("--tasks batch: jobs of AWS Batch cannot read a folder of this machine; use S3, not --root")
    if request.root is not None and not request.root.is_dir():
        raise UsageError(f"--root {request.root}: expected a folder whose folders are the buckets, found none")


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
        file.check_states(name, {state.name for state in task_states(document)})
    return Mocks(file, _test_case(file, machine, request.definition, request.test_case))


def _test_case(file: MockFile, machine: str, definition: str, name: str | None) -> str:
    """Return the test case of a mock file to use: the named one, or the only one.

    Args:
        file: The mock file.
        machine: The name of the state machine.
        definition: The file of its document.
        name: The name of the test case, if it was given.
    """
    if machine not in file.cases:
        hint = did_you_mean(machine, sorted(file.cases))
        raise UsageError(
            f"--mock {file.file}: expected test cases of the state machine {machine!r}, found none; "
            f"name it with --state-machine NAME={definition}; {hint}"
        )
    cases = sorted(file.cases[machine])
    if name is None and len(cases) == 1:
        return cases[0]
    if name is None:
        raise UsageError(f"--mock {file.file}: expected --test-case, one of: {', '.join(cases) or 'none'}")
    if name not in cases:
        raise UsageError(f"--test-case {name}: no such test case of {machine!r}; {did_you_mean(name, cases)}")
    return name


def task_states(document: Document) -> Iterator[StateNode]:
    """Yield the Task states of a document, also those inside Map and Parallel states."""
    return (state for state in walk_states(document) if state.kind == "Task")
