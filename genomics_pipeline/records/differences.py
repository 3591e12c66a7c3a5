"""The member `because` of records: the reasons for which a step ran."""

from __future__ import annotations

from genomics_pipeline.model.provenance import Difference, DifferenceKind
from genomics_pipeline.records.fields import Fields

MEMBER = "because"
_KINDS = {str(kind): kind for kind in DifferenceKind}


def read_differences(fields: Fields) -> tuple[Difference, ...]:
    """Return the reasons in a record; nothing where it has none.

    Raises:
        UnreadableRecord: if they are in an unknown form.
    """
    return tuple(map(_difference, fields.objects(MEMBER))) if fields.has(MEMBER) else ()


def _difference(fields: Fields) -> Difference:
    kind = _KINDS[fields.one_of("kind", _KINDS)]
    before, now = (fields.text(name) if fields.has(name) else None for name in ("before", "now"))
    return Difference(kind, fields.text("name"), before, now)
