"""`submit s3://…/cohort.vcf.gz --pipeline annotate`: shards read their parts from S3; Step Functions is a fake."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.model.record_input import RecordsPlace
from genomics_pipeline.runs.aws.records.place import RecordsOnS3, joined_problem
from genomics_pipeline.runs.catalog import load_pipeline
from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed_with_functions
from tests.small_annotation import SmallAnnotation, small_pipeline

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]


@pytest.fixture
def pipeline(tmp_path: Path) -> str:
    return str(small_pipeline(tmp_path))


@pytest.fixture
def stack(pipeline: str, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed_with_functions(aws, pipeline, step_functions) as made:
        yield made


@pytest.fixture
def small(tmp_path: Path, stack: Deployed) -> SmallAnnotation:
    """Put the files into the bucket."""
    found = SmallAnnotation(tmp_path)
    for file in sorted(tmp_path.iterdir()):
        if file.suffix in (".gz", ".tbi", ".fa", ".fai", ".gff3"):
            stack.put(f"in/{file.name}", file.read_bytes())
    return found


def options(stack: Deployed, pipeline: str) -> list[str]:
    """Return the options of the files in the bucket."""
    files = {"reference": "reference.fa", "gff3": "genes.gff3", "dbsnp": "known.vcf.gz"}
    named = [f"annotate.{name}=s3://{stack.bucket}/in/{file}" for name, file in files.items()]
    return ["--pipeline", pipeline, *(word for one in named for word in ("--param", one))]


def test_the_result_is_that_of_the_whole_and_a_rerun_makes_one_shard(
    stack: Deployed, step_functions: FakeAws, small: SmallAnnotation, pipeline: str, cli: Cli, tmp_path: Path
) -> None:
    seen: list[Any] = []

    def refuse(payload: Mapping[str, Any]) -> None:
        for item in payload.get("items", ()):
            seen.append(item["shard"])
            if item["shard"] == 2 and seen.count(2) == 1:
                raise StatesError("Sandbox.Timedout", "timed out after 900.00 seconds")

    step_functions.functions.before = refuse
    vcf = f"s3://{stack.bucket}/in/{small.vcf.name}"
    checked = cli("submit", vcf, *options(stack, pipeline), "--dry-run")
    assert checked.code == 0, checked.err
    ended = cli("submit", vcf, *options(stack, pipeline), "--json")
    assert ended.code == 0, ended.err
    run = json.loads(ended.out)["run"]
    step_functions.execution(run).wait()
    status = json.loads(cli("status", run, "--json").out)
    assert (status["status"], status["missing"]["records"]) == ("FAILED", 1)
    assert "found that 1 record has none" in status["error"]
    seen[:] = [2]
    started = json.loads(cli("rerun", run, "--json").out)
    step_functions.execution(started["execution"]).wait()
    assert seen == [2, 2]
    assert json.loads(cli("status", run, "--json").out)["status"] == "SUCCEEDED"
    assert cli("results", run, "--download", tmp_path / "here").code == 0
    here = gzip.decompress((tmp_path / "here/annotation/annotated.vcf.gz").read_bytes())
    files = [word for name in ("gff3=genes.gff3", "dbsnp=known.vcf.gz") for word in ("--param", name)]
    options_of_step = ["--reference", small.reference, "--out", tmp_path / "whole"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        assert cli("step", "annotation", small.vcf, *options_of_step, *files).code == 0
    (whole,) = (tmp_path / "whole/results").glob("*.vcf.gz")
    assert here == gzip.decompress(whole.read_bytes())
    assert (tmp_path / "here/annotation/annotated.vcf.gz.tbi").is_file()


def test_what_is_wrong_is_said_before_anything_starts(
    stack: Deployed, small: SmallAnnotation, pipeline: str, cli: Cli
) -> None:
    ended = cli("submit", small.vcf, *options(stack, pipeline))
    assert ended.code == 1
    assert f"{small.vcf}: expected a VCF on S3, found a file of this machine; upload it with its index" in ended.err
    vcf = f"s3://{stack.bucket}/in/{small.vcf.name}"
    ended = cli("submit", vcf, "--pipeline", pipeline)
    assert ended.code == 2
    assert "annotate.reference" in ended.err
    stack.put("in/reference.fa.fai", "chr2\t40000\t6\t60\t61\n")
    ended = cli("submit", vcf, *options(stack, pipeline))
    assert ended.code == 1
    assert "expected contigs of the reference, found records on chr1, which " in ended.err


def test_a_vcf_that_a_function_cannot_join_is_refused() -> None:
    """The joined file has to fit into the ephemeral storage of the function, 10 GiB at most."""
    pipeline, _ = load_pipeline("annotate")
    found = RecordsOnS3(RecordsPlace("", ""), "", 1, 10 << 30, frozenset())
    assert joined_problem(pipeline, "s3://b/x.vcf.gz", found) is None
    problem = joined_problem(pipeline, "s3://b/x.vcf.gz", replace(found, size_bytes=(10 << 30) + 1))
    assert str(problem) == (
        "s3://b/x.vcf.gz: expected a VCF of at most 10,737,418,240 bytes, the ephemeral storage in which the stage "
        "join joins shards, found 10,737,418,241; submit its contigs in runs of their own"
    )
    assert joined_problem(load_pipeline("preflight")[0], "sheet.csv", replace(found, size_bytes=1 << 40)) is None
