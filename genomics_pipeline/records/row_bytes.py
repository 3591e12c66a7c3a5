"""The parts of ResultWriter's rows that are read without decoding the rows.

The assumptions about them:

1. A row is a JSON object without spaces, its members in alphabetical order: ``Cause`` is the first member of a child
   that failed, ``InputDetails`` follows ``Input``, and ``Status`` is the last member of a child that never started.
2. Quotes in a string are escaped, so that the bytes around a member do not occur in a string.
3. A string is escaped as by `orjson`; where it is not, the bytes around an item do not match and the row is decoded.
4. The cause of our definitions' Fail state begins with the stage and the class of the failure (`asl.healing`).

They hold for rows recorded from AWS (tests/records/data) and for those of the engine. The import of this module checks
them against a row of each kind.
"""

from __future__ import annotations

import json
import re

import orjson

INPUT = b'"Input":"'
INPUT_DETAILS = b"InputDetails"
AFTER_INPUT = b'","InputDetails":{'
ROW_ENDS = (b'"}\n', b'"}')
PENDING_ENDS = (b',"Status":"PENDING"}\n', b',"Status":"PENDING"}')
FAILURE_CLASS = re.compile(rb'\{"Cause":"\{\\"stage\\":\\"[a-z0-9_]+\\",\\"class\\":\\"([a-z_]+)\\",')

# From radkawar/stackd, testdata/aws/stepfunctions/redrive_map.json: shortened, with the cause of our Fail state.
_FAILED = (
    rb'{"Cause":"{\"stage\":\"alignment\",\"class\":\"out_of_memory\",\"error\":\"E\",\"cause\":\"{\\\"a\\\":1}\"}",'
    rb'"Error":"E","ExecutionArn":"arn","Input":"{\"item\":{\"key\":\"\\\"Input\\\":\\\"\",\"wait\":0},\"index\":0}",'
    rb'"InputDetails":{"Included":true},"Name":"n","OutputDetails":{"Included":true},"RedriveCount":0,'
    rb'"StartDate":"2026-09-24T02:58:41.805Z","StateMachineArn":"arn","Status":"FAILED",'
    rb'"StopDate":"2026-09-24T02:59:12.018Z"}'
)
_PENDING = rb'{"Input":"{\"item\":{\"key\":\"a\",\"wait\":0}}","InputDetails":{"Included":true},"Status":"PENDING"}'


def escape_for_row(text: str) -> bytes:
    r"""Return a text as it is escaped in a string of a row.

    >>> escape_for_row('{"é":1}').decode()
    '{\\"é\\":1}'
    """
    return orjson.dumps(text)[1:-1]


def check_row(row: bytes) -> None:
    """Check the first three assumptions against a row, and the fourth if its cause is of our definitions' Fail state.

    Raises:
        RuntimeError: if one of them does not hold.
    """

    def expect(holds: bool, expected: str) -> None:
        if not holds:
            raise RuntimeError(f"ResultWriter's rows: expected {expected}, found {row!r}")

    child = json.loads(row)
    start, end = row.rfind(INPUT) + len(INPUT), row.rfind(AFTER_INPUT)
    expect(row[start:end] == escape_for_row(child["Input"]), "Input directly before InputDetails, escaped as by orjson")
    expect(row.startswith(b'{"') and row.endswith(ROW_ENDS), "a compact object whose last member is a string")
    expect(row.endswith(PENDING_ENDS) == (child["Status"] == "PENDING"), "Status last, where it is PENDING")
    cause = child.get("Cause", "")
    if cause.startswith('{"stage"'):
        match = FAILURE_CLASS.match(row)
        expect(match is not None and match[1].decode() == json.loads(cause)["class"], "stage and class first in Cause")


for _row in (_FAILED, _PENDING):
    check_row(_row)
