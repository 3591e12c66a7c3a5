"""AWS's own check of definitions by `deploy` and `submit --dry-run`, before anything is created or started."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.language.validation.diagnostics import Diagnostic
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed
from tests.fakes.faults import ApiError
from tests.fakes.step_functions import service

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
MACHINE = "state machine genomics-pipeline-germline"
NOTE = "note: the definitions were checked here only, not by AWS: "
REFUSED = Diagnostic("SOMETHING_NEW", "AWS knows better.", "/States/gather/Arguments")
WARNED = Diagnostic("RETRY_ALL", "Careful.", "/States/gather", "WARNING")


@pytest.fixture
def dry_run(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> Callable[[], Ended]:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    return lambda: cli("submit", sheet, "--reference", reference, "--dry-run")


def test_a_dry_run_shows_what_aws_refuses_and_warns_of(
    dry_run: Callable[[], Ended], step_functions: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "diagnose", lambda document: [WARNED, REFUSED])
    ended = dry_run()
    lines = ended.err.splitlines()
    assert ended.code == 1
    assert f"warning: /States/gather: {MACHINE}: RETRY_ALL: Careful." in lines
    assert f"error: /States/gather/Arguments: {MACHINE}: SOMETHING_NEW: AWS knows better." in lines
    (asked,) = step_functions.states.calls.of("ValidateStateMachineDefinition")
    assert (asked["type"], asked["severity"], asked["maxResults"]) == ("STANDARD", "WARNING", 100)


def test_more_than_aws_lists_is_said(dry_run: Callable[[], Ended], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "diagnose", lambda document: [WARNED] * 101)
    ended = dry_run()
    assert (ended.code, ended.err.count("RETRY_ALL")) == (0, 100)
    assert f"warning: {MACHINE}: TRUNCATED: AWS lists 100 diagnostics only; there are more" in ended.err.splitlines()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ApiError("AccessDeniedException", "no"), "the caller lacks states:ValidateStateMachineDefinition"),
        (ApiError("InternalFailure", "no", 501), "this endpoint does not have ValidateStateMachineDefinition"),
        (ApiError("UnknownOperationException", ""), "this endpoint does not have ValidateStateMachineDefinition"),
    ],
)
def test_without_the_right_or_the_operation_there_is_a_note(
    error: ApiError, reason: str, dry_run: Callable[[], Ended], step_functions: FakeAws
) -> None:
    step_functions.states.gate.fail("ValidateStateMachineDefinition", error, 9)
    ended = dry_run()
    assert (ended.code, ended.err.splitlines().count(f"{NOTE}{reason}")) == (0, 1)
    assert ended.out.splitlines()[0].endswith("can be submitted; nothing was uploaded or started")


def test_deploy_creates_nothing_that_aws_refuses(
    cloudformation: str, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "diagnose", lambda document: [REFUSED])
    ended = cli("deploy", "--yes", "--pipeline", "germline")
    assert (ended.code, ended.err) == (
        1,
        f"error: /States/gather/Arguments: {MACHINE}: {REFUSED.code}: {REFUSED.message}\n",
    )
    stacks: list[Any] = boto3.client("cloudformation").describe_stacks()["Stacks"]
    assert stacks == []
