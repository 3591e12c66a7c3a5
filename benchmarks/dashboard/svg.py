"""Graphs and tables as SVG elements, in the manner of CloudWatch's widgets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from benchmarks.dashboard.query import Line

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
INK, FAINT, GRID = "#16191f", "#687078", "#e3e6e8"
TITLE, SMALL = 14, 11
LETTER = 0.58  # the mean width of a letter, in sizes of the font
LINE = 17  # the height of a line of the legend, and of a row of a table


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float

    def inner(self, left: float, top: float, right: float, bottom: float) -> Box:
        """Return the box without margins."""
        return Box(self.x + left, self.y + top, self.width - left - right, self.height - top - bottom)


def text(x: float, y: float, words: str, size: int = SMALL, colour: str = FAINT, more: str = "") -> str:
    """Return a text whose baseline begins at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}"{more}>{escape(words)}</text>'


def shortened(words: str, width: float, size: int = SMALL) -> str:
    """Return as much of a text as has a width."""
    most = int(width / (LETTER * size))
    return words if len(words) <= most else words[: most - 1] + "…"


def card(box: Box, title: str) -> str:
    """Return the frame of a widget with its title."""
    frame = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{box.height}" rx="3"'
    return f'{frame} fill="#fff" stroke="#d5dbdb"/>' + text(
        box.x + 14, box.y + 24, title, TITLE, INK, ' font-weight="600"'
    )


def no_data(box: Box) -> str:
    """Return what a graph without any data shows."""
    middle = ' text-anchor="middle"'
    return text(box.x + box.width / 2, box.y + box.height / 2, "no data", TITLE, FAINT, middle)


def graph(box: Box, lines: Sequence[Line], period_s: int, *, stacked: bool) -> str:
    """Return a graph of lines over time, with its axes and legend.

    Args:
        box: Its place, below the title.
        lines: The lines.
        period_s: The length of a period.
        stacked: Whether the values are shown as areas upon each other.
    """
    rows = _legend_rows([line.label for line in lines], box.width - 40)
    plot = box.inner(62, 8, 20, 26 + LINE * len(rows))
    series = _sums(lines) if stacked else [line.values for line in lines]
    ticks = _ticks(max(value for values in series for value in values if value is not None))
    shapes = [_axes(plot, ticks, max(map(len, series)), period_s)]
    for number in reversed(range(len(lines))) if stacked else range(len(lines)):
        draw = _area if stacked else _polyline
        shapes.append(draw(plot, series[number], ticks[-1], COLOURS[number % len(COLOURS)]))
    return "".join([*shapes, _legend(rows, box.x + 20, plot.y + plot.height + 34)])


def _sums(lines: Sequence[Line]) -> list[list[float | None]]:
    sums: list[list[float | None]] = []
    for line in lines:
        below = sums[-1] if sums else [0.0] * len(line.values)
        sums.append([(low or 0) + (value or 0) for low, value in zip(below, line.values, strict=True)])
    return sums


def _ticks(most: float) -> list[float]:
    """Return the marks of an axis from 0 to a round number that is not less than the greatest value."""
    step = 10.0 ** (math.floor(math.log10(most)) if most > 0 else 0)
    factor, parts = next(
        (one, parts) for one, parts in ((1, 5), (2, 4), (4, 4), (5, 5), (8, 4), (10, 5)) if step * one >= most
    )
    return [step * factor * part / parts for part in range(parts + 1)]


def _number(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{round(value, 3):g}"


def _axes(plot: Box, ticks: Sequence[float], periods: int, period_s: int) -> str:
    shapes = []
    for tick in ticks:
        y = plot.y + plot.height * (1 - tick / ticks[-1])
        shapes.append(f'<path d="M{plot.x:.1f} {y:.1f}h{plot.width:.1f}" stroke="{GRID}"/>')
        shapes.append(text(plot.x - 8, y + 4, _number(tick), more=' text-anchor="end"'))
    seconds = periods * period_s
    step = next(one for one in (30, 60, 120, 300, 600, 3600) if seconds / one <= 8)
    for moment in range(0, seconds + 1, step):
        x = plot.x + plot.width * moment / seconds
        label = f"{moment // 60}:{moment % 60:02}"
        shapes.append(text(x, plot.y + plot.height + 16, label, more=' text-anchor="middle"'))
    return "".join(shapes)


def _point(plot: Box, number: int, value: float, top: float, periods: int) -> str:
    x = plot.x + plot.width * (number + 0.5) / periods
    return f"{x:.1f} {plot.y + plot.height * (1 - min(value / top, 1)):.1f}"


def _polyline(plot: Box, values: Sequence[float | None], top: float, colour: str) -> str:
    """Return a line with a dot at each value; it has gaps where there are no data."""
    path, dots, is_open = "", [], False
    for number, value in enumerate(values):
        if value is not None:
            point = _point(plot, number, value, top, len(values))
            path += ("L" if is_open else "M") + point
            x, y = point.split()
            dots.append(f'<circle cx="{x}" cy="{y}" r="2"/>')
        is_open = value is not None
    return f'<g fill="{colour}"><path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>{"".join(dots)}</g>'


def _area(plot: Box, values: Sequence[float | None], top: float, colour: str) -> str:
    points = [_point(plot, number, value or 0, top, len(values)) for number, value in enumerate(values)]
    base, first, last = plot.y + plot.height, points[0].split()[0], points[-1].split()[0]
    path = f"M{first} {base:.1f}L{'L'.join(points)}L{last} {base:.1f}Z"
    return f'<path d="{path}" fill="{colour}" stroke="#fff" stroke-width="0.6"/>'


def _legend_rows(labels: Sequence[str], width: float) -> list[list[tuple[int, str]]]:
    rows: list[list[tuple[int, str]]] = [[]]
    used = 0.0
    for number, label in enumerate(labels):
        needed = _legend_width(label)
        if used + needed > width and rows[-1]:
            rows.append([])
            used = 0
        rows[-1].append((number, label))
        used += needed
    return rows


def _legend_width(label: str) -> float:
    return len(label) * LETTER * SMALL + 30


def _legend(rows: Sequence[Sequence[tuple[int, str]]], x: float, y: float) -> str:
    shapes = []
    for row, entries in enumerate(rows):
        at = x
        for number, label in entries:
            colour = COLOURS[number % len(COLOURS)]
            square = f'<rect x="{at:.1f}" y="{y + row * LINE - 9:.1f}" width="10" height="10" fill="{colour}"/>'
            shapes += [square, text(at + 15, y + row * LINE, label, colour=INK)]
            at += _legend_width(label)
    return "".join(shapes)


def table(box: Box, columns: Sequence[str], shares: Sequence[float], rows: Sequence[Sequence[str]]) -> str:
    """Return a table, with as many rows as fit.

    Args:
        box: Its place, below the title.
        columns: The names of its columns.
        shares: The widths of the columns, in shares of the box.
        rows: The texts of the rows.
    """
    starts = [box.x + 14 + (box.width - 28) * sum(shares[:number]) for number in range(len(shares))]
    widths = [(box.width - 28) * share - 8 for share in shares]
    shapes = [
        text(x, box.y + 14, shortened(name, width), colour=FAINT, more=' font-weight="600"')
        for x, width, name in zip(starts, widths, columns, strict=True)
    ]
    for number, row in enumerate(rows[: int((box.height - 24) / LINE)]):
        y = box.y + 14 + LINE * (number + 1)
        shapes.append(f'<path d="M{box.x + 14:.1f} {y - 12.5:.1f}h{box.width - 28:.1f}" stroke="{GRID}"/>')
        shapes += [
            text(x, y, shortened(cell, width), colour=INK) for x, width, cell in zip(starts, widths, row, strict=True)
        ]
    return "".join(shapes)
