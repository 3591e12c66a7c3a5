"""`run`, `status`, `results` and `rerun` of runs over records on this machine."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.cli.conftest import Ended
from tests.fakes.lambda_api import serving
from tests.small_functions import write_function, write_pipeline

ALERTS = """
def handle(batch):
    found = []
    for index, record in enumerate(batch.records):
        if record["amount"] is None:
            batch.fail(index, "no amount")
        elif str(record["amount"]) == "boom":
            raise ValueError("unreadable amount")
        elif float(record["amount"]) > 10:
            found.append({"id": record["id"], "amount": float(record["amount"])})
    return found
"""
Cli = Callable[..., Ended]


@pytest.fixture
def day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the step and the pipeline, and return the folder, which is the current one."""
    write_function(tmp_path / "score", ALERTS)
    write_pipeline(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_records(file: Path, *amounts: Any) -> Path:
    """Write a record for each amount, as JSON Lines."""
    records = ({"id": number, "amount": amount} for number, amount in enumerate(amounts))
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def results(out: Path) -> list[Any]:
    """Return the results of a run."""
    return [json.loads(line) for line in (out / "results/score.jsonl").read_text().splitlines()]


def test_results_are_in_one_file_in_the_order_of_the_records(cli: Cli, day: Path) -> None:
    """A list has a line for each element, of all batches."""
    write_records(day / "day.jsonl", 1, 20, 3, 40, 50, 6, 70)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out", "--json")
    assert ended.code == 0
    summary = json.loads(ended.out)
    assert (summary["status"], summary["complete"], summary["records"]) == ("SUCCEEDED", True, 7)
    for arguments in (("verify", "out"), ("diff", "out", "out"), ("why", "out", "a")):
        refused = cli(*arguments)
        assert (refused.code, refused.err) == (2, "error: out: expected a run over samples, found one over records\n")
    assert summary["results"] == {str(day / "out/results/score.jsonl"): 4}
    assert [one["id"] for one in results(day / "out")] == [1, 3, 4, 6]
    assert cli("status", "out").code == 0
    assert cli("results", "out").out.startswith(str(day / "out/results/score.jsonl"))


def test_failures_are_named_by_record_and_run_again(cli: Cli, day: Path) -> None:
    """Failed batches and reported records are in failures.tsv; a rerun takes only these."""
    write_records(day / "day.jsonl", 11, None, 13, 14, "boom", 16, 17, 18, 19)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out")
    assert ended.code == 1
    assert "Missing: 4 of 9 records (3 tool error, 1 bad input): 2, 4, 5, 6" in ended.out
    rows = [line.split("\t") for line in (day / "out/failures.tsv").read_text().splitlines()]
    assert rows[0] == ["record", "stage", "class", "message", "value"]
    assert rows[1] == ["2", "score", "bad_input", "no amount", '{"id":1,"amount":null}']
    assert [row[0] for row in rows[2:]] == ["4", "5", "6"]
    assert "unreadable amount" in rows[2][3]
    assert (day / "out/failures.tsv").read_text() == cli("results", "out", "--failed", "--tsv").out
    assert cli("status", "out").code == 1

    planned = cli("rerun", "out", "--class", "tool_error", "--dry-run")
    assert "would run 3 records, 3 tool error: 4, 5, 6" in planned.out
    (day / "score/score.py").write_text(
        ALERTS.replace("raise ValueError", "found.append('boom'); continue\n            raise ValueError")
    )
    again = cli("rerun", "out", "--class", "tool_error")
    assert again.code == 1
    assert "Missing: 1 of 9 records (1 bad input): 2" in again.out
    found = results(day / "out")
    assert [one["id"] if isinstance(one, dict) else one for one in found] == [0, 2, 6, 7, 8, 3, "boom", 5]
    assert cli("rerun", "out").code == 1
    assert len(results(day / "out")) == 8
    nothing = cli("rerun", "out", "--class", "tool_error")
    assert "nothing to rerun: not selected: 1 record that failed" in nothing.out
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "new", "--tolerate", "1").code == 0


def test_the_state_of_an_ended_run_is_that_of_its_files(cli: Cli, day: Path) -> None:
    """Check that rows are not read again while their files are as they were, and that no change is overlooked."""
    write_records(day / "day.jsonl", 11, None, 13, 14, "boom", 16, 17, 18, 19)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 1

    def missing(folder: str = "out") -> Any:
        return json.loads(cli("status", folder, "--json").out)["missing"]

    first = missing()
    assert (first["records"], first["by_class"]) == (4, {"tool_error": 3, "bad_input": 1})
    shutil.copytree("out", "copy")
    (rows,) = (day / "out/map-runs").rglob("FAILED_0.jsonl")
    content = rows.read_bytes()
    rows.write_bytes(b"x" * len(content))
    assert missing() == first, "the rows were read"
    rows.write_bytes(content[:-9])
    damaged = cli("status", "out")
    assert (damaged.code, damaged.out) == (1, "")
    assert damaged.err.startswith(f"error: {rows}:1: expected a child's row, found ")
    rows.write_bytes(content)
    assert missing() == first == missing("copy")
    more = rows.with_name("note.txt")
    more.write_text("another file")
    assert missing() == first, "the counts of all rows differ"
    more.unlink()
    (day / "score/score.py").write_text(ALERTS.replace("raise ValueError", "continue\n            raise ValueError"))
    assert cli("rerun", "out", "--class", "tool_error").code == 1
    assert (missing()["records"], missing("copy")) == (1, first)


def test_a_failed_map_run_leaves_records_pending(cli: Cli, day: Path) -> None:
    """Batches that never started are in failures.tsv, too, and run again."""
    write_pipeline(day, settings="items_per_batch = 1\nmax_concurrency = 1\ntolerated_failure_count = 1")
    write_records(day / "day.jsonl", 20, "boom", "boom", 30, 40)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out", "--json")
    assert ended.code == 1
    summary = json.loads(ended.out)
    assert summary["status"] == "FAILED"
    assert summary["missing"]["by_class"] == {"tool_error": 2, "pending": 2}
    assert [one["id"] for one in results(day / "out")] == [0]
    planned = cli("rerun", "out", "--class", "pending", "--json")
    assert [one["id"] for one in results(day / "out")] == [0, 3, 4]
    assert json.loads(planned.out)["missing"]["records"] == 2


def test_a_record_that_no_batch_can_hold_ends_the_run(cli: Cli, day: Path) -> None:
    """Batches before it have ended by then, of which there are no result files."""
    write_records(day / "day.jsonl", *range(5), "x" * 300_000)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out")
    cause = "ItemBatcher: expected child inputs of at most 262144 bytes, found that item 6 requires 300"
    assert (ended.code, results(day / "out")) == (1, [])
    assert f"error: {cause}" in ended.out
    assert cli("status", "out").code == 1


def test_max_failures_replaces_the_limit_of_the_pipeline(cli: Cli, day: Path) -> None:
    write_pipeline(day, settings="items_per_batch = 1\nmax_concurrency = 1\ntolerated_failure_count = 1")
    write_records(day / "day.jsonl", 20, "boom", "boom", 30, 40)
    command = ("run", "day.jsonl", "--pipeline", "sums.toml", "--json")
    none = json.loads(cli(*command, "--out", "none", "--max-failures", "0").out)
    assert (none["status"], none["missing"]["by_class"]) == ("FAILED", {"tool_error": 1, "pending": 3})
    stopped = "stopped: 1 of 5 records failed; at most 0 may (--max-failures, or [maps.record] of the pipeline); "
    assert none["error"].startswith(stopped)
    assert stopped in cli("status", "none").out
    two = json.loads(cli(*command, "--out", "two", "--max-failures", "2").out)
    assert (two["status"], two["missing"]["by_class"]) == ("SUCCEEDED", {"tool_error": 2})


@pytest.mark.parametrize(
    ("name", "content", "source"),
    [
        ("day.csv", b"id,amount\n7,20\n8,1\n", 'format = "CSV"'),
        ("day.csv.gz", gzip.compress(b"7;20\n"), 'format = "CSV"\nheader = ["id", "amount"]\ndelimiter = "SEMICOLON"'),
        ("day.json", b'{"rows": [{"id": "7", "amount": 20}]}', 'format = "JSON"\npointer = "/rows"'),
    ],
)
def test_reads_other_formats(cli: Cli, day: Path, name: str, content: bytes, source: str) -> None:
    """Reruns read the records of a run as JSON Lines, whatever its own format is."""
    write_pipeline(day, source=source)
    (day / name).write_bytes(content)
    assert cli("run", name, "--pipeline", "sums.toml", "--out", "out").code == 0
    assert results(day / "out") == [{"id": "7", "amount": 20}]


def test_reads_all_objects_below_a_folder(cli: Cli, day: Path) -> None:
    """The objects are read in the order of their names."""
    write_pipeline(day, source='format = "JSONL"\nprefix = true')
    (day / "days/b").mkdir(parents=True)
    write_records(day / "days/b/1.jsonl", 5, 20)
    write_records(day / "days/a.jsonl", 30)
    ended = cli("run", "days", "--pipeline", "sums.toml", "--out", "out")
    assert ended.code == 0
    assert [one["amount"] for one in results(day / "out")] == [30, 20]


@pytest.mark.parametrize(
    ("name", "content", "source", "message"),
    [
        ("day.jsonl", None, 'format = "JSONL"', "day.jsonl: expected a file of records, found none"),
        ("day.jsonl", b"", 'format = "JSONL"', "day.jsonl: expected records (JSONL), found an empty file"),
        ("day.jsonl", b"\n", 'format = "JSONL"', "day.jsonl: expected records, found none"),
        ("day.jsonl", b'{"amount": 1}\n{"amount": }\n', 'format = "JSONL"', "day.jsonl: line 2, column 12: "),
        (
            "day.csv",
            b"id,amount,id\n",
            'format = "CSV"',
            "day.csv: expected different names of columns, found 'id' as columns 1 and 3; ",
        ),
        ("day.parquet", b"PAR1", 'format = "PARQUET"', "day.parquet: expected Parquet: "),
        ("day.json", b'{"a": 1}', 'format = "JSON"\npointer = "/rows"', "expected items at ItemsPointer /rows"),
        ("day", None, 'format = "JSONL"\nprefix = true', "day: expected a prefix that ends in '/'"),
    ],
)
def test_refuses_bad_records(cli: Cli, day: Path, name: str, content: bytes | None, source: str, message: str) -> None:
    """The message names the user's file, and the line where there are lines."""
    write_pipeline(day, source=source)
    if content is not None:
        (day / name).write_bytes(content)
    ended = cli("run", name, "--pipeline", "sums.toml", "--out", "out")
    assert ended.code == 1
    assert message in ended.out + ended.err
    assert "s3://" not in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--reference", "x.fa"), "expected neither --reference nor --genome for sums, a pipeline over records"),
        (("--sample", "a"), "--sample: expected a pipeline over samples, found sums.toml, which is over records"),
        (("--dry-run",), "--dry-run: expected a pipeline over samples"),
        (("--param", "score.nothing=1"), "nothing"),
        (("--truth", "x.vcf"), "--truth: expected a pipeline over samples"),
        (
            ("--slurm",),
            "--slurm: a pipeline over records runs in processes of one machine, not in jobs; start the command",
        ),
    ],
)
def test_refuses_options_of_samples(cli: Cli, day: Path, arguments: tuple[str, ...], message: str) -> None:
    """Nothing is written."""
    write_records(day / "day.jsonl", 1)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out", *arguments)
    assert ended.code == 2
    assert message in ended.err
    assert not (day / "out").exists()


def test_a_job_of_slurm_runs_records_in_its_processes(cli: Cli, day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    write_records(day / "day.jsonl", 1, 20)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out", "--slurm").code == 0


def test_a_folder_keeps_its_run(cli: Cli, day: Path) -> None:
    """Other records need another folder."""
    write_records(day / "day.jsonl", 20)
    write_records(day / "other.jsonl", 30)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 0
    ended = cli("run", "other.jsonl", "--pipeline", "sums.toml", "--out", "out")
    assert ended.code == 2
    assert "found one of sums over" in ended.err


def test_options_of_reruns_of_samples_are_refused(cli: Cli, day: Path) -> None:
    """Records have no names, and a function has one size."""
    write_records(day / "day.jsonl", None)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 1
    assert "--class chooses among these" in cli("rerun", "out", "--sample", "a").err
    assert "the memory of a step on Lambda is in its step.toml" in cli("rerun", "out", "--memory", "512").err
    assert "found one over records" in cli("results", "out", "--sample", "a").err


def test_a_function_that_answers_too_much_fails_as_on_aws(cli: Cli, day: Path) -> None:
    """Lambda would answer, but Step Functions accepts 256 KiB."""
    write_function(day / "score", "def handle(batch):\n    return 'x' * 300_000\n")
    write_records(day / "day.jsonl", 1)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out", "--json")
    assert ended.code == 1
    assert json.loads(ended.out)["missing"]["by_class"] == {"aws_limit": 1}


def test_download_copies_the_results(cli: Cli, day: Path) -> None:
    """Into the folder that is named."""
    write_records(day / "day.jsonl", 20)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 0
    assert cli("results", "out", "--download", "copy").code == 0
    assert (day / "copy/score.jsonl").read_bytes() == (day / "out/results/score.jsonl").read_bytes()


def test_logs_are_those_of_the_steps(cli: Cli, day: Path) -> None:
    """Check what the program printed, and the commands that have nothing to say of records."""
    write_function(day / "score", "def handle(batch):\n    print('saw', len(batch.records))\n    raise KeyError(1)\n")
    write_records(day / "day.jsonl", 1, 2)
    ended = cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out")
    assert "the first failure: record 1: KeyError: 1" in ended.out
    assert "saw 2" in cli("logs", "out", "--failed").out
    assert cli("logs", "out", "--sample", "a").code == 2
    assert "found one over records" in cli("cost", "out").err
    assert "KeyError" in cli("explain", "out").out
    assert "found one on Lambda, over records" in cli("step", "./score", "--out", "step", "day.jsonl").err
    assert "sums, a pipeline over records" in cli("plan", "day.jsonl", "--pipeline", "sums.toml").err


def test_an_emulator_of_lambda_is_called(cli: Cli, day: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check that its function answers, in place of the step's program."""
    write_records(day / "day.jsonl", 1, 2)

    def answer(event: Any) -> Any:
        numbers = {"records": len(event["items"]), "digest": "d", "failures": []}
        return {"stage": event["stage"], "result": "from the emulator", **numbers}

    with serving("genomics-pipeline-score", answer) as endpoint:
        values = {
            "ENDPOINT_URL_LAMBDA": endpoint,
            "REGION": "us-east-1",
            "ACCESS_KEY_ID": "x",
            "SECRET_ACCESS_KEY": "x",
        }
        for name, value in values.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 0
    assert results(day / "out") == ["from the emulator"]


PROFILES = """
import json

def handle(batch):
    with open(batch.parameters["profile"]) as file:
        usual = json.load(file)["usual"]
    return [record["id"] for record in batch.records if record["amount"] > usual]
"""


def test_records_and_profiles_are_read_from_s3(cli: Cli, day: Path, aws: str) -> None:
    """Check an object, a prefix that several Map Runs divide, and a parameter whose file each environment fetches."""
    client = boto3.client("s3", endpoint_url=aws)
    client.create_bucket(Bucket="records-of-a-day")
    for key, ids in {"days/a/1.jsonl": (1, 2), "days/b/1.jsonl": (3,), "days/b/2.jsonl": (4, 5)}.items():
        lines = "".join(json.dumps({"id": one, "amount": one * 10}) + "\n" for one in ids)
        client.put_object(Bucket="records-of-a-day", Key=key, Body=lines.encode())
    client.put_object(Bucket="records-of-a-day", Key="profile.json", Body=b'{"usual": 15}')
    profile = '[parameters.profile]\ntype = "file"\nsummary = "The usual amount"\nrequired = true\n'
    write_function(day / "score", PROFILES, more=profile)
    given = ("--pipeline", "sums.toml", "--param", "score.profile=s3://records-of-a-day/profile.json")
    assert cli("run", "s3://records-of-a-day/days/a/1.jsonl", "--out", "one", *given).code == 0
    assert results(day / "one") == [2]
    write_pipeline(day, source='format = "JSONL"\nprefix = true', settings="items_per_batch = 1\nmap_runs = 2")
    ended = cli("run", "s3://records-of-a-day/days/", "--out", "all", *given)
    assert (ended.code, ended.err) == (0, "")
    assert sorted(results(day / "all")) == [2, 3, 4, 5]
    assert "5 records" in ended.out
    lacking = cli("run", "s3://records-of-a-day/days/", "--out", "none", "--pipeline", "sums.toml")
    assert lacking.code == 2
    assert "profile" in lacking.err
    absent = cli("run", "s3://records-of-a-day/none/", "--out", "none", *given)
    assert absent.code == 1
    assert "expected objects below this prefix, found none" in absent.err


def test_a_record_is_replayed_alone(cli: Cli, day: Path) -> None:
    write_records(day / "day.jsonl", 1, None, 3, "boom", 50)
    assert cli("run", "day.jsonl", "--pipeline", "sums.toml", "--out", "out").code == 1
    before = {path: path.read_bytes() for path in (day / "out").rglob("*") if path.is_file()}
    failed = [one["record"] for one in map(json.loads, cli("results", "out", "--failed", "--json").out.splitlines())]
    assert failed == [2, 4, 5]  # one reported, one with its batch
    for number, verdict, code in ((2, "reproduced", 0), (4, "reproduced", 0), (5, "not reproduced", 1)):
        ended = cli("replay", "out", str(number), "--json")
        assert ended.code == code, ended
        outcome = json.loads(ended.out)
        assert (outcome["verdict"], outcome["item"]) == (verdict, f"record {number}"), outcome
        assert outcome["differences"] == ["batch: this record alone, not its batch"]
        assert outcome["folder"] == str(day / f"replays/out-record-{number}")
    assert {path: path.read_bytes() for path in (day / "out").rglob("*") if path.is_file()} == before
    lists = "; `results --failed` lists them"
    over = "expected a run over samples, found one over records"
    for arguments, code, message in (
        (("50",), 1, f"error: 50: expected the number of a record that failed, found none{lists}\n"),
        (("4", "--stage", "score"), 2, f"error: --stage, --subsample, --region: {over}\n"),
    ):
        refused = cli("replay", "out", *arguments)
        assert (refused.code, refused.err) == (code, message)
