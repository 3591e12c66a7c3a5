"""Functions in execution environments of this machine: the same answers, errors and limits as Lambda's."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from genomics_pipeline.engine.tasks.lambda_functions import FunctionFailed
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model import quotas
from genomics_pipeline.model.errors import RunError
from genomics_pipeline.runs.functions import process
from genomics_pipeline.runs.functions.emulator import Emulator, find_emulator
from genomics_pipeline.runs.functions.environment import (
    MOST_ANSWER,
    CallCancelled,
    CallTimedOut,
    EnvironmentEnded,
    EnvironmentLost,
    ExecutionEnvironment,
    FunctionAnswer,
    FunctionCall,
    LocalFunction,
)
from genomics_pipeline.runs.functions.pool import FunctionPool
from genomics_pipeline.runs.functions.process import ProcessEnvironment
from genomics_pipeline.runs.functions.runtime_api import RuntimeApi
from genomics_pipeline.worker.fork_server import ForkServers
from genomics_pipeline.worker.step_folder import read_step
from tests.fakes import lambda_rie
from tests.patience import PATIENCE_S, until
from tests.small_functions import payload, write_function

NAME = "genomics-pipeline-score"


HANDLER = [sys.executable, "-P", "-m", "awslambdaric", "genomics_pipeline.worker.lambda_handler.handler"]


class ProgramEnvironment:
    """A program of this machine that has its calls from a server.

    Args:
        server: The server.
        argv: The program.
        function: Its function.
        log: The file of its output.
        variables: Further environment variables.
    """

    def __init__(
        self, server: RuntimeApi | Emulator, argv: list[str], function: LocalFunction, log: Path, **variables: str
    ) -> None:
        self._server = server
        environment = {**os.environ, "GENOMICS_PIPELINE_STEP": str(function.step.path), **variables}
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                argv, env=environment, stdout=out, stderr=out, cwd=log.parent, start_new_session=True
            )

    def invoke(self, call: FunctionCall) -> FunctionAnswer:
        return self._server.invoke(call, self._refuse_dead)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def _refuse_dead(self) -> None:
        if (code := self._process.poll()) is not None:
            raise EnvironmentEnded(f"exit status {code}")

    def end(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if isinstance(self._server, RuntimeApi):
            self._server.close()


def through_runtime_api(function: LocalFunction, log: Path) -> ProgramEnvironment:
    """Start AWS's runtime interface client below our Runtime API."""
    api = RuntimeApi(f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}")
    return ProgramEnvironment(api, HANDLER, function, log, AWS_LAMBDA_RUNTIME_API=api.address)


def through_emulator(function: LocalFunction, log: Path, **variables: str) -> ProgramEnvironment:
    """Start AWS's runtime interface client below the stand-in of AWS's emulator."""
    emulator, program = Emulator(), lambda_rie.install(log.parent)
    argv = [str(program), *emulator.options, *HANDLER]
    variables["AWS_LAMBDA_FUNCTION_TIMEOUT"] = str(function.timeout_s)
    return ProgramEnvironment(emulator, argv, function, log, **variables)


class StartPool(Protocol):
    """A function that starts a pool of the step in a folder."""

    def __call__(self, folder: Path, concurrency: int = 2) -> FunctionPool: ...


@pytest.fixture(params=["process", "runtime api", "emulator"])
def start_pool(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StartPool]:
    """Start pools whose environments are processes of ours, or AWS's client below our Runtime API or an emulator."""
    monkeypatch.setattr(process, "_FORKS", ForkServers(process._FORKS._command))  # which ends with the test
    if request.param != "process":
        pytest.importorskip("awslambdaric")
    pools: list[FunctionPool] = []
    started: list[ExecutionEnvironment] = []

    def start(function: LocalFunction) -> ExecutionEnvironment:
        log = tmp_path / "log.txt"
        if request.param != "process":
            begin = through_emulator if request.param == "emulator" else through_runtime_api
            started.append(begin(function, log))
        else:
            scratch = tmp_path / f"scratch-{len(started)}"
            started.append(ProcessEnvironment(function.step, os.environ, log, scratch))
        return started[-1]

    def start_pool(folder: Path, concurrency: int = 2) -> FunctionPool:
        pools.append(FunctionPool({NAME: LocalFunction(NAME, read_step(folder))}, start, concurrency))
        return pools[-1]

    yield start_pool
    for pool in pools:
        pool.close()


def run(pool: FunctionPool, *items: Any) -> Any:
    """Return the answer to a payload of these items."""
    return json.loads(asyncio.run(pool.call(NAME, payload(items), None)))  # type: ignore[arg-type]


def failure(pool: FunctionPool, *items: Any) -> FunctionFailed:
    """Return the failure of a call."""
    with pytest.raises(FunctionFailed) as raised:
        run(pool, *items)
    return raised.value


def test_a_function_stays_warm_and_answers(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that calls one after another share an environment, also after an exception."""
    pool = start_pool(write_function(tmp_path / "score"))
    first = run(pool, {"do": "process"})["result"]
    failed = failure(pool, {"do": "raise"})
    assert (failed.error, failed.message) == ("KeyError", "'amount'")
    assert {"errorMessage", "errorType", "requestId", "stackTrace"} == set(json.loads(failed.response))
    found = run(pool, {"do": "process"})
    assert found["result"] == first
    assert found["records"] == 1
    assert "batch" in (tmp_path / "log.txt").read_text()


def test_concurrent_calls_have_environments_of_their_own(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that there are as many as the concurrency allows."""
    pool = start_pool(write_function(tmp_path / "score"), concurrency=2)

    async def processes() -> set[int]:
        calls = [pool.call(NAME, payload([{"do": "process"}]), None) for _ in range(8)]  # type: ignore[arg-type]
        return {json.loads(each)["result"] for each in await asyncio.gather(*calls)}

    assert 1 <= len(asyncio.run(processes())) <= 2


def test_an_environment_that_ends_is_replaced(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that its call fails in Lambda's words, and that the next one succeeds."""
    pool = start_pool(write_function(tmp_path / "score"))
    failed = failure(pool, {"do": "exit"})
    assert failed.error == "Runtime.ExitError"
    assert failed.message.endswith("Error: Runtime exited with error: exit status 3")
    assert run(pool, {"amount": 4})["result"] == 4


PROCESS = pytest.mark.parametrize("start_pool", ["process"], indirect=True)


@pytest.mark.parametrize("start_pool", ["process", "runtime api"], indirect=True)
@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs Linux")
def test_an_environment_that_was_killed_between_calls_fails_none(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that the next call has another environment, as on Lambda."""
    pool = start_pool(write_function(tmp_path / "score"))
    first = run(pool, {"do": "process"})["result"]
    ended = os.pidfd_open(first)
    os.kill(first, signal.SIGKILL)
    select.select([ended], [], [])
    os.close(ended)
    assert run(pool, {"do": "process"})["result"] != first


@PROCESS
@pytest.mark.parametrize(
    "start", ["os.fork() or signal.pause()", "subprocess.Popen(['sleep', '600'], close_fds=False)"]
)
def test_an_end_is_noticed_while_a_process_of_the_function_runs_on(
    start_pool: StartPool, tmp_path: Path, start: str
) -> None:
    """Check that no process that has the descriptors of its environment keeps the call waiting for its time limit."""
    begun = tmp_path / "begun"
    kill = "os.kill(os.getpid(), signal.SIGKILL)"
    program = f"import os, signal, subprocess\ndef handle(batch):\n    {start}\n    {kill}\n"
    pool = start_pool(write_function(tmp_path / "score", program))
    failed = failure(pool, {"begun": str(begun)})
    assert (failed.error, failed.message.rpartition("Error: ")[2]) == (
        "Runtime.ExitError",
        "Runtime exited with error: signal: killed",
    )


@PROCESS
def test_a_command_of_a_function_has_no_descriptor_of_its_environment(start_pool: StartPool, tmp_path: Path) -> None:
    """Check a command that keeps what it inherits."""
    listed = "subprocess.run(['ls', '/dev/fd'], close_fds=False, stdout=subprocess.PIPE).stdout.split()"
    pool = start_pool(
        write_function(tmp_path / "score", f"import subprocess\ndef handle(batch):\n    return len({listed})")
    )
    assert run(pool, {})["result"] == 4, "expected the three streams, and that of the list itself"


@PROCESS
def test_a_killed_server_ends_its_environments_at_once(start_pool: StartPool, tmp_path: Path) -> None:
    """Check a call that would never end: it fails as AWS's service does, and the next one has a new server."""
    program = """
import os, signal
def handle(batch):
    if batch.records[0]["kill"]:
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    return os.getppid()
"""
    pool = start_pool(write_function(tmp_path / "score", program))
    first = run(pool, {"kill": False})["result"]
    with pytest.raises(StatesError) as raised:
        run(pool, {"kill": True})
    assert (raised.value.error, raised.value.cause) == (
        "Lambda.ServiceException",
        f"the environment of {NAME} was lost: the process that it was forked from was killed",
    )
    assert run(pool, {"kill": False})["result"] not in (first, os.getpid())


def test_a_call_that_takes_too_long_is_ended(start_pool: StartPool, tmp_path: Path) -> None:
    """Check the words of Lambda's sandbox."""
    pool = start_pool(write_function(tmp_path / "score", timeout_s=1))
    failed = failure(pool, {"do": "wait"})
    assert failed.error == "Sandbox.Timedout"
    assert failed.message.endswith("Error: Task timed out after 1.00 seconds")


def test_an_answer_that_is_too_large_is_refused(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that the next call is answered."""
    pool = start_pool(write_function(tmp_path / "score"))
    assert failure(pool, {"do": "large"}).error == "Function.ResponseSizeTooLarge"
    assert run(pool, {"amount": 1})["result"] == 1


def test_a_payload_that_is_too_large_is_refused(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that it does not reach the function."""
    pool = start_pool(write_function(tmp_path / "score"))
    with pytest.raises(StatesError) as raised:
        run(pool, "x" * quotas.FUNCTION_PAYLOAD.value)
    assert raised.value.error == "Lambda.RequestTooLargeException"


def test_a_program_that_cannot_be_loaded_fails_each_call(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that the reason is that of the program."""
    pool = start_pool(write_function(tmp_path / "score", "def handle(:\n"))
    assert [failure(pool, {}).error for _ in range(2)] == ["SyntaxError"] * 2


@pytest.mark.parametrize("start_pool", ["process"], indirect=True)
@pytest.mark.parametrize("do", ["use", "allocate"])
def test_a_program_that_needs_more_memory_is_ended(start_pool: StartPool, tmp_path: Path, do: str) -> None:
    """Check programs that use the memory, and such that cannot even have it."""
    pool = start_pool(write_function(tmp_path / "score"))
    failed = failure(pool, {"do": do})
    assert failed.error == "Runtime.OutOfMemory"
    assert failed.message.endswith("Error: Runtime exited with error: signal: killed")
    assert run(pool, {"amount": 1})["result"] == 1


@pytest.mark.parametrize("start_pool", ["process"], indirect=True)
def test_a_cancelled_call_is_ended_first(start_pool: StartPool, tmp_path: Path) -> None:
    """Check that its process is gone when the cancellation is passed on."""
    begun = tmp_path / "begun"
    body = [f"pathlib.Path({str(begun)!r}).write_text(str(os.getpid()))", "time.sleep(600)"]
    program = "\n    ".join(["import os, pathlib, time\ndef handle(batch):", *body])
    pool = start_pool(write_function(tmp_path / "score", program))

    async def cancel() -> None:
        call = asyncio.ensure_future(pool.call(NAME, payload([{}]), None))  # type: ignore[arg-type]
        while not (begun.exists() and begun.read_text()):
            await asyncio.sleep(0.01)
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call

    asyncio.run(cancel())
    with pytest.raises(ProcessLookupError):
        os.kill(int(begun.read_text()), 0)


def test_an_environment_that_cannot_be_started_is_an_error_of_the_service(tmp_path: Path) -> None:
    """Check that it is one that definitions retry."""

    def start(function: LocalFunction) -> ExecutionEnvironment:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    pool = FunctionPool({NAME: LocalFunction(NAME, read_step(write_function(tmp_path / "score")))}, start, 1)
    with pytest.raises(StatesError) as raised:
        run(pool, {})
    assert raised.value.error == "Lambda.ServiceException"
    pool.close()


def test_the_runtime_api_refuses_what_it_does_not_have() -> None:
    """Check the status 404, and that the failure of a start is the answer to a call."""
    import http.client

    api = RuntimeApi("arn")
    try:
        connection = http.client.HTTPConnection(api.address)
        connection.request("GET", "/2018-06-01/runtime/other")
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["errorType"]) == (404, "NotFound")
        connection.request("POST", "/2018-06-01/runtime/init/error", b'{"errorType":"X","errorMessage":"y"}')
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())) == (202, {"status": "OK"})
        large = "/2018-06-01/runtime/invocation/8476a536-e9f4-11e8-9739-2dfe598c3fcd/response"
        connection.request("POST", large, b"x" * (MOST_ANSWER + 1))
        assert connection.getresponse().status == 413
        call = FunctionCall("8476a536-e9f4-11e8-9739-2dfe598c3fcd", b"{}", PATIENCE_S, threading.Event())
        answer = api.invoke(call, lambda: None)
        assert (answer.is_error, answer.is_last) == (True, True)
    finally:
        api.close()


def test_nothing_is_printed_of_a_runtime_that_ends_while_it_is_answered(capfd: pytest.CaptureFixture[str]) -> None:
    """Let it reset its connection, with a request that is not whole, as the kernel does for one that was killed."""
    api = RuntimeApi("arn")
    others = set(threading.enumerate())

    def reading() -> set[threading.Thread]:
        return {one for one in threading.enumerate() if one.is_alive()} - others

    try:
        host, _, port = api.address.rpartition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.sendall(b"GET /")
            until(lambda: bool(reading()))  # the thread that reads it
        for thread in reading():
            thread.join(PATIENCE_S)
    finally:
        api.close()
    assert capfd.readouterr().err == ""


def test_an_answer_counts_although_the_environment_ends_behind_it() -> None:
    """Let a runtime post the failure of its start, and end, behind the last look for an answer."""
    api, answer = RuntimeApi("arn"), FunctionAnswer(b'{"errorType":"SyntaxError"}', is_error=True, is_last=True)

    def post_and_end() -> None:
        api.post(None, answer)
        raise EnvironmentEnded("exit status 1")

    try:
        assert api.invoke(call_of(amount=1), post_and_end) == answer
    finally:
        api.close()


def test_an_answer_counts_although_the_emulator_ends_behind_it() -> None:
    emulator = Emulator()
    host, _, port = emulator.options[0].partition("=")[2].rpartition(":")
    with socket.create_server((host, int(port))) as server, ExitStack() as open_ends:

        def answer_and_end() -> None:
            connection, _ = server.accept()
            open_ends.enter_context(connection).sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n7")
            raise EnvironmentEnded("exit status 1")

        assert emulator.invoke(call_of(amount=7), answer_and_end) == FunctionAnswer(b"7", is_error=False)


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[Callable[..., ProgramEnvironment]]:
    """Return `emulated(**variables)`, which starts an environment below the stand-in of the emulator."""
    pytest.importorskip("awslambdaric")
    started: list[ProgramEnvironment] = []

    def start(**variables: str) -> ProgramEnvironment:
        function = LocalFunction(NAME, read_step(write_function(tmp_path / "score")))
        started.append(through_emulator(function, tmp_path / "log.txt", **variables))
        return started[-1]

    yield start
    for one in started:
        one.end()


def call_of(**record: Any) -> FunctionCall:
    """Return a call with one record."""
    body = json.dumps(payload([record])).encode()
    return FunctionCall("8476a536-e9f4-11e8-9739-2dfe598c3fcd", body, PATIENCE_S, threading.Event())


def test_an_emulator_that_ends_a_call_by_itself_is_understood(
    emulated: Callable[..., ProgramEnvironment], tmp_path: Path
) -> None:
    """Check its line about the time, and that it goes on with a new runtime."""
    over = tmp_path / "over"
    environment = emulated(TIME_IS_OVER=str(over))
    assert not environment.invoke(call_of(amount=1)).is_error
    with pytest.raises(CallTimedOut):
        environment.invoke(call_of(do="tell", pipe=str(over)))
    over.unlink()
    assert not environment.invoke(call_of(amount=1)).is_error


def test_an_older_emulator_does_not_say_why_the_runtime_ended(emulated: Callable[..., ProgramEnvironment]) -> None:
    with pytest.raises(EnvironmentEnded, match=r"exit status unknown \(the emulator does not report it\)"):
        emulated(WITHOUT_REASON="1").invoke(call_of(do="exit"))


def test_an_emulator_takes_one_call_at_a_time(emulated: Callable[..., ProgramEnvironment], tmp_path: Path) -> None:
    """Check that a second one is an error of the service, and that a cancelled one is given up."""
    begun, cancelled = tmp_path / "begun", list[bool]()
    os.mkfifo(begun)
    environment, first = emulated(), call_of(do="tell", pipe=str(begun))

    def wait() -> None:
        with suppress(CallCancelled):
            environment.invoke(first)
        cancelled.append(first.cancelled.is_set())

    thread = threading.Thread(target=wait)
    thread.start()
    begun.read_text()
    with pytest.raises(EnvironmentLost, match="aws-lambda-rie refused a call with the status 400"):
        environment.invoke(call_of(amount=1))
    first.cancelled.set()
    thread.join()
    assert cancelled == [True]


def test_an_emulator_that_cannot_start_is_an_error_of_the_service(tmp_path: Path) -> None:
    """Check one that ends before it takes a call: another processor's program, say."""

    def start(function: LocalFunction) -> ExecutionEnvironment:
        return ProgramEnvironment(Emulator(), ["false"], function, tmp_path / "log.txt")

    pool = FunctionPool({NAME: LocalFunction(NAME, read_step(write_function(tmp_path / "score")))}, start, 1)
    with pytest.raises(StatesError) as raised:
        run(pool, {})
    lost = "aws-lambda-rie could not be started (exit status 1)"
    assert raised.value.cause == f"the environment of {NAME} was lost: {lost}"
    pool.close()


def test_the_emulator_is_found_on_the_path_or_by_its_variable(tmp_path: Path) -> None:
    program = lambda_rie.install(tmp_path)
    assert find_emulator({"PATH": "/nowhere"}) is None
    assert find_emulator({"PATH": str(tmp_path)}) == program
    assert find_emulator({"PATH": "/nowhere", "GENOMICS_PIPELINE_LAMBDA_RIE": str(program)}) == program
    with pytest.raises(RunError) as raised:
        find_emulator({"PATH": str(tmp_path), "GENOMICS_PIPELINE_LAMBDA_RIE": "/nowhere/rie"})
    expected = "GENOMICS_PIPELINE_LAMBDA_RIE: expected the path of aws-lambda-rie, a program, found '/nowhere/rie'"
    assert str(raised.value) == expected
