"""Counts of annotated variants by their consequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pysam

SHOWN = ("synonymous", "missense", "stop_gained", "frameshift")  # with a metric of their own in step.toml


def tally(path: str, with_consequences: bool) -> dict[str, Any]:
    """Return counts over the variants of a file that pass every filter.

    A variant counts once for each kind of its consequences, whatever the number of transcripts.

    Args:
        path: The VCF file.
        with_consequences: Whether it has INFO/BCSQ; without, there are no counts of consequences.
    """
    kinds: Counter[str] = Counter()
    consequences = Consequences()
    variants, within_genes, with_id = 0, 0, 0
    with pysam.VariantFile(path, drop_samples=True) as vcf:
        for record in vcf:
            values = record.info.get("BCSQ", ()) if with_consequences else ()
            found = consequences.kinds(record.chrom, record.pos, values) if values else set()
            if any(name != "PASS" for name in record.filter):
                continue
            variants += 1
            with_id += record.id is not None
            within_genes += bool(found)
            kinds.update(found)
    counts: dict[str, Any] = {"variants": variants, "with_id": with_id}
    if not with_consequences:
        return counts
    shown = {name: kinds[name] for name in SHOWN}
    return {**counts, "with_consequence": within_genes, **shown, "consequences": dict(sorted(kinds.items()))}


class Consequences:
    """The consequences of the variants of a file, in its order.

    Variants that change a protein together are described at the first of them, and the others have ``@POS``. A kind
    after ``*`` is behind an earlier stop: https://samtools.github.io/bcftools/howtos/csq-calling.html.
    """

    def __init__(self) -> None:
        self._contig: str | None = None
        self._compound: dict[str, set[str]] = {}

    def kinds(self, contig: str, pos: int, values: Sequence[str]) -> set[str]:
        """Return the kinds of consequences of a variant.

        Args:
            contig: Its contig.
            pos: Its position.
            values: The values of its INFO/BCSQ.

        >>> consequences = Consequences()
        >>> sorted(consequences.kinds("1", 107, ["missense&splice_region|G|T|protein_coding|+|3E>3K|107G>A+109A>C"]))
        ['missense', 'splice_region']
        >>> sorted(consequences.kinds("1", 109, ["@107", "*frameshift|G|T|protein_coding|+|4W>4T|109A>AC"]))
        ['frameshift', 'missense', 'splice_region']
        """
        if contig != self._contig:
            self._contig, self._compound = contig, {}
        found: set[str] = set()
        for value in values:
            if value.startswith("@"):
                found |= self._compound.get(value[1:], set())
                continue
            kinds = set(value.partition("|")[0].lstrip("*").split("&"))
            if "+" in value.rpartition("|")[2]:
                self._compound.setdefault(str(pos), set()).update(kinds)
            found |= kinds
        return found
