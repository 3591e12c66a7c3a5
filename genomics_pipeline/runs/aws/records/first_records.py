"""A look at the first records of objects in S3, for what an execution would refuse at its start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice

from genomics_pipeline.engine.distributed_map.item_reader import inventory
from genomics_pipeline.engine.distributed_map.item_reader.csv import DELIMITERS
from genomics_pipeline.engine.distributed_map.item_reader.first_columns import FirstColumns
from genomics_pipeline.engine.distributed_map.item_reader.objects import count_object
from genomics_pipeline.engine.distributed_map.item_reader.reader_config import ReaderConfig
from genomics_pipeline.engine.distributed_map.item_reader.unreadable import ItemReaderCause, UnreadableItems
from genomics_pipeline.model.errors import DataError, PipelineError, Problem
from genomics_pipeline.model.record_source import MANIFEST, OBJECTS, RecordSource
from genomics_pipeline.stores.protocol import Store

_OBJECTS = 20  # of which the beginning is read


def check_first_records(uris: Sequence[str], source: RecordSource, store: Store, note: Callable[[str], object]) -> None:
    """Read the beginning of the first objects with the engine's reader.

    What this user may not read, the role of the execution perhaps may.

    Args:
        uris: The objects.
        source: The form of their content.
        store: The store that reads them.
        note: Takes a sentence about what AWS accepts, although it is seldom meant.

    Raises:
        DataError: for objects at which Step Functions would fail.
    """
    if source.format == OBJECTS:
        return
    problems, columns = list[Problem](), FirstColumns()
    for uri in uris[:_OBJECTS]:
        try:
            for one, config in _files(uri, source, store):
                counted = count_object(store, one, config, 1)
                for text in (*counted.notes, *columns.differences(one, counted.columns)):
                    note(f"{one}: {text}")
        except PipelineError:
            continue
        except ItemReaderCause as error:
            problems.append(Problem(f"{uri}: {error.detail}; Step Functions says: {error}"))
        except (UnreadableItems, OSError) as error:
            problems.append(Problem(f"{uri}: {error}"))
    if problems:
        raise DataError(problems)


def _files(uri: str, source: RecordSource, store: Store) -> list[tuple[str, ReaderConfig]]:
    """Return an object and the form of its content; of an inventory's manifest, the first file."""
    if source.format == MANIFEST:
        files, config = inventory.files(store.read(uri), ReaderConfig(manifest_type="S3_INVENTORY"))
        return [(one, config) for one in islice(files, 1)]
    headers = source.header or None
    form = ReaderConfig(source.format, None, "NONE", headers, DELIMITERS[source.delimiter], source.pointer)
    return [(uri, form)]
