"""The page of a plan in a real browser, without its programs, of which it has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.ui.browser import Browser
from tests.ui.conftest import command

pytestmark = pytest.mark.ui

COHORT = ("plan", "--samples", "1000", "--gigabytes", "75", "--max-vcpus", "4096", "--what-if", "naive")


@pytest.fixture(scope="module")
def plan(kept: Path) -> Path:
    command(kept, *COHORT, "--html", str(kept / "plan.html"))
    return kept / "plan.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 400])
def test_it_is_quiet_fits_into_the_window_and_follows_the_colours(
    chromium: Browser, axe: str, plan: Path, kept: Path, width: int, scheme: str
) -> None:
    chromium.look(width, 900, scheme)
    chromium.open(plan, script=False)
    chromium.send("Emulation.setScriptExecutionDisabled", value=False)  # of this test
    assert chromium.problems == []
    assert chromium.requests == [plan.resolve().as_uri()]
    (kept / f"plan-{width}-{scheme}.png").write_bytes(chromium.picture())
    assert chromium.evaluate("document.documentElement.scrollWidth") <= width
    back = chromium.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(255, 255, 255)") is (scheme == "light")
    chromium.evaluate(axe)
    answer = chromium.evaluate("axe.run().then(found => JSON.stringify(found.violations))")
    assert [one["id"] for one in json.loads(answer)] == []


def test_all_of_it_can_be_read_without_a_program(chromium: Browser, plan: Path) -> None:
    chromium.look(1200, 900)
    chromium.open(plan, script=False)
    html = chromium.send("DOM.getDocument", depth=1)
    outer = chromium.send("DOM.getOuterHTML", nodeId=html["root"]["nodeId"])["outerHTML"]
    chromium.send("Emulation.setScriptExecutionDisabled", value=False)
    assert "Changes that would save most" in outer
    assert "ResultsStorageClass=GLACIER_IR" in outer
    assert "<script" not in outer
