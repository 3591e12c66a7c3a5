"""`deploy --intake`: the job of the rule submits each sheet that arrives once, with the rights of its role alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from genomics_pipeline.cli import warm_commands
from genomics_pipeline.cli.intake import arriving_sheets
from genomics_pipeline.runs.stack.template import stack_template
from genomics_pipeline.runs.watch import EndedCommand
from tests.aws.template import policies
from tests.cli.conftest import Ended
from tests.fakes.deployed import ACCOUNT, Deployed
from tests.fakes.event_bridge import matches
from tests.fakes.shared_clients import shared_session

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
STACK = "genomics-pipeline"
S3_ACTIONS = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket", "HeadBucket": "ListBucket"}


@pytest.fixture
def document(reference: str) -> dict[str, Any]:
    """Return the template of a stack with an intake."""
    return stack_template(["germline"], STACK, sheets_for(reference)).document()


def sheets_for(reference: str, *options: str) -> Any:
    return arriving_sheets("intake/", ["submit", "--reference", reference, *options], STACK)


@pytest.fixture
def run_job(
    document: dict[str, Any], stack: Deployed, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Ended]:
    """Return a function that runs the command of the job definition, as an attempt of a job."""

    def start(arguments: Sequence[str], _: Sequence[int]) -> EndedCommand:
        ended = cli(*arguments)
        lines = ended.err.splitlines()
        return EndedCommand(ended.code, [one.removeprefix("error: ") for one in lines if one.startswith("error: ")])

    monkeypatch.setattr(warm_commands, "WarmCommands", lambda *_: SimpleNamespace(run=start))

    def call(job: str = "0f") -> Ended:
        monkeypatch.setenv("AWS_BATCH_JOB_ID", job)
        properties = document["Resources"]["SheetIntakeJob"]["Properties"]["ContainerProperties"]
        command = policies.resolve(properties["Command"], document["Resources"])
        return cli(*(argument.replace(policies.BUCKET, stack.bucket) for argument in command))

    return call


def arrive(stack: Deployed, tmp_path: Path, name: str, *samples: str) -> str:
    sheet = stack.sheet(tmp_path / name, *samples)
    return stack.put(f"intake/{name}", sheet.read_bytes())


def event(stack: Deployed, key: str, bucket: str = "") -> dict[str, Any]:
    """Return the event of a new object: S3 user guide, "EventBridge event message structure"."""
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": ACCOUNT,
        "time": "2026-11-12T00:00:00Z",
        "region": "us-east-1",
        "resources": [f"arn:aws:s3:::{stack.bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket or stack.bucket},
            "object": {"key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "00617F"},
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": ACCOUNT,
            "reason": "PutObject",
        },
    }


def test_an_event_that_comes_twice_starts_one_run(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, run_job: Callable[..., Ended]
) -> None:
    arrive(stack, tmp_path, "cohort.csv", "a", "b")
    assert [run_job(job).code for job in ("first", "second")] == [0, 0]
    (execution,) = step_functions.states.executions.values()
    assert execution.name.startswith("cohort-")
    claims = [key.removeprefix("intake/.started/") for key in stack.keys("intake/.started/")]
    assert [key.rpartition("-")[0] for key in claims] == ["cohort", "cohort"]
    ended = stack.read(next(key for key in stack.keys("intake/.started/") if key.endswith(".ended.json")))
    assert (ended["exit_code"], "errors" in ended) == (0, False)

    stack.put("intake/cohort.csv", stack.sheet(tmp_path / "cohort.csv", "a", "c").read_bytes())
    assert run_job("third").code == 0
    assert len(step_functions.states.executions) == 2, "a changed sheet is another one"


def test_a_bad_sheet_is_reported_beside_it_and_by_the_job(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, run_job: Callable[..., Ended]
) -> None:
    uri = stack.put("intake/bad.csv", "sample,fastq_1,fastq_2\na,s3://reads/none_1.fq,s3://reads/none_2.fq\n")
    arrive(stack, tmp_path, "good.csv", "a")
    assert run_job().code == 1, "the job fails, and the others are submitted"
    assert [one.name[:5] for one in step_functions.states.executions.values()] == ["good-"]
    (key,) = (key for key in stack.keys("intake/.started/bad-") if key.endswith(".ended.json"))
    record = stack.read(key)
    assert (record["manifest"], record["exit_code"]) == (uri, 1)
    assert any("s3://reads/none_1.fq" in error for error in record["errors"]), record["errors"]
    assert run_job("later").code == 0, "it is not tried again"


def test_a_second_attempt_starts_what_a_lost_host_had_begun(
    stack: Deployed, step_functions: FakeAws, tmp_path: Path, run_job: Callable[..., Ended]
) -> None:
    arrive(stack, tmp_path, "cohort.csv", "a")
    assert run_job("other").code == 0
    for key in stack.keys("intake/.started/"):
        if key.endswith(".ended.json"):  # as if the host was lost meanwhile
            stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    assert run_job("another").code == 0
    assert not [key for key in stack.keys("intake/.started/") if key.endswith(".ended.json")]
    assert run_job("other").code == 0
    assert [key for key in stack.keys("intake/.started/") if key.endswith(".ended.json")]
    assert len(step_functions.states.executions) == 1, "submit itself starts nothing twice"


@pytest.mark.parametrize(
    ("key", "is_heard_of"),
    [
        ("intake/cohort.csv", True),
        ("intake/cohort.jsonl.gz", True),
        ("intake/a b.tsv", True),
        ("intake/reads.fastq.gz", False),
        ("intake/.started/cohort-763dd90ae79a.json", False),
        ("intake/.started/cohort-763dd90ae79a.ended.json", False),
        ("runs/cohort-763dd90ae79a/manifest.jsonl", False),
        ("other/cohort.csv", False),
    ],
)
def test_the_rule_hears_of_sheets_only(key: str, is_heard_of: bool, stack: Deployed, document: dict[str, Any]) -> None:
    rule = document["Resources"]["SheetArrived"]["Properties"]
    pattern = policies.resolve(rule["EventPattern"], document["Resources"])
    assert matches(pattern, event(stack, key, policies.BUCKET)) is is_heard_of
    assert not matches(pattern, event(stack, key)), "of another bucket"


@pytest.fixture
def calls() -> Iterator[set[tuple[str, str]]]:
    """Record the action and the resource of each call, with the names of the policies' tests."""
    found: set[tuple[str, str]] = set()
    session = shared_session()

    def record(params: dict[str, Any], model: Any, **_: Any) -> None:
        found.add(_action(params, model))

    clients = [client for _, client in session._made.values()]
    emitters = [session.events, *(client.meta.events for client in clients)]
    for emitter in emitters:
        emitter.register("before-call", record)
    yield found
    for emitter in emitters:
        emitter.unregister("before-call", record)


def _action(params: dict[str, Any], model: Any) -> tuple[str, str]:
    service, name = model.service_model.signing_name, model.name
    if service == "s3":
        path = urlsplit(params["url"]).path.strip("/")
        bucket, _, key = path.partition("/")
        bucket = policies.BUCKET if bucket == f"{STACK}-bucket" else bucket
        return f"s3:{S3_ACTIONS.get(name, name)}", f"arn:aws:s3:::{bucket}{f'/{key}' if key else ''}"
    body = params["body"]
    given = json.loads(body) if isinstance(body, str | bytes) and body[:1] in ("{", b"{") else body
    if service == "cloudformation":
        return f"{service}:{name}", policies.arn(service, f"stack/{STACK}/0f")
    if service == "ecr":
        return f"{service}:{name}", policies.arn(service, f"repository/{given['repositoryName']}")
    arn = next((str(value) for key, value in given.items() if key.endswith("Arn")), "*")
    return f"{service}:{name}", arn.replace("us-east-1", policies.REGION).replace(ACCOUNT, policies.ACCOUNT)


def test_the_rights_of_the_job_are_those_of_its_calls(
    calls: set[tuple[str, str]],
    document: dict[str, Any],
    stack: Deployed,
    tmp_path: Path,
    run_job: Callable[..., Ended],
) -> None:
    arrive(stack, tmp_path, "cohort.csv", "a")
    stack.put("intake/bad.csv", "sample\na\n")
    calls.clear()
    run_job("first")
    run_job("first")
    rights = policies.statements(document, "SheetIntakeRole")
    # Of the reads that the test puts itself, none is written by the job.
    assert [call for call in sorted(calls) if not policies.is_allowed(rights, *call)] == []
    used = {action for action, _ in calls}
    assert {"s3:PutObject", "states:StartExecution", "cloudformation:DescribeStacks", "ecr:DescribeImages"} <= used
    own = {statement["Sid"]: statement["Action"] for statement in rights}
    kept = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:DeleteObject"}  # large files, lost hosts
    needless = {sid: [one for one in actions if one not in used | kept] for sid, actions in own.items()}
    assert {sid: left for sid, left in needless.items() if left and not any("kms" in one for one in left)} == {}


def test_similar_calls_are_denied(document: dict[str, Any]) -> None:
    rights, bucket = policies.statements(document, "SheetIntakeRole"), f"arn:aws:s3:::{policies.BUCKET}"
    for call in (
        ("s3:PutObject", f"{bucket}/intake/cohort.csv"),
        ("s3:PutObject", f"{bucket}/definitions/germline.json"),
        ("s3:DeleteObject", f"{bucket}/runs/r/run.json"),
        ("states:StopExecution", policies.arn("states", f"execution:{STACK}-germline:r")),
        ("states:StartExecution", policies.arn("states", f"stateMachine:{STACK}-other")),
        ("batch:SubmitJob", policies.arn("batch", f"job-definition/{STACK}-alignment")),
        ("iam:PassRole", f"arn:aws:iam::{policies.ACCOUNT}:role/any"),
    ):
        assert not policies.is_allowed(rights, *call), call
    start = policies.statements(document, "SheetArrivedRole")
    queue = policies.arn("batch", f"job-queue/{STACK}")
    assert policies.is_allowed(start, "batch:SubmitJob", queue)
    assert policies.is_allowed(start, "batch:SubmitJob", policies.arn("batch", f"job-definition/{STACK}_intake:3"))
    assert not policies.is_allowed(
        start, "batch:SubmitJob", policies.arn("batch", f"job-definition/{STACK}-alignment:3")
    )
    assert not policies.is_allowed(start, "batch:SubmitJob", f"{queue}-on-demand")


BAD = [
    (("deploy", "--intake", "intake/"), "expected --intake PREFIX -- submit and its options, found nothing"),
    (("deploy", "--", "submit"), "expected --intake PREFIX -- submit and its options, found no --intake"),
    (
        ("deploy", "--intake", "intake/", "--", "run", "--reference", "s3://b/r.fa"),
        "expected --intake PREFIX -- submit and its options, found run",
    ),
    (
        ("deploy", "--intake", "runs/", "--", "submit", "--reference", "s3://b/r.fa"),
        "--intake: expected a prefix of its own, found one of the stack's, runs/",
    ),
    (
        ("deploy", "--intake", f"{'i' * 128}/", "--", "submit", "--reference", "s3://b/r.fa"),
        "--intake: expected a prefix of at most 128 characters, found 129",
    ),
    (
        ("deploy", "--intake", "s3://b/intake", "--", "submit", "--reference", "r.fa"),
        "--intake: expected a prefix below the bucket of the stack, such as intake/, of letters, digits, _, - and ., "
        "found 's3://b/intake'\n"
        "error: --intake: expected a --reference on S3, found r.fa",
    ),
    (
        ("deploy", "--intake", "in/", "--", "submit", "--reference", "s3://b/r.fa", "--pipeline", "./mine.toml"),
        "--intake: expected a shipped pipeline, found ./mine.toml; for your own, run `watch` with `submit` on a host "
        "that has it",
    ),
    (
        ("deploy", "--intake", "in/", "--", "submit", "--reference", "s3://b/r.fa", "--param", "alignment.formt=bam"),
        "--param alignment.formt=bam: unknown parameter 'formt' of alignment; did you mean 'format'?",
    ),
    (
        ("deploy", "--intake", "in/", "--", "submit", "--reference", "s3://b/r.fa", "--regions", "/panel.bed"),
        "--intake: expected files on S3 or a web server, found /panel.bed",
    ),
    (
        ("deploy", "--intake", "in/", "--", "submit", "--reference", "s3://b/r.fa", "--dry-run"),
        "--intake: expected a `submit` without --dry-run, which a job on AWS cannot use, found it",
    ),
    (
        ("deploy", "--intake", "in/", "--", "submit", "sheet.csv", "--reference", "s3://b/r.fa"),
        "--intake: `submit` does not accept its options: Got unexpected extra argument (sheet.csv)",
    ),
    (
        ("deploy", "--intake", "in/", "--pipeline", "amplicon", "--", "submit", "--reference", "s3://b/r.fa"),
        "--intake: expected a pipeline of the stack, amplicon, found germline",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_what_a_job_could_not_do_is_refused_before_the_deployment(
    arguments: tuple[str, ...], message: str, cli: Cli
) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert f"error: {message}\n" in ended.err
