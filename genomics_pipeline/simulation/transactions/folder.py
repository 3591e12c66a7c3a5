"""Simulated transactions in a folder: files of transactions, profiles of the accounts, and the truth about fraud."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.simulation.transactions.accounts import draw_network
from genomics_pipeline.simulation.transactions.feed import feed
from genomics_pipeline.simulation.transactions.profiles import profile
from genomics_pipeline.stores.publish import publishing_folder

PROFILES, TRUTH, ARRIVED, WAITING = "profiles.json", "truth.jsonl", "transactions", "waiting"


@dataclass(frozen=True, slots=True)
class TransactionFolder:
    """Simulated transactions.

    Attributes:
        folder: The folder.
        files: The number of files of transactions.
        records: The transactions of all files.
        fraudulent: The number of those that are part of fraud.
    """

    folder: Path
    files: int
    records: int
    fraudulent: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that ``simulate --json`` prints."""
        return {
            "folder": str(self.folder),
            "transactions": str(self.folder / ARRIVED),
            "profiles": str(self.folder / PROFILES),
            "truth": str(self.folder / TRUTH),
            "files": self.files,
            "records": self.records,
            "fraudulent": self.fraudulent,
        }


def simulate_transactions(
    folder: Path, *, records: int, files: int, accounts: int, seed: int, waiting: bool = False
) -> TransactionFolder:
    """Make ``transactions/``, ``profiles.json`` and ``truth.jsonl``, the same bytes for the same numbers.

    Args:
        folder: A new or empty folder, whose files appear all at once when everything is written.
        records: The transactions of each file.
        files: The number of files.
        accounts: The number of accounts.
        seed: The seed.
        waiting: True to leave the files in ``waiting/``, from where `deliver` moves them.

    Raises:
        UsageError: if the folder exists and is not empty.
    """
    folder = folder.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--out {folder}: expected a new or empty folder")
    network = draw_network(accounts, seed)
    truth: list[dict[str, str]] = []
    with publishing_folder(Path(os.path.realpath(folder))) as part:
        into = part / (WAITING if waiting else ARRIVED)
        for made in {part / ARRIVED, into}:
            made.mkdir()
        profiles = {one.name: profile(one, network) for one in network.accounts}
        (part / PROFILES).write_bytes(orjson.dumps(profiles, option=orjson.OPT_APPEND_NEWLINE))
        for one in feed(network, files, records):
            (into / f"{one.number:06d}.jsonl").write_bytes(_lines(one.records))
            truth += one.truth
        (part / TRUTH).write_bytes(_lines(truth))
    return TransactionFolder(folder, files, files * records, len(truth))


def deliver(folder: Path, every_s: float, sleep: Callable[[float], object], now: Callable[[], float]) -> Iterator[Path]:
    """Move the waiting files into ``transactions/``, one at a time, and yield each when it is there.

    Args:
        folder: The folder of the simulation.
        every_s: The seconds from one file to the next, which do not add up with the time of a move.
        sleep: Waits for a number of seconds.
        now: Returns the time in seconds, of a clock that never goes back.
    """
    begin = now()
    for number, file in enumerate(sorted((folder / WAITING).iterdir())):
        if (left := begin + number * every_s - now()) > 0:
            sleep(left)
        os.utime(file)
        yield file.rename(folder / ARRIVED / file.name)
    (folder / WAITING).rmdir()


def _lines(rows: Iterable[Any]) -> bytes:
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
