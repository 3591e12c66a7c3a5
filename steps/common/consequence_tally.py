"""Counts of annotated variants by their consequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

import pysam

from common.compound_references import positions

SHOWN = ("synonymous", "missense", "stop_gained", "frameshift")  # with a metric of their own in step.toml


def _all(contig: str, pos: int) -> bool:
    return True


def tally(path: str, with_consequences: bool, is_counted: Callable[[str, int], bool] = _all) -> dict[str, Any]:
    """Return counts over the variants of a file that pass every filter.

    A variant counts once for each kind of its consequences, whatever the number of transcripts.

    Args:
        path: The VCF file.
        with_consequences: Whether it has INFO/BCSQ; without, there are no counts of consequences.
        is_counted: Tells whether the variants at a position count; others may describe what a counted one changes, too.
    """
    kinds: Counter[str] = Counter()
    variants, within_genes, with_id = 0, 0, 0
    with pysam.VariantFile(path, drop_samples=True) as vcf:
        for contig, records in groupby(vcf, lambda record: record.chrom):
            consequences = Consequences()
            for record in records:
                values = record.info.get("BCSQ", ()) if with_consequences else ()
                is_one = all(name == "PASS" for name in record.filter) and is_counted(contig, record.pos)
                consequences.add(record.pos, values, is_one)
                variants += is_one
                with_id += is_one and record.id is not None
                within_genes += is_one and bool(values)
            kinds.update(consequences.kinds())
    counts: dict[str, Any] = {"variants": variants, "with_id": with_id}
    if not with_consequences:
        return counts
    shown = {name: kinds[name] for name in SHOWN}
    return {**counts, "with_consequence": within_genes, **shown, "consequences": dict(sorted(kinds.items()))}


class Consequences:
    """The consequences of the variants of a contig, in its order.

    Variants that change a protein together are described at one of them, and the others have ``@POS`` of that one: it
    is the first for genes on the forward strand, the last for those on the reverse strand. A kind after ``*`` is behind
    an earlier stop: https://samtools.github.io/bcftools/howtos/csq-calling.html.

    >>> consequences = Consequences()
    >>> consequences.add(107, ["missense&splice_region|F|T|protein_coding|+|3E>3K|107G>A+109A>C"], is_counted=True)
    >>> consequences.add(109, ["@107", "*frameshift|F|T|protein_coding|+|4W>4T|109A>AC"], is_counted=True)
    >>> consequences.add(207, ["@209"], is_counted=True)
    >>> consequences.add(209, ["stop_gained|R|U|protein_coding|-|6H>6*|207A>T+209G>A"], is_counted=False)
    >>> sorted(consequences.kinds().items())
    [('frameshift', 1), ('missense', 2), ('splice_region', 2), ('stop_gained', 1)]
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._described: dict[tuple[int, int], set[str]] = {}  # by the described position, and where it is described
        self._referring: list[tuple[int, list[int], set[str]]] = []

    def add(self, pos: int, values: Sequence[str], is_counted: bool) -> None:
        """Add a variant.

        Args:
            pos: Its position.
            values: The values of its INFO/BCSQ.
            is_counted: Whether it counts, or may only describe what others change.
        """
        own, targets = set[str](), list[int]()
        for value in values:
            if value.startswith("@"):
                targets.append(int(value[1:]))
                continue
            kinds = value.partition("|")[0].lstrip("*").split("&")
            own.update(kinds)
            if "+" in (changes := value.rpartition("|")[2]):
                for changed in positions(changes):
                    self._described.setdefault((changed, pos), set()).update(kinds)
        if not is_counted:
            return
        if targets:
            self._referring.append((pos, targets, own))
        else:
            self._counts.update(own)

    def kinds(self) -> Counter[str]:
        """Return the number of variants with each kind of consequence, once all were added."""
        counts = self._counts.copy()
        for pos, targets, own in self._referring:
            counts.update(own.union(*(self._described.get((pos, target), ()) for target in targets)))
        return counts
