"""Stages that a later one makes undone, because their outputs are not as recorded: they run again before it does."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.task import TaskPayload
from genomics_pipeline.records.completion import delete_completion
from genomics_pipeline.stores.protocol import MissingObject, OtherContent, Store
from genomics_pipeline.worker.inputs import Input, InputFile


def reopen_maker(error: Exception, inputs: Sequence[Input], payload: TaskPayload, store: Store) -> DataError | None:
    """Make a stage of an item undone if the error of a task is that an output of it was lost or damaged.

    Args:
        error: The error of the task.
        inputs: The inputs of the task.
        payload: The task.
        store: The store of its inputs.

    Returns:
        The error that says so; None where the error has another reason.
    """
    if not isinstance(error, OtherContent | MissingObject):
        return None
    made = {file.uri: file for each in inputs for file in each.all_files() if file.made_by}
    file = made.get(error.uri)
    if file is None or file.made_by is None or not _is_damaged(file, store):
        return None
    stage, item = file.made_by
    delete_completion(store, payload.run, stage, item)
    shown = str(error).replace(file.uri, str(store.local(file.uri) or file.uri))
    return DataError(f"{shown}; {stage} of {item} has to run again")


def _is_damaged(file: InputFile, store: Store) -> bool:
    """Return whether an output is not as recorded; one in S3 is read once more, since a transfer may have failed."""
    if store.local(file.uri) is not None:
        return True
    try:
        with Path(os.devnull).open("wb") as sink:
            store.download(file.uri, sink, file.expected)
    except (OtherContent, MissingObject):
        return True
    return False
