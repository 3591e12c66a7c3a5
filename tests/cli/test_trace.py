"""`trace` and the files about a run: its tasks with Nextflow's columns, as a timeline and as OpenMetrics."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Callable
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.records.completion import write_completion
from genomics_pipeline.records.failure import FailureRecord, write_failure
from genomics_pipeline.records.job import BatchAttempt
from tests.cli.conftest import Ended
from tests.runs.test_cost import SPOT, record
from tests.runs.test_follow_on_aws import BUCKET, RUN, ended_run, started_run
from tests.small_project import SmallProject, named_reads

__all__ = ["ended_run", "started_run"]
Cli = Callable[..., Ended]
PLACE = RunPlace(RUN, BUCKET, f"runs/{RUN}/")
PROGRAM = "if 'torn' in text: raise SystemExit('it\\tis\\x1b[31m torn')"


@pytest.fixture
def ended(small: SmallProject, cli: Cli) -> SmallProject:
    """Return the project after a run of which one sample failed."""
    assert cli(*small.arguments("--param", f"ending.program={PROGRAM}")).code == 1
    return small


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_table_has_the_columns_of_nextflow(ended: SmallProject, cli: Cli) -> None:
    printed = cli("trace", ended.run).out
    assert printed == (ended.run / "results/pipeline_info/trace.tsv").read_text()
    found = rows(printed)
    assert [(row["task_id"], row["name"], row["status"], row["exit"]) for row in found] == [
        ("1", "copying (A)", "COMPLETED", "0"),
        ("2", "ending (A)", "COMPLETED", "0"),
        ("3", "copying (B)", "COMPLETED", "0"),
        ("4", "ending (B)", "FAILED", "1"),
    ]
    failed, done = found[3], found[0]
    assert failed["message"] == "working on B\\nit\\tis\\u001b[31m torn"
    assert (failed["failure_class"], failed["input_bytes"], failed["output_bytes"]) == ("tool_error", "-", "-")
    assert (done["failure_class"], done["message"], done["zone"]) == ("-", "-", "-")
    assert (done["process"], done["tag"], done["step"], done["version"], done["scope"]) == (
        "copying",
        "A",
        "copy",
        "1",
        "sample",
    )
    submit, start, complete, duration, realtime = (
        int(done[name]) for name in ("submit", "start", "complete", "duration", "realtime")
    )
    assert complete - start == pytest.approx(realtime, abs=1)
    assert duration == max(0, complete - submit)
    assert int(done["peak_rss"]) > 1 << 20
    assert int(done["memory"]) >= int(done["peak_rss"])
    assert done["log"] == f"{ended.run}/steps/copying/A/log.txt"
    assert len({row["native_id"] for row in found}) == 4


def test_tasks_that_were_not_run_again_are_cached(ended: SmallProject, cli: Cli) -> None:
    assert cli(*ended.arguments("--param", "ending.program=pass")).code == 0
    statuses = Counter((row["process"], row["status"]) for row in rows(cli("trace", ended.run).out))
    assert statuses == {("copying", "CACHED"): 2, ("ending", "COMPLETED"): 2, ("ending", "FAILED"): 1}
    retried = [row for row in rows(cli("trace", ended.run).out) if row["name"] == "ending (B)"]
    assert [(row["attempt"], row["failure_class"], row["exit"], row["log"] == "-") for row in retried] == [
        ("1", "tool_error", "1", True),
        ("2", "-", "0", False),
    ]
    counted = samples_of(cli("trace", ended.run, "--format", "openmetrics").out)
    ends = {"tool_error": 1, "succeeded": 2}
    for end, count in ends.items():
        assert counted[f'genomics_pipeline_attempts_total{{run="run",stage="ending",end="{end}"}}'] == count
    assert counted['genomics_pipeline_tasks{run="run",stage="ending",end="succeeded"}'] == 2
    assert not any(name.startswith("genomics_pipeline_tasks{") and "tool_error" in name for name in counted)
    names = Counter(event["name"] for event in events(cli("trace", ended.run, "--format", "timeline").out, "X"))
    assert names["ending"] == 2
    assert names["copying"] == 0


def events(text: str, kind: str) -> list[dict[str, Any]]:
    return [event for event in json.loads(text)["traceEvents"] if event["ph"] == kind]


def test_the_timeline_is_of_complete_events_that_do_not_overlap(ended: SmallProject, cli: Cli) -> None:
    text = cli("trace", ended.run, "--format", "timeline").out
    assert text == (ended.run / "results/pipeline_info/timeline.json").read_text()
    names = {(one["pid"], one["tid"]): one["args"]["name"] for one in events(text, "M") if one["name"] == "thread_name"}
    assert sorted(names.values()) == ["A", "B"]
    tasks = events(text, "X")
    assert all(isinstance(one[name], int) and one[name] >= 0 for one in tasks for name in ("ts", "dur", "pid", "tid"))
    running = [one for one in tasks if one["cat"] != "waiting"]
    assert Counter(one["cat"] for one in running) == {"running": 3, "failed": 1}
    (failed,) = (one for one in running if one["cat"] == "failed")
    assert (names[failed["pid"], failed["tid"]], failed["name"]) == ("B", "ending")
    assert failed["args"]["message"] == "working on B\nit\tis\x1b[31m torn"
    for place in names:
        spans = sorted((one["ts"], one["ts"] + one["dur"]) for one in running if (one["pid"], one["tid"]) == place)
        assert all(end <= start + 2000 for (_, end), (start, _) in pairwise(spans))


def samples_of(text: str) -> dict[str, float]:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_open_metrics_count_items_and_tasks(ended: SmallProject, cli: Cli) -> None:
    text = cli("trace", ended.run, "--format", "openmetrics").out
    assert text.endswith("# EOF\n")
    found = samples_of(text)
    assert found['genomics_pipeline_run_info{run="run",status="SUCCEEDED"}'] == 1
    items = {name: found[f'genomics_pipeline_items{{run="run",map_run="Sample",state="{name}"}}'] for name in STATES}
    assert items == {"succeeded": 1, "failed": 1, "running": 0, "pending": 0}
    assert found['genomics_pipeline_tasks{run="run",stage="ending",end="tool_error"}'] == 1
    assert found['genomics_pipeline_task_duration_seconds_count{run="run",stage="copying"}'] == 2
    assert found['genomics_pipeline_task_written_bytes_total{run="run",stage="ending"}'] == 2 * len(named_reads("a"))


STATES = ("succeeded", "failed", "running", "pending")


@pytest.mark.usefixtures("ended_run")
def test_a_run_on_aws(cli: Cli) -> None:
    store = adapters().store
    for file in list(store.list(PLACE.uri("steps/"))):
        store.delete(file.uri)
    attempt, submitted = BatchAttempt("1b2c", 3), "2026-11-28T09:58:00.000Z"
    write_completion(store, PLACE, record("alignment", "a", job=attempt, submitted=submitted, processor_seconds=7200.0))
    bad = FailureRecord(FailureClass.BAD_INPUT, "bad reads", 65, None, 60.0, 4, 100, SPOT, "alignment", "1")
    write_failure(store, PLACE, "alignment", "bad", bad)
    printed = cli("trace", f"s3://{BUCKET}/runs/{RUN}/").out
    of_both = (row for row in rows(printed) if row["process"] == "alignment" and row["tag"] in ("a", "bad"))
    done, failed, unrecorded = of_both  # the record names no job, so that the one in the result file is another
    assert (done["native_id"], done["attempt"], done["duration"], done["realtime"]) == (
        "1b2c",
        "1",
        "3720000",
        "3600000",
    )
    assert (done["%cpu"], done["instance_type"], done["market"]) == ("200.0", "m6id.4xlarge", "spot")
    assert (failed["status"], failed["exit"], failed["failure_class"], failed["start"]) == (
        "FAILED",
        "65",
        "bad_input",
        "-",
    )
    assert (unrecorded["status"], unrecorded["exit"], unrecorded["attempt"]) == ("FAILED", "65", "2")
    assert int(unrecorded["complete"]) >= int(unrecorded["start"])


def test_a_run_over_records_or_without_tasks_is_refused(tmp_path: Path, cli: Cli) -> None:
    ended = cli("trace", tmp_path / "nowhere")
    assert (ended.code, ended.out) == (1, "")
    assert re.match("error: .*nowhere: expected a run's folder, found nothing there", ended.err)
