"""The conformance cases on emulators of Step Functions, whose differences must all be known.

Every difference from AWS is listed in `differences`, a line each. The test fails for a difference that is not listed,
and for a listed one that no longer exists. Without the emulators' environments it is skipped; in continuous
integration it fails.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any

import pytest
from botocore.exceptions import ClientError

from benchmarks.emulators import EMULATORS, Emulator, Server, serve
from tests.conformance import cases, comparison
from tests.conformance.cases import Case
from tests.emulators.differences import DIFFERENCES
from tests.emulators.features import UNABLE, runs

pytestmark = pytest.mark.emulators

ROLE = "arn:aws:iam::000000000000:role/local"
LIMIT_S = 120  # a guard, no measurement
POLL_S = 0.02
SHOWN = 60  # characters of a value, or of the first difference of the Map Runs, so that a row stays readable


CASES = cases.load_all()
PAIRS = [(case, emulator) for emulator in EMULATORS for case in CASES if runs(case, emulator.name)]


@pytest.fixture(scope="session", params=EMULATORS, ids=lambda emulator: emulator.name)
def server(request: pytest.FixtureRequest, missing: Callable[[str], None]) -> Iterator[Server]:
    """Yield a server of each emulator in turn."""
    emulator: Emulator = request.param
    if not emulator.program.exists():
        missing(f"no {emulator.program} (make test-emulators installs it)")
    with serve(emulator) as running:
        yield running


def put_objects(case: Case, storage: Any) -> None:
    """Put the case's objects into the buckets, and remove all others."""
    for bucket in storage.list_buckets()["Buckets"]:
        for entry in storage.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            storage.delete_object(Bucket=bucket["Name"], Key=entry["Key"])
        storage.delete_bucket(Bucket=bucket["Name"])
    for bucket in {name.split("/", 1)[0] for name in case.objects}:
        storage.create_bucket(Bucket=bucket)
    for name, content in case.objects.items():
        bucket, _, key = name.partition("/")
        if key and not key.endswith("/"):
            storage.put_object(Bucket=bucket, Key=key, Body=cases.object_bytes(content))


def all_objects(storage: Any) -> dict[str, bytes]:
    """Return every object, by bucket and key."""
    return {
        f"{bucket['Name']}/{entry['Key']}": storage.get_object(Bucket=bucket["Name"], Key=entry["Key"])["Body"].read()
        for bucket in storage.list_buckets()["Buckets"]
        for entry in storage.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
    }


def difference(case: Case, server: Server) -> str:
    """Return a short text on the difference; empty if the emulator agrees."""
    functions, storage = server.client("stepfunctions"), server.client("s3")
    put_objects(case, storage)
    try:
        definition = json.dumps(case.definition)
        created = functions.create_state_machine(name=cases.MACHINE, definition=definition, roleArn=ROLE)
    except ClientError as refusal:
        return f"refused {refusal.response['Error']['Code']}".strip()
    try:
        started = functions.start_execution(
            stateMachineArn=created["stateMachineArn"], name=str(uuid.uuid4()), input=json.dumps(case.input)
        )
        return "; ".join(differing_fields(case, server, started["executionArn"], storage))
    except ClientError as error:
        return f"{error.operation_name} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    except RuntimeError as error:
        return str(error)
    finally:
        functions.delete_state_machine(stateMachineArn=created["stateMachineArn"])


def differing_fields(case: Case, server: Server, execution: str, storage: Any) -> Iterator[str]:
    """Yield the differing fields; only the status if that differs, since the others follow from it."""
    end = with_case_name(server.wait_for_end(execution, LIMIT_S, POLL_S), execution)
    end_with_output = {**end, "output": _value(end.get("output"))}
    if end["status"] != case.expected.status:
        yield f"{end['status']} {end.get('error', '')}".strip()
        return
    names = ("output",) if case.expected.status == "SUCCEEDED" else ("error", "cause")
    for name in names:
        if list(comparison.differences(getattr(case.expected, name), end_with_output.get(name), name)):
            text = json.dumps(comparison.mask(end_with_output.get(name)), ensure_ascii=False)
            yield f"{name} {text[:SHOWN]}"
    for name, content in (case.expected.objects or {}).items():
        if list(comparison.object_differences({name: content}, all_objects(storage))):
            yield f"object {name.rsplit('/', 1)[-1]}"
    if case.expected.history is not None:
        events = server.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        yield from itertools.islice(
            comparison.differences(case.expected.history, [event["type"] for event in events], "history"), 1
        )
    if case.expected.map_runs is not None:
        yield from (line[:SHOWN] for line in itertools.islice(_map_runs(case, server, execution), 1))


def with_case_name(described: Mapping[str, Any], execution: str) -> dict[str, Any]:
    """Return a description as JSON with dates as text, and with the execution's name as in the cases.

    It has another name in the emulator, since ministack keeps the Map Runs of a name.
    """
    text = json.dumps({**described, "ResponseMetadata": None}, default=lambda date: date.astimezone(UTC).isoformat())
    value: dict[str, Any] = json.loads(text.replace(execution.rsplit(":", 1)[-1], cases.MACHINE))
    return value


def _value(output: str | None) -> Any:
    """Return the output, or its text if that is not JSON."""
    try:
        return None if output is None else json.loads(output)
    except ValueError:
        return {"text": output}


def _map_runs(case: Case, server: Server, execution: str) -> Iterator[str]:
    functions = server.client("stepfunctions")
    map_runs = functions.list_map_runs(executionArn=execution)["mapRuns"]
    described = [with_case_name(functions.describe_map_run(mapRunArn=run["mapRunArn"]), execution) for run in map_runs]
    expected = [{name: value for name, value in run.items() if name != "label"} for run in case.expected.map_runs or ()]
    yield from (line.replace("map_runs[0].", "") for line in comparison.map_run_differences(expected, described))


def test_each_emulator_has_exactly_the_listed_differences(server: Server) -> None:
    emulator = server.emulator
    results = {case.name: difference(case, server) for case, of_pair in PAIRS if of_pair == emulator}
    expected = {
        name: text for (name, name_of_emulator), (text, _) in DIFFERENCES.items() if name_of_emulator == emulator.name
    }
    assert {name: text for name, text in results.items() if text} == expected


def test_every_listed_difference_is_of_a_case_that_is_run_and_has_a_reason() -> None:
    assert set(DIFFERENCES) <= {(case.name, emulator.name) for case, emulator in PAIRS}
    assert all(says and reason and "\n" not in says + reason for says, reason in DIFFERENCES.values())


def test_every_missing_feature_excludes_a_case_and_has_a_reason() -> None:
    for features in UNABLE.values():
        for feature in features:
            assert any(feature.is_used(case) for case in CASES), feature.reason
            assert "\n" not in feature.reason


def test_without_emulators_it_fails_in_continuous_integration_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[str], None]
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="must run in continuous integration"):
        missing("no moto")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=r"^SKIPPED: no moto$"):
        missing("no moto")
