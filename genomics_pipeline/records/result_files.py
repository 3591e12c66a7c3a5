"""ResultWriter's files of one Map Run: their list, and their rows one at a time.

Source: Step Functions developer guide, "ResultWriter (Map)"; layout as recorded from AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import loads_lenient
from genomics_pipeline.model.plain_path import is_plain_key
from genomics_pipeline.records.result_file_rows import file_rows
from genomics_pipeline.records.result_row import ResultRow, decode
from genomics_pipeline.stores.protocol import Store, shown_place

KINDS = ("SUCCEEDED", "FAILED", "PENDING")
_REDRIVE = re.compile(rf"{run_layout.REDRIVE}([0-9]{{1,9}})")


def result_rows(store: Store, details: Mapping[str, str], kind: str) -> Iterator[ResultRow]:
    """Yield the rows of one kind, in the order of their files, in bounded memory.

    Args:
        store: The store of the files.
        details: ``ResultWriterDetails`` of the Map Run: ``Bucket``, and ``Key`` of its ``manifest.json``.
        kind: SUCCEEDED, FAILED or PENDING. Rows of SUCCEEDED are read only as Transformation NONE writes them.

    Raises:
        DataError: for files that are missing or not ResultWriter's.
    """
    for uri, size in result_objects(store, details, kind):
        with store.open(uri) as stream:
            yield from file_rows(shown_place(store, uri), stream, size)


def result_objects(store: Store, details: Mapping[str, str], kind: str) -> list[tuple[str, int | None]]:
    """Return the URI of each file of one kind, and its size where the manifest has it.

    Args:
        store: The store of the files.
        details: See `result_rows`.
        kind: SUCCEEDED, FAILED or PENDING.

    Raises:
        DataError: for a manifest that is missing or not ResultWriter's.
    """
    bucket = details["Bucket"]
    manifest = f"s3://{bucket}/{details['Key']}"
    files: list[tuple[str, int | None]] = decode(
        store.read(manifest),
        manifest,
        "ResultWriter's manifest",
        lambda text: [
            (f"s3://{bucket}/{_file_key(one['Key'], details['Key'])}", one.get("Size"))
            for one in loads_lenient(text)["ResultFiles"][kind]
        ],
    )
    return files


def _file_key(key: str, manifest: str) -> str:
    """Return the key of a result file, which lies below the folder of its Map Run, like the manifest.

    Raises:
        ValueError: for any other key.
    """
    if not is_plain_key(key, map_run_folder(manifest)):
        raise ValueError(f"the key {key!r} outside of the Map Run's folder")
    return key


def map_run_folder(manifest: str) -> str:
    """Return the prefix of a Map Run's files, those of its redrives included, by the key of a manifest."""
    folder = manifest.rpartition("/")[0]
    parent, _, last = folder.rpartition("/")
    return f"{parent if _REDRIVE.fullmatch(last) else folder}/"


def are_readable(store: Store, details: Mapping[str, str]) -> bool:
    """Return whether the result files of a Map Run are there, and every row of them can be read."""
    try:
        for kind in KINDS:
            for row in result_rows(store, details, kind):
                _ = (row.items(), row.error, row.cause)
    except DataError:
        return False
    return True


def newest_details(store: Store, details: Mapping[str, str]) -> dict[str, str]:
    """Return ``ResultWriterDetails`` of a Map Run after its last redrive, if it was redriven.

    A redrive of the execution writes into ``Redrive-N``, with N its number, but not for every Map Run.

    Args:
        store: The store of the files.
        details: ``ResultWriterDetails`` of the Map Run, from before or after a redrive.
    """
    bucket, folder = details["Bucket"], map_run_folder(details["Key"]).rstrip("/")
    start = f"s3://{bucket}/{folder}/"
    numbers = [
        int(match[1])
        for info in store.list(f"{start}{run_layout.REDRIVE}")
        if (match := _REDRIVE.fullmatch(info.uri.removeprefix(start).partition("/")[0]))
    ]
    if not numbers:
        return {"Bucket": bucket, "Key": details["Key"]}
    return {"Bucket": bucket, "Key": f"{run_layout.redrive_folder(folder, max(numbers))}/{run_layout.RESULT_MANIFEST}"}
