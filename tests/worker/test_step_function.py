"""The programs of steps on Lambda as functions."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import loads
from genomics_pipeline.model.task import RunPlace
from genomics_pipeline.stores.local import LocalStore
from genomics_pipeline.worker.function_files import FunctionFiles, ProgramMisfit
from genomics_pipeline.worker.lambda_batch import Batch
from genomics_pipeline.worker.lambda_parameters import COMPARED_S, ParameterFiles
from genomics_pipeline.worker.step_folder import read_step
from genomics_pipeline.worker.step_function import StepFunction
from tests.small_functions import payload, write_function


def _returning(expression: str) -> str:
    return f"def handle(batch):\n    return {expression}\n"


@pytest.fixture(autouse=True)
def modules() -> Iterator[None]:
    """Remove the programs that a test loads."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    sys.modules.pop("score", None)


def answer(folder: Path, event: Any) -> Any:
    """Return the answer of a step's function."""
    function = StepFunction(read_step(folder), ParameterFiles(LocalStore(), folder / "copies"))
    return loads(function.answer(event))


def test_answers_with_result_and_failures_of_records(tmp_path: Path) -> None:
    """A record that failed is reported by its index, the result is that of the batch."""
    found = answer(write_function(tmp_path), payload([{"amount": 2}, {"do": "fail"}, {"amount": 3}]))
    assert found["stage"] == "score"
    assert found["records"] == 3
    assert found["result"] == 5
    assert found["failures"] == [{"index": 1, "message": "no amount"}]


def test_equal_items_have_an_equal_digest(tmp_path: Path) -> None:
    """The order of members does not count, that of items does."""
    folder = write_function(tmp_path, _returning("batch.digest"))
    first, same, other = (
        answer(folder, payload(items))
        for items in ([{"a": 1, "b": 2}, 3], [{"b": 2, "a": 1}, 3], [3, {"a": 1, "b": 2}])
    )
    assert first == same
    assert first["digest"] == first["result"] != other["digest"]


def test_gives_records_as_arrow_and_results_of_earlier_stages(tmp_path: Path) -> None:
    """A table has a column for each member; ``upstream`` is by input."""
    program = _returning("[batch.records.column_names, batch.records['b'].to_pylist(), batch.upstream]")
    folder = write_function(tmp_path, program, form="arrow")
    found = answer(folder, payload([{"a": 1, "b": None}, {"a": 2, "b": "x"}], upstream={"earlier": 7}))
    assert found["result"] == [["a", "b"], [None, "x"], {"earlier": 7}]


@pytest.mark.parametrize(
    ("program", "error", "words"),
    [
        ("x = 1\n", ProgramMisfit, r"score\.py: expected a function handle\(batch\), found none"),
        ("def handle(batch):\n    return {1}\n", ProgramMisfit, "expected a result in JSON, found another value"),
        ("def handle(batch):\n    batch.fail(2, 'x')\n", ValueError, "expected the index of one of 1 records, found 2"),
        ("def handle(batch):\n    batch.fail(True, 'x')\n", TypeError, "expected an integer and a text"),
        ("import nothing_like_it\n", ModuleNotFoundError, "nothing_like_it"),
    ],
)
def test_refuses_programs(tmp_path: Path, program: str, error: type[Exception], words: str) -> None:
    """Faults of a program are errors of the function."""
    with pytest.raises(error, match=words):
        answer(write_function(tmp_path, program), payload([{}]))


@pytest.mark.parametrize(
    "event", [None, [], {"items": []}, payload([{}], step="other"), {**payload([{}]), "items": "x"}]
)
def test_refuses_payloads_of_another_form_or_step(tmp_path: Path, event: Any) -> None:
    """A payload is checked before the program is called."""
    with pytest.raises(DataError, match="expected"):
        answer(write_function(tmp_path), event)


def test_numbers_that_json_cannot_hold_become_null(tmp_path: Path) -> None:
    """The answer is the same here and on AWS, where the client would write NaN, which is no JSON."""
    assert answer(write_function(tmp_path, _returning("float('nan')")), payload([{}]))["result"] is None


def test_modules_beside_the_program_are_imported(tmp_path: Path) -> None:
    """A program may have modules of its own."""
    folder = write_function(tmp_path, "import beside\n\n" + _returning("beside.VALUE"))
    (folder / "beside.py").write_text("VALUE = 'here'\n")
    assert answer(folder, payload([{}]))["result"] == "here"


class _CountingStore(LocalStore):
    """A store whose objects are elsewhere, and that counts its requests."""

    def __init__(self, folder: Path) -> None:
        super().__init__({"bucket": folder})
        self.looks = self.fetches = 0

    def stat(self, uri: str) -> Any:
        self.looks += 1
        return super().stat(uri)

    def local(self, uri: str) -> Path | None:
        return None

    def fetch(self, uri: str, folder: Path, *rest: Any) -> Path:
        self.fetches += 1
        copy = folder / "copy"
        copy.write_bytes(self.read(uri))
        return copy


def test_files_of_parameters_are_fetched_once_for_each_version(tmp_path: Path) -> None:
    """A warm environment looks for a new version in each run, and later than a minute after the last look."""
    spec = '[parameters.profile]\ntype = "file"\nsummary = "profiles"\n'
    spec += '[parameters.most]\ntype = "integer"\nsummary = "greatest"\ndefault = 3\n'
    step = read_step(write_function(tmp_path / "score", more=spec))
    (tmp_path / "profile").write_text("one")
    store, now = _CountingStore(tmp_path), [0.0]
    files = ParameterFiles(store, tmp_path / "copies", lambda: now[0])

    def read(run: str) -> str:
        values = files.values(step.spec.parameters, {"profile": "s3://bucket/profile"}, run)
        assert values["most"] == 3
        return Path(values["profile"]).read_text()

    assert [read("a"), read("a")] == ["one", "one"]
    assert (store.looks, store.fetches) == (1, 1)
    (tmp_path / "profile").write_text("two!")
    assert [read("a"), read("b")] == ["one", "two!"]
    (tmp_path / "profile").write_text("three")
    now[0] += COMPARED_S
    assert read("b") == "three"
    assert read("b") == "three"
    assert (store.looks, store.fetches) == (3, 3)


def test_a_parameter_without_its_file_is_an_error(tmp_path: Path) -> None:
    """The message names the file."""
    spec = '[parameters.profile]\ntype = "file"\nsummary = "profiles"\n'
    folder = write_function(tmp_path, more=spec)
    with pytest.raises(DataError, match="absent: expected a file, found none"):
        answer(folder, payload([{}], parameters={"profile": str(tmp_path / "absent")}))


def test_the_first_message_of_a_record_is_kept(tmp_path: Path) -> None:
    """A record fails once."""
    spec = read_step(write_function(tmp_path)).spec
    batch = Batch([1, 2], 2, {}, {}, "", FunctionFiles(spec, LocalStore(), RunPlace("r", "b", ""), {}))
    batch.fail(1, "first")
    batch.fail(1, "second")
    batch.fail(0, "other")
    assert batch.failures() == [(0, "other"), (1, "first")]
