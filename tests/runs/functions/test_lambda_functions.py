"""`lambda:invoke` over all implementations of functions: the same results and errors."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from genomics_pipeline.aws.clients import Clients
from genomics_pipeline.engine.clock import SystemClock
from genomics_pipeline.engine.execution import TaskContext
from genomics_pipeline.engine.tasks.callbacks import Callbacks
from genomics_pipeline.engine.tasks.functions import Functions
from genomics_pipeline.engine.tasks.lambda_functions import LambdaFunctions
from genomics_pipeline.engine.tasks.lambda_invoke import INVOKE, LambdaInvoke
from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.runs.functions.api import FunctionsApi
from genomics_pipeline.runs.functions.environment import LocalFunction
from genomics_pipeline.runs.functions.pool import FunctionPool
from genomics_pipeline.runs.functions.process import ProcessEnvironment
from genomics_pipeline.worker.step_folder import read_step
from tests.fakes.lambda_api import serving
from tests.small_functions import payload, write_function

NAME = "genomics-pipeline-score"


def sums(event: Any, context: Any) -> Any:
    """Answer as the step ``score`` does, for the functions that are no steps."""
    if any(record.get("do") == "raise" for record in event["items"]):
        raise KeyError("amount")
    total = sum(record.get("amount", 0) for record in event["items"])
    return {"stage": event["stage"], "records": len(event["items"]), "result": total}


@pytest.fixture
def emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[FunctionsApi]:
    """Serve Lambda's API, and return its functions."""
    with serving(NAME, lambda event: sums(event, None)) as endpoint:
        for name, value in {"ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL_LAMBDA": endpoint}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        yield FunctionsApi(Clients(lambda: boto3.Session(region_name="us-east-1")))


@pytest.fixture(params=["python", "pool", "api"])
def functions(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LambdaFunctions]:
    """Return the function in each of its places."""
    if request.param == "python":
        yield Functions({NAME: sums}, Callbacks())
    elif request.param == "api":
        yield request.getfixturevalue("emulator")
    else:
        step = read_step(write_function(tmp_path / "score"))
        pool = FunctionPool(
            {NAME: LocalFunction(NAME, step)},
            lambda function: ProcessEnvironment(function.step, os.environ, tmp_path / "log.txt", tmp_path / "scratch"),
            2,
        )
        yield pool
        pool.close()


def invoke(functions: LambdaFunctions, event: Any, name: str = NAME) -> Any:
    """Call a function as a Task does."""
    context = TaskContext(
        "arn", "sums", "score", INVOKE, 0, None, None, None, lambda: None, lambda _: None, SystemClock(), lambda _: None
    )
    call = LambdaInvoke(functions)({"FunctionName": name, "Payload": event}, context)
    return asyncio.run(call)


def test_the_answer_is_the_payload(functions: LambdaFunctions) -> None:
    """Check the members of the answer that all of them have."""
    response = invoke(functions, payload([{"amount": 2}, {"amount": 3}]))
    assert (response["StatusCode"], response["ExecutedVersion"]) == (200, "$LATEST")
    found = response["Payload"]
    assert (found["stage"], found["records"], found["result"]) == ("score", 2, 5)


def test_an_exception_is_the_error_of_the_task(functions: LambdaFunctions) -> None:
    """Check the error's name, and that the cause is Lambda's response."""
    with pytest.raises(StatesError) as raised:
        invoke(functions, payload([{"do": "raise"}]))
    assert raised.value.error == "KeyError"
    assert json.loads(str(raised.value.cause))["errorMessage"] == "'amount'"


def test_an_unknown_function_is_an_error(functions: LambdaFunctions) -> None:
    """Check the error by which a Retry or a Catch knows it."""
    with pytest.raises(StatesError) as raised:
        invoke(functions, payload([{}]), "other")
    assert raised.value.error == "Lambda.ResourceNotFoundException"


def test_a_throttled_call_has_the_error_that_definitions_retry(emulator: FunctionsApi) -> None:
    """Check the name after boto3's own retries."""
    with pytest.raises(StatesError) as raised:
        invoke(emulator, payload([], throttle=True))
    assert raised.value.error == "Lambda.TooManyRequestsException"
