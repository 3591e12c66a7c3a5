"""The indexes of a reference, built on this machine for all later runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec

from genomics_pipeline.model.errors import DataError, Problem, UsageError
from genomics_pipeline.model.index_order import IndexOrder
from genomics_pipeline.model.web_uri import is_web
from genomics_pipeline.reference.copies import find_alt
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind
from genomics_pipeline.reference.place_indexes import GZI, BuildMemory, PlacedIndex, PlacedReference, place_indexes
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.reference_indexes import alternate_contigs_obstacle

KINDS = (*INDEX_KINDS, GZI)
WITHOUT_MINIBWA = "leave it out (--kind bwa): runs then use bwa"
ADVICE = (
    f"build it on a machine with more or as a job on AWS (docs/references.md), and place it beside the reference; or "
    f"{WITHOUT_MINIBWA}"
)


def index_here(
    reference: str, named: Sequence[str], out: str | None, adapters: Adapters, note: Callable[[str], None]
) -> list[PlacedIndex]:
    """Build the indexes of a reference on this machine, where they are missing.

    Args:
        reference: The path or URI of the FASTA file.
        named: The names of kinds; none for all that can be used.
        out: The folder for the reference, plain, and its indexes; None for indexes beside the file.
        adapters: The store and the cache.
        note: Shows a line of progress.

    Returns:
        The indexes in their places.

    Raises:
        UsageError: for a reference of a web server without a folder.
        DataError: for a kind that cannot be built or used; see also `place_indexes`.
    """
    if out is None and is_web(reference):
        raise UsageError(f"{reference}: a web server takes no files; name a folder for the reference by --out")
    order = chosen_order(IndexOrder(reference, tuple(named), out), adapters, _missing_library, note)
    return place_indexes(
        order, adapters.store, adapters.cache, BuildMemory(adapters.capacity().memory_mib, ADVICE), note
    )


def chosen_order(
    order: IndexOrder, adapters: Adapters, obstacle: Callable[[IndexKind], str | None], note: Callable[[str], None]
) -> IndexOrder:
    """Return the order with the kinds that can be built and used, if it names none.

    Args:
        order: The order.
        adapters: The store and the cache.
        obstacle: Returns why a kind cannot be built where the order is carried out; None if it can.
        note: Shows why a kind is left out.

    Raises:
        DataError: with each named kind that cannot be built or used.
    """
    reference = PlacedReference(order, adapters.store, adapters.cache)
    has_alt = find_alt(reference.info, adapters.store) is not None
    obstacles = {
        kind.name: message
        for kind in INDEX_KINDS.values()
        if (message := obstacle(kind) or alternate_contigs_obstacle(kind, has_alt))
    }
    if not reference.has_gzi:
        obstacles[GZI] = "expected a file that bgzip compressed, which stays compressed; found another file, or --out"
    if problems := [f"--kind {name}: {obstacles[name]}" for name in order.kinds if name in obstacles]:
        raise DataError([Problem(problem, order.reference) for problem in problems])
    if order.kinds:
        return order
    for name, message in obstacles.items():
        if name != GZI:
            note(f"index: not for {name}: {message}")
    return IndexOrder(order.reference, tuple(name for name in KINDS if name not in obstacles), order.out)


def _missing_library(kind: IndexKind) -> str | None:
    if kind.library is not None and find_spec(kind.library) is None:
        return f"the package {kind.library} is not installed, which has no wheel for every platform"
    return None
