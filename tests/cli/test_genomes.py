"""`--genome`: references by their short names, of the user and of the site."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.runs.genomes import genome_reference
from tests.fakes.deployed import Deployed
from tests.small_project import COPY, COPY_DECLARATIONS, READS, SmallProject, stage_toml

Cli = Callable[..., Any]


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the user's file of genomes, which does not exist yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "site"))
    file = tmp_path / "config/genomics-pipeline/genomes.toml"
    file.parent.mkdir(parents=True)
    return file


def test_a_run_by_the_name_of_its_genome(project: SmallProject, own: Path, cli: Cli) -> None:
    project.step("copy", COPY, COPY_DECLARATIONS)
    project.pipeline(stage_toml("copying", "./copy", "copies", {"reads": "sample.reads"}))
    sheet = project.samples({"A": READS})
    own.write_text('[tiny]\nreference = "../../reference.fa"\n')
    options = ("--out", project.run, "--pipeline", project.folder / "pipeline.toml")
    assert cli("run", sheet, "--genome", "tiny", *options).code == 0
    request = json.loads((project.run / "run.json").read_text())["request"]
    assert request["reference"] == str(project.folder / "reference.fa")
    own.unlink()
    assert "nothing to rerun" in cli("rerun", project.run).out
    for chosen, found in (((), "neither"), (("--genome", "tiny", "--reference", "r.fa"), "both")):
        ended = cli("run", sheet, *chosen, *options)
        assert (ended.code, ended.err) == (2, f"error: expected one of --reference and --genome, found {found}\n")


def test_a_genome_on_aws(stack: Deployed, reference: str, own: Path, tmp_path: Path, cli: Cli) -> None:
    own.write_text(f'[tiny]\nreference = "/none.fa"\non_aws = "{reference}"\n')
    sheet = stack.sheet(tmp_path / "cohort.csv", "A")
    ended = cli("submit", sheet, "--genome", "tiny", "--dry-run", "--json")
    assert (ended.code, json.loads(ended.out)["samples"]) == (0, 1)
    assert f"reference: {reference}" in ended.err


def test_the_first_file_that_declares_a_name_decides(tmp_path: Path) -> None:
    named, user, site = (tmp_path / name for name in ("named.toml", "user", "site"))
    for folder in (user, site):
        (folder / "genomics-pipeline").mkdir(parents=True)
    (site / "genomics-pipeline/genomes.toml").write_text('[a]\nreference = "a.fa"\n[b]\nreference = "b.fa"\n')
    (user / "genomics-pipeline/genomes.toml").write_text('[b]\nreference = "b.fa"\n[c]\nreference = "s3://c/c.fa"\n')
    named.write_text('[c]\nreference = "/c.fa"\n')
    variables = {"XDG_CONFIG_DIRS": f"relative:{tmp_path}/none:{site}"}

    def found(name: str, **more: str) -> str:
        return genome_reference(name, False, {**variables, **more}, None)

    assert found("a") == f"{site}/genomics-pipeline/a.fa"
    assert found("b") == f"{site}/genomics-pipeline/b.fa"
    assert found("b", XDG_CONFIG_HOME=str(user)) == f"{user}/genomics-pipeline/b.fa"
    assert found("c", XDG_CONFIG_HOME=str(user)) == "s3://c/c.fa"
    assert found("c", XDG_CONFIG_HOME=str(user), GENOMICS_PIPELINE_GENOMES=str(named)) == "/c.fa"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "--genome GRCh38: no genome is declared; write {file}: docs/references.md, or give --reference"),
        (
            '[GRCh37]\nreference = "a.fa"\n',
            "--genome GRCh38: unknown genome; did you mean 'GRCh37'?; declared in {file}",
        ),
        (
            '[CHM13]\nreference = "a.fa"\n[mm39]\nreference = "b.fa"\n',
            "--genome GRCh38: unknown genome; known: CHM13, mm39; declared in {file}",
        ),
        (
            '[GRCh38]\nfasta = "a.fa"\non_aws = "/a.fa"\n',
            "{file}:1:GRCh38: expected the key 'reference', found none\n"
            "{file}:2:GRCh38.fasta: unknown key 'fasta'; known: reference, on_aws, summary\n"
            "{file}:3:GRCh38.on_aws: expected an s3:// URI, found '/a.fa'",
        ),
    ],
)
def test_a_wrong_name_or_file(tmp_path: Path, text: str | None, message: str) -> None:
    file = tmp_path / "genomics-pipeline/genomes.toml"
    file.parent.mkdir()
    if text is not None:
        file.write_text(text)
    with pytest.raises(PipelineError) as error:
        genome_reference("GRCh38", False, {"XDG_CONFIG_DIRS": str(tmp_path)}, None)
    assert str(error.value) == message.format(file=file)
