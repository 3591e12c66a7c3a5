"""Files with the names of people to leave out of a reference panel, one on each line, against the panel's header."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import Problem
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.text_lines import TextKind, line_problems, text_lines

_KIND = TextKind("list of names", budgets.BED_SIZE, budgets.BED_LINE)


def people_problems(uri: str, store: Store, people: Sequence[str], samples: Collection[str] = ()) -> Iterator[Problem]:
    """Yield the lines of a file that are no names of a panel's people, and a problem if nobody is left in the panel.

    A name that is misspelt would leave a relative of the cohort in the panel, unnoticed. Samples of the cohort may be
    named, too: they are left out in any case.

    Args:
        uri: The file, which exists.
        store: The store of the file.
        people: The people of the panel; empty where they are not known.
        samples: The samples of the cohort.

    Raises:
        OSError: if the file cannot be read.
    """
    known, cohort, named = frozenset(people), frozenset(samples), set()

    def misfit(line: bytes) -> str | None:
        words = line.decode("utf-8", "backslashreplace").split()
        if len(words) > 1:
            return f"expected the name of a person, found {' '.join(words)[:60]!r}"
        if words and known and words[0] not in known and words[0] not in cohort:
            near = get_close_matches(words[0], people, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            return f"expected the name of a person of the panel, found {words[0][:60]!r}{hint}"
        named.update(words)
        return None

    fits = yield from line_problems(uri, text_lines(uri, _KIND, store), misfit, budgets.PANEL_ERRORS)
    if fits and known and known <= named | cohort and not known <= cohort:
        found = f"the names of all {len(known)}" if known <= named else f"all {len(known)} here or in the cohort"
        yield Problem(f"expected people who stay in the panel, found {found}", uri)
