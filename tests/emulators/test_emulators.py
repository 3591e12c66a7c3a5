"""The conformance cases on emulators of Step Functions; each difference must be a known one.

None of them is AWS, so every difference is listed in `differences`, one line each; a difference that is not listed
fails, and so does a listed one that is gone. Without the emulators' environments this is skipped; in continuous
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
LIMIT_S = 15
LOOK_S = 0.02
SHOWN = 60  # characters of a value, or of the first difference of the Map Runs: a row must stay readable


CASES = cases.load_all()
ASKED = [(case, emulator) for emulator in EMULATORS for case in CASES if runs(case, emulator.name)]


@pytest.fixture(scope="session", params=EMULATORS, ids=lambda emulator: emulator.name)
def server(request: pytest.FixtureRequest, missing: Callable[[str], None]) -> Iterator[Server]:
    """Yield a server of each emulator in turn."""
    emulator: Emulator = request.param
    if not emulator.program.exists():
        missing(f"no {emulator.program} (make test-emulators installs it)")
    with serve(emulator) as running:
        yield running


def place(case: Case, storage: Any) -> None:
    """Put the case's objects, and nothing else, into the buckets."""
    for bucket in storage.list_buckets()["Buckets"]:
        for found in storage.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ()):
            storage.delete_object(Bucket=bucket["Name"], Key=found["Key"])
        storage.delete_bucket(Bucket=bucket["Name"])
    for bucket in {name.split("/", 1)[0] for name in case.objects}:
        storage.create_bucket(Bucket=bucket)
    for name, content in case.objects.items():
        bucket, _, key = name.partition("/")
        if key and not key.endswith("/"):
            storage.put_object(Bucket=bucket, Key=key, Body=cases.object_bytes(content))


def left(storage: Any) -> dict[str, bytes]:
    """Return every object, by bucket and key."""
    return {
        f"{bucket['Name']}/{found['Key']}": storage.get_object(Bucket=bucket["Name"], Key=found["Key"])["Body"].read()
        for bucket in storage.list_buckets()["Buckets"]
        for found in storage.list_objects_v2(Bucket=bucket["Name"]).get("Contents", ())
    }


def opinion(case: Case, server: Server) -> str:
    """Return the difference in a few words; empty where the emulator agrees."""
    functions, storage = server.client("stepfunctions"), server.client("s3")
    place(case, storage)
    try:
        definition = json.dumps(case.definition)
        created = functions.create_state_machine(name=cases.MACHINE, definition=definition, roleArn=ROLE)
    except ClientError as refusal:
        return f"refused {refusal.response['Error']['Code']}".strip()
    try:
        started = functions.start_execution(
            stateMachineArn=created["stateMachineArn"], name=str(uuid.uuid4()), input=json.dumps(case.input)
        )
        return "; ".join(differing(case, server, started["executionArn"], storage))
    except ClientError as error:
        return f"{error.operation_name} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    except RuntimeError as error:
        return str(error)
    finally:
        functions.delete_state_machine(stateMachineArn=created["stateMachineArn"])


def differing(case: Case, server: Server, execution: str, storage: Any) -> Iterator[str]:
    """Return the differing fields; only the status where that differs, since the rest follows from it."""
    end = as_ours(server.end(execution, LIMIT_S, LOOK_S), execution)
    found = {**end, "output": _value(end.get("output"))}
    if end["status"] != case.expected.status:
        yield f"{end['status']} {end.get('error', '')}".strip()
        return
    names = ("output",) if case.expected.status == "SUCCEEDED" else ("error", "cause")
    for name in names:
        if list(comparison.differences(getattr(case.expected, name), found.get(name), name)):
            text = json.dumps(comparison.mask(found.get(name)), ensure_ascii=False)
            yield f"{name} {text[:SHOWN]}"
    for name, content in (case.expected.objects or {}).items():
        if list(comparison.object_differences({name: content}, left(storage))):
            yield f"object {name.rsplit('/', 1)[-1]}"
    if case.expected.history is not None:
        events = server.client("stepfunctions").get_execution_history(executionArn=execution)["events"]
        yield from itertools.islice(
            comparison.differences(case.expected.history, [one["type"] for one in events], "history"), 1
        )
    if case.expected.map_runs is not None:
        yield from (line[:SHOWN] for line in itertools.islice(_map_runs(case, server, execution), 1))


def as_ours(described: Mapping[str, Any], execution: str) -> dict[str, Any]:
    """Return a value as JSON with dates as text; the execution has the name that the cases give it.

    It has another in the emulator, since ministack leaves a name's Map Runs behind.
    """
    text = json.dumps({**described, "ResponseMetadata": None}, default=lambda date: date.astimezone(UTC).isoformat())
    found: dict[str, Any] = json.loads(text.replace(execution.rsplit(":", 1)[-1], cases.MACHINE))
    return found


def _value(output: str | None) -> Any:
    """Return the output; its text where that is not JSON."""
    try:
        return None if output is None else json.loads(output)
    except ValueError:
        return {"text": output}


def _map_runs(case: Case, server: Server, execution: str) -> Iterator[str]:
    functions = server.client("stepfunctions")
    listed = functions.list_map_runs(executionArn=execution)["mapRuns"]
    described = [as_ours(functions.describe_map_run(mapRunArn=run["mapRunArn"]), execution) for run in listed]
    wanted = [{name: value for name, value in run.items() if name != "label"} for run in case.expected.map_runs or ()]
    yield from (line.replace("map_runs[0].", "") for line in comparison.map_run_differences(wanted, described))


def test_each_emulator_differs_as_listed_and_not_otherwise(server: Server) -> None:
    emulator = server.emulator
    found = {case.name: opinion(case, server) for case, asked in ASKED if asked == emulator}
    expected = {name: says for (name, of), (says, _) in DIFFERENCES.items() if of == emulator.name}
    assert {name: says for name, says in found.items() if says} == expected


def test_every_listed_difference_is_of_a_case_that_is_run_and_says_why() -> None:
    assert set(DIFFERENCES) <= {(case.name, emulator.name) for case, emulator in ASKED}
    assert all(says and why and "\n" not in says + why for says, why in DIFFERENCES.values())


def test_every_feature_that_is_missing_takes_a_case_away_and_says_why() -> None:
    for features in UNABLE.values():
        for feature in features:
            assert any(feature.used(case) for case in CASES), feature.why
            assert "\n" not in feature.why


def test_without_them_it_fails_in_continuous_integration_and_is_skipped_elsewhere(
    monkeypatch: pytest.MonkeyPatch, missing: Callable[[str], None]
) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="must run in continuous integration"):
        missing("no moto")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match=r"^SKIPPED: no moto$"):
        missing("no moto")
