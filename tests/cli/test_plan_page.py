"""`plan --html`: a page that parses, stands alone, escapes what users name, and has every number of the screen."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.cli.adapters import adapters
from genomics_pipeline.report.plan_page import plan_page
from genomics_pipeline.runs.estimate import estimate
from genomics_pipeline.runs.plan_request import PlanRequest

Cli = Callable[..., Any]
VOID = {"meta"}
HOSTILE = "<img src=x onerror=alert(1)> & \"'\x1b[31m"


class Page(HTMLParser):
    """The elements, attributes and text of a page, whose elements are closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + "\n"


def numbers(text: str) -> set[str]:
    return set(re.findall(r"[0-9][0-9,]*(?:\.[0-9]+)?", text))


@pytest.mark.parametrize(
    "arguments",
    [
        ["--samples", "40", "--gigabytes", "1", "--what-if", "naive"],
        ["--samples", "40", "--gigabytes", "1", "--pipeline", "germline-single", "--arriving-days", "1"],
        ["--samples", "40", "--gigabytes", "1", "--here", "--cpus", "4", "--memory", "32GiB"],
        ["--records", "1000000", "--pipeline", "transactions"],
    ],
)
def test_the_page_has_each_number_of_the_screen_and_asks_for_nothing(
    cli: Cli, tmp_path: Path, arguments: list[str]
) -> None:
    file = tmp_path / "plan.html"
    ended = cli("plan", *arguments, "--html", file)
    assert (ended.code, ended.err) == (0, "")
    page = Page(file.read_text())
    # The number of limits that the screen leaves out.
    screen = re.sub(r"  \d+ more, of which \d+% or more is left", "", ended.out)
    assert numbers(screen) - numbers(page.text) == set()
    assert page.tags <= {
        *("html", "head", "meta", "title", "style", "body", "main", "section", "h1", "h2", "h3", "p", "table", "thead"),
        *("tbody", "tr", "th", "td", "svg", "rect", "text", "details", "summary", "pre", "span"),
    }
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "href", "style", "action"}
    assert not any(name.startswith("on") for name in names)
    policy = next(value for name, value in page.attributes if name == "content" and value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "@import" not in page.text
    assert "url(" not in page.text


def test_hostile_names_are_text() -> None:
    plan = estimate(PlanRequest(samples=4, gigabytes=1), adapters(), lambda line: None)
    stages = [replace(one, stage=HOSTILE, basis="s3://key:secret@bucket/x") for one in plan.timeline]
    page = Page(plan_page(replace(plan, pipeline=HOSTILE, timeline=stages, assumptions=[HOSTILE])))
    assert "img" not in page.tags
    assert "\x1b" not in page.text
    assert "key:secret" not in page.text
    assert page.text.count("<img src=x onerror=alert(1)> & \"'") >= 4


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/plan.html", "expected a file in a folder that exists, found no folder"),
        (".", "is a directory"),
        ("s3://bucket/plan.html", "--html: expected a file of this machine, found the URI s3://bucket/plan.html"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_the_plan(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = cli("plan", "--samples", "40", "--gigabytes", "1", "--html", name)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert list(tmp_path.iterdir()) == []
