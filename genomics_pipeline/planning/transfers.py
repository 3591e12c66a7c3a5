"""The requests to S3 of one task, as plans and costs count them: parts of files, and the records of the task."""

from __future__ import annotations

import math

from genomics_pipeline.stores.transfer import STREAM, UPLOAD, WHOLE

WRITTEN_RECORDS = 3  # of a task: job.json, log.txt and step.json


def uploads(size_bytes: float) -> int:
    """Return the PUT and POST requests of an upload: with its beginning and its end if it has several parts.

    >>> uploads(1), uploads(2**30)
    (1, 18)
    """
    return 1 if size_bytes < UPLOAD.part_bytes else math.ceil(size_bytes / UPLOAD.part_bytes) + 2


def downloads(size_bytes: float, *, stream: bool = False) -> int:
    """Return the GET requests for a file, which is read in parts: smaller ones where it is streamed to the program.

    >>> downloads(0), downloads(2**30), downloads(2**30, stream=True)
    (1, 128, 256)
    """
    return max(1, math.ceil(size_bytes / (STREAM if stream else WHOLE).part_bytes))
