"""`manifest init`: mates by names and first reads, what is left out, what is refused."""

from __future__ import annotations

import errno
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Reads = Callable[..., Path]
HEADER = "patient,sample,lane,fastq_1,fastq_2"


def init(cli: Cli, *arguments: str) -> tuple[int, str, str]:
    """Return the exit code and both outputs, without the path of the current folder."""
    ended = cli("manifest", "init", *arguments)
    here = f"{Path.cwd()}/"
    return ended.code, ended.out.replace(here, ""), ended.err.replace(here, "")


def sheet(names: list[str], rows: list[str]) -> str:
    """Return the sheet of rows such as ``a,L001,1,2``, whose numbers are those of files from 1."""
    lines = [HEADER]
    for row in rows:
        sample, lane, *files = row.split(",")
        paths = ["" if file == "-" else f"reads/{names[int(file) - 1]}" for file in files]
        lines.append(",".join([sample, sample, lane, *paths]))
    return "".join(f"{line}\n" for line in lines)


# The two files of one sample, as sequencers, archives and trimmers name them, and the sample's name.
SCHEMES = [
    ("a_R1.fastq.gz", "a_R2.fastq.gz", "a"),
    ("a_R1_001.fastq.gz", "a_R2_001.fastq.gz", "a"),
    ("a_S7_R1_001.fastq.gz", "a_S7_R2_001.fastq.gz", "a"),
    ("SRR1_1.fastq", "SRR1_2.fastq", "SRR1"),
    ("SRR1.1.fastq", "SRR1.2.fastq", "SRR1"),
    ("a-1.fq", "a-2.fq", "a"),
    ("a.R1.fq.gz", "a.R2.fq.gz", "a"),
    ("a-R1.fastq.gz", "a-R2.fastq.gz", "a"),
    ("a_r1.fq", "a_r2.fq", "a"),
    ("a_b_S1_c_R1.fq", "a_b_S1_c_R2.fq", "a_b_S1_c"),
    ("R1_a.fq", "R2_a.fq", "a"),
    ("a_R1_.fastq.gz", "a_R2_.fastq.gz", "a"),
    ("a_R1.trimmed.fq.gz", "a_R2.trimmed.fq.gz", "a"),
    ("a_R1_trimmed.fq.gz", "a_R2_trimmed.fq.gz", "a"),
    ("a.R1.trim.fastq.gz", "a.R2.trim.fastq.gz", "a"),
    ("a_R1.fastp.fastq.gz", "a_R2.fastp.fastq.gz", "a"),
    ("a_1.clean.fq.gz", "a_2.clean.fq.gz", "a"),
    ("a_1_val_1.fq.gz", "a_2_val_2.fq.gz", "a"),
    ("a_R1_001_val_1.fq.gz", "a_R2_001_val_2.fq.gz", "a"),
    ("a_1P.fq.gz", "a_2P.fq.gz", "a"),
    ("a_1.paired.fq.gz", "a_2.paired.fq.gz", "a"),
    ("a_1_paired.fq.gz", "a_2_paired.fq.gz", "a"),
    ("a_forward_paired.fq.gz", "a_reverse_paired.fq.gz", "a"),
    ("a_forward.fq", "a_reverse.fq", "a"),
    ("a_fwd.fq", "a_rev.fq", "a"),
    ("a_Forward.fq", "a_Reverse.fq", "a"),
    ("a_f.fq", "a_r.fq", "a"),
    ("a_F.fq", "a_R.fq", "a"),
    ("a_left.fq", "a_right.fq", "a"),
    ("a_read1.fq", "a_read2.fq", "a"),
    ("a_Read1.fq", "a_Read2.fq", "a"),
    ("a_read_1.fq", "a_read_2.fq", "a"),
    ("a_pair1.fq", "a_pair2.fq", "a"),
    ("a_pe1.fq", "a_pe2.fq", "a"),
    ("a_PE1.fq", "a_PE2.fq", "a"),
    ("a_mate1.fq", "a_mate2.fq", "a"),
    ("a_end1.fq", "a_end2.fq", "a"),
    ("a_1_of_the_run.fq", "a_2_of_the_run.fq", "a_of_the_run"),
    ("a_R1.fq.bgz", "a_R2.fq.bgz", "a"),
    ("a_R1.fastq.bgz", "a_R2.fastq.bgz", "a"),
    ("deep/er/a_R1.fq", "deep/a_R2.fq", "a"),
    ("a_R1.FASTQ.GZ", "a_R2.fastq.GZ", "a"),
    ("a.fq.1.gz", "a.fq.2.gz", "a"),
    ("a.fastq_1", "a.fastq_2", "a"),
    ("a_first.fq", "a_second.fq", "a"),
    ("a_fw.fq", "a_rv.fq", "a"),
    ("a/R1.fq", "a/R2.fq", "a"),
]


@pytest.mark.parametrize(("first", "second", "sample"), SCHEMES, ids=[scheme[0] for scheme in SCHEMES])
def test_mates(cli: Cli, reads: Reads, first: str, second: str, sample: str) -> None:
    for name in (first, second):
        reads(f"reads/{name}", "r1")
    expected = (0, sheet([first, second], [f"{sample},L001,1,2"]), "")
    assert init(cli, "reads") == expected
    assert init(cli, "reads/") == expected


@pytest.mark.parametrize(("first", "second", "sample"), SCHEMES, ids=[scheme[0] for scheme in SCHEMES])
def test_other_reads_are_no_mates_whatever_the_names_say(
    cli: Cli, reads: Reads, first: str, second: str, sample: str
) -> None:
    reads(f"reads/{first}", "r1")
    reads(f"reads/{second}", "q1")
    code, out, err = init(cli, "reads")
    if "of_the_run" in first:  # a number amid a name is that of mates only if the reads say so
        assert (code, out, err) == (
            0,
            sheet([first, second], ["a_1_of_the_run,L001,1,-", "a_2_of_the_run,L001,2,-"]),
            "",
        )
        return
    advice = "if these are single reads, use --single-end"
    message = f"expected the mate of r1, found q1, in reads/{first}; {advice}"
    assert (code, out, err) == (1, "", f"error: reads/{second}: {message}\n")


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["alone.fastq.gz"], ["alone,L001,1,-"]),
        (["a.fq", "a.fq.md5", "a.bam", "README.txt"], ["a,L001,1,-"]),
        (["a_S7_L003_R1_001.fastq.gz", "a_S7_L003_R2_001.fastq.gz"], ["a,L003,1,2"]),
        (
            ["a_L001_R1.fq", "a_L001_R2.fq", "a_L002_R1.fq", "a_L002_R2.fq", "b.fq"],
            ["a,L001,1,2", "a,L002,3,4", "b,L001,5,-"],
        ),
        (["V1_L01_17_1.fq", "V1_L01_17_2.fq", "V1_L02_17_1.fq", "V1_L02_17_2.fq"], ["V1_17,L01,1,2", "V1_17,L02,3,4"]),
        (["V1_L01_read_1.fq", "V1_L01_read_2.fq"], ["V1,L01,1,2"]),
        (["a_L001.fq", "a_L002.fq"], ["a,L001,1,-", "a,L002,2,-"]),
        # Replicates and mates are numbered alike; the last number is that of mates.
        (["a_1_1.fq", "a_1_2.fq", "a_2_1.fq", "a_2_2.fq"], ["a_1,L001,1,2", "a_2,L001,3,4"]),
        (["a_r1_R1.fq", "a_r1_R2.fq", "a_r2_R1.fq", "a_r2_R2.fq"], ["a_r1,L001,1,2", "a_r2,L001,3,4"]),
    ],
)
def test_samples_and_lanes(cli: Cli, reads: Reads, names: list[str], rows: list[str]) -> None:
    for name in names:
        reads(f"reads/{name}", "r1")
    assert init(cli, "reads") == (0, sheet(names, rows), "")


@pytest.mark.parametrize(
    ("files", "rows"),
    [
        # R1 and R2 are replicates, 1 and 2 the mates: the reads say so.
        (
            [("a_R1_1.fq", "x"), ("a_R1_2.fq", "x"), ("a_R2_1.fq", "y"), ("a_R2_2.fq", "y")],
            ["a_R1,L001,1,2", "a_R2,L001,3,4"],
        ),
        # Numbers beyond two count samples, if no two files have the same reads.
        ([("a_1.fq", "x"), ("a_2.fq", "y"), ("a_3.fq", "z")], ["a_1,L001,1,-", "a_2,L001,2,-", "a_3,L001,3,-"]),
        ([("a_9.fq", "x"), ("a_10.fq", "y"), ("a_1.fq", "z")], ["a_1,L001,3,-", "a_10,L001,2,-", "a_9,L001,1,-"]),
        # L1 is a lane if the reads are of lane 1, else a part of the sample's name.
        (
            [
                ("a_L1_1.fq", "A:1:F:1:1:1:1"),
                ("a_L1_2.fq", "A:1:F:1:1:1:1"),
                ("a_L2_1.fq", "A:1:F:2:1:1:1"),
                ("a_L2_2.fq", "A:1:F:2:1:1:1"),
            ],
            ["a,L1,1,2", "a,L2,3,4"],
        ),
        ([("a_L1_1.fq", "A:1:F:3:1:1:1"), ("a_L1_2.fq", "A:1:F:3:1:1:1")], ["a_L1,L001,1,2"]),
        ([("a_L2_1.fq", "V1L2C001R0010000001/1"), ("a_L2_2.fq", "V1L2C001R0010000001/2")], ["a,L2,1,2"]),
    ],
)
def test_reads_are_the_truth_and_names_the_hint(
    cli: Cli, reads: Reads, files: list[tuple[str, str]], rows: list[str]
) -> None:
    for name, read in files:
        reads(f"reads/{name}", read)
    assert init(cli, "reads") == (0, sheet([name for name, _ in files], rows), "")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a_S1_L001_I1_001.fastq.gz", "index reads"),
        ("a_S1_L001_I2_001.fastq.gz", "index reads"),
        ("a_I1.fastq.gz", "index reads"),
        ("Undetermined_S0_L001_R1_001.fastq.gz", "reads that belong to no sample (Undetermined)"),
        ("undetermined_R2.fq", "reads that belong to no sample (undetermined)"),
        ("lane1_Undetermined_L001_R1.fq", "reads that belong to no sample (Undetermined)"),
        ("Unassigned_R1.fastq.gz", "reads that belong to no sample (Unassigned)"),
        ("unclassified.fq", "reads that belong to no sample (unclassified)"),
        ("V350_L01_undecoded_1.fq.gz", "reads that belong to no sample (undecoded)"),
        ("a_1U.fq.gz", "reads that a trimmer left without their mates"),
        ("a_forward_unpaired.fq.gz", "reads that a trimmer left without their mates"),
        ("a_R1_unpaired_1.fq.gz", "reads that a trimmer left without their mates"),
        ("a.singletons.fq", "reads that a trimmer left without their mates"),
    ],
)
def test_what_is_no_sample_is_left_out_and_reported(cli: Cli, reads: Reads, name: str, reason: str) -> None:
    for one in ("a_R1.fq", "a_R2.fq", name):
        reads(f"reads/{one}", "r1")
    expected = sheet(["a_R1.fq", "a_R2.fq"], ["a,L001,1,2"])
    assert init(cli, "reads") == (0, expected, f"warning: reads/{name}: {reason}; left out\n")
    for one in ("a_R1.fq", "a_R2.fq"):
        Path("reads", one).unlink()
    assert init(cli, "reads") == (1, "", f"error: reads/{name}: {reason}; left out\n")


@pytest.mark.parametrize(
    "name", ["a.fastq.bz2", "a.fq.xz", "a.fastq.zst", "a.FASTQ.XZ", "a.fq.zip", "a.fastq.gz.part", "a.fastq.ora"]
)
def test_other_formats_are_left_out_and_reported(cli: Cli, reads: Reads, name: str) -> None:
    reads(f"reads/{name}", "r1")
    reads("reads/b.fq", "r1")
    expected = "expected a name ending in .fastq.gz, .fq.gz, .fastq.bgz, .fq.bgz, .fastq or .fq"
    warning = f"warning: reads/{name}: {expected}; left out\n"
    assert init(cli, "reads") == (0, sheet(["b.fq"], ["b,L001,1,-"]), warning)


SINGLE = "if these are single reads, use --single-end"


@pytest.mark.parametrize("name", ["a_R1.fq", "a_S1_L001_R1_001.fq", "a_1.fq", "a_1P.fq", "a_fwd.fq", "a.R1.trim.fq"])
def test_a_missing_mate_is_refused(cli: Cli, reads: Reads, name: str) -> None:
    reads(f"reads/{name}", "r1")
    message = f"error: reads/{name}: expected the second reads of sample a, lane L001 too; {SINGLE}\n"
    assert init(cli, "reads") == (1, "", message)
    assert init(cli, "reads", "--single-end") == (0, sheet([name], ["a,L001,1,-"]), "")


@pytest.mark.parametrize("name", ["a_R2.fq", "a_2.fq", "a_rev.fq"])
def test_mates_without_first_reads_are_refused(cli: Cli, reads: Reads, name: str) -> None:
    reads(f"reads/{name}", "r1")
    for arguments in (["reads"], ["reads", "--single-end"]):
        message = f"error: reads/{name}: expected the first reads of sample a, lane L001 too\n"
        assert init(cli, *arguments) == (1, "", message)


def test_single_reads_whose_numbers_look_like_mates(cli: Cli, reads: Reads) -> None:
    reads("reads/a_1.fq", "x")
    reads("reads/a_2.fq", "y")
    assert init(cli, "reads")[0] == 1
    expected = sheet(["a_1.fq", "a_2.fq"], ["a_1,L001,1,-", "a_2,L001,2,-"])
    assert init(cli, "reads", "--single-end") == (0, expected, "")


@pytest.mark.parametrize(
    "names", [["a_R1.fq", "a_R2.fq", "a_R3.fq"], ["a_1.fq", "a_2.fq", "a_3.fq"], ["a_R1.fq", "a_R3.fq"]]
)
def test_third_reads_are_refused(cli: Cli, reads: Reads, names: list[str]) -> None:
    for name in names:
        reads(f"reads/{name}", "r1")
    advice = "write the two files with the mates into a sheet by hand: the second of three often holds barcodes"
    message = f"error: reads/{names[-1]}: expected two files of mates, found a third; {advice}\n"
    assert init(cli, "reads") == (1, "", message)


def test_the_same_reads_twice_are_no_mates(cli: Cli, reads: Reads) -> None:
    reads("reads/a_R1.fq", "r1 1:N:0:AC")
    reads("reads/a_R2.fq", "r1 1:N:0:AC")
    expected = "expected the second reads, after reads numbered 1, found the same reads again"
    message = f"error: reads/a_R2.fq: {expected}, in reads/a_R1.fq; {SINGLE}\n"
    assert init(cli, "reads") == (1, "", message)


def test_problems_are_reported_at_once(cli: Cli, reads: Reads) -> None:
    for name in ("a_R1.fq", "b_R2.fq", "c_R1.fq", "c_R2.fq", "again/c_R1.fq", "my sample.fq"):
        reads(f"reads/{name}", "r1")
    rule = "expected a name of letters, digits, '.', '_' and '-' for a sample"
    assert init(cli, "reads") == (
        1,
        "",
        f"error: reads/a_R1.fq: expected the second reads of sample a, lane L001 too; {SINGLE}\n"
        "error: reads/b_R2.fq: expected the first reads of sample b, lane L001 too\n"
        "error: reads/c_R1.fq: expected one fastq_1 of sample c in a lane, found reads/again/c_R1.fq too\n"
        f"error: reads/my sample.fq: {rule}, found 'my sample'\n",
    )


def test_mates_without_a_separator_are_found_by_their_reads(cli: Cli, reads: Reads) -> None:
    for name, read in (("CR1.fq", "r1"), ("CR2.fq", "q1"), ("aR1.fq", "r2"), ("aR2.fq", "r2")):
        reads(f"reads/{name}", read)
    rows = ["CR1,L001,1,-", "CR2,L001,2,-", "a,L001,3,4"]
    assert init(cli, "reads") == (0, sheet(["CR1.fq", "CR2.fq", "aR1.fq", "aR2.fq"], rows), "")


@pytest.mark.parametrize("names", [("a1.fq", "a2.fq"), ("a_A.fq", "a_B.fq"), ("one/a.fq", "two/b.fq")])
@pytest.mark.parametrize("option", [[], ["--single-end"]])
def test_two_samples_never_have_the_same_reads(
    cli: Cli, reads: Reads, names: tuple[str, str], option: list[str]
) -> None:
    for name in names:
        reads(f"reads/{name}", "A00123:45:HXXX:1:1101:1000:2000")
    advice = "if these are mates, write them into a sheet by hand; if they are copies, remove one"
    message = f"expected reads that no other file has, found those of reads/{names[0]}; {advice}"
    assert init(cli, "reads", *option) == (1, "", f"error: reads/{names[1]}: {message}\n")


def test_hidden_files_and_folders_are_left_out(cli: Cli, reads: Reads) -> None:
    for name in ("a_R1.fq", "a_R2.fq", "._a_R1.fq", ".snapshot/b_R1.fq", ".snapshot/b_R2.fq"):
        reads(f"reads/{name}", "r1")
    expected = sheet(["a_R1.fq", "a_R2.fq"], ["a,L001,1,2"])
    assert init(cli, "reads") == (0, expected, "warning: reads/._a_R1.fq: hidden; left out\n")


@pytest.mark.parametrize(
    "name", ["a.fastq.gz.md5", "a.fq.sha256", "a.fastq.gz.txt", "a.fastq.gz_fastqc.zip", "a.fq.html"]
)
def test_files_about_fastq_files_are_not_reported(cli: Cli, reads: Reads, name: str) -> None:
    reads("reads/a.fq", "r1")
    Path("reads", name).write_text("x")
    assert init(cli, "reads") == (0, sheet(["a.fq"], ["a,L001,1,-"]), "")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a.fq", "a.fastq"], "reads/a.fq: expected one fastq_1 of sample a in a lane, found reads/a.fastq too"),
        (
            ["a_S1_L001.fq", "a_S2_L001.fq"],
            "reads/a_S2_L001.fq: expected one fastq_1 of sample a in a lane, found reads/a_S1_L001.fq too",
        ),
        (
            ["a b_R1.fq", "a b_R2.fq"],
            "reads/a b_R1.fq: expected a name of letters, digits, '.', '_' and '-' for a sample, found 'a b'",
        ),
    ],
)
def test_names_of_samples_that_collide_or_are_missing(cli: Cli, reads: Reads, names: list[str], message: str) -> None:
    for name in names:
        reads(f"reads/{name}", "r1")
    code, out, err = init(cli, "reads")
    assert (code, out) == (1, "")
    assert f"error: {message}\n" in err


def test_a_file_that_is_no_fastq_is_found_by_its_name(cli: Cli, reads: Reads) -> None:
    reads("reads/a_R1.fq.gz")
    Path("reads/a_R2.fq.gz").write_bytes(b"BZh91AY&SY")
    assert init(cli, "reads") == (0, sheet(["a_R1.fq.gz", "a_R2.fq.gz"], ["a,L001,1,2"]), "")


def test_compression_is_recognised_by_the_content(cli: Cli, reads: Reads) -> None:
    reads("reads/a_R1.fq", "r1")
    Path("reads/a_R1.fq").write_bytes(gzip.compress(b"@r1\nA\n+\nI\n"))
    Path("reads/a_R2.fq.gz").write_bytes(b"@r2\nA\n+\nI\n")
    code, _, err = init(cli, "reads")
    assert (code, "expected the mate of r1, found r2" in err) == (1, True)


class TestLinks:
    def test_folders_are_followed_once(self, cli: Cli, reads: Reads) -> None:
        reads("reads/z/a_R1.fq", "r1")
        reads("reads/z/a_R2.fq", "r1")
        reads("other/b.fq", "r1")
        Path("reads/loop").symlink_to("../reads")
        Path("reads/again").symlink_to("z")
        Path("reads/other").symlink_to("../other")
        names = ["z/a_R1.fq", "z/a_R2.fq", "other/b.fq"]
        warnings = "".join(
            f"warning: reads/{link}: the same folder as reads{folder}; left out\n"
            for link, folder in (("again", "/z"), ("loop", ""))
        )
        assert init(cli, "reads") == (0, sheet(names, ["a,L001,1,2", "b,L001,3,-"]), warnings)

    def test_files_are_taken_once(self, cli: Cli, reads: Reads) -> None:
        reads("reads/z/a.fq", "r1")
        Path("reads/a.fq").symlink_to("z/a.fq")
        reads("other/b.fq", "r1")
        Path("reads/b.fq").symlink_to("../other/b.fq")
        warning = "warning: reads/a.fq: the same file as reads/z/a.fq; left out\n"
        assert init(cli, "reads") == (0, sheet(["z/a.fq", "b.fq"], ["a,L001,1,-", "b,L001,2,-"]), warning)

    @pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to])
    def test_one_file_under_two_names_is_refused(
        self, cli: Cli, reads: Reads, link: Callable[[Path, Path], None]
    ) -> None:
        reads("reads/a_R1.fq", "r1")
        link(Path("reads/a_R2.fq"), Path.cwd() / "reads/a_R1.fq")
        code, out, err = init(cli, "reads")
        expected = "expected each file once, found reads/a_R1.fq under another name; remove one of the two"
        assert (code, out) == (1, "")
        assert f"error: reads/a_R2.fq: {expected}\n" in err

    def test_links_that_lead_nowhere_are_refused(self, cli: Cli, reads: Reads) -> None:
        reads("reads/b.fq", "r1")
        Path("reads/a.fq").symlink_to("gone.fq")
        Path("reads/c.fq").symlink_to("c.fq")
        Path("reads/README").symlink_to("gone")
        at = "expected a file, found a link that leads to none"
        assert init(cli, "reads") == (
            1,
            "",
            f"error: reads/a.fq: {at}: No such file or directory\n"
            f"error: reads/c.fq: {at}: Too many levels of symbolic links\n",
        )


def test_a_folder_without_permission_is_refused(cli: Cli, reads: Reads, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(folder: str) -> Any:
        if folder.endswith("/locked"):  # root may read every folder
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return scan(folder)

    scan = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    reads("reads/a.fq", "r1")
    reads("reads/locked/b.fq", "r1")
    message = "error: reads/locked: expected a folder that can be read: Permission denied\n"
    assert init(cli, "reads") == (1, "", message)


def test_the_sheet_is_valid(cli: Cli, reads: Reads) -> None:
    for number in (1, 2):
        reads(f"reads, of run 1/a_R{number}.fq", "r1")
    ended = cli("manifest", "init", "reads, of run 1", "--out", "new.csv")
    assert (ended.code, ended.out, ended.err) == (0, "new.csv: 1 lane\n", "")
    assert cli("manifest", "validate", "new.csv").out == "new.csv: valid, 1 sample, 1 lane\n"


def test_no_fastq_files(cli: Cli, reads: Reads) -> None:
    reads("reads/a.bam", "r1")
    message = "expected FASTQ files (.fastq.gz, .fq.gz, .fastq, .fq), found none"
    assert init(cli, "reads") == (1, "", f"error: reads: {message}\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none"], "none: expected a folder or an S3 prefix, found none"),
        (["reads/a.fq"], "reads/a.fq: expected a folder or an S3 prefix, found none"),
        (["reads", "--out", "old.csv"], "--out old.csv: expected a new file, found one that exists"),
        (
            ["reads", "--out", "none/new.csv"],
            "--out none/new.csv: expected a file that can be written: No such file or directory",
        ),
    ],
)
def test_usage(cli: Cli, reads: Reads, arguments: list[str], message: str) -> None:
    reads("reads/a.fq", "r1")
    Path("old.csv").write_text("old")
    assert init(cli, *arguments) == (2, "", f"error: {message}\n")
    assert Path("old.csv").read_text() == "old"


def test_other_storage(cli: Cli) -> None:
    message = "error: gs://b/reads/: expected a path, an s3:// URI or an https:// URL, found gs://\n"
    assert init(cli, "gs://b/reads") == (1, "", message)
