"""The identity of the result files of Map Runs that ended, by which counts of their rows are known to be true still."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from genomics_pipeline.records.map_run import MapRunDescription
from genomics_pipeline.records.result_files import map_run_folder
from genomics_pipeline.stores.protocol import Store


def counted_files(store: Store, executions: Iterable[tuple[str, Iterable[MapRunDescription]]]) -> str:
    """Return the sha256 of the ends of executions: of each Map Run its counts, and its result files.

    A file is known by its key and size, in a bucket by its version, too: a folder of this machine may be copied.

    Args:
        store: The store of the files.
        executions: What identifies each execution, and its Map Runs.
    """
    digest = sha256()
    for name, runs in executions:
        digest.update(f"{name}\n".encode())
        for run in runs:
            digest.update(f"{run.arn} {run.status} {run.items} {run.executions} {run.results}\n".encode())
            if run.results is None:
                continue
            folder = f"s3://{run.results['Bucket']}/{map_run_folder(run.results['Key'])}"
            for file in store.list(folder):
                version = "" if store.local(file.uri) else file.version
                digest.update(f"{file.uri} {file.size_bytes} {version}\n".encode())
    return digest.hexdigest()
