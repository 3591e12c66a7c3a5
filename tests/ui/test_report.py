"""The report of a run in a real browser: its table, its pictures, its looks, and what hostile names can do: nothing.

Without a browser the tests are skipped; in continuous integration they fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from genomics_pipeline.report.run_page.page import report_page
from tests.cli.conftest import Ended
from tests.cli.test_cohort_on_aws import on_s3
from tests.cli.test_report_on_aws import bucket_alone
from tests.fakes.deployed import Deployed
from tests.fakes.jobs import shipped_steps
from tests.ui.browser import Browser
from tests.ui.conftest import FAULTS
from tests.ui.simulated import simulated_report

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

__all__ = ["bucket_alone"]
Cli = Callable[..., Ended]
pytestmark = pytest.mark.ui

HOSTILE = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    '"><svg onload=window.hacked=1>',
    "</script><script>window.hacked=1</script>",
    "<!--<script>",
    "javascript:window.hacked=1",
    "{{constructor.constructor('window.hacked=1')()}}",
    "' onmouseover='window.hacked=1",
    "&lt;script&gt;window.hacked=1&lt;/script&gt;",
    "\u202egpj.exe",
    "a\u2028b\u2029c",
    "]]><x>",
    "__proto__",
    "constructor",
]
ROWS = "[...document.querySelectorAll('.grid tbody tr[aria-rowindex]')]"
FIRST = f"{ROWS}.map(row => row.children[0].textContent)"
SIZES = [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")]


@pytest.fixture(scope="module")
def large(kept: Path) -> Path:
    file = kept / "simulated-10000.html"
    file.write_text(report_page(simulated_report(10_000)))
    return file


@pytest.fixture
def page(chromium: Browser, large: Path) -> Browser:
    chromium.look(1280, 900)
    chromium.open(large)
    return chromium


def set_value(page: Browser, id_: str, value: str) -> None:
    page.evaluate(
        f"(() => {{ const one = document.getElementById('{id_}'); one.value = {json.dumps(value)};"
        " one.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def found(page: Browser) -> str:
    return str(page.evaluate("document.querySelector('#samples-table [role=status]').textContent"))


def head(page: Browser, title: str) -> str:
    return f"[...document.querySelectorAll('.grid thead th')].find(one => one.textContent === {json.dumps(title)})"


def values(page: Browser, title: str) -> list[str]:
    at = page.evaluate(f"[...{head(page, title)}.parentNode.children].indexOf({head(page, title)})")
    made: list[str] = page.evaluate(f"{ROWS}.map(row => row.children[{at}].textContent)")
    return made


def assert_quiet(page: Browser, file: Path) -> None:
    assert page.problems == []
    assert page.requests == [file.resolve().as_uri()]


def test_it_asks_for_nothing_and_says_nothing_on_the_console(page: Browser, large: Path) -> None:
    assert_quiet(page, large)
    assert found(page) == "10,000 of 10,000 samples"


def test_only_the_rows_that_can_be_seen_are_in_the_document(page: Browser) -> None:
    assert page.evaluate(f"{ROWS}.length") < 60
    assert page.evaluate("document.querySelector('.grid').getAttribute('aria-rowcount')") == "10001"
    page.evaluate("(() => { const port = document.querySelector('.port'); port.scrollTop = port.scrollHeight; })()")
    page.wait_for(f"{ROWS}.at(-1).getAttribute('aria-rowindex') === '10001'")
    assert page.evaluate(f"{ROWS}.length") < 60
    assert page.problems == []


def test_a_column_sorts_by_its_numbers_by_keys_too(page: Browser) -> None:
    title = "Depth 0 (x)"
    page.evaluate(f"{head(page, title)}.querySelector('button').focus()")
    page.press("Enter", 13)
    numbers = [float(text.split()[0]) for text in values(page, title)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 5.0
    assert page.evaluate(f"{head(page, title)}.getAttribute('aria-sort')") == "ascending"
    page.press("Enter", 13)
    numbers = [float(text.split()[0]) for text in values(page, title)]
    assert numbers == sorted(numbers, reverse=True)
    assert page.evaluate(f"{head(page, title)}.getAttribute('aria-sort')") == "descending"


def test_a_sample_is_found_by_its_name_and_marked_in_every_picture(page: Browser) -> None:
    page.evaluate("document.getElementById('search').focus()")
    page.type("SAMPLE004711")
    assert found(page) == "1 of 10,000 samples"
    assert page.evaluate(FIRST) == ["sample004711"]
    marks = "[...document.querySelectorAll('svg.histogram .mark')].map(one => one.getAttribute('d'))"
    drawn = page.evaluate(marks)
    assert len(drawn) == 28
    assert all(path.startswith("M") for path in drawn)
    set_value(page, "search", "")
    assert not any(page.evaluate(marks))


def test_filters_are_combined_and_taken_back(page: Browser) -> None:
    set_value(page, "metric", "variant_calling.depth0")
    set_value(page, "greatest", "10")
    assert found(page) == "10 of 10,000 samples"
    set_value(page, "search", "sample005")
    assert page.evaluate(FIRST) == ["sample005000"]
    set_value(page, "search", "")
    set_value(page, "metric", "")
    set_value(page, "state", "1")
    assert page.evaluate(FIRST) == ["sample005000"]
    page.evaluate("document.querySelector('.filters > button').click()")
    assert found(page) == "10,000 of 10,000 samples"


def test_a_bar_of_a_histogram_selects_its_samples(page: Browser) -> None:
    box = page.evaluate(
        "(() => { const one = document.querySelector('figure[data-key=\"variant_calling.depth0\"] svg');"
        " one.scrollIntoView(); const box = one.getBoundingClientRect(); return [box.left, box.top]; })()"
    )
    page.click(box[0] + 2, box[1] + 30)
    assert found(page) == "10 of 10,000 samples"
    assert len(page.evaluate(FIRST)) == 10
    assert page.problems == []


def test_it_follows_the_colours_that_the_user_prefers(page: Browser, large: Path) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.look(1280, 900, "dark")
    dark = page.evaluate(ground)
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(22, 24, 27)")


def test_without_its_program_it_has_the_verdict_the_distributions_and_the_worst_samples(
    chromium: Browser, large: Path
) -> None:
    chromium.open(large, script=False)
    html = chromium.send("DOM.getDocument", depth=1)
    text = json.dumps(html)
    assert text
    outer = chromium.send("DOM.getOuterHTML", nodeId=html["root"]["nodeId"])["outerHTML"]
    chromium.send("Emulation.setScriptExecutionDisabled", value=False)
    assert "The run succeeded: 9,999 of 10,000 samples done, 1 failed; the cohort is done without the others." in outer
    assert "The worst 200 of 10,000 samples." in outer
    assert outer.count('class="histogram"') == 28
    assert "is bad (good from 20.0 x, bad below 10.0 x)" in outer
    assert_quiet(chromium, large)


def test_printed_it_has_the_table_that_needs_no_program(page: Browser) -> None:
    shown = "['samples-table', 'samples-static'].map(id => getComputedStyle(document.getElementById(id)).display)"
    assert page.evaluate(shown) == ["block", "none"]
    page.look(1280, 900, media="print")
    assert page.evaluate(shown) == ["none", "block"]
    page.look(1280, 900)


def test_a_page_that_is_read_again_keeps_what_its_user_chose(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "running.html"
    file.write_text(report_page(simulated_report(3_000, 6), refresh_s=3600))
    chromium.look(1280, 900)
    chromium.open(file)
    assert chromium.evaluate("document.querySelectorAll('meta[http-equiv=refresh]').length") == 0
    set_value(chromium, "metric", "variant_calling.depth0")
    set_value(chromium, "least", "29.5")
    set_value(chromium, "plot-y", "alignment.share1")
    chromium.evaluate("(() => { const one = document.getElementById('all'); one.click(); })()")
    title = "Depth 0 (x)"
    chromium.evaluate(f"{head(chromium, title)}.querySelector('button').click()")
    chromium.evaluate(f"{head(chromium, title)}.querySelector('button').click()")
    chromium.evaluate("document.querySelector('details').open = true")
    chromium.evaluate("document.getElementById('search').focus()")
    chromium.type("sample000")
    chromium.evaluate("document.getElementById('search').setSelectionRange(3, 3)")
    chromium.evaluate("document.querySelector('.port').scrollTop = 3000")
    chromium.evaluate("scrollTo(0, document.getElementById('samples').offsetTop + 40)")
    seen = (
        "[document.querySelector('#samples-table [role=status]').textContent, search.value, search.selectionStart,"
        " document.activeElement.id, metric.value, least.value, document.getElementById('plot-y').value,"
        " document.querySelector('.port').scrollTop,"
        f" document.querySelector('details').open, {head(chromium, title)}.getAttribute('aria-sort')]"
    )
    top = "document.getElementById('samples').getBoundingClientRect().top"
    before, place = chromium.evaluate(seen), chromium.evaluate(top)
    assert before[0].startswith("6")
    file.write_text(report_page(simulated_report(3_000, 6, seed=2)))  # the run ended meanwhile
    chromium.evaluate("(() => { const now = Date.now(); Date.now = () => now + 3700e3; })()")
    chromium.wait_for_load()
    after = chromium.evaluate(seen)
    assert after[1:] == before[1:]
    assert abs(chromium.evaluate(top) - place) <= 1  # a page is scrolled by whole pixels
    assert after[0].endswith(" of 3,000 samples")
    numbers = [float(text.split()[0]) for text in values(chromium, title)]
    assert numbers == sorted(numbers, reverse=True)
    assert chromium.problems == []


def test_without_its_program_a_page_of_a_running_run_is_read_again_by_the_browser(
    chromium: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "running.html"
    file.write_text(report_page(simulated_report(60, 3), refresh_s=1))
    chromium.open(file, script=False)
    chromium.wait_for_load(script=False)
    chromium.send("Emulation.setScriptExecutionDisabled", value=False)


def test_hostile_names_are_text(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "hostile.html"
    report = simulated_report(60, 6, HOSTILE)
    for column in report.columns:
        column.reasons.update(dict.fromkeys(column.verdicts, HOSTILE[0]))
    file.write_text(report_page(report))
    chromium.look(1280, 900)
    chromium.open(file)
    set_value(chromium, "search", HOSTILE[1])
    assert chromium.evaluate(FIRST) == [HOSTILE[1]]
    set_value(chromium, "search", "__proto__")
    assert chromium.evaluate(FIRST) == ["__proto__"]
    assert chromium.evaluate("window.hacked") is None
    assert chromium.evaluate("document.querySelectorAll('img, iframe, object, link, svg[onload]').length") == 0
    assert_quiet(chromium, file)


def test_the_policy_forbids_requests_and_other_programs(page: Browser) -> None:
    page.evaluate("fetch('https://example.org/').catch(() => {})")
    page.evaluate("(() => { const one = new Image(); one.src = 'https://example.org/x.png'; })()")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {textContent: 'hacked = 1'}))")
    assert page.evaluate("typeof hacked") == "undefined"
    page.wait_for("true")
    assert len([url for url in page.requests if not url.startswith("file:")]) == page.blocked
    assert len([one for one in page.problems if "Content Security Policy" in one]) >= 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["demo", "faulty", "large"])
def test_it_can_be_used_without_seeing_it(
    chromium: Browser, axe: str, request: pytest.FixtureRequest, name: str, scheme: str
) -> None:
    chromium.look(1280, 900, scheme)
    chromium.open(request.getfixturevalue(name))
    chromium.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    chromium.evaluate(axe)
    answer = chromium.evaluate("axe.run().then(found => JSON.stringify(found.violations))")
    violations: list[dict[str, Any]] = json.loads(answer)
    serious = [one for one in violations if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in serious] == []


@pytest.mark.parametrize("name", ["demo", "faulty", "large", "real"])
def test_pictures_of_it_fit_into_the_window(
    chromium: Browser, kept: Path, request: pytest.FixtureRequest, name: str
) -> None:
    keep_pictures(chromium, request.getfixturevalue(name), kept / name)


def keep_pictures(chromium: Browser, file: Path, start: Path) -> None:
    """Keep pictures of a report for people, in two widths, light and dark; nothing is wider than the window.

    Args:
        chromium: The browser.
        file: The report.
        start: The beginning of their paths.
    """
    for width, scheme in SIZES:
        chromium.look(width, 900, scheme)
        chromium.open(file)
        assert chromium.evaluate("document.documentElement.scrollWidth") == width
        picture = chromium.picture(1600 if width > 400 else 1000)
        start.with_name(f"{start.name}-{width}-{scheme}.png").write_bytes(picture)
    assert_quiet(chromium, file)


def test_pictures_for_the_documentation(chromium: Browser, kept: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_page(simulated_report(1_200, 12)))
    for name, width, scheme, place, height in (
        ("report.png", 1280, "light", "#quality", 1100),
        ("report-narrow.png", 400, "dark", "body", 800),
    ):
        chromium.look(width, 900, scheme)
        chromium.open(file)
        set_value(chromium, "search", "sample001000" if width > 400 else "")
        top = chromium.evaluate(f"document.querySelector('{place}').getBoundingClientRect().top + scrollY")
        picture = chromium.picture(height, top)
        (kept / name).write_bytes(picture)
        assert len(picture) < 250_000
    assert_quiet(chromium, file)


def test_failures_open_by_keys(chromium: Browser, faulty: Path) -> None:
    chromium.look(1280, 900)
    chromium.open(faulty)
    chromium.evaluate("document.querySelector('#failures summary').focus()")
    chromium.press("Enter", 13)
    assert chromium.evaluate("document.querySelector('#failures details').open") is True
    classes = chromium.evaluate("[...document.querySelectorAll('#failures h3')].map(one => one.textContent)")
    assert sorted(classes) == [f"{name}: 1" for name in sorted(one.replace("_", " ") for one, _, _ in FAULTS)]


def test_a_real_cohort_shows_its_samples_of_low_depth(chromium: Browser, real: Path) -> None:
    chromium.look(1280, 900)
    chromium.open(real)
    assert found(chromium) == "8 of 8 samples"
    words = chromium.evaluate("document.querySelector('#stand-out').textContent")
    assert "Depth" in words
    assert " is bad (good from" in words
    assert_quiet(chromium, real)


def test_a_run_on_aws_has_the_same_page_from_its_bucket_alone(
    chromium: Browser,
    stack: Deployed,
    step_functions: FakeAws,
    tmp_path: Path,
    cli: Cli,
    kept: Path,
    bucket_alone: Callable[[], None],
) -> None:
    cohort, out = tmp_path / "cohort", kept / "on-aws.html"
    assert cli("simulate", "--out", cohort, "--samples", "3", "--length", "6000", "--depth", "12").code == 0
    step_functions.batch.run_job = shipped_steps(tmp_path / "scratch")
    sheet = on_s3(cohort, stack, tmp_path / "cohort.csv", broken="sample3")
    arguments = ("--reference", cohort / "reference.fa", "--max-failures", "2", "--json")
    run = str(json.loads(cli("submit", sheet, *arguments).out)["run"])
    step_functions.execution(run).wait()
    bucket_alone()
    assert cli("report", f"s3://{stack.bucket}/runs/{run}", "--out", out, "--verify").code == 1  # a sample is missing
    chromium.look(1280, 900)
    chromium.open(out)
    assert found(chromium) == "3 of 3 samples"
    words = chromium.evaluate("document.querySelector('#verdict').textContent")
    assert ": not verified: 1 deviation from the records of " in words
    assert "Not checked, since only the stack knows it: " in words
    keep_pictures(chromium, out, kept / "on-aws")
