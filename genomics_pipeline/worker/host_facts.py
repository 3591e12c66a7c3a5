"""Facts of a host that its tasks are accounted for by: in AWS, its type, its zone and its market."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.task import HOST_FILE

FACTS = ("instance_type", "zone", "market")
_FACT = re.compile(r"[A-Za-z0-9.-]{1,64}")


def host_facts(scratch: Path) -> dict[str, str]:
    """Return the facts of the host that its user data wrote; none outside of AWS, or where the host did not learn them.

    Args:
        scratch: The scratch folder of the host.
    """
    with suppress(OSError, ValueError, TypeError, KeyError):
        facts = parse_json((scratch / HOST_FILE).read_bytes())
        values = {name: str(facts[name]) for name in FACTS}
        if all(map(_FACT.fullmatch, values.values())):
            return values
    return {}
