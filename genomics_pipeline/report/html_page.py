"""HTML pages that stand alone: no script, no request to anywhere, all text escaped by the serializer."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from xml.etree.ElementTree import Element, tostring

from genomics_pipeline.model.printable import printable_line
from genomics_pipeline.model.secrets import redact

STYLE = """
:root { color-scheme: light dark; --ink: #1a1c1f; --faint: #5c6370; --ground: #fff; --line: #d5d9de; --bar: #2f6fb0;
  --full: #b3402e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ea; --faint: #9aa3ae; --ground: #16181b; --line: #3a3f46;
  --bar: #6ba6e0; --full: #e58473; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid var(--line); }
th { color: var(--faint); font-weight: normal; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.verdict { font-size: 1.1rem; } .note { color: var(--faint); }
pre { overflow-x: auto; } pre span { display: block; }
svg { max-width: 100%; } svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
@media (max-width: 40rem) { thead { display: none; } table, tbody, tr { display: block; }
  tr { padding: .4rem 0; border-bottom: 1px solid var(--line); }
  td { display: inline-block; border: 0; padding: 0 .8rem 0 0; } td:first-child { display: block; font-weight: bold; }
  td[data-head]::before { content: attr(data-head) " "; color: var(--faint); } }
.bar { fill: var(--bar); } .full { fill: var(--full); } .track { fill: var(--line); }
"""
ROW, LABELS, WIDTH = 22, 160, 900  # pixels of a timeline: of half a row, of its labels, of all
TRACK = 120  # pixels of a bar of a table


class TimelineBar(NamedTuple):
    """A bar on a timeline.

    Attributes:
        name: Its label.
        first_s: Its start in seconds.
        last_s: Its end.
        note: A text beside it.
    """

    name: str
    first_s: float
    last_s: float
    note: str


def element(tag: str, *children: Element | str, **attributes: str) -> Element:
    """Return an element of HTML.

    Args:
        tag: Its name.
        children: Its elements, and one text before them at most.
        attributes: Its attributes; ``class_`` is ``class``, and other underscores are hyphens.
    """
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    made = Element(tag, names)
    for child in children:
        if isinstance(child, str):
            made.text = printable_line(redact(child))
        else:
            made.append(child)
    return made


def table(heads: Sequence[str], rows: Iterable[Sequence[Element | str]], numbers: Iterable[int] = ()) -> Element:
    """Return a table.

    Args:
        heads: The heads of its columns.
        rows: The cells of each row.
        numbers: The columns of numbers, which are aligned to the right.
    """
    right = set(numbers)

    def cell(tag: str, column: int, content: Element | str) -> Element:
        if column not in right:
            return element(tag, content)
        # A narrow window shows no heads: there, numbers have theirs in front of them.
        label = {"data_head": heads[column]} if tag == "td" and column and heads[column] else {}
        return element(tag, content, class_="number", **label)

    head = element("tr", *(cell("th" if one else "td", column, one) for column, one in enumerate(heads)))
    body = [element("tr", *(cell("td", column, one) for column, one in enumerate(row))) for row in rows]
    return element("table", element("thead", head), element("tbody", *body))


def share_bar(share: float, words: str) -> Element:
    """Return a bar that is filled by a share of it, of another colour where that is 1 or more.

    Args:
        share: The share.
        words: A description, for those who cannot see it.
    """
    filled = TRACK * min(1.0, max(0.0, share))
    return element(
        "svg",
        element("rect", class_="track", width=str(TRACK), height="10"),
        element("rect", class_="full" if share >= 1 else "bar", width=f"{filled:.1f}", height="10"),
        viewBox=f"0 0 {TRACK} 10",
        width=str(TRACK),
        height="10",
        role="img",
        aria_label=words,
    )


def timeline(spans: Sequence[TimelineBar], whole_s: float) -> Element:
    """Return a timeline: a row for each span, with its label and its note.

    Args:
        spans: The spans.
        whole_s: The seconds of its width.
    """
    height = max(1, len(spans)) * ROW * 2
    scale = (WIDTH - LABELS) / max(whole_s, 1)
    drawn = []
    for row, one in enumerate(spans):
        top, start = row * ROW * 2, LABELS + one.first_s * scale
        length = max(2.0, (one.last_s - one.first_s) * scale)
        left = f"{min(start, WIDTH - 2):.1f}"
        drawn += [
            element("text", one.name, x="0", y=f"{top + 15}"),
            element("rect", class_="bar", x=left, y=f"{top + 4}", width=f"{length:.1f}", height="14"),
            element("text", one.note, x=str(LABELS), y=f"{top + 34}"),
        ]
    box = f"0 0 {WIDTH} {height}"
    return element("svg", *drawn, viewBox=box, width=str(WIDTH), height=str(height), role="img", aria_label="timeline")


def explanation(figures: Mapping[str, Sequence[str]]) -> list[Element]:
    """Return a list of figures, each of which opens to where it comes from."""
    return [
        element("details", element("summary", name), *(element("p", line, class_="note") for line in lines))
        for name, lines in figures.items()
    ]


def section(heading: str, *content: Element) -> Element:
    """Return a section with a heading."""
    return element("section", element("h2", heading), *content)


class PageExtras(NamedTuple):
    """The parts of a page beyond its text.

    Attributes:
        style: Its own style, behind that of all pages.
        script: Its program; empty for none.
        data: JSON that its program reads, by the id of the element; it is no program.
        refresh_s: The interval in seconds at which the browser reads the file again; None for never.
    """

    style: str = ""
    script: str = ""
    data: Mapping[str, str] = MappingProxyType({})
    refresh_s: int | None = None


PLAIN = PageExtras()


def page(title: str, *content: Element, extras: PageExtras = PLAIN) -> str:
    """Return a page, which may load nothing: its policy allows its own style and its own program only.

    Args:
        title: Its title.
        content: Its elements.
        extras: What it has beyond its text.
    """
    style = STYLE + extras.style
    programs = f"script-src '{_digest(extras.script)}'; " if extras.script else ""
    policy = f"default-src 'none'; {programs}style-src '{_digest(style)}'; base-uri 'none'; form-action 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        *_refresh(extras),
        element("title", title),
        _raw("style", style),
    )
    data = [_raw("script", _safe_json(text), type="application/json", id=name) for name, text in extras.data.items()]
    program = [_raw("script", extras.script)] if extras.script else []
    body = element("body", element("main", element("h1", title), *content), *data, *program)
    every = {} if extras.refresh_s is None else {"data_refresh": str(extras.refresh_s)}
    return (
        "<!DOCTYPE html>\n" + tostring(element("html", head, body, lang="en", **every), "unicode", method="html") + "\n"
    )


def _refresh(extras: PageExtras) -> Iterator[Element]:
    """Yield what makes a browser read the file again; a program does so itself, and keeps what its user has chosen."""
    if extras.refresh_s is not None:
        meta = element("meta", http_equiv="refresh", content=str(extras.refresh_s))
        yield element("noscript", meta) if extras.script else meta


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _raw(tag: str, text: str, **attributes: str) -> Element:
    """Return an element whose text the serializer does not escape, since HTML has no escapes in it."""
    made = Element(tag, attributes)
    made.text = text
    return made


def _safe_json(text: str) -> str:
    """Return JSON of the same value that cannot end its element."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
