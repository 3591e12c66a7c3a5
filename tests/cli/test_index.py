"""`index`: the indexes of a reference, on this machine."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random

import pysam
import pytest

from genomics_pipeline.cli import index as command
from genomics_pipeline.reference import build
from genomics_pipeline.runs import index_reference
from tests.cli.conftest import Ended
from tests.fakes.web_files import WebFiles

Cli = Callable[..., Ended]
BASES = "".join(Random(3).choices("ACGT", k=6000))
FASTA = f">chr1\n{BASES}\n>chr2\n{BASES[:4000]}\n"
BUILT = ["x.dict", "x.fa.amb", "x.fa.ann", "x.fa.bwt", "x.fa.fai", "x.fa.l2b", "x.fa.mbw", "x.fa.pac", "x.fa.sa"]


def test_the_option_offers_all_kinds() -> None:
    assert sorted(command.KINDS) == sorted(index_reference.KINDS)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, in which ``x.fa`` is the only file."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "references"
    folder.mkdir()
    (folder / "x.fa").write_text(FASTA)
    monkeypatch.chdir(folder)
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Return the digest of each file, and of hidden ones too."""
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in folder.iterdir() if file.is_file()}


def placed(ended: Ended) -> dict[str, tuple[bool, list[str]]]:
    """Return whether each kind was built, and its files."""
    assert ended.code == 0, ended.err
    return {one["kind"]: (one["built"], one["files"]) for one in json.loads(ended.out)["indexes"]}


def errors(ended: Ended) -> list[str]:
    return [line.removeprefix("error: ") for line in ended.err.splitlines() if line.startswith("error: ")]


def test_all_kinds_beside_a_plain_file_once(folder: Path, cli: Cli) -> None:
    first = cli("index", "x.fa", "--json")
    assert {kind: built for kind, (built, _) in placed(first).items()} == dict.fromkeys(
        ("fai", "bwa", "dict", "minibwa"), True
    )
    assert sorted(contents(folder)) == sorted(["x.fa", *BUILT])
    assert "index: fai, bwa, dict, minibwa of x.fa: at most 1 MiB of memory, " in first.err
    before = contents(folder)
    again = placed(cli("index", "x.fa", "--json"))
    assert again["minibwa"] == (False, ["x.fa.l2b", "x.fa.mbw"])
    assert not any(built for built, _ in again.values())
    assert contents(folder) == before
    (folder / "x.fa.mbw").unlink()
    (folder / "x.fa.l2b").unlink()
    ended = cli("index", "x.fa")
    assert ended.out.splitlines()[-1] == "minibwa: built: x.fa.l2b, x.fa.mbw"
    assert contents(folder) == before


def test_beside_a_file_that_bgzip_compressed(folder: Path, cli: Cli) -> None:
    pysam.tabix_compress("x.fa", "y.fa.gz")
    expected = folder / "expected"
    expected.mkdir()
    (expected / "y.fa.gz").write_bytes((folder / "y.fa.gz").read_bytes())
    pysam.samtools.faidx(str(expected / "y.fa.gz"))
    found = placed(cli("index", "y.fa.gz", "--json"))
    assert found["dict"] == (True, ["y.dict"])
    assert found["minibwa"] == (True, ["y.fa.gz.l2b", "y.fa.gz.mbw"])
    assert {name: digest for name, digest in contents(folder).items() if name in contents(expected)} == contents(
        expected
    )
    assert not any(built for built, _ in placed(cli("index", "y.fa.gz", "--json")).values())
    (folder / "y.fa.gz.gzi").write_bytes(b"\1" * 8)
    ended = cli("index", "y.fa.gz", "--kind", "gzi")
    advice = "remove them, or name another folder by --out"
    assert (ended.code, errors(ended)) == (1, [f"y.fa.gz.gzi: expected the blocks of y.fa.gz, found others; {advice}"])
    assert (folder / "y.fa.gz.gzi").read_bytes() == b"\1" * 8


def test_a_folder_gets_the_reference_of_a_web_server(folder: Path, cli: Cli) -> None:
    with WebFiles() as server:
        server.put("/x.fa.gz", gzip.compress(FASTA.encode()))
        url = f"{server.url}/x.fa.gz"
        ended = cli("index", url)
        assert (ended.code, errors(ended)) == (
            2,
            [f"{url}: a web server takes no files; name a folder for the reference by --out"],
        )
        found = placed(cli("index", url, "--out", "new/here", "--json"))
    assert found["fasta"] == (True, ["new/here/x.fa"])
    made = contents(folder / "new/here")
    assert sorted(made) == sorted(["x.fa", *BUILT])
    assert made["x.fa"] == contents(folder)["x.fa"]
    cli("index", "x.fa")
    assert made == contents(folder)
    assert not any(built for built, _ in placed(cli("index", "x.fa", "--out", "new/here", "--json")).values())


def test_a_name_of_genomes_and_its_alternate_contigs(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    genomes = folder / "genomes.toml"
    genomes.write_text('[tiny]\nreference = "x.fa"\n')
    monkeypatch.setenv("GENOMICS_PIPELINE_GENOMES", str(genomes))
    (folder / "x.fa.alt").write_text("chr2\t0\tchr1\t1\t60\t5M\t*\t0\t0\t*\t*\n")
    ended = cli("index", "--genome", "tiny", "--out", "o", "--json")
    assert list(placed(ended)) == ["fasta", "fai", "bwa", "dict"]
    assert "index: not for minibwa: it does not take account of the alternate contigs" in ended.err
    assert contents(folder / "o")["x.fa.alt"] == contents(folder)["x.fa.alt"]
    for options, code, message in (
        (("x.fa", "--kind", "minibwa"), 1, "x.fa: --kind minibwa: it does not take account of the alternate contigs"),
        (("x.fa", "--kind", "gzi"), 1, "x.fa: --kind gzi: expected a file that bgzip compressed"),
        (("x.fa", "--genome", "tiny"), 2, "expected one of REFERENCE and --genome, found both"),
        ((), 2, "expected one of REFERENCE and --genome, found neither"),
        (("none.fa",), 1, "none.fa: expected a file, found none"),
        (("x.fa", "--out", "s3://b/x/"), 2, "--out s3://b/x/: expected a folder of this machine"),
    ):
        ended = cli("index", *options)
        assert (ended.code, len(errors(ended))) == (code, 1), ended.err
        assert errors(ended)[0].startswith(message)


def test_short_memory_is_said_before_anything_is_built(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "x.fa").write_text(f">chr1\n{BASES * 40}\n")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "4")
    before = contents(folder)
    ended = cli("index", "x.fa")
    (error,) = errors(ended)
    assert ended.code == 1
    assert error.startswith(
        "x.fa: to build its index for minibwa takes about 5 MiB of memory, found 3 MiB; build it on a machine with more"
    )
    assert "runs then use bwa" in error
    assert contents(folder) == before
    assert list(placed(cli("index", "x.fa", "--kind", "bwa", "--json"))) == ["fai", "bwa", "dict"]


def test_files_of_others_are_all_named_and_none_is_touched(folder: Path, cli: Cli) -> None:
    cli("index", "x.fa")
    other = folder / "other"
    other.mkdir()
    (other / "x.fa").write_text(FASTA.replace("A", "C", 50))
    for ending in ("x.fa.fai", "x.fa.bwt", "x.fa.sa", "x.fa.amb", "x.fa.ann", "x.fa.pac", "x.dict", "x.fa.l2b"):
        (other / ending).write_bytes((folder / ending).read_bytes())
    before = contents(other)
    ended = cli("index", "other/x.fa")
    only = "expected all files of the index for minibwa or none, found only x.fa.l2b"
    advice = "remove them, or name another folder by --out"
    assert (ended.code, errors(ended)) == (1, [f"other/x.fa.l2b: {only}; {advice}"])
    (other / "x.fa.mbw").write_bytes((folder / "x.fa.mbw").read_bytes())
    before = contents(other)
    ended = cli("index", "other/x.fa")
    assert (ended.code, errors(ended)) == (
        1,
        [
            f"other/x.fa.amb: expected the bases of x.fa, found others; {advice}",
            f"other/x.dict: expected the MD5 (M5) of chr1 in x.fa, found that of other bases; {advice}",
            f"other/x.fa.l2b: expected the bases of x.fa, found others; {advice}",
        ],
    )
    ended = cli("index", "other/x.fa", "--out", ".", "--kind", "dict")
    assert (ended.code, errors(ended)) == (
        1,
        [f"./x.dict: expected the MD5 (M5) of chr1 in x.fa, found that of other bases; {advice}"],
    )
    (folder / "x.dict").unlink()
    ended = cli("index", "other/x.fa", "--out", ".", "--kind", "fai")
    assert (ended.code, errors(ended)) == (
        1,
        [f"./x.fa: expected x.fa as built of this reference, found another file; {advice}"],
    )
    assert contents(other) == before


def test_indexes_cannot_lie_beside_lines_of_any_length(folder: Path, cli: Cli) -> None:
    (folder / "x.fa").write_text(f">chr1\n{BASES[:100]}\n{BASES[100:300]}\n{BASES[300:400]}\n")
    before = contents(folder)
    ended = cli("index", "x.fa")
    (error,) = errors(ended)
    assert ended.code == 1
    assert error.startswith("x.fa: expected lines of one length and without blanks, and a .fai of it or none; a folder")
    assert contents(folder) == before
    assert list(placed(cli("index", "x.fa", "--out", "o", "--json")))[:2] == ["fasta", "fai"]


def test_a_folder_without_permission(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    ended = cli("index", "x.fa")
    assert (ended.code, errors(ended)) == (
        1,
        [f"{folder}: expected a folder that can be written to, found none; name another by --out"],
    )


def test_an_interruption_leaves_complete_indexes_only(folder: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "SHORT_BYTES", 0)
    wait = subprocess.Popen.wait

    def interrupted(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if str(process.args).endswith("'bwa', 'dict']"):
            monkeypatch.setattr(subprocess.Popen, "wait", wait)
            raise KeyboardInterrupt
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    ended = cli("index", "x.fa")
    assert (ended.code, sorted(contents(folder))) == (130, ["x.fa", "x.fa.fai"])
    assert [path.name for path in folder.iterdir() if path.is_dir()] == []
