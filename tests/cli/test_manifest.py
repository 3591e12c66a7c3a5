from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHEET = """\
patient,sex,status,sample,lane,fastq_1,fastq_2
p1,XX,0,a,L001,a_L001_R1.fq,a_L001_R2.fq
p1,XX,0,a,L002,a_L002_R1.fq,a_L002_R2.fq
p2,,,b,,b.fq,
"""
Cli = Callable[..., Any]
Reads = Callable[..., Path]


@pytest.fixture
def sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cohort.csv").write_text(SHEET)
    return tmp_path / "cohort.csv"


class TestValidate:
    def test_what_is_valid(self, cli: Cli, sheet: Path) -> None:
        ended = cli("manifest", "validate", "cohort.csv")
        assert (ended.code, ended.out, ended.err) == (0, "cohort.csv: valid, 2 samples, 3 lanes\n", "")

    def test_json(self, cli: Cli, sheet: Path) -> None:
        ended = cli("manifest", "validate", "cohort.csv", "--json")
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == '{\n  "valid": true,\n  "samples": 2,\n  "lanes": 3,\n  "warnings": []\n}\n'

    def test_normalised(self, cli: Cli, sheet: Path) -> None:
        ended = cli("manifest", "validate", "cohort.csv", "--normalised")
        at = sheet.parent
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == (
            '{"sample":"a","patient":"p1","sex":"XX","status":0,"lanes":['
            f'{{"lane":"L001","fastq_1":"{at}/a_L001_R1.fq","fastq_2":"{at}/a_L001_R2.fq"}},'
            f'{{"lane":"L002","fastq_1":"{at}/a_L002_R1.fq","fastq_2":"{at}/a_L002_R2.fq"}}]}}\n'
            '{"sample":"b","patient":"p2","sex":"NA","status":0,"lanes":['
            f'{{"lane":"L001","fastq_1":"{at}/b.fq","fastq_2":null}}]}}\n'
        )

    def test_problems_as_json(self, cli: Cli, sheet: Path) -> None:
        sheet.write_text(SHEET.replace("XX,0,a,L001", "F,0,a,L001").replace("p2,,,b", "p2,,,b,c"))
        ended = cli("manifest", "validate", "cohort.csv", "--json")
        assert (ended.code, ended.err) == (1, "")
        assert json.loads(ended.out) == {
            "valid": False,
            "problems": [
                {
                    "message": "expected one of XX, XY, NA, found 'F'",
                    "file": "cohort.csv",
                    "line": 2,
                    "column": "sex",
                },
                {
                    "message": "expected 7 fields as in the header, found 8",
                    "file": "cohort.csv",
                    "line": 4,
                    "column": None,
                },
            ],
            "warnings": [],
        }

    def test_columns_that_are_not_used_are_reported_once(self, cli: Cli, sheet: Path) -> None:
        sheet.write_text("sample,run,fastq_1,,sample_id,run\na,7,a.fq,x,b,8\nb,9,b.fq,,,\n")
        normalised = cli("manifest", "validate", "cohort.csv", "--normalised")
        columns = "patient, sex, status, sample, lane, library, fastq_1, fastq_2, bam, cram, gvcf, accession, start"
        known = f"known: {columns}"
        warnings = [
            f"cohort.csv:1:2: column 'run' is not used; {known}",
            "cohort.csv:1:4: a column without a name is not used",
            "cohort.csv:1:5: column 'sample_id' is not used; did you mean 'sample'?",
            f"cohort.csv:1:6: column 'run' is not used; {known}",
        ]
        assert (normalised.code, normalised.err) == (0, "".join(f"warning: {one}\n" for one in warnings))
        assert json.loads(cli("manifest", "validate", "cohort.csv", "--json").out)["warnings"] == warnings
        sheet.write_text("sample,fastq_1\na,a.fq\nb,b.fq\n")
        assert (
            cli("manifest", "validate", "cohort.csv", "--normalised").out == normalised.out
        )  # no part of the identity
        lines = [{"sample": name, "fastq_1": f"{name}.fq", "run": {"n": [1]}} for name in ("a", "b")]
        sheet.with_suffix(".jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        ended = cli("manifest", "validate", "cohort.jsonl", "--normalised")
        assert (ended.out, ended.err) == (
            normalised.out,
            f"warning: cohort.jsonl:1:run: column 'run' is not used; {known}\n",
        )

    @pytest.mark.parametrize(
        ("column", "known"),
        [
            ("fastq2", "fastq_2"),
            ("FASTQ_2", "fastq_2"),
            ("fastq-2", "fastq_2"),
            ("fatsq_2", "fastq_2"),
            ("fastq_3", "fastq_2"),
            ("Sex", "sex"),
            ("Lane", "lane"),
            ("lanes", "lane"),
            ("patients", "patient"),
            ("STATUS", "status"),
        ],
    )
    def test_a_column_that_is_surely_another_is_refused(self, cli: Cli, sheet: Path, column: str, known: str) -> None:
        sheet.write_text(f"sample,fastq_1,{column}\na,a.fq,x\n")
        ended = cli("manifest", "validate", "cohort.csv")
        message = f"error: cohort.csv:1:3: unknown column '{column}'; did you mean '{known}'?\n"
        assert (ended.code, ended.out, ended.err) == (1, "", message)

    def test_two_dots_lead_where_the_system_finds_them(self, cli: Cli, sheet: Path) -> None:
        at = sheet.parent
        (at / "store" / "deep").mkdir(parents=True)
        (at / "data").symlink_to("store/deep")
        sheet.write_text("sample,fastq_1,fastq_2\na,data/../a_1.fq,./data/./../a_2.fq\n")
        ended = cli("manifest", "validate", "cohort.csv", "--normalised")
        assert f'"fastq_1":"{at}/store/a_1.fq","fastq_2":"{at}/store/a_2.fq"' in ended.out
        (at / "data" / "cohort.csv").write_text("sample,fastq_1\nb,../b.fq\n")
        ended = cli("manifest", "validate", "data/cohort.csv", "--normalised")
        assert f'"fastq_1":"{at}/store/b.fq"' in ended.out
        sheet.write_text("sample,fastq_1,fastq_2\na,data/../a.fq,store/a.fq\n")
        ended = cli("manifest", "validate", "cohort.csv")
        message = "error: cohort.csv:2:fastq_2: expected the mates of fastq_1, found the same file: store/a.fq\n"
        assert (ended.code, ended.err) == (1, message)

    @pytest.mark.parametrize("ending", ["csv", "csv.gz", "csv.bgz", "csv.bz2", "csv.xz", "csv.zst"])
    @pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
    def test_compression_is_recognised_by_the_content(
        self, cli: Cli, sheet: Path, ending: str, compress: Callable[[bytes], bytes]
    ) -> None:
        sheet.with_name(f"c.{ending}").write_bytes(compress(SHEET.encode()))
        assert cli("manifest", "validate", f"c.{ending}").out == f"c.{ending}: valid, 2 samples, 3 lanes\n"

    def test_a_compressed_sheet(self, cli: Cli, sheet: Path) -> None:
        data = gzip.compress(SHEET.encode())
        sheet.with_name("cohort.csv.gz").write_bytes(data)
        assert cli("manifest", "validate", "cohort.csv.gz").out == "cohort.csv.gz: valid, 2 samples, 3 lanes\n"
        sheet.with_name("cut.csv.gz").write_bytes(data[:-10])
        ended = cli("manifest", "validate", "cut.csv.gz")
        why = "Compressed file ended before the end-of-stream marker was reached"
        assert (ended.code, ended.err) == (1, f"error: cut.csv.gz: expected a whole compressed file: {why}\n")

    def test_a_byte_order_mark_is_not_part_of_a_column(self, cli: Cli, sheet: Path) -> None:
        sheet.write_bytes(b"\xef\xbb\xbf" + SHEET.replace("\n", "\r\n").encode())
        assert cli("manifest", "validate", "cohort.csv").out == "cohort.csv: valid, 2 samples, 3 lanes\n"

    @pytest.mark.parametrize(
        ("uri", "message"),
        [
            ("none.csv", "none.csv: expected a sample sheet, found no such file"),
            ("s3", "s3: expected a readable sample sheet: [Errno 21] Is a directory: 's3'"),
        ],
    )
    def test_no_sheet(self, cli: Cli, sheet: Path, uri: str, message: str) -> None:
        (sheet.parent / "s3").mkdir()
        ended = cli("manifest", "validate", uri)
        assert (ended.code, ended.out, ended.err) == (1, "", f"error: {message}\n")


class TestCheckFiles:
    def check(self, cli: Cli, *rows: str) -> tuple[int, list[str]]:
        Path("c.csv").write_text("sample,lane,fastq_1,fastq_2\n" + "".join(f"{row}\n" for row in rows))
        ended = cli("manifest", "validate", "c.csv", "--check-files")
        assert ended.code == 0 or ended.out == ""
        messages = ended.err.replace(f"{Path.cwd()}/", "").splitlines()
        return ended.code, [line.removeprefix("error: ") for line in messages]

    def test_good_files(self, cli: Cli, reads: Reads) -> None:
        reads("a_R1.fq.gz", "r1/1", "r2/1 comment")
        reads("a_R2.fq.gz", "r1/2", "r2/2")
        reads("b.fq", "r1")
        assert self.check(cli, "a,L001,a_R1.fq.gz,a_R2.fq.gz", "b,L001,b.fq,") == (0, [])

    def test_all_problems_of_a_folder_are_reported_at_once(self, cli: Cli, reads: Reads, tmp_path: Path) -> None:
        good = [f"r{number}" for number in range(1, 4)]
        reads("good_R1.fq", *good)
        reads("good_R2.fq", *good)
        reads("short_R2.fq", *good[:2])
        reads("other_R2.fq", "r1", "r3", "r2")
        reads("empty.fq.gz")
        reads("lane2_R1.fq", *good[:1])
        (tmp_path / "fasta.fq").write_text(">chr1\nACGT\n")
        (tmp_path / "no_name.fq").write_text("@\nACGT\n+\nIIII\n")
        (tmp_path / "plain.fq.gz").write_text("@r1\nACGT\n+\nIIII\n")
        whole = gzip.compress(b"@r1\nACGT\n+\nIIII\n" * 100, 0)
        (tmp_path / "cut.fq.gz").write_bytes(whole[:-30])
        (tmp_path / "hurt.fq.gz").write_bytes(whole[:10] + b"\xff" + whole[11:])
        (tmp_path / "folder.fq").mkdir()
        code, messages = self.check(
            cli,
            "a,L001,good_R1.fq,none_R2.fq",
            "b,L001,good_R2.fq,short_R2.fq",
            "b,L002,lane2_R1.fq,other_R2.fq",
            "c,L001,empty.fq.gz,",
            "d,L001,fasta.fq,",
            "e,L001,no_name.fq,",
            "f,L001,plain.fq.gz,",
            "g,L001,cut.fq.gz,hurt.fq.gz",
            "h,L001,folder.fq,",
        )
        assert code == 1
        end = "Compressed file ended before the end-of-stream marker was reached"
        asked = "expected FASTQ ('@' and a name)"
        assert messages == [
            "none_R2.fq: sample a, lane L001: expected a FASTQ file, found no such file",
            "short_R2.fq: sample b, lane L001: record 3: expected the mate of r3, found the end of the file",
            "other_R2.fq: sample b, lane L002: record 2: expected the end of the file, as in the mates' file, found r3",
            "empty.fq.gz: sample c, lane L001: expected reads, found none: the file is empty; give the sample's reads, "
            "or leave this lane out of the sample sheet",
            f"fasta.fq: sample d, lane L001: record 1: {asked}, found '>chr1'",
            f"no_name.fq: sample e, lane L001: record 1: {asked}, found '@'",
            f"cut.fq.gz: sample g, lane L001: expected a whole gzip file: {end}",
            "hurt.fq.gz: sample g, lane L001: expected a whole gzip file: "
            "Error -3 while decompressing data: invalid block type",
            "folder.fq: sample h, lane L001: expected a FASTQ file, found no such file",
        ]

    def test_files_of_an_invalid_sheet_are_not_checked(self, cli: Cli, reads: Reads) -> None:
        reads("a.fq", "r1")
        code, messages = self.check(cli, "a,L001,none.fq,", "b,L 1,a.fq,")
        assert (code, len(messages)) == (1, 1)
        assert messages[0].startswith("c.csv:3:lane: expected a name")


class TestS3:
    @pytest.fixture(autouse=True)
    def bucket(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        import boto3
        from moto import mock_aws

        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with mock_aws():
            monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
            client = boto3.client("s3")
            client.create_bucket(Bucket="reads")
            for key in ("run-1/a_L001_R1.fq", "run-1/a_L001_R2.fq", "run-1/deep/b.fq", "run-10/c_R1.fq"):
                client.put_object(Bucket="reads", Key=key, Body=b"@r1\nACGT\n+\n#FFF\n")
            sheet = b"sample,fastq_1,fastq_2\na,run-1/a_L001_R1.fq,run-1/a_L001_R2.fq\n"
            client.put_object(Bucket="reads", Key="cohort.csv", Body=sheet)
            yield

    @pytest.mark.parametrize("prefix", ["s3://reads/run-1", "s3://reads/run-1/"])
    def test_init(self, cli: Cli, prefix: str) -> None:
        ended = cli("manifest", "init", prefix)
        at = "s3://reads/run-1"
        assert (ended.code, ended.err) == (0, "")
        assert ended.out == (
            "patient,sample,lane,fastq_1,fastq_2\n"
            f"a,a,L001,{at}/a_L001_R1.fq,{at}/a_L001_R2.fq\n"
            f"b,b,L001,{at}/deep/b.fq,\n"
        )

    def test_validate(self, cli: Cli) -> None:
        ended = cli("manifest", "validate", "s3://reads/cohort.csv", "--check-files")
        assert (ended.code, ended.out) == (0, "s3://reads/cohort.csv: valid, 1 sample, 1 lane\n")
        # Relative paths are relative to the folder of the sheet.
        assert '"fastq_1":"s3://reads/run-1/a_L001_R1.fq"' in (
            cli("manifest", "validate", "s3://reads/cohort.csv", "--normalised").out
        )

    def test_nothing_there(self, cli: Cli) -> None:
        ended = cli("manifest", "validate", "s3://reads/none.csv")
        message = "error: s3://reads/none.csv: expected a sample sheet, found no such file\n"
        assert (ended.code, ended.err) == (1, message)
        ended = cli("manifest", "init", "s3://no-bucket/run-1")
        assert (ended.code, ended.err) == (1, "error: s3://no-bucket/run-1/: expected a bucket, found none\n")


@pytest.mark.parametrize("option", ["--read-layout=single", "--quality-encoding=phred64"])
def test_options_about_the_reads_need_the_check_of_the_files(cli: Cli, option: str) -> None:
    ended = cli("manifest", "validate", "c.csv", option)
    expected = "expected --check-files with it, since no file is read otherwise"
    assert (ended.code, ended.err) == (2, f"error: {option.replace('=', ' ')}: {expected}\n")
