"""`genomics-pipeline submit`, with unmodified boto3 against moto and the fake of Step Functions."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from genomics_pipeline.model.architecture import Architecture
from genomics_pipeline.runs.catalog import shipped_folder
from tests.cli.conftest import BWA, FAI, FASTA, MINIBWA
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.faults import ApiError
from tests.fakes.moto_clients import moto_client
from tests.fakes.web_files import WebFiles
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.cli.conftest import Ended
    from tests.fakes.aws import FakeAws

Cli = Callable[..., "Ended"]
STEPS = ("aggregation", "alignment", "annotation", "gather", "variant_calling")
STATE_MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:genomics-pipeline-germline"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "local" / "tiny.fa"
    path.parent.mkdir()
    path.write_text(FASTA)
    return path


def summary_of(ended: Ended) -> dict[str, Any]:
    assert ended.code == 0, ended.err
    answer: dict[str, Any] = json.loads(ended.out)
    return answer


def errors(ended: Ended) -> list[str]:
    return [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]


def test_a_run_is_uploaded_and_started(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "my cohort.csv", "A", "B", "C")
    answer = summary_of(cli("submit", sheet, "--reference", reference, "--json"))
    run = answer["run"]
    assert run.startswith("my-cohort-")
    assert len(run) == len("my-cohort-") + 12
    arn = f"{STATE_MACHINE.replace(':stateMachine:', ':execution:')}:{run}"
    assert answer == {
        "run": run,
        "uri": f"s3://{stack.bucket}/runs/{run}/",
        "stack": "genomics-pipeline",
        "status": "RUNNING",
        "started": True,
        "execution_arn": arn,
        "samples": 3,
        "intervals": 1,
        "jobs": 8,
        "least_seconds": 0.16,
        "warnings": [],
        "first_attempts": [],
    }
    record = stack.read(f"runs/{run}/run.json")
    assert record.pop("submitted").endswith("+00:00")
    assert record.pop("digest").startswith(run[-12:])
    assert re.fullmatch("[0-9a-f]{64}", record.pop("definition"))
    assert list(record.pop("metrics")["sample"]) == ["alignment", "variant_calling"]
    assert record == {
        "run": run,
        "pipeline": "germline",
        "stack": "genomics-pipeline",
        "state_machine_arn": STATE_MACHINE,
        "execution_arn": arn,
        "parameters": {"alignment": {"format": "cram"}},
        "tolerated": {"percentage": 50, "count": 100},
        "accepted": None,
        "reference": reference,
        "manifest": str(sheet),
        "request": {"pipeline": "germline"},
        "samples": 3,
    }
    execution = step_functions.execution(run)
    execution.wait()
    assert execution.status == "SUCCEEDED"
    expected_input = {
        "run": {"name": run, "bucket": stack.bucket, "prefix": f"runs/{run}/"},
        "reference": reference,
        "parameters": {"alignment": {"format": "cram"}},
        "manifest": "manifest.jsonl",
        "tolerated": {"percentage": 50, "count": 100},
        "memory_mib": {},
        "wait_s": 30 * 86_400,
        "job_definitions": {step: revision(step, 1) for step in STEPS},
        "earlier": {},
    }
    assert json.loads(execution.text) == expected_input == stack.read(f"runs/{run}/input.json")
    assert stack.read(f"runs/{run}/definition.json") == json.loads(execution.machine.definition)
    jobs = [json.loads(job.job.environment["GENOMICS_PIPELINE_TASK"]) for job in step_functions.batch.jobs.values()]
    assert sorted(job["items"][0]["sample"] for job in jobs if job["stage"] == "alignment") == ["A", "B", "C"]


@pytest.mark.parametrize("stack", [("germline", "amplicon")], indirect=True)
def test_a_pipeline_of_a_stack_is_chosen_by_its_name(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    command = ("submit", sheet, "--reference", reference, "--json")
    chosen, other = (summary_of(cli(*command, *options))["run"] for options in (("--pipeline", "amplicon"), ()))
    for run in (chosen, other):
        step_functions.execution(run).wait()
    machine = stack.read(f"runs/{chosen}/run.json")["state_machine_arn"]
    assert machine.endswith(f":stateMachine:{stack.names.state_machine('amplicon')}")
    payloads = [json.loads(job.job.environment["GENOMICS_PIPELINE_TASK"]) for job in step_functions.batch.jobs.values()]
    stages = [one["stage"] for one in payloads if one["run"]["name"] == chosen]
    assert stages == ["alignment", "variant_calling", "consensus", "aggregation", "gather"]
    for run, pipeline in ((chosen, "amplicon"), (other, "germline")):
        status = json.loads(cli("status", run, "--json").out)
        assert (status["status"], status["pipeline"]) == ("SUCCEEDED", pipeline)
    listed = [
        json.loads(line)["run"] for line in cli("runs", "--stack", "genomics-pipeline", "--json").out.splitlines()
    ]
    assert {chosen, other} <= set(listed)
    assert "consensus" in cli("rerun", chosen, "--sample", "A", "--param", "annotation.phase=s").err


def test_the_stage_annotation_runs_if_it_has_files(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    genes = stack.put("ref/genes.gff3", "chr1\tx\tCDS\t1\t9\t.\t+\t0\tParent=transcript:T1\n")
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    command = ("submit", sheet, "--reference", reference, "--json")
    for options, expected in (((), []), (("--param", f"annotation.gff3={genes}"), ["annotation"])):
        answer = summary_of(cli(*command, *options))
        execution = step_functions.execution(answer["run"])
        execution.wait()
        assert (execution.status, json.loads(execution.text).get("optional", [])) == ("SUCCEEDED", expected)
        payloads = [job.job.environment["GENOMICS_PIPELINE_TASK"] for job in step_functions.batch.jobs.values()]
        stages = [one["stage"] for one in map(json.loads, payloads) if one["run"]["name"] == answer["run"]]
        assert stages == ["alignment", "variant_calling", "aggregation", "gather", *expected]
        assert answer["jobs"] == len(stages)
        status = json.loads(cli("status", answer["run"], "--json").out)
        assert list(status["cohort"]) == ["gather", *expected]


def test_files_to_annotate_with_are_checked(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    genes = stack.put("ref/genes.gff3", "7\tx\tCDS\t1\t9\t.\t+\t0\tParent=transcript:T1\n")
    known = stack.put("ref/known.vcf.gz", "##fileformat=VCFv4.2\n")
    command = ("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    ended = cli(*command, "--param", f"annotation.gff3={genes}", "--param", f"annotation.dbsnp={known}")
    assert (ended.code, errors(ended)) == (
        1,
        [
            f"{genes}: parameter annotation.gff3: expected contigs of the reference, found '7' and no other; "
            "known: chr1, chr2",
            f"parameter annotation.dbsnp: {known}: expected its index beside it ({known}.tbi or {known}.csi), "
            f"found none; sort and compress it with `bcftools sort -Oz`, then `bcftools index {known}`",
        ],
    )


def revision(step: str, number: int) -> str:
    return f"arn:aws:batch:us-east-1:000000000000:job-definition/genomics-pipeline-{step}:{number}"


def test_a_run_goes_on_with_its_revision_and_the_next_has_the_newest(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli, aws: str
) -> None:
    command = ("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference, "--json")
    first = summary_of(cli(*command, "--longest-wait", "5"))["run"]
    step_functions.execution(first).wait()
    batch = moto_client("batch", aws)
    (before,) = batch.describe_job_definitions(jobDefinitionName="genomics-pipeline-gather")["jobDefinitions"]
    container = {"image": before["containerProperties"]["image"], "vcpus": 2, "memory": 512}
    batch.register_job_definition(
        jobDefinitionName="genomics-pipeline-gather", type="container", containerProperties=container
    )
    second = summary_of(cli(*command, "--param", "variant_calling.ploidy=1"))["run"]
    inputs = [json.loads(step_functions.execution(run).text) for run in (first, second)]
    assert [one["job_definitions"]["gather"] for one in inputs] == [revision("gather", 1), revision("gather", 2)]
    assert [one["wait_s"] for one in inputs] == [5 * 3600, 30 * 86_400]
    assert cli("submit", tmp_path / "cohort.csv", "--reference", reference, "--longest-wait", "0").code == 2


def test_text_output(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    run = ended.out.split(":")[0]
    assert ended.out.splitlines() == [
        f"{run}: submitted",
        f"  s3://{stack.bucket}/runs/{run}/",
        "  1 sample, 1 interval: 4 jobs, which take at least 0 s to start (50 a second)",
        "next:",
        f"  genomics-pipeline status {run} --watch",
        f"  genomics-pipeline logs {run} --failed",
        f"  genomics-pipeline results {run}",
        f"  genomics-pipeline cancel {run}",
    ]
    assert ended.err.splitlines() == [
        "alignment.format=cram, the default on AWS; for another: --param alignment.format=bam",
        f"reference: {reference}",
        "checking the files of 1 sample",
        f"uploading to s3://{stack.bucket}/runs/{run}/",
    ]


def test_the_same_command_starts_nothing_again(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    command = ("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    run = summary_of(cli(*command, "--json"))["run"]
    execution = step_functions.execution(run)
    execution.wait()
    record = stack.read(f"runs/{run}/run.json")
    again = cli(*command)
    assert again.out.splitlines()[0] == (
        f"{run}: already SUCCEEDED; a changed sheet, parameter, step or reference makes another run"
    )
    assert stack.read(f"runs/{run}/run.json") == record
    assert [name for name, _ in step_functions.states.calls].count("StartExecution") == 1
    other = summary_of(cli(*command, "--param", "variant_calling.ploidy=1", "--json"))
    assert other["started"]
    assert other["run"] != run


def test_the_tolerance_is_not_part_of_the_name_of_the_run(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    command = ("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference, "--tolerate")
    run = summary_of(cli(*command, "2.5%", "--json"))["run"]
    limit, accepted = {"percentage": 50, "count": 100}, {"percentage": 2.5, "count": 100000000}
    assert stack.read(f"runs/{run}/input.json")["tolerated"] == limit
    record = stack.read(f"runs/{run}/run.json")
    assert (record["tolerated"], record["accepted"]) == (limit, accepted)
    same = summary_of(cli(*command, "2.5%", "--json"))
    assert (same["run"], same["started"], same["warnings"]) == (run, False, [])
    other = summary_of(cli(*command, "3", "--json"))
    assert (other["run"], other["started"]) == (run, False)
    assert other["warnings"] == [
        f"{run} was submitted to accept that 2.5% of its samples are missing, which cannot change; found 3"
    ]
    refused = cli(*command, "3 %")
    expected = "a share of the samples such as 5%, or a number such as 20, or intervals such as 20,intervals=3"
    message = f"--tolerate: expected {expected}, found '3 %'"
    assert (refused.code, errors(refused)) == (2, [message])


def test_a_running_run_is_reported(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    def wait(job: Any, log: Any) -> Any:
        job.cancelled.wait(PATIENCE_S)
        return JobEnd(143)

    from genomics_pipeline.engine.tasks.job import JobEnd

    step_functions.batch.run_job = wait
    command = ("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference)
    run = summary_of(cli(*command, "--json"))["run"]
    assert cli(*command).out.splitlines()[0] == f"{run}: already running; nothing was started"
    boto3.client("stepfunctions").stop_execution(executionArn=step_functions.execution(run).arn)


def test_a_dry_run_changes_nothing(stack: Deployed, fasta: Path, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    before = stack.keys()
    ended = cli("submit", sheet, "--reference", fasta, "--dry-run")
    assert ended.code == 0
    assert ended.out.splitlines()[0].endswith(": can be submitted; nothing was uploaded or started")
    assert stack.keys() == before


def test_a_reference_of_this_machine_is_uploaded_once(stack: Deployed, fasta: Path, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A", "B")
    run = summary_of(cli("submit", sheet, "--reference", fasta, "--json"))["run"]
    uri = stack.read(f"runs/{run}/run.json")["reference"]
    folder = uri.removeprefix(f"s3://{stack.bucket}/").rpartition("/")[0]
    assert sorted(stack.keys(folder)) == sorted(f"{folder}/tiny.{name}" for name in ("fa", "fa.fai", *MINIBWA))
    assert fasta.read_text() == FASTA
    assert stack.s3.get_object(Bucket=stack.bucket, Key=f"{folder}/tiny.fa.fai")["Body"].read().decode() == FAI
    again = cli("submit", sheet, "--reference", fasta, "--sample", "A")
    assert f"reference: already at {uri}" in again.err.splitlines()


def test_alternate_contigs_are_uploaded_with_the_reference(
    stack: Deployed, fasta: Path, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    without = summary_of(cli("submit", sheet, "--reference", fasta, "--json"))
    fasta.with_name("tiny.fa.alt").write_text("chr1\n")
    run = summary_of(cli("submit", sheet, "--reference", fasta, "--json"))
    uri = stack.read(f"runs/{run['run']}/run.json")["reference"]
    assert uri != stack.read(f"runs/{without['run']}/run.json")["reference"]
    folder = uri.removeprefix(f"s3://{stack.bucket}/").rpartition("/")[0]
    assert sorted(stack.keys(folder)) == sorted(f"{folder}/tiny.{name}" for name in ("fa", "fa.alt", "fa.fai", *BWA))


def test_alternate_contigs_on_s3_are_part_of_the_name_of_the_run(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    runs = [summary_of(cli("submit", sheet, "--reference", reference, "--dry-run", "--json"))["run"]]
    for text in ("chr1\n", "chr1\nchr1\n"):
        stack.put("ref/tiny.fa.alt", text)
        runs.append(summary_of(cli("submit", sheet, "--reference", reference, "--dry-run", "--json"))["run"])
    assert len(set(runs)) == 3


def test_names_of_a_reference_on_s3_are_checked(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    stack.put("ref/tiny.fa.fai", "a,b\t4\t3\t4\t5\n#c\t4\t3\t4\t5\n")
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    found = errors(cli("submit", sheet, "--reference", reference))
    assert [problem.partition(", ")[0] for problem in found] == [
        f"{reference}.fai:1: expected a name that SAM and VCF allow",
        f"{reference}.fai:2: expected a name without '#' at its beginning",
    ]


def test_reads_may_be_on_a_web_server(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = tmp_path / "cohort.csv"
    with WebFiles() as server:
        server.put("/a_1.fastq", b"@r\nA\n+\nI\n")
        server.put("/a_2.fastq", b"").head = 405
        sheet.write_text(f"sample,fastq_1,fastq_2\nA,{server.url}/a_1.fastq,{server.url}/a_2.fastq\n")
        assert errors(cli("submit", sheet, "--reference", reference)) == [
            f"{server.url}/a_2.fastq: sample A, lane L001: expected a FASTQ file, found an empty one"
        ]
        server.put("/a_2.fastq", b"@r\nA\n+\nI\n").statuses = [404]
        assert errors(cli("submit", sheet, "--reference", reference)) == [
            f"{server.url}/a_2.fastq: sample A, lane L001: expected a FASTQ file, found no such file"
        ]
        ended = cli("submit", sheet, "--reference", reference)
    assert ended.code == 0, ended.err
    manifest = next(key for key in stack.keys("runs/") if key.endswith("/manifest.jsonl"))
    assert stack.read(manifest)["lanes"][0]["fastq_2"] == f"{server.url}/a_2.fastq"


def test_all_problems_are_reported_at_once(stack: Deployed, tmp_path: Path, cli: Cli) -> None:
    reads = [stack.put(f"reads/{name}.fastq") for name in ("a1", "a2", "b1")]
    empty = stack.put("reads/b2.fastq", b"")
    here = tmp_path / "c1.fastq"
    gone = f"s3://{stack.bucket}/reads/d1.fastq"
    elsewhere = "s3://no-such-bucket/d2.fastq"
    rows = [("A", *reads[:2]), ("B", reads[2], empty), ("C", here, reads[0][:-8] + "c2.fastq"), ("D", gone, elsewhere)]
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1,fastq_2\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    ended = cli("submit", sheet, "--reference", "s3://no-such-bucket/ref.fa")
    assert ended.code == 1
    assert errors(ended) == [
        "s3://no-such-bucket/ref.fa: expected a FASTA file, found no such file",
        f"{empty}: sample B, lane L001: expected a FASTQ file, found an empty one",
        f"{here}: sample C, lane L001: expected a FASTQ file on S3, found a file of this machine; upload it: "
        f"aws s3 sync {tmp_path} s3://{stack.bucket}/reads/{tmp_path.name}",
        f"s3://{stack.bucket}/reads/c2.fastq: sample C, lane L001: expected a FASTQ file, found no such file",
        f"{gone}: sample D, lane L001: expected a FASTQ file, found no such file",
        f"{elsewhere}: sample D, lane L001: expected a FASTQ file, found no such file",
    ]
    assert stack.keys("runs/") == []


def test_sheet_and_parameters_are_refused_together(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1\nA,s3://b/a.bam\n")
    ended = cli("submit", sheet, "--reference", reference, "--param", "variant_calling.ploidi=1")
    assert (ended.code, errors(ended)) == (
        1,
        [
            "--param variant_calling.ploidi=1: unknown parameter 'ploidi' of variant_calling; did you mean 'ploidy'?",
            f"{sheet}:2:fastq_1: expected a file ending in .fastq, .fq, .fastq.gz, .fq.gz, .fastq.bgz or .fq.bgz, found 's3://b/a.bam'",
        ],
    )


def test_what_hosts_of_arm64_cannot_do_is_refused(
    step_functions: FakeAws, aws: str, fasta: Path, tmp_path: Path, cli: Cli
) -> None:
    with deployed(aws, architecture=Architecture.ARM64) as stack:
        sheet = stack.sheet(tmp_path / "cohort.csv", "A")
        arguments = ("submit", sheet, "--reference", fasta, "--dry-run")
        parameters = ("--param", "alignment.adapters=illumina", "--param", "alignment.quality_cutoff=0")
        assert errors(cli(*arguments, *parameters)) == [
            "alignment.adapters: expected hosts of x86_64, found arm64; choose a stack of x86_64, or "
            "leave this parameter out"
        ]
        assert errors(cli(*arguments)) == []


def test_only_the_command_is_wrong(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A", "B")
    ended = cli("submit", sheet, "--reference", reference, "--sample", "C")
    assert (ended.code, errors(ended)) == (2, ["--sample C: no such sample in the manifest; known: A, B"])


def test_a_file_that_a_parameter_names(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    command = ("submit", sheet, "--reference", reference, "--param")
    assert errors(cli(*command, "variant_calling.regions=/data/panel.bed")) == [
        "/data/panel.bed: parameter variant_calling.regions: expected a file on S3, found a file of this machine; "
        f"upload it: aws s3 cp /data/panel.bed s3://{stack.bucket}/files/"
    ]
    missing = f"s3://{stack.bucket}/panel.bed"
    assert errors(cli(*command, f"variant_calling.regions={missing}")) == [
        f"{missing}: parameter variant_calling.regions: expected a file, found no such file"
    ]


def test_regions_on_s3_are_compared_with_the_reference(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    bed = stack.put("panel.bed.gz", gzip.compress(b"chr1\t0\t640\nchr1\t0\t641\nchr3\t0\t5\n"))
    command = ("submit", sheet, "--reference", reference, "--dry-run", "--param", f"variant_calling.regions={bed}")
    assert errors(cli(*command)) == [
        f"{bed}:2: parameter variant_calling.regions: expected 0 <= start < end <= 640, the length of chr1, "
        "found 0 and 641",
        f"{bed}:3: parameter variant_calling.regions: expected a contig of the reference, found 'chr3'; "
        "did you mean 'chr2'?",
    ]
    stack.put("panel.bed.gz", b"chr1\t0\t640\n")
    assert cli(*command).code == 0


def test_the_regions_of_a_run(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    bed = stack.put("panel.bed", b"chr1\t10\t20\nchr2\t0\t641\n")
    command = ("submit", sheet, "--reference", reference, "--json", "--regions", bed)
    assert errors(cli(*command)) == [
        f"{bed}:2: parameters alignment.regions, variant_calling.regions, aggregation.regions: "
        "expected 0 <= start < end <= 640, the length of chr2, found 0 and 641"
    ]
    stack.put("panel.bed", b"chr1\t10\t20\nchr1\t40\t50\n")
    run = summary_of(cli(*command))["run"]
    assert stack.read(f"runs/{run}/intervals.jsonl") == {"interval": "00000", "regions": ["chr1:11-50"]}
    parameters = stack.read(f"runs/{run}/run.json")["parameters"]
    assert parameters == {
        "alignment": {"format": "cram", "regions": bed},
        "variant_calling": {"regions": bed},
        "aggregation": {"regions": bed},
    }


def test_samples_without_reads_are_refused_unless_they_are_accepted(
    stack: Deployed, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A", "B", "C")
    stack.s3.delete_object(Bucket=stack.bucket, Key="reads/B_R1.fastq")
    missing = f"s3://{stack.bucket}/reads/B_R1.fastq: sample B, lane L001: expected a FASTQ file, found no such file"
    command = ("submit", sheet, "--reference", reference, "--dry-run", "--json")
    for options in ((), ("--tolerate", "0"), ("--tolerate", "30%")):
        assert errors(cli(*command, *options)) == [missing]
    assert summary_of(cli(*command, "--tolerate", "1"))["warnings"] == [f"{missing}; the sample will fail"]
    for name in ("A", "C"):
        stack.s3.delete_object(Bucket=stack.bucket, Key=f"reads/{name}_R1.fastq")
    assert len(errors(cli(*command, "--tolerate", "100%"))) == 3


def test_an_archived_file(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    key = "reads/A_R1.fastq"
    stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=b"@r\nA\n+\nF\n", StorageClass="DEEP_ARCHIVE")
    assert errors(cli("submit", sheet, "--reference", reference)) == [
        f"s3://{stack.bucket}/{key}: sample A, lane L001: expected a FASTQ file that is not archived, "
        "found it in DEEP_ARCHIVE; restore it first"
    ]
    stack.s3.restore_object(Bucket=stack.bucket, Key=key, RestoreRequest={"Days": 1})
    assert cli("submit", sheet, "--reference", reference, "--dry-run").code == 0


def test_indexes_that_are_missing(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    for name in ("tiny.fa.fai", "tiny.fa.sa", "tiny.fa.mbw"):
        stack.s3.delete_object(Bucket=stack.bucket, Key=f"ref/{name}")
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    assert errors(cli("submit", sheet, "--reference", reference)) == [
        f"{reference}: expected tiny.fa.fai beside it, found none; to create it: samtools faidx tiny.fa",
        f"{reference}: expected tiny.fa.mbw beside it, found none; to create it: "
        "python -c \"from minibwa import Index; Index.build('tiny.fa', 'tiny.fa', threads=2)\"",
    ]
    compressed = stack.put("ref/tiny.fa.gz", gzip.compress(b">chr1\nACGT\n"))
    assert errors(cli("submit", sheet, "--reference", compressed)) == [
        f"{compressed}: expected a plain FASTA file with its indexes beside it, found gzip; "
        "decompress and index it, or name a file of this machine, which submit prepares and uploads"
    ]
    assert errors(cli("submit", sheet, "--reference", tmp_path / "no.fa")) == [
        f"{tmp_path}/no.fa: expected a file, found none"
    ]


def test_bwa_is_used_where_minibwas_index_is_missing(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    stack.s3.delete_object(Bucket=stack.bucket, Key="ref/tiny.fa.l2b")
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    ended = cli("submit", sheet, "--reference", reference, "--json")
    run = summary_of(ended)["run"]
    assert "alignment.aligner=bwa instead of minibwa: expected tiny.fa.l2b beside it, found none" in ended.err
    assert stack.read(f"runs/{run}/run.json")["parameters"]["alignment"]["aligner"] == "bwa"
    chosen = ("--param", "alignment.aligner=minibwa")
    (message,) = errors(cli("submit", sheet, "--reference", reference, *chosen))
    assert message.startswith("alignment.aligner=minibwa cannot be used: expected tiny.fa.l2b beside it, found none")
    assert message.endswith("; leave it out, or --param alignment.aligner=bwa")


def test_reads_in_another_region(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    stack.s3.create_bucket(Bucket="far", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    uri = stack.put("a.fastq", bucket="far")
    sheet = tmp_path / "cohort.csv"
    sheet.write_text(f"sample,fastq_1\nA,{uri}\n")
    ended = cli("submit", sheet, "--reference", reference, "--dry-run")
    assert ended.code == 0
    assert (
        "warning: s3://far is in eu-west-1, the stack in us-east-1: AWS charges every GB read between regions; "
        "copy the reads into us-east-1 first"
    ) in ended.err.splitlines()


def test_no_stack(aws: str, tmp_path: Path, cli: Cli) -> None:
    sheet = tmp_path / "cohort.csv"
    sheet.write_text("sample,fastq_1\nA,s3://b/a.fastq\n")
    ended = cli("submit", sheet, "--reference", "s3://b/r.fa", "--stack", "other")
    assert (ended.code, errors(ended)) == (
        1,
        ["stack other: expected a deployed stack, found none; run `genomics-pipeline deploy`"],
    )


def test_another_definition_is_deployed(stack: Deployed, aws: str, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    states = boto3.client("stepfunctions", endpoint_url=aws)
    document = json.loads(states.describe_state_machine(stateMachineArn=STATE_MACHINE)["definition"])
    del document["StartAt"]
    document["States"]["Sample"]["MaxConcurrency"] = 5
    retry = document["States"]["Sample"]["ItemProcessor"]["States"]["alignment"]["Retry"]
    retry[0]["MaxAttempts"] = True
    retry[0]["Comment"] = "x" * 80
    states.update_state_machine(stateMachineArn=STATE_MACHINE, definition=json.dumps(document))
    ended = cli("submit", sheet, "--reference", reference)
    place = "$.States.Sample.ItemProcessor.States.alignment.Retry"
    assert errors(ended) == [
        "state machine genomics-pipeline-germline: expected the definition of this installation; "
        '`genomics-pipeline deploy` first: $.StartAt: expected "Sample", found nothing; '
        '$.States.Sample.MaxConcurrency: expected "{% $exists($states.input.max_concurrency)?$states.input.max…, '
        "found 5; "
        f"{place}[0].MaxAttempts: expected 20, found true; 1 more"
    ]
    states.delete_state_machine(stateMachineArn=STATE_MACHINE)


def test_other_images_are_deployed(stack: Deployed, aws: str, reference: str, tmp_path: Path, cli: Cli) -> None:
    from genomics_pipeline.model.architecture import Architecture
    from genomics_pipeline.runs.catalog import load_step
    from genomics_pipeline.runs.containers.images import tag

    tags = {name: tag(load_step(name), Architecture.X86_64) for name in ("alignment", "variant_calling", "gather")}
    batch, ecr = boto3.client("batch", endpoint_url=aws), boto3.client("ecr")
    batch.register_job_definition(
        jobDefinitionName="genomics-pipeline-alignment",
        type="container",
        containerProperties={"image": "registry/genomics-pipeline/alignment:old", "vcpus": 1, "memory": 256},
    )
    batch.deregister_job_definition(jobDefinition="genomics-pipeline-variant_calling:1")
    repository = "genomics-pipeline/gather"
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tags["gather"]}])
    ecr.delete_repository(repositoryName="genomics-pipeline/variant_calling", force=True)
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    ended = cli("submit", sheet, "--reference", reference)
    assert errors(ended) == [
        f"job definition genomics-pipeline-alignment: expected the image genomics-pipeline/alignment:"
        f"{tags['alignment']}, found genomics-pipeline/alignment:old; `genomics-pipeline deploy` first",
        "job definition genomics-pipeline-variant_calling: expected an ACTIVE one, found none; "
        "`genomics-pipeline deploy` creates it",
        f"image genomics-pipeline/variant_calling:{tags['variant_calling']}: expected it in ECR, found none; "
        "`genomics-pipeline containers push`",
        f"image {repository}:{tags['gather']}: expected it in ECR, found none; `genomics-pipeline containers push`",
    ]


def test_a_failed_start_leaves_no_incomplete_run(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    refusal = ApiError("ExecutionLimitExceeded", "too many open executions")
    step_functions.states.gate.fail("StartExecution", refusal)
    ended = cli("submit", sheet, "--reference", reference)
    (folder,) = {key.split("/")[1] for key in stack.keys("runs/")}
    assert ended.code == 1
    assert errors(ended) == [
        f"cannot start the execution {folder}: An error occurred (ExecutionLimitExceeded) when calling the "
        f"StartExecution operation: too many open executions; nothing was started; repeat the command to reuse "
        f"the files in s3://{stack.bucket}/runs/{folder}/"
    ]
    assert summary_of(cli("submit", sheet, "--reference", reference, "--json"))["run"] == folder


def test_a_name_that_step_functions_does_not_list_any_more(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    step_functions.states.gate.fail("StartExecution", ApiError("ExecutionAlreadyExists", "Execution Already Exists"))
    ended = cli("submit", sheet, "--reference", reference)
    (folder,) = {key.split("/")[1] for key in stack.keys("runs/")}
    assert errors(ended) == [
        f"run {folder}: an execution of this name ended, and AWS keeps its name for 90 days; change an input, or wait"
    ]


def test_a_large_item_is_stored_separately(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    lanes = [(f"L{number}", stack.put(f"reads/{'x' * 150}-{number}.fastq")) for number in range(150)]
    sheet = tmp_path / "cohort.csv"
    rows = [f"big,{lane},{uri}" for lane, uri in lanes] + [f"small,L1,{stack.put('reads/s.fastq')}"]
    sheet.write_text("sample,lane,fastq_1\n" + "\n".join(rows) + "\n")
    run = summary_of(cli("submit", sheet, "--reference", reference, "--json"))["run"]
    body = stack.s3.get_object(Bucket=stack.bucket, Key=f"runs/{run}/manifest.jsonl")["Body"].read()
    big, small = map(json.loads, body.splitlines())
    assert big == {"sample": "big", "uri": f"s3://{stack.bucket}/runs/{run}/items/big.json"}
    assert len(small["lanes"]) == 1
    item = stack.read(f"runs/{run}/items/big.json")
    assert [(lane["lane"], lane["fastq_1"]) for lane in item["lanes"]] == lanes


def test_an_error_of_aws_hides_no_other_problem(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    stack.s3.delete_object(Bucket=stack.bucket, Key="reads/A_R2.fastq")
    step_functions.states.gate.fail("DescribeStateMachine", ApiError("AccessDeniedException", "not allowed"))
    ended = cli("submit", sheet, "--reference", reference)
    assert errors(ended) == [
        f"cannot read the state machine {STATE_MACHINE}: access denied: the right to call DescribeStateMachine is "
        "missing; `genomics-pipeline template --caller-policy` prints the rights that runs need; deploy needs more",
        f"s3://{stack.bucket}/reads/A_R2.fastq: sample A, lane L001: expected a FASTQ file, found no such file",
    ]


@pytest.mark.parametrize("by", ["user", "pipeline"])
def test_a_format_that_is_given_is_kept(by: str, stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    options = ["--param", "alignment.format=bam"]
    if by == "pipeline":
        own = tmp_path / "germline.toml"
        text = (shipped_folder("pipelines") / "germline.toml").read_text()
        own.write_text(text + "\n[parameters.alignment]\nformat = 'bam'\n")
        options = ["--pipeline", str(own)]
    ended = cli("submit", stack.sheet(tmp_path / "cohort.csv", "A"), "--reference", reference, "--dry-run", *options)
    assert "alignment.format=" not in ended.err


def test_a_run_starts_as_many_children_as_the_user_allows(
    stack: Deployed, step_functions: FakeAws, reference: str, tmp_path: Path, cli: Cli
) -> None:
    sheet = stack.sheet(tmp_path / "cohort.csv", "A", "B", "C")
    ended = cli("submit", sheet, "--reference", reference, "--max-concurrency", "2", "--json")
    run = summary_of(ended)["run"]
    assert stack.read(f"runs/{run}/input.json")["max_concurrency"] == 2
    execution = step_functions.execution(run)
    execution.wait()
    described = [boto3.client("stepfunctions").describe_map_run(mapRunArn=arn) for arn in execution.map_runs]
    assert [one["maxConcurrency"] for one in described] == [2, 2]
    # It changes no result, so it is no part of the run's name.
    again = summary_of(cli("submit", sheet, "--reference", reference, "--max-concurrency", "3", "--json"))
    assert (again["run"], again["started"]) == (run, False)
    refused = cli("submit", sheet, "--reference", reference, "--max-concurrency", "10001")
    assert (refused.code, "10001 is not in the range 1<=x<=10000" in refused.err) == (2, True)


def test_a_file_of_parameters_is_part_of_the_run(stack: Deployed, reference: str, tmp_path: Path, cli: Cli) -> None:
    sheet, file = stack.sheet(tmp_path / "cohort.csv", "A"), tmp_path / "p.toml"
    file.write_text("[variant_calling]\nploidy = 1\nmin_depth = 7\n")
    options = ("--reference", reference, "--params-file", file, "--param", "variant_calling.ploidy=2", "--json")
    run = summary_of(cli("submit", sheet, *options))["run"]
    parameters = stack.read(f"runs/{run}/run.json")["parameters"]
    assert parameters["variant_calling"] == {"ploidy": 2, "min_depth": 7}
