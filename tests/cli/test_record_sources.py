"""Files of records that are damaged or of another form than the pipeline says: exact messages of `run` and `submit`.

What AWS accepts is not refused: the run goes on, and a note says what AWS makes of it. `submit` reads the beginning of
an object, `run` all of it.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow
import pyarrow.parquet
import pytest
import zstandard

from tests.cli.conftest import Ended
from tests.fakes.deployed import Deployed, deployed_with_functions
from tests.small_functions import write_function, write_pipeline

if TYPE_CHECKING:
    from tests.fakes.aws import FakeAws

Cli = Callable[..., Ended]
RENEW = "GENOMICS_PIPELINE_RENEW_GOLDEN" in os.environ
EXPECTED = Path(__file__).parents[1] / "corpus/record_sources"
COUNT = "def handle(batch):\n    return len(batch.records)\n"
CSV, LINES, JSON, PARQUET, MANIFEST = (f'format = "{name}"' for name in ("CSV", "JSONL", "JSON", "PARQUET", "MANIFEST"))
TABLE = b"id,amount\n1,20\n2,30\n"


def parquet(**columns: Any) -> bytes:
    """Return a Parquet file."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


CASES: Mapping[str, tuple[str, Mapping[str, bytes]]] = {
    "csv": (CSV, {"day.csv": TABLE}),
    "csv_bom": (CSV, {"day.csv": b"\xef\xbb\xbf" + TABLE}),
    "csv_crlf": (CSV, {"day.csv": TABLE.replace(b"\n", b"\r\n")}),
    "csv_two_columns_of_one_name": (CSV, {"day.csv": b"id,amount,id\n1,20,3\n"}),
    "csv_fields_missing": (CSV, {"day.csv": b"id,amount\n1,20\n2\n3\n"}),
    "csv_fields_missing_after_a_quoted_line": (CSV, {"day.csv": b'id,amount\n"1\n1",20\n2\n'}),
    "csv_fields_too_many": (CSV, {"day.csv": b"id,amount\n1,20\n2,30,\n\n3,40,5\n"}),
    "csv_fields_of_many_rows": (
        CSV,
        {"day.csv": b"id,amount\n" + b"1,20\n" * 20_000 + b"2\n" + b'1,"2,3"\n' * 3 + b"7,8,9\n"},
    ),
    "csv_other_delimiter": (f'{CSV}\ndelimiter = "SEMICOLON"', {"day.csv": TABLE}),
    "csv_not_utf8": (CSV, {"day.csv": "id,amount\n1,é\n".encode("latin-1")}),
    "csv_utf16": (CSV, {"day.csv": TABLE.decode().encode("utf-16")}),
    "csv_nothing_but_a_header": (CSV, {"day.csv": b"id,amount\n"}),
    "csv_column_missing_in_one_file": (
        f"{CSV}\nprefix = true",
        {"days/a.csv": TABLE, "days/b.csv": b"id,price\n3,40\n"},
    ),
    "csv_gzip": (CSV, {"day.csv.gz": gzip.compress(TABLE)}),
    "csv_gzip_truncated": (CSV, {"day.csv.gz": gzip.compress(TABLE)[:-12]}),
    "csv_not_gzip": (CSV, {"day.csv.gz": TABLE}),
    "csv_gzip_without_its_ending": (CSV, {"day.csv": gzip.compress(TABLE)}),
    "csv_zstd": (CSV, {"day.csv.zst": zstandard.compress(TABLE)}),
    "csv_zstd_truncated": (CSV, {"day.csv.zst": zstandard.compress(TABLE)[:-4]}),
    "csv_empty": (CSV, {"day.csv": b""}),
    "lines": (LINES, {"day.jsonl": b'\xef\xbb\xbf{"id": 1}\r\n{"id": 2}'}),
    "lines_bad_line": (LINES, {"day.jsonl": b'{"id": 1}\n{"id": }\n'}),
    "lines_of_csv": (LINES, {"day.jsonl": TABLE}),
    "lines_not_utf8": (LINES, {"day.jsonl": '{"id": "é"}\n'.encode("latin-1")}),
    "lines_gzip_truncated": (LINES, {"day.jsonl.gz": gzip.compress(b'{"id": 1}\n')[:-12]}),
    "lines_zstd_truncated": (LINES, {"day.jsonl.zst": zstandard.compress(b'{"id": 1}\n')[:-4]}),
    "json": (JSON, {"day.json": b'[{"id": 1}, {"id": 2}]'}),
    "json_object": (JSON, {"day.json": b'{"rows": [{"id": 1}]}'}),
    "json_pointer_to_a_number": (f'{JSON}\npointer = "/rows"', {"day.json": b'{"rows": 7}'}),
    "json_pointer_to_nothing": (f'{JSON}\npointer = "/row"', {"day.json": b'{"rows": []}'}),
    "json_of_lines": (JSON, {"day.json": b'{"id": 1}\n{"id": 2}\n'}),
    "json_truncated": (JSON, {"day.json": b'[{"id": 1}, {"id"'}),
    "json_blank": (JSON, {"day.json": b" \n"}),
    "parquet": (PARQUET, {"day.parquet": parquet(id=[1, 2])}),
    "parquet_truncated": (PARQUET, {"day.parquet": parquet(id=[1, 2])[:-6]}),
    "parquet_of_csv": (PARQUET, {"day.parquet": TABLE}),
    "parquet_column_missing_in_one_file": (
        f"{PARQUET}\nprefix = true",
        {"days/a.parquet": parquet(id=[1], amount=[2]), "days/b.parquet": parquet(id=[1])},
    ),
    "manifest_of_csv": (MANIFEST, {"manifest.json": TABLE}),
    "manifest_of_orc": (
        MANIFEST,
        {
            "manifest.json": json.dumps(
                {"fileFormat": "ORC", "fileSchema": "Bucket, Key", "destinationBucket": "arn:aws:s3:::b", "files": []}
            ).encode()
        },
    ),
}


@pytest.fixture(params=CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pipeline(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the step and the pipeline of a case into the current folder."""
    write_function(tmp_path / "score", COUNT)
    monkeypatch.chdir(tmp_path)
    return write_pipeline(tmp_path, source=CASES[name][0], settings="items_per_batch = 1000")


@pytest.fixture
def stack(pipeline: Path, step_functions: FakeAws, aws: str) -> Iterator[Deployed]:
    with deployed_with_functions(aws, str(pipeline), step_functions) as made:
        yield made


def place(files: Mapping[str, bytes]) -> str:
    """Return the argument RECORDS: a file, or the folder of several."""
    first = next(iter(files))
    return f"{first.partition('/')[0]}/" if len(files) > 1 else first


def said(ended: Ended, folder: str) -> str:
    """Return the exit code, and the notes and errors with FOLDER for where the files are."""
    lines = [line for line in (ended.err + ended.out).splitlines() if folder in line or re.match("error: ", line)]
    return "\n".join(
        [
            f"exit {ended.code}",
            *(
                line.replace(folder, "FOLDER/")
                for line in lines
                if "/out" not in line and not line.startswith("records: ")
            ),
        ]
    )


def check(name: str, command: str, text: str) -> None:
    """Compare what a command said with what is expected of it."""
    file = EXPECTED / f"{name}.{command}.expected"
    if RENEW:
        file.write_text(f"{text}\n")
    assert file.read_text() == f"{text}\n"


def test_run(name: str, pipeline: Path, tmp_path: Path, cli: Cli) -> None:
    for key, content in CASES[name][1].items():
        (tmp_path / key).parent.mkdir(exist_ok=True)
        (tmp_path / key).write_bytes(content)
    ended = cli("run", place(CASES[name][1]), "--pipeline", pipeline, "--out", "out")
    check(name, "run", said(ended, f"{tmp_path}/"))


def test_submit(name: str, pipeline: Path, stack: Deployed, cli: Cli) -> None:
    for key, content in CASES[name][1].items():
        uri = stack.put(f"in/{key}", content)
    folder = uri.partition("/in/")[0] + "/in/"
    ended = cli("submit", f"{folder}{place(CASES[name][1])}", "--pipeline", pipeline, "--dry-run")
    check(name, "submit", said(ended, folder))
