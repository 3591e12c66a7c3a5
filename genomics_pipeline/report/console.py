"""Consoles of rich, which print tables and live displays: without markup, control characters and secrets."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderableType, RenderHook
from rich.segment import Segment

from genomics_pipeline.model.printable import printable
from genomics_pipeline.model.secrets import redact

WIDE = 1000  # columns, where no terminal limits them


class Printable:
    """A renderable without control characters in its text.

    Args:
        renderable: The renderable.
    """

    def __init__(self, renderable: RenderableType) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the segments of the renderable; rich's own control segments are kept."""
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(printable(redact(segment.text)), segment.style)


class _PrintableHook(RenderHook):
    """A hook that makes everything printable that a console prints."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Wrap each renderable."""
        return [Printable(one) for one in renderables]


def open_console(width: int = WIDE, stderr: bool = False) -> Console:
    """Return a console.

    Args:
        width: The number of columns where there is no terminal.
        stderr: Print to standard error.
    """
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = width
    console.push_render_hook(_PrintableHook())
    return console
