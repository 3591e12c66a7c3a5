"""`index --stack`: a job on AWS builds the indexes of a reference, which runs on AWS then use."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.resource_names import DEFAULT_STACK, ResourceNames
from genomics_pipeline.reference.index_rates import IndexRate, index_rates
from tests.cli.conftest import FASTA, Ended
from tests.fakes.batch import Log
from tests.fakes.deployed import Deployed
from tests.fakes.faults import ApiError
from tests.fakes.jobs import containers
from tests.fakes.moto_clients import moto_client
from tests.fakes.web_files import WebFiles

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
INDEXES = [
    f"tiny.{ending}"
    for ending in ("dict", "fa.amb", "fa.ann", "fa.bwt", "fa.fai", "fa.l2b", "fa.mbw", "fa.pac", "fa.sa")
]
STACK = ("--stack", DEFAULT_STACK)


def errors(ended: Ended) -> list[str]:
    return [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]


def placed(ended: Ended) -> dict[str, bool]:
    """Return whether each kind was built."""
    assert ended.code == 0, ended.err
    return {one["kind"]: one["built"] for one in json.loads(ended.out)["indexes"]}


def payloads(step_functions: FakeAws) -> list[Any]:
    jobs = [job.job.environment for job in step_functions.batch.jobs.values()]
    return [json.loads(one["GENOMICS_PIPELINE_TASK"]) for one in jobs if "GENOMICS_PIPELINE_TASK" in one]


def test_a_run_uses_the_index_that_a_job_built(
    stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = containers(tmp_path / "scratch", aws)
    fasta = stack.put("ref/tiny.fa", FASTA)
    ended = cli("index", fasta, *STACK, "--json")
    assert placed(ended) == dict.fromkeys(("fai", "bwa", "dict", "minibwa"), True)
    assert stack.keys("ref/") == [f"ref/{name}" for name in sorted(["tiny.fa", *INDEXES])]
    (job,) = step_functions.batch.jobs.values()
    names = stack.names
    assert (job.job.name, job.job.queue, job.job.definition) == ("index", names.on_demand_queue, names.index_job)
    assert job.job.environment["GENOMICS_PIPELINE_MEMORY_MIB"] == "1026"
    assert "index: a job with 1,026 MiB of memory and 1 GiB of disk, on a host such as c" in ended.err
    assert "index: minibwa: tiny.fa.l2b, tiny.fa.mbw written" in ended.err.splitlines()
    assert not any(placed(cli("index", fasta, *STACK, "--json")).values())
    assert len(step_functions.batch.jobs) == 1

    command = ("submit", stack.sheet(tmp_path / "c.csv", "A"), "--reference", fasta)
    ended = cli(*command, "--dry-run", "--json")
    run = json.loads(ended.out)["run"]
    assert "instead of minibwa" not in ended.err
    for ending in ("l2b", "mbw"):
        stack.s3.delete_object(Bucket=stack.bucket, Key=f"ref/tiny.fa.{ending}")
    ended = cli(*command, "--dry-run", "--json")
    assert "alignment.aligner=bwa instead of minibwa: expected tiny.fa.l2b, tiny.fa.mbw beside it" in ended.err
    assert json.loads(ended.out)["run"] != run
    assert placed(cli("index", fasta, *STACK, "--kind", "minibwa", "--json")) == {"fai": False, "minibwa": True}
    assert json.loads(cli(*command, "--dry-run", "--json").out)["run"] == run


def test_a_prefix_gets_the_plain_reference_of_a_web_server(
    stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli
) -> None:
    step_functions.batch.run_job = containers(tmp_path / "scratch", aws)
    prefix = f"s3://{stack.bucket}/indexed/tiny/"
    with WebFiles() as server:
        server.put("/tiny.fa.gz", gzip.compress(FASTA.encode()))
        url = f"{server.url}/tiny.fa.gz"
        ended = cli("index", url, *STACK)
        assert (ended.code, len(errors(ended))) == (2, 1)
        assert errors(ended)[0].endswith(f"; --out {prefix} gets it, plain, with its indexes")
        stack.put("indexed/tiny/tiny.fa.mbw", b"of a job that was killed")
        ended = cli("index", url, *STACK, "--out", prefix, "--kind", "minibwa")
        problem = "expected tiny.fa.mbw as built of this reference, found another file"
        assert ended.code == 1
        assert f": bad_input: {prefix}tiny.fa.mbw: {problem}" in errors(ended)[0]
        stack.s3.delete_object(Bucket=stack.bucket, Key="indexed/tiny/tiny.fa.mbw")
        assert placed(cli("index", url, *STACK, "--out", prefix, "--kind", "minibwa", "--json"))["minibwa"]
    made = stack.keys("indexed/tiny/")
    assert made == [f"indexed/tiny/tiny.{ending}" for ending in ("fa", "fa.fai", "fa.l2b", "fa.mbw")]
    assert stack.s3.get_object(Bucket=stack.bucket, Key=made[0])["Body"].read() == FASTA.encode()


def test_wrong_places_and_a_stack_without_the_job(
    stack: Deployed, step_functions: FakeAws, aws: str, tmp_path: Path, cli: Cli
) -> None:
    (tmp_path / "x.fa").write_text(FASTA)
    stack.s3.create_bucket(Bucket="lab")
    elsewhere = stack.put("x.fa", FASTA, bucket="lab")
    packed, plain = stack.put("ref/y.fa.gz", gzip.compress(FASTA.encode())), stack.put("ref/z.fa", FASTA)
    own = f"s3://{stack.bucket}/indexed/"
    for reference, options, code, message in (
        (
            str(tmp_path / "x.fa"),
            (),
            2,
            f"{tmp_path}/x.fa: --stack: expected a reference on S3 or a web server, found a path",
        ),
        (elsewhere, (), 2, f"{elsewhere}: expected a reference in the bucket of the stack"),
        (elsewhere, ("--out", "s3://lab/x/"), 2, f"--out s3://lab/x/: expected a prefix below {own}"),
        (packed, (), 1, f"{packed}: expected a plain FASTA file, found gzip; --out {own}y/ gets it, plain"),
        (plain, ("--kind", "gzi"), 1, f"{plain}: --kind gzi: expected a file that bgzip compressed"),
    ):
        ended = cli("index", reference, *STACK, *options)
        assert (ended.code, len(errors(ended))) == (code, 1), ended.err
        assert errors(ended)[0].startswith(message)
    ended = cli("index", plain, "--no-wait")
    assert (ended.code, errors(ended)) == (2, ["--no-wait: expected --stack as well, found none"])
    batch = moto_client("batch", aws)
    batch.deregister_job_definition(jobDefinition=f"{stack.names.index_job}:1")
    ended = cli("index", plain, *STACK)
    assert (ended.code, errors(ended)) == (
        1,
        [
            "job definition genomics-pipeline_index: expected an ACTIVE one, found none; `genomics-pipeline deploy` "
            "creates it"
        ],
    )
    batch.register_job_definition(
        jobDefinitionName=stack.names.index_job,
        type="container",
        containerProperties={"image": "r/genomics-pipeline/alignment:none", "vcpus": 1, "memory": 256},
    )
    ended = cli("index", plain, *STACK)
    assert errors(ended)[0].startswith("image genomics-pipeline/alignment:none: expected it in ECR, found none")
    assert not step_functions.batch.jobs


@pytest.fixture
def demanding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let minibwa's index take 18 MB of memory a base: some 22 GiB for the tiny reference."""
    rates = {**index_rates(), "minibwa": IndexRate(0.17, 18e6, 2.25)}
    monkeypatch.setattr("genomics_pipeline.reference.index_kinds.index_rates", lambda: rates)


@pytest.mark.parametrize(
    ("types", "vcpus", "message"),
    [
        (
            "c5d.large",
            "256",
            "found at most c5d.large with 4,096 MiB and 45 GiB; deploy with --parameter InstanceTypes=c5d,m5d,r5d,",
        ),
        ("c5d.large,r5d.xlarge", "2", "needs a host of 4 vCPUs, found MaxVcpus=2; deploy with --max-vcpus 4, or leave"),
        ("c5d.large,r5d.xlarge", "4", ""),
    ],
)
def test_hosts_that_are_too_small(
    stack: Deployed, step_functions: FakeAws, aws: str, demanding: None, cli: Cli, types: str, vcpus: str, message: str
) -> None:
    parameters = {"HostTypes": types, "MaxVcpus": vcpus}
    template = {
        "Parameters": {name: {"Type": "String"} for name in parameters},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Bucket": {"Value": stack.bucket}},
    }
    moto_client("cloudformation", aws).create_stack(
        StackName="small",
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    fasta = stack.put("ref/tiny.fa", FASTA)
    ended = cli("index", fasta, "--stack", "small")
    if not message:  # it fits, and there is no such job definition
        assert "on a host such as r5d.xlarge of the stack small" in ended.err
        assert errors(ended)[0].startswith("job definition small_index: expected")
        return
    assert (ended.code, len(errors(ended))) == (1, 1)
    assert message in errors(ended)[0]
    assert "leave minibwa out (--kind bwa): runs then use bwa" in errors(ended)[0]
    assert not step_functions.batch.jobs


def test_failures_have_a_class_and_the_end_of_the_log(
    stack: Deployed, step_functions: FakeAws, demanding: None, cli: Cli
) -> None:
    fasta = stack.put("ref/tiny.fa", FASTA)

    def run_job(job: Job, log: Log) -> JobEnd:
        log("index: fai: tiny.fa.fai written")
        return JobEnd(137, "OutOfMemoryError: Container killed due to memory usage")

    step_functions.batch.run_job = run_job
    ended = cli("index", fasta, *STACK)
    assert ended.code == 1
    assert "log: index: fai: tiny.fa.fai written" in ended.err.splitlines()
    (error,) = errors(ended)
    assert ": out_of_memory: OutOfMemoryError: Container killed due to memory usage; the job had 24," in error
    assert error.endswith("its log is in /genomics-pipeline/tasks")
    text = "User: arn:aws:iam::1:user/ann is not authorized to perform: batch:SubmitJob on resource: q"
    step_functions.batch.gate.fail("SubmitJob", ApiError("AccessDeniedException", text, 403))
    ended = cli("index", fasta, *STACK)
    assert ended.code == 1
    assert errors(ended)[0].startswith(
        "cannot build indexes: access denied: the user ann lacks the right batch:SubmitJob"
    )
    assert "`genomics-pipeline template --caller-policy --index` prints the policy" in errors(ended)[0]


def test_a_job_that_is_not_waited_for(stack: Deployed, step_functions: FakeAws, cli: Cli) -> None:
    fasta = stack.put("ref/tiny.fa", FASTA)
    ended = cli("index", fasta, *STACK, "--no-wait", "--kind", "fai")
    (job,) = step_functions.batch.jobs
    assert ended.code == 0
    assert f"index: the job {job} was submitted to genomics-pipeline-on-demand" in ended.err
    assert ended.out == f"fai: to be built: {fasta}.fai\n"
    assert ResourceNames("a-b").index_job == "a-b_index"
