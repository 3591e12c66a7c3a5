"""`run --pipeline annotate`: shards of a VCF give the same bytes as `step annotation` over the whole file."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pysam.bcftools
import pytest

from genomics_pipeline.runs.catalog import load_pipeline
from tests.cli.conftest import Ended
from tests.small_annotation import SmallAnnotation, empty_vcf, small_pipeline

Cli = Callable[..., Ended]


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallAnnotation:
    """Write the files, and ``small.toml``: the shipped pipeline with shards of some kilobytes."""
    monkeypatch.chdir(tmp_path)
    small_pipeline(tmp_path)
    return SmallAnnotation(tmp_path)


def annotated(cli: Cli, small: SmallAnnotation, vcf: Path, out: str, *more: str) -> Any:
    """Annotate a VCF in shards, and return the summary of the run."""
    ended = cli("run", vcf, "--pipeline", "small.toml", "--out", out, "--json", *small.parameters, *more)
    assert ended.code == 0, ended.err + ended.out
    return json.loads(ended.out)


def whole(cli: Cli, small: SmallAnnotation, vcf: Path) -> Path:
    """Annotate a VCF as a whole, and return the folder of the results."""
    files = {"gff3": small.genes, "dbsnp": small.known}
    named = [word for name, file in files.items() for word in ("--param", f"{name}={file}")]
    ended = cli("step", "annotation", vcf, "--reference", small.reference, "--out", "whole", *named)
    assert ended.code == 0, ended.err
    return Path("whole/results")


def contents(folder: Path) -> tuple[str, Any]:
    """Return the text of the VCF in a folder of results, and the counts."""
    (vcf,), (counts,) = folder.rglob("*annotated.vcf.gz"), folder.rglob("*annotation.json")
    return gzip.decompress(vcf.read_bytes()).decode(), json.loads(counts.read_text())


@pytest.mark.parametrize("kind", ["tbi", "bcf"])
def test_shards_give_the_bytes_of_the_whole(cli: Cli, small: SmallAnnotation, kind: str) -> None:
    """Consequences across borders, deletions that span them, and contigs in another order than the reference's."""
    vcf = small.vcf
    if kind == "bcf":
        vcf = Path("cohort.bcf")
        pysam.bcftools.view("-Ob", "-o", str(vcf), str(small.vcf), catch_stdout=False)
        pysam.bcftools.index(str(vcf), catch_stdout=False)
    summary = annotated(cli, small, vcf.absolute(), "out")
    assert summary["records"] >= (5 if kind == "tbi" else 1)
    text, counts = contents(Path("out/results"))
    expected, expected_counts = contents(whole(cli, small, vcf.absolute()))
    assert text == expected
    assert counts == expected_counts
    assert re.search(r"BCSQ=[^;\t]*@\d", text)
    assert "\trs" in text
    with pysam.VariantFile("out/results/annotation/annotated.vcf.gz") as file:
        assert sum(1 for _ in file.fetch("chr1")) == text.count("\nchr1\t")


def test_a_vcf_without_records_is_one_shard(cli: Cli, small: SmallAnnotation) -> None:
    vcf = empty_vcf(Path("empty.vcf.gz")).absolute()
    assert annotated(cli, small, vcf, "out")["records"] == 1
    assert contents(Path("out/results")) == contents(whole(cli, small, vcf))


def test_shards_that_failed_run_again_alone(cli: Cli, small: SmallAnnotation) -> None:
    """A reference with other bases in one shard fails this shard only; the rerun joins all."""
    text = small.reference.read_text()
    lines = text.splitlines()
    at = lines.index(">chr1") + 1
    other = str.maketrans("ACGT", "CATG")
    damaged = [line.translate(other) if at <= number < at + 60 else line for number, line in enumerate(lines)]
    small.reference.write_text("\n".join(damaged) + "\n")
    ended = cli("run", small.vcf, "--pipeline", "small.toml", "--out", "out", "--json", *small.parameters)
    summary = json.loads(ended.out)
    assert ended.code == 1
    assert 0 < summary["missing"]["records"] < summary["records"]
    assert "expected a result of every record" in summary["error"]
    small.reference.write_text(text)
    again = json.loads(cli("rerun", "out", "--json").out)
    assert again["status"] == "SUCCEEDED"
    assert contents(Path("out/results")) == contents(whole(cli, small, small.vcf))
    ended = cli("run", small.vcf, "--pipeline", "small.toml", "--out", "out", "--resume", *small.parameters)
    assert "nothing to resume" in ended.err


def test_the_plan_says_how_long_joining_takes_at_most(cli: Cli) -> None:
    ended = cli("plan", "--records", "300", "--pipeline", "annotate", "--batch-seconds", "60")
    assert ended.code == 0, ended.err
    assert "then one call that gathers their results, at most 15 min" in ended.out
    assert "STANDARD children: 300 of 1 records at most" in ended.out
    assert load_pipeline("annotate")[0].maps["record"].source.shard_bytes == 32 << 20
