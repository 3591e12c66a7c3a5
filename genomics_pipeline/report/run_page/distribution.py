"""The distribution of a metric over samples: as a picture, and in words for those who cannot see it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from xml.etree.ElementTree import Element

from genomics_pipeline.model.metric_spec import BAD, WARN, MetricSpec
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.report.html_page import element
from genomics_pipeline.report.run_page.metric_values import MetricValues, Spread

WIDTH, HEIGHT, BINS = 360, 72, 48  # of a picture in pixels; of a histogram
MOST_WORDS = 12  # values in words that are counted


def distribution(values: MetricValues, samples: Sequence[str]) -> Element:
    """Return the distribution of a metric as a figure.

    Args:
        values: The values.
        samples: The names of the samples.
    """
    spread = values.spread
    words = distribution_words(values, samples)
    drawn = [] if spread is None or spread.is_flat else [_histogram(values, spread, words[0])]
    title = element("h4", values.spec.heading)
    note = [element("p", values.spec.summary, class_="note")] if values.spec.summary else []
    lines = [element("p", line, class_="figures") for line in words]
    caption = element("figcaption", title, *note)
    return element("figure", caption, *drawn, *lines, class_="metric", data_key=values.key)


def distribution_words(values: MetricValues, samples: Sequence[str]) -> list[str]:
    """Return the distribution of a metric in sentences.

    Args:
        values: The values.
        samples: The names of the samples.
    """
    lines = []
    if spread := values.spread:
        lines.append(_spread_words(values, spread, samples))
    if values.words:
        counts = Counter(values.words.values()).most_common()
        shown = ", ".join(f"{word} {count:,}" for word, count in counts[:MOST_WORDS])
        more = f" and {len(counts) - MOST_WORDS:,} others" if len(counts) > MOST_WORDS else ""
        lines.append(f"{shown}{more}")
    if lacking := len(samples) - len(values.ordered) - len(values.words):
        lines.append(f"{quantity(lacking, 'sample', ',')} without a value")
    if bounds := bounds_words(values.spec):
        verdicts = Counter(values.verdicts.values())
        found = ", ".join(
            f"{verdicts[one]:,} {word}" for one, word in ((BAD, "bad"), (WARN, "doubtful")) if verdicts[one]
        )
        lines.append(f"{bounds}: {found or 'all are good'}")
    return lines


def _spread_words(values: MetricValues, spread: Spread, samples: Sequence[str]) -> str:
    if spread.is_flat:
        return f"{values.with_unit(spread.least)} in {quantity(spread.count, 'sample', ',')}"
    least, greatest = (samples[values.numbers.index(one)] for one in (spread.least, spread.greatest))
    return (
        f"median {values.with_unit(spread.middle)}, middle half {values.shown(spread.low)} to "
        f"{values.shown(spread.high)}, from {values.shown(spread.least)} ({least}) to "
        f"{values.shown(spread.greatest)} ({greatest})"
    )


def bounds_words(spec: MetricSpec) -> str:
    """Return the bounds of a metric in words; empty where it has none.

    >>> bounds_words(MetricSpec("d", "Depth", unit="x", good_min=20, bad_below=10))
    'good from 20 x, bad below 10 x'
    """
    pairs = (
        ("good from", spec.good_min),
        ("good up to", spec.good_max),
        ("bad below", spec.bad_below),
        ("bad above", spec.bad_above),
    )
    return ", ".join(f"{word} {spec.text(bound)} {spec.unit}".rstrip() for word, bound in pairs if bound is not None)


def _histogram(values: MetricValues, spread: Spread, words: str) -> Element:
    """Return a histogram with the ranges of bad values and the median.

    Args:
        values: The values.
        spread: Their spread.
        words: The distribution in words.
    """
    spec, width = values.spec, spread.greatest - spread.least

    def x(number: float) -> float:
        return min(float(WIDTH), max(0.0, (number - spread.least) / width * WIDTH))

    drawn = []
    for low, high, name in (
        (spread.least, spec.bad_below, "bad"),
        (spec.bad_below if spec.bad_below is not None else spread.least, spec.good_min, "warn"),
        (spec.good_max, spec.bad_above if spec.bad_above is not None else spread.greatest, "warn"),
        (spec.bad_above, spread.greatest, "bad"),
    ):
        if low is not None and high is not None and x(high) > x(low):
            drawn.append(_area(x(low), x(high), name))
    counts = histogram(values.ordered, BINS)
    top = max(counts)
    bar = WIDTH / BINS
    path = "".join(
        f"M{bar * number:.1f} {HEIGHT}v{-max(1.5, (HEIGHT - 2) * count / top):.1f}h{bar - 1:.1f}V{HEIGHT}z"
        for number, count in enumerate(counts)
        if count
    )
    drawn.append(element("path", class_="bar", d=path))
    middle = f"{x(spread.middle):.1f}"
    drawn.append(element("path", class_="middle", d=f"M{middle} 0V{HEIGHT}"))
    box = f"0 0 {WIDTH} {HEIGHT}"
    picture = element("svg", *drawn, viewBox=box, class_="histogram", role="img", aria_label=words)
    ends = (element("span", values.shown(end)) for end in (spread.least, spread.greatest))
    return element("div", picture, element("div", *ends, class_="axis", aria_hidden="true"), class_="plot")


def _area(left: float, right: float, name: str) -> Element:
    return element(
        "rect", class_=f"area {name}", x=f"{left:.1f}", width=f"{right - left:.1f}", y="0", height=str(HEIGHT)
    )


def histogram(ordered: Sequence[float], bins: int) -> list[int]:
    """Return how many numbers lie in each of some equal parts of their range.

    Args:
        ordered: The numbers in their order, not all equal.
        bins: The number of parts.

    >>> histogram([0, 1, 1, 2, 4], 2)
    [3, 2]
    """
    width = (ordered[-1] - ordered[0]) / bins
    edges = [bisect_left(ordered, ordered[0] + width * number) for number in range(1, bins)]
    whole = [0, *edges, len(ordered)]
    return [last - first for first, last in pairwise(whole)]
