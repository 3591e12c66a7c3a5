"""The columns of several files with headers of their own, which AWS reads one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class FirstColumns:
    """The columns of the first file of several, with which those of the others are compared.

    Attributes:
        uri: The file; empty before there is one.
        names: The names of its columns.
    """

    uri: str = ""
    names: Sequence[str] = ()

    def differences(self, uri: str, names: Sequence[str]) -> Iterator[str]:
        """Yield a sentence about a file that lacks columns of the first one, or has others; remember the first one.

        Args:
            uri: The file.
            names: The names of its columns; none for files without.
        """
        if not self.uri:
            self.uri, self.names = uri, names
        lacking, more = set(self.names) - set(names), set(names) - set(self.names)
        if names and self.names and (lacking or more):
            words = [
                f"no {', '.join(sorted(lacking))}" if lacking else "",
                f"also {', '.join(sorted(more))}" if more else "",
            ]
            found = f"found {' and '.join(filter(None, words))}"
            expected = f"expected the columns of {self.uri}, {found}"
            yield f"{expected}; Step Functions gives each record the columns of its own file"
