"""`RunBackend`: one suite over a run in a folder and the same run on AWS, of which one sample's reads are bad.

Its part `ReadableRun` runs over the bucket of the run alone, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.runs.backend import RunBackend
from genomics_pipeline.runs.deletion import DeletionRequest
from genomics_pipeline.runs.find_run import find_readable, find_run
from genomics_pipeline.runs.readable_run import ReadableRun
from genomics_pipeline.runs.redrive import RedriveRequest
from genomics_pipeline.runs.status import watch
from tests.runs.conftest import Ended
from tests.runs.test_follow_on_aws import BUCKET, RUN, SAMPLES, STACK, ended_run, started_run
from tests.runs.test_ledger import run_named

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["ended_run", "run_named", "started_run"]


@dataclass(frozen=True)
class Bench:
    """One implementation, over a run that has ended.

    Attributes:
        find: Finds the run again.
        stage: The stage in which `bad` failed.
        word: A word of why.
        is_redriven: Whether this kind of run is redriven at all.
    """

    find: Callable[[], RunBackend]
    stage: str
    word: str
    is_redriven: bool


@pytest.fixture
def folder_bench(run_named: Callable[..., Ended], tmp_path: Path) -> Bench:
    done = run_named({"a": "good", "bad": "torn", "c": "good"})
    assert done.returncode == 1, done.stderr
    return Bench(lambda: find_run(str(tmp_path / "run"), STACK, adapters()), "one", "torn", is_redriven=False)


@pytest.fixture
def aws_bench(ended_run: FakeAws) -> Bench:
    return Bench(lambda: find_run(RUN, STACK, adapters()), "alignment", "record 3", is_redriven=True)


@pytest.fixture(params=["folder", "aws"])
def bench(request: pytest.FixtureRequest) -> Bench:
    fixture: Bench = request.getfixturevalue(f"{request.param}_bench")
    return fixture


@dataclass(frozen=True)
class Reader:
    """One implementation of `ReadableRun`, over a run that has ended; see `Bench`."""

    find: Callable[[], ReadableRun]
    stage: str
    word: str


@pytest.fixture(params=["folder", "aws", "bucket"])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "bucket":
        request.getfixturevalue("ended_run")
        return Reader(lambda: find_readable(f"s3://{BUCKET}/runs/{RUN}", STACK, adapters()), "alignment", "record 3")
    bench: Bench = request.getfixturevalue(f"{request.param}_bench")
    return Reader(bench.find, bench.stage, bench.word)


def test_the_files_are_those_of_the_run(reader: Reader) -> None:
    files = reader.find().files
    assert list(files.items("sample")) == SAMPLES
    (group,) = (group for group in files.groups() if group.scope == "sample")
    assert reader.stage in group.stages
    assert files.shown_key("run.json").startswith(files.shown)


def test_the_state_counts_what_ended_and_names_what_failed(reader: Reader) -> None:
    run = reader.find()
    state = run.state()
    (samples,) = (one for one in state.map_runs if one.label == "Sample")
    assert (state.status, samples.total, samples.succeeded, samples.failed) == ("SUCCEEDED", 3, 2, 1)
    (failure,) = state.failures
    assert (failure.item, failure.scope, failure.failure.stage) == ("bad", "sample", reader.stage)
    assert failure.failure.failure_class is FailureClass.BAD_INPUT
    assert state.missing is not None
    assert state.missing.first == ["bad"]
    assert run.state() == state


def test_watching_a_run_that_ended_looks_once_and_never_waits(bench: Bench) -> None:
    waited: list[float] = []
    run = bench.find()
    (state,) = watch(run, waited.append)
    assert (state.status, waited) == ("SUCCEEDED", [])
    assert run.poll_s > 0


def test_the_failures_are_those_of_the_state(reader: Reader) -> None:
    (failure,) = reader.find().failures()
    assert (failure.item, failure.pending) == ("bad", False)
    assert reader.word in failure.failure.message
    assert reader.find().failed_items() == [failure]


def test_the_end_of_a_log_is_as_long_as_asked_and_says_where_it_is(bench: Bench) -> None:
    run = bench.find()
    (failure,) = run.state().failures
    whole = run.log_end(bench.stage, "bad", 50, None, failure.failure)
    assert whole.lines
    assert whole.source
    last = run.log_end(bench.stage, "bad", 1, None, failure.failure)
    assert list(last.lines) == list(whole.lines)[-1:]


def test_an_attempt_that_there_was_not_has_no_log(bench: Bench) -> None:
    with pytest.raises(PipelineError, match="expected"):
        bench.find().log_end(bench.stage, "bad", 50, 7, None)


def test_cancelling_a_run_that_ended_changes_nothing(bench: Bench) -> None:
    notes: list[str] = []
    cancelled = bench.find().cancel(notes.append)
    assert (cancelled.status, notes) == ("SUCCEEDED", [])
    assert not cancelled.jobs_ended
    assert cancelled.process is None
    assert bench.find().state().status == "SUCCEEDED"


def test_what_succeeded_is_not_redriven(bench: Bench) -> None:
    run = bench.find()
    if not bench.is_redriven:
        with pytest.raises(PipelineError, match="which cannot be redriven"):
            run.redrive(RedriveRequest())
        return
    outcome = run.redrive(RedriveRequest())
    assert (outcome.redriven, outcome.reason, outcome.status) == (False, "SUCCEEDED", "SUCCEEDED")
    assert outcome.rerun == f"genomics-pipeline rerun {RUN}"


def test_a_run_is_deleted_with_all_that_it_holds(bench: Bench) -> None:
    run, request, notes = bench.find(), DeletionRequest(), list[str]()
    contents = run.contents(request)
    assert (contents.status, contents.executions, contents.referrers) == ("SUCCEEDED", 1, ())
    assert contents.files >= len(SAMPLES)
    assert contents.size_bytes > 0
    run.delete(request, notes.append)
    with pytest.raises(PipelineError, match="expected a run's folder"):
        bench.find()
