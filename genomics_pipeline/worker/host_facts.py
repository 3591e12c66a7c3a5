"""Facts of a host that its tasks are accounted for by: its type, zone and market in AWS, its partition on a cluster."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import HOST_FILE, HOST_VARIABLE
from genomics_pipeline.stores.bounded_file import read_plain_file

INSTANCE_TYPE = "instance_type"
FACTS = (INSTANCE_TYPE, "zone", "market")
_FACT = re.compile(r"[A-Za-z0-9.-]{1,64}")


def host_facts(scratch: Path) -> dict[str, str]:
    """Return the facts of the host that its user data wrote; none outside of AWS, or where the host did not learn them.

    Args:
        scratch: The scratch folder of the host.
    """
    with suppress(OSError, DataError, ValueError, TypeError, KeyError):
        facts = parse_json(read_plain_file(scratch / HOST_FILE, budgets.USAGE_SIZE))
        values = {name: str(facts[name]) for name in FACTS}
        if all(map(_FACT.fullmatch, values.values())):
            return values
    return {}


def given_facts(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the facts that whoever started a container gives it.

    Args:
        environment: The variables that `worker.__main__` lists.

    Raises:
        DataError: for another value than a JSON object of texts.
    """
    text = environment.get(HOST_VARIABLE, "{}")
    with suppress(ValueError, AttributeError):
        facts = dict(parse_json(text).items())
        if all(isinstance(value, str) for value in facts.values()):
            return facts
    raise DataError(f"{HOST_VARIABLE}: expected a JSON object of texts, found {text!r}")
