"""The sections of a report on where the results are from, and the paragraph of methods for a paper."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from xml.etree.ElementTree import Element

from genomics_pipeline.model.parameters import Value, value_words
from genomics_pipeline.records.verification import VerificationRecord
from genomics_pipeline.report.html_page import element, section, table
from genomics_pipeline.report.run_page.run_report import RunReport, StageOrigin
from genomics_pipeline.report.run_page.verdict_section import scrolled

OWN = "genomics-pipeline"  # in the versions of tools


def provenance_section(report: RunReport) -> Element:
    """Return every version, digest and command, and the parameters that differ from their defaults."""
    facts = [(name, value) for name, value in report.facts if value]
    parts = [scrolled(table(("what", "value"), facts), "The run")]
    if report.signed is not None:
        verification = table(("what", "value"), _verification_rows(report.signed))
        parts += [element("h3", "Verification"), scrolled(verification, "The newest verification")]
    if report.origins:
        rows = map(_stage_row, report.origins)
        heads = ("stage", "step", "version", "program (sha256)", "tools")
        parts += [
            element("h3", "Stages"),
            scrolled(table(heads, rows), "Versions by stage"),
            element("h3", "Parameters that differ from their defaults"),
            *_changed(report.origins),
            *map(_parameters, report.origins),
        ]
    return _with_id("provenance", section("Provenance", *parts))


def _verification_rows(signed: VerificationRecord) -> Iterator[tuple[str, str]]:
    yield "Verdict", signed.verdict
    yield "Time", signed.at
    yield "By", f"{OWN} {signed.version}"
    yield "Execution", signed.execution
    yield "Digest of the definition", signed.definition
    yield from (("Not checked", one) for one in signed.unchecked)
    yield from (("Deviation", one) for one in signed.deviations)


def _stage_row(one: StageOrigin) -> tuple[str, ...]:
    tools = ", ".join(f"{name} {' or '.join(versions)}" for name, versions in one.tools.items())
    return one.stage, one.step, ", ".join(one.versions), ", ".join(one.programs), tools


def _changed(origins: Sequence[StageOrigin]) -> Iterator[Element]:
    rows = [
        (one.stage, name, _values(values), value_words(one.defaults[name]))
        for one in origins
        if one.defaults is not None
        for name, values in one.parameters.items()
        if name in one.defaults and list(values) != [one.defaults[name]]
    ]
    unknown = [one.stage for one in origins if one.defaults is None]
    if rows:
        yield scrolled(table(("stage", "parameter", "value", "default"), rows), "Changed parameters")
    elif not unknown:
        yield element("p", "None.")
    if unknown:
        words = f"Not known of {', '.join(unknown)}: their steps of these versions are not on this machine."
        yield element("p", words, class_="note")


def _values(values: Sequence[Value]) -> str:
    return " or ".join(map(value_words, values))


def _parameters(one: StageOrigin) -> Element:
    rows = [(name, _values(values)) for name, values in one.parameters.items()]
    parts = [scrolled(table(("parameter", "value"), rows), f"Parameters of {one.stage}")]
    if one.command:
        parts.append(element("p", f"Command: {shlex.join(one.command)}"))
    return element("details", element("summary", f"All parameters of {one.stage}, and its command"), *parts)


def methods_section(report: RunReport) -> Element | None:
    """Return a paragraph for a paper with the publications to cite; None where no step has any words for it."""
    sentences = [one for one in report.origins if one.methods]
    if not sentences:
        return None
    cited = list(dict.fromkeys(text for one in report.origins for text in one.citations))
    number = {text: place for place, text in enumerate(cited, 1)}
    words = " ".join(_sentence(one, number) for one in sentences)
    versions = sorted({version for one in report.origins for version in one.tools.get(OWN, ())})
    reference = dict(report.facts).get("Reference", "").rstrip("/").rpartition("/")[2]
    words += f" The reference was {reference}." if reference else ""
    words += f" All steps were run by {OWN} {' and '.join(versions)}." if versions else ""
    references = element("ol", *(element("li", text) for text in cited))
    return _with_id(
        "methods", section("Methods", element("p", words, class_="methods"), element("h3", "References"), references)
    )


def _sentence(one: StageOrigin, number: dict[str, int]) -> str:
    """Return the sentence of a stage, with the versions of its tools and the numbers of its references."""
    tools = [f"{name} {' and '.join(versions)}" for name, versions in one.tools.items() if name not in (OWN, "python")]
    marks = ", ".join(str(place) for place in sorted(number[text] for text in one.citations))
    behind = "; ".join(filter(None, (", ".join(tools), f"references {marks}" if marks else "")))
    return f"{one.methods.rstrip('.')} ({behind})." if behind else one.methods


def _with_id(id_: str, made: Element) -> Element:
    made.set("id", id_)
    return made
