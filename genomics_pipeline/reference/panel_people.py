"""Files with the names of people to leave out of a reference panel, one on each line, against the panel's header."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

_KIND = TextKind("list of names", budgets.BED_SIZE, budgets.BED_LINE)


def people_problems(uri: str, store: Store, people: Sequence[str]) -> Iterator[Problem]:
    """Yield the lines of a file that are no names of a panel's people, and a problem if the file names all of them.

    A name that is misspelt would leave a relative of the cohort in the panel, unnoticed.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        people: The people of the panel; empty where they are not known.

    Raises:
        OSError: if the file cannot be read.
    """
    known, named = frozenset(people), set()

    def misfit(line: bytes) -> str | None:
        words = line.decode("utf-8", "backslashreplace").split()
        if len(words) > 1:
            return f"expected the name of a person, found {' '.join(words)[:60]!r}"
        if words and known and words[0] not in known:
            near = get_close_matches(words[0], people, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            return f"expected the name of a person of the panel, found {words[0][:60]!r}{hint}"
        named.update(words)
        return None

    fits = yield from line_problems(uri, text_lines(uri, _KIND, store), misfit, budgets.PANEL_ERRORS)
    if fits and known and known <= named:
        yield Problem(f"expected people who stay in the panel, found the names of all {len(known)}", uri)
