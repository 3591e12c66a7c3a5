"""`cost`: the dollars of a run on AWS and of one on this machine, from records that are read once each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.cli.main import cli
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.provenance import Provenance
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.planning.run_cost import SpendingAccount
from genomics_pipeline.prices.load import shipped_prices
from genomics_pipeline.records import completion
from genomics_pipeline.records.completion import CompletionRecord, OutputRecord, write_completion
from genomics_pipeline.records.failure import FailureRecord, write_failure
from tests.runs.conftest import Ended
from tests.runs.test_follow_on_aws import BUCKET, RUN, Command, ended_run, started_run
from tests.runs.test_ledger import run_named

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["ended_run", "run_named", "started_run"]
PLACE = RunPlace(RUN, BUCKET, f"runs/{RUN}/")
SPOT = {"instance_type": "m6id.4xlarge", "zone": "us-east-1b", "market": "spot"}
ON_DEMAND = {**SPOT, "market": "on-demand"}
GB = 2**30


def record(stage: str, item: str, **others: Any) -> CompletionRecord:
    """Return the record of an hour on an eighth of a host's vCPUs and a quarter of its memory, with 3 GB of outputs."""
    digest = "0" * 64
    members = {
        "provenance": Provenance(stage, "1", "p", {}, {}, {}, {}, {}),
        "started": "2026-11-28T10:00:00.000+00:00",
        "seconds": 3600.0,
        "vcpus": 2,
        "memory_mib": 16384,
        "peak_memory_mib": 1000,
        "outputs": {"cram": OutputRecord(f"results/{stage}/{item}.cram", 3 * GB, digest)},
        "host": SPOT,
        "input_bytes": 80 << 20,
        **others,
    }
    return CompletionRecord(stage, item, **members)


@pytest.fixture
def invoke() -> Command:
    return lambda *arguments: CliRunner().invoke(cli, list(arguments))


@pytest.fixture
def priced_run(ended_run: FakeAws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeAws:
    """Return the services after a run of which two samples have records, and the third one of a failure."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    store = adapters().store
    for file in list(store.list(PLACE.uri("steps/"))):
        store.delete(file.uri)
    for one in (
        record("alignment", "a"),
        record("alignment", "c", host=ON_DEMAND),
        record("variant_calling", "a", vcpus=8, memory_mib=100, intermediate=True),
    ):
        write_completion(store, PLACE, one)
    failure = FailureRecord(FailureClass.BAD_INPUT, "bad", 65, None, 1800.0, 4, 100, SPOT)
    write_failure(store, PLACE, "alignment", "bad", failure)
    return ended_run


def cost_json(invoke: Command, *options: str) -> list[dict[str, Any]]:
    ended = invoke("cost", RUN, "--json", *options)
    assert ended.exit_code == 0, ended.output
    return [json.loads(line) for line in ended.output.splitlines()] if options else [json.loads(ended.output)]


def test_a_task_costs_its_share_of_its_host(priced_run: FakeAws, invoke: Command) -> None:
    host = shipped_prices().host("m6id.4xlarge")
    assert host.spot is not None
    spot, on_demand = host.spot.median.value, host.on_demand.value
    (cost,) = cost_json(invoke)
    stages = cost["stages"]
    assert stages["alignment"]["tasks"] == 2
    assert stages["alignment"]["core_hours"] == 4
    assert stages["alignment"]["dollars"] == pytest.approx((spot + on_demand) / 4)
    assert stages["alignment"]["high"] == pytest.approx((spot * 1.5 + on_demand) / 4)
    assert stages["variant_calling"]["dollars"] == pytest.approx(spot / 2)
    assert cost["waste"]["alignment"]["dollars"] == pytest.approx(spot / 8)
    lines = {one["name"]: one for one in cost["dollars"]["lines"]}
    # Three children of three stages and their start, one of one stage, and the states of the execution.
    assert lines["transitions"]["count"] == 3 * 3 + 1 * 2 + 3
    assert lines["transitions"]["dollars"] == pytest.approx(14 * 0.025 / 1000)
    assert lines["storage a month"]["count"] == 9
    assert lines["storage a month"]["dollars"] == pytest.approx(9 * 0.023)
    assert lines["S3 PUT requests"]["count"] == 3 * 3 + 3 * (3 * 16 + 2)
    assert lines["S3 GET requests"]["count"] == 3 * 10
    assert lines["volumes"]["count"] == pytest.approx((0.25 + 0.25 + 0.5 + 0.125) * 30 / 730)
    total = sum(one["dollars"] for one in lines.values()) + spot / 8
    assert cost["dollars"]["total"] == pytest.approx(total)
    assert "predicted" not in cost
    expiring = "storage beyond the month, also of 3.00 GB that only later stages need, and which expire then"
    assert expiring in cost["not_counted"]
    assert "state transitions of retries: the records do not have them" in cost["not_counted"]


def test_items_come_first(priced_run: FakeAws, invoke: Command) -> None:
    *items, _ = cost_json(invoke, "--items")
    assert [(one["item"], one["scope"], sorted(one["stages"])) for one in items] == [
        ("a", "sample", ["alignment", "variant_calling"]),
        ("c", "sample", ["alignment"]),
    ]
    shown = invoke("cost", RUN, "--items").output.splitlines()
    assert shown[0].startswith("a  0.")
    assert [line.split("  ")[0] for line in shown[3:5]] == ["alignment", "variant_calling"]


def test_a_plan_stands_beside_the_costs(priced_run: FakeAws, invoke: Command) -> None:
    by_line = {"compute: alignment": 0.1, "storage a month": 0.276, "logs": 0.5}
    adapters().store.write(PLACE.uri("plan.json"), json.dumps({"dollars": {"by_line": by_line}}).encode())
    (cost,) = cost_json(invoke)
    assert cost["predicted"] == {"total": pytest.approx(0.876), "by_line": by_line}
    lines = invoke("cost", RUN).output.splitlines()
    (heading,) = [line for line in lines if line.startswith("line ")]
    assert heading.split() == ["line", "count", "unit", "dollars", "planned", "ratio", "prices", "of"]
    (storage,) = [line for line in lines if line.startswith("storage a month")]
    assert storage.split()[3:] == ["9", "GB-month", "0.2070", "0.2760", "0.75", "2025-10-28"]
    adapters().store.write(PLACE.uri("plan.json"), b'{"dollars": 5}')
    ended = invoke("cost", RUN)
    assert ended.exit_code == 1
    assert "plan.json" in str(ended.exception)


def test_an_unknown_instance_type_and_an_unknown_host_are_said(priced_run: FakeAws, invoke: Command) -> None:
    store = adapters().store
    write_completion(store, PLACE, record("alignment", "c", host={**SPOT, "instance_type": "x9.large"}))
    write_completion(store, PLACE, record("alignment", "a", host={}))
    (cost,) = cost_json(invoke)
    assert cost["stages"]["alignment"]["dollars"] == 0
    unknown, hostless = cost["not_counted"][:2]
    assert unknown.startswith("1 task: expected a price of the instance type x9.large in us-east-1, found those of 145")
    assert hostless == "2 tasks whose host is not known"


def test_a_region_without_prices_is_refused(priced_run: FakeAws, invoke: Command) -> None:
    write_completion(adapters().store, PLACE, record("alignment", "a", host={**SPOT, "zone": "eu-west-1a"}))
    ended = invoke("cost", RUN)
    assert ended.exit_code == 1
    assert str(ended.exception) == (
        "expected prices of the Region eu-west-1, found those of us-east-1; "
        "`genomics-pipeline prices update --region eu-west-1` reads AWS's"
    )


def test_no_record_is_read_twice(priced_run: FakeAws, invoke: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    read: Counter[tuple[str, str]] = Counter()
    original = completion.read_completion

    def counted(store: Any, run: RunPlace, stage: str, item: str) -> CompletionRecord | None:
        read[stage, item] += 1
        return original(store, run, stage, item)

    monkeypatch.setattr("genomics_pipeline.runs.run_files.read_completion", counted)
    cost_json(invoke)
    assert set(read.values()) == {1}
    assert ("alignment", "bad") in read


def test_a_run_of_this_machine_counts_core_hours(
    run_named: Callable[..., Ended], invoke: Command, tmp_path: Path
) -> None:
    done = run_named({"a": "good", "bad": "torn", "c": "good"})
    assert done.returncode == 1, done.stderr
    place = str(tmp_path / "run")
    cost = json.loads(invoke("cost", place, "--json").output)
    assert {stage: one["tasks"] for stage, one in cost["stages"].items()} == {"one": 2, "two": 2}
    assert {stage: one["tasks"] for stage, one in cost["waste"].items()} == {"one": 1}
    records = [json.loads(file.read_text()) for file in (tmp_path / "run").glob("steps/*/*/step.json")]
    core_hours = sum(one["seconds"] * one["vcpus"] for one in records) / 3600
    assert sum(one["core_hours"] for one in cost["stages"].values()) == pytest.approx(core_hours)
    assert cost["dollars"]["total"] == 0
    assert cost["not_counted"][0] == "dollars of this machine: give --core-hour-price"
    priced = json.loads(invoke("cost", place, "--core-hour-price", "36", "--json").output)
    wasted = cost["waste"]["one"]["core_hours"]
    assert wasted > 0
    assert priced["dollars"]["total"] == pytest.approx(36 * (core_hours + wasted))
    assert [one["name"] for one in priced["dollars"]["lines"]] == ["compute: one", "compute: two"]


def test_sums_do_not_grow_with_the_number_of_tasks() -> None:
    account = SpendingAccount(lambda _: shipped_prices(), 30)
    for number in range(1000):
        account.add(record("alignment", f"s{number}"))
    (tally,) = account.stages.values()
    assert tally.tasks == 1000
    assert tally.host_hours == pytest.approx(250)
    assert len(account.lines(0)) == 6
