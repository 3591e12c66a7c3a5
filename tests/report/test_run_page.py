"""The parts of a run's report: robust scores, histograms, words, the work of a stage, and text that stays text."""

from __future__ import annotations

import math
import statistics
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.metric_spec import MetricSpec
from genomics_pipeline.planning.memory_saving import AskedResources, memory_saving
from genomics_pipeline.prices.load import SHIPPED_REGION, load_prices
from genomics_pipeline.prices.price import Prices
from genomics_pipeline.report.html_page import PageExtras, element, page, table
from genomics_pipeline.report.run_page.distribution import distribution_words, histogram
from genomics_pipeline.report.run_page.metric_values import FAR, MetricValues
from genomics_pipeline.report.run_page.page import report_page
from genomics_pipeline.report.run_page.run_report import RunReport
from genomics_pipeline.report.run_page.stage_work import WorkOfStage
from genomics_pipeline.report.run_state import RunState
from genomics_pipeline.report.task_trace import TaskTrace

NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=2, max_size=60)
DEPTH = MetricSpec("depth", "Depth", unit="x", format=".1f", good_min=20, bad_below=10)


def values_of(spec: MetricSpec, *values: object) -> MetricValues:
    column = MetricValues("stage", spec)
    for value in values:
        column.add(value)
    return column


def test_one_of_many_lies_far_from_the_others() -> None:
    column = values_of(DEPTH, *(30 + number / 10 for number in range(9)), 45.0)
    ((index, score),) = column.far()
    assert index == 9
    deviation = 1.4826 * statistics.median(abs(number - 30.45) for number in column.numbers)
    assert score == pytest.approx((45 - 30.45) / deviation)
    assert score > FAR


def test_a_difference_that_the_format_hides_is_none() -> None:
    assert list(values_of(DEPTH, *[30.0] * 9, 30.3).far()) == []
    assert [index for index, _ in values_of(DEPTH, *[30.0] * 9, 30.4).far()] == [9]


def test_few_samples_are_not_compared() -> None:
    assert list(values_of(DEPTH, 30, 30, 30, 30, 30, 30, 90).far()) == []
    assert [index for index, _ in values_of(DEPTH, 30, 30, 30, 30, 30, 30, 30, 90).far()] == [7]


def test_what_is_no_number_is_no_number() -> None:
    column = values_of(DEPTH, 25, None, "unclear", {"value": 5, "verdict": "bad", "reason": "uneven"}, math.nan, True)
    assert [column.text(index) for index in range(6)] == ["25.0", "–", "unclear", "5.0", "–", "True"]
    assert (column.verdicts, column.reasons) == ({3: "bad"}, {3: "uneven"})
    assert column.spread is not None
    assert column.spread.count == 2


@given(NUMBERS)
def test_every_number_is_in_one_part_of_the_histogram(numbers: list[float]) -> None:
    ordered = sorted(numbers)
    if ordered[0] < ordered[-1]:
        counts = histogram(ordered, 7)
        assert (len(counts), sum(counts)) == (7, len(numbers))


@given(NUMBERS)
def test_the_spread_is_that_of_the_numbers(numbers: list[float]) -> None:
    spread = values_of(MetricSpec("m", "M", format=".3f"), *numbers).spread
    assert spread is not None
    assert (spread.least, spread.greatest, spread.count) == (min(numbers), max(numbers), len(numbers))
    assert spread.middle == statistics.median(numbers)
    assert spread.least <= spread.low <= spread.high <= spread.greatest


def test_a_distribution_in_words_names_the_ends_and_the_bounds() -> None:
    column = values_of(DEPTH, 30.0, 5.0, 15.0)
    assert distribution_words(column, ["a", "b", "c"]) == [
        "median 15.0 x, middle half 5.0 to 30.0, from 5.0 (b) to 30.0 (a)",
        "good from 20.0 x, bad below 10.0 x: 1 bad, 1 doubtful",
    ]
    sexes = values_of(MetricSpec("sex", "Sex"), "XX", "XY", "XX", None)
    assert distribution_words(sexes, list("abcd")) == ["XX 2, XY 1", "1 sample without a value"]


def task(submitted: float | None, started: float, seconds: float, failed: FailureClass | None = None) -> TaskTrace:
    return TaskTrace(
        stage="stage",
        item="a",
        scope="sample",
        submitted=submitted,
        started=started,
        seconds=seconds,
        peak_memory_bytes=512 << 20,
        memory_bytes=1024 << 20,
        vcpus=2,
        failure_class=failed,
    )


def test_the_work_of_a_stage_is_when_its_tasks_waited_and_ran() -> None:
    work = WorkOfStage("stage", "sample")
    first = 1_767_225_600.0  # 2026-01-01
    for one in (task(first, first + 5, 10), task(first + 8, first + 10, 10), task(None, first, 5)):
        work.add(one)
    work.add(task(first, first, 7, FailureClass.TIMEOUT))
    assert (work.tasks, work.waiting_s, work.working_s) == (3, 7, 25)
    assert (work.failed, work.failed_s) == (1, 7)
    assert (work.first_s, work.last_s) == (first, first + 20)
    assert list(work.running(first, first + 20, 4)) == pytest.approx([1, 1, 2, 1])
    assert list(work.running(first, first + 20, 4, with_failures=True)) == pytest.approx([2, 1.4, 2, 1])
    assert dict(work.failed_by_class) == {"timeout": 1}
    assert work.asked == {AskedResources("", "", "", 2, 1024): 25}


# Of a host with 8 vCPUs and 32 GiB.
def prices_here(region: str) -> Prices:
    return load_prices(region or SHIPPED_REGION, None)


def test_less_memory_saves_hours_everywhere_and_dollars_where_it_decides_the_share_of_a_host() -> None:
    kind = AskedResources("m6id.2xlarge", "on-demand", "us-east-1a", 2, 16_384)
    host = prices_here("us-east-1").host(kind.instance_type)
    found = memory_saving({kind: 7200}, 8000, prices_here)
    assert (found.enough_mib, found.asked_gib_hours) == (9728, 32)
    assert found.saved_gib_hours == pytest.approx(2 * 6656 / 1024)
    assert found.dollars == pytest.approx(host.on_demand.value)
    assert found.saved_dollars == pytest.approx(2 * 6656 / 32_768 * host.on_demand.value)
    assert found.dates == (host.on_demand.date,)
    by_cores = memory_saving({kind._replace(vcpus=8): 7200}, 8000, prices_here)
    assert (by_cores.saved_dollars, by_cores.saved_gib_hours) == (0, found.saved_gib_hours)
    here = memory_saving({AskedResources("", "", "", 2, 16_384): 7200}, 8000, prices_here)
    assert (here.dollars, here.saved_gib_hours) == (None, found.saved_gib_hours)
    assert memory_saving({kind: 7200}, 16_000, prices_here).saved_gib_hours == 0


@given(st.text())
def test_data_of_a_page_cannot_end_its_element(text: str) -> None:
    import json

    data = json.dumps({"text": text + "</script><!--<script>"}, ensure_ascii=False)
    written = page("t", element("p", text), extras=PageExtras(data={"data": data}))
    _, _, behind = written.partition('<script type="application/json" id="data">')
    inner, end, _ = behind.partition("</script>")
    assert end
    assert json.loads(inner)["text"] == text + "</script><!--<script>"
    assert Counter(written.split("<"))["/script>"] <= 1


def test_numbers_of_a_table_carry_their_heads_for_narrow_windows() -> None:
    made = table(("stage", "tasks", "", "tools"), [("gather", "1", "2", "bcftools")], numbers=(1, 2))
    cells = made.findall("tbody/tr/td")
    assert [one.get("data-head") for one in cells] == [None, "tasks", None, None]


@pytest.mark.parametrize(("status", "is_told"), [("RUNNING", True), ("SUCCEEDED", False)])
def test_the_page_of_a_running_run_says_of_when_it_is(status: str, is_told: bool) -> None:
    state = RunState("run", "/run", "germline", status, 0.0, None, (), (), ())
    report = RunReport(state, None, (), b"", (), (), (), (), (), (), (), read_at=3661.0)
    words = "It began at 1970-01-01 00:00:00 UTC; this page shows it as of 1970-01-01 01:01:01 UTC."
    assert (f"<p>{words}</p>" in report_page(report)) == is_told
