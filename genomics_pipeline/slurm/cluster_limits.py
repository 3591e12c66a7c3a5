"""The limits of a user's jobs in a partition: of its nodes, of Slurm's configuration, of an association and its QOS."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from genomics_pipeline.slurm.commands import SlurmCommands, SlurmError

# The limits by name, each with the unit of its number.
LIMITS = {
    "max_time_min": "min",
    "max_jobs": "jobs",
    "max_submit_jobs": "jobs",
    "max_array_size": "jobs",
    "max_cores": "cores",
}
_FIELD = re.compile(r"(\w+)=(\S*)")
_TIME = re.compile(r"(?:(?P<days>\d+)-)?(?P<parts>\d+(?::\d+){0,2})")
_CORES = re.compile(r"(?:^|,)cpu=(\d+)")
_ASSOCIATION = {
    "MaxJobs": "max_jobs",
    "MaxSubmit": "max_submit_jobs",
    "MaxWall": "max_time_min",
    "GrpTRES": "max_cores",
}
_QOS = {
    "MaxJobsPU": "max_jobs",
    "MaxSubmitPU": "max_submit_jobs",
    "MaxTRESPU": "max_cores",
    "GrpJobs": "max_jobs",
    "GrpSubmit": "max_submit_jobs",
    "GrpTRES": "max_cores",
    "MaxWall": "max_time_min",
}


@dataclass(frozen=True, slots=True)
class ClusterLimit:
    """A limit.

    Attributes:
        name: One of `LIMITS`.
        value: Its number.
        source: Where Slurm has it.
    """

    name: str
    value: int
    source: str


def array_limit(slurm: SlurmCommands) -> ClusterLimit:
    """Return the limit of the size of an array.

    Raises:
        SlurmError: if Slurm does not answer.
    """
    return ClusterLimit("max_array_size", slurm.largest_array(), "slurm.conf: MaxArraySize")


def read_limits(slurm: SlurmCommands, partition: str, account: str, qos: str) -> dict[str, ClusterLimit]:
    """Return the limits of a user's jobs by name, the smallest of each; those that Slurm does not tell are left out.

    Args:
        slurm: The commands of Slurm.
        partition: The partition; empty for the default one.
        account: The account that is charged; empty for the user's default.
        qos: The quality of service; empty for that of the partition.

    Raises:
        SlurmError: if Slurm does not answer, or has no such partition.
    """
    shown = dict(_FIELD.findall(slurm.show_partition(partition)))
    source = f"partition {shown.get('PartitionName', partition)}"
    found = list(_of_fields(shown, {"MaxTime": "max_time_min"}, source))
    with suppress(SlurmError):  # there is no accounting
        user = _user()
        charged = account or slurm.default_account(user)
        rows = slurm.associations(user, ("Account", "Partition", *_ASSOCIATION))
        for row in _rows_of(rows, charged, shown.get("PartitionName", partition)):
            found += _of_fields(row, _ASSOCIATION, f"association with the account {row['Account']}")
        for name in {qos, shown.get("QoS", "")} - {"", "N/A"}:
            for row in slurm.quality_of_service(name, tuple(_QOS)):
                found += _of_fields(row, _QOS, f"QOS {name}")
    smallest: dict[str, ClusterLimit] = {}
    for limit in found:
        if limit.name not in smallest or limit.value < smallest[limit.name].value:
            smallest[limit.name] = limit
    return smallest


def _user() -> str:
    """Return the name of the user, or the number where it has no name here."""
    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return str(os.getuid())


def _rows_of(rows: Iterable[Mapping[str, str]], account: str, partition: str) -> Iterator[Mapping[str, str]]:
    """Yield the associations that jobs of an account in a partition have.

    Args:
        rows: The user's associations.
        account: The account.
        partition: The partition.
    """
    for row in rows:
        if row["Account"] == account and row["Partition"] in ("", partition):
            yield row


def _of_fields(fields: Mapping[str, str], names: Mapping[str, str], source: str) -> Iterator[ClusterLimit]:
    """Yield the limits among fields.

    Args:
        fields: What Slurm says.
        names: The name of a limit by that of its field.
        source: Where Slurm says it.
    """
    for field, name in names.items():
        if value := limit_number(name, fields.get(field, "")):
            yield ClusterLimit(name, value, f"{source}: {field}")


def limit_number(name: str, text: str) -> int | None:
    """Return the number of a limit; None for none.

    Args:
        name: One of `LIMITS`.
        text: The text that Slurm has for it.

    >>> limit_number("max_time_min", "1-02:00:00"), limit_number("max_time_min", "UNLIMITED")
    (1560, None)
    >>> limit_number("max_time_min", "30"), limit_number("max_time_min", "45:30"), limit_number("max_jobs", "40")
    (30, 45, 40)
    >>> limit_number("max_cores", "cpu=512,mem=4T"), limit_number("max_cores", "gres/gpu=4")
    (512, None)
    """
    if name == "max_cores":
        match = _CORES.search(text)
        return int(match[1]) if match else None
    if name != "max_time_min":
        return int(text) if text.isdecimal() else None
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    parts = list(map(int, match["parts"].split(":")))
    if match["days"] is not None or len(parts) == 3:  # days-hours:minutes:seconds; "minutes:seconds" without hours
        hours, minutes = (*parts, 0)[:2]
        return int(match["days"] or 0) * 24 * 60 + hours * 60 + minutes
    return parts[0]
