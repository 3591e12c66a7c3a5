"""The page of a run's report: one HTML file that asks nobody for anything, and says its verdict without JavaScript."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from genomics_pipeline.report.html_page import PageExtras, element, page
from genomics_pipeline.report.run_page.metric_sections import cohort_section, quality_section, samples_section
from genomics_pipeline.report.run_page.origin_sections import methods_section, provenance_section
from genomics_pipeline.report.run_page.outstanding import outstanding, worst_first
from genomics_pipeline.report.run_page.page_data import page_data
from genomics_pipeline.report.run_page.run_report import RunReport
from genomics_pipeline.report.run_page.verdict_section import (
    failures_section,
    outstanding_section,
    verdict_section,
)
from genomics_pipeline.report.run_page.work_sections import cost_section, resources_section, time_section

STYLE, PROGRAMS = "report.css", ("refresh.js", "report.js")  # beside this module
DATA = "data"  # the id of the element that the program reads


def report_page(report: RunReport, refresh_s: int | None = None) -> str:
    """Return the page.

    Args:
        report: The content.
        refresh_s: The interval in seconds at which the browser reads the file again; None for never.
    """
    found = outstanding(report)
    order = list(worst_first(report, found))
    sections = [
        verdict_section(report, found),
        outstanding_section(report, found),
        failures_section(report),
        quality_section(report),
        samples_section(report, order),
        cohort_section(report),
        time_section(report),
        resources_section(report),
        cost_section(report),
        provenance_section(report),
        methods_section(report),
    ]
    shown = [one for one in sections if one is not None]
    data = {DATA: page_data(report, found, order)}
    extras = PageExtras(style=_beside(STYLE), script="".join(map(_beside, PROGRAMS)), data=data, refresh_s=refresh_s)
    return page(f"{report.state.run}: {report.state.pipeline}", _contents(shown), *shown, extras=extras)


def _contents(sections: Sequence[Element]) -> Element:
    links = [
        element("li", element("a", heading.text or "", href=f"#{one.get('id')}"))
        for one in sections
        if (heading := one.find("h2")) is not None
    ]
    return element("nav", element("ul", *links), aria_label="Sections")


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
