"""The samples that a rerun runs, and the lines of its manifest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from io import BytesIO
from typing import Any

import pytest

from genomics_pipeline.engine.distributed_map.result_rows import ended_row, pending_row
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.json_text import dumps
from genomics_pipeline.records.result_row import ResultRow
from genomics_pipeline.report.run_state import PENDING
from genomics_pipeline.runs.reruns.items import PORTION, RerunCounts, plan_rerun, row_label

SHARED = {"run": {"name": "r", "bucket": "b", "prefix": ""}, "reference": "s3://b/GRCh38", "parameters": {}}
MEMORY = json.dumps({"Container": {"ExitCode": 137, "Reason": "OutOfMemoryError: Container killed"}, "Attempts": []})
OUT_OF_MEMORY = json.dumps({"stage": "alignment", "error": "States.TaskFailed", "cause": MEMORY})
LABELS = partial(map, row_label)
TIMEOUT = json.dumps({"stage": "alignment", "error": "States.Timeout", "cause": "too slow"})


def sample(name: str, **others: Any) -> dict[str, Any]:
    return {"sample": name, "lanes": [{"lane": "L001", "fastq_1": f"s3://reads/{name}_R1.fastq.gz"}], **others}


def row(text: str, number: int = 1, **fields: Any) -> ResultRow:
    """Return the row of a child, as AWS and the engine write it; without `fields`, of one that never began."""
    if not fields:
        return ResultRow("f", number, dumps({**pending_row(0)[1], "Input": text}))
    end = {"status": "FAILED", "error": "E", "name": "n", "start": 1, "stop": 2, **fields}
    return ResultRow("f", number, dumps(ended_row({**end, "input": text}, "m")[1]))


def one(item: dict[str, Any], **fields: Any) -> ResultRow:
    return row(dumps({"item": item, **SHARED}).decode(), **fields)


def batch(*items: dict[str, Any], **fields: Any) -> ResultRow:
    return row(dumps({"BatchInput": SHARED, "Items": [{"item": item} for item in items]}).decode(), **fields)


def plan(*sources: Sequence[ResultRow], **asked: Any) -> tuple[list[str], RerunCounts]:
    """Return the names in the manifest, in order, and the counts."""
    out = BytesIO()
    counts = plan_rerun(sources, out, **asked)
    return [json.loads(line)["sample"] for line in out.getvalue().splitlines()], counts


def test_items_are_as_they_were_given_in_the_order_of_the_rows() -> None:
    given_items = [
        sample("c"),
        sample("a", sex="é"),
        sample("b", depth=30.0),
        {"sample": "d", "uri": "s3://b/items/d.json"},
    ]
    out = BytesIO()
    counts = plan_rerun(
        [[one(item, cause="x") for item in given_items[:2]], [one(item) for item in given_items[2:]]], out
    )
    assert out.getvalue() == b"".join(dumps(item) + b"\n" for item in given_items)
    assert counts == RerunCounts(items=4)


@pytest.mark.parametrize(
    "text",
    [
        '{"n":1.50,"x":12345678901234567890123,"sample":"a"}',
        '{"sample":"a","é":"\\u00e9"}',
        '{"sample":"a","copy":{"sample":"a"}}',
    ],
)
def test_an_item_is_as_it_was_to_the_byte(text: str) -> None:
    out = BytesIO()
    rows = [row(f'{{"item":{item},"run":{{"item":{{"sample":"a"}}}}}}') for item in ('{"sample":"b"}', text)]
    plan_rerun([rows], out)
    assert out.getvalue() == b'{"sample":"b"}\n' + text.encode() + b"\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{ "item" : { "sample" : "a",\n"n" : 1.50 } }', '{"sample":"a","n":1.5}'),
        ('{"item":{"sample":"a","n":12345678901234567890123}}', '{"sample":"a","n":12345678901234567890123}'),
        ('{"item":{"sample":"a","half":"\\ud800"}}', '{"sample":"a","half":"\\ud800"}'),
        (
            '{"Items":[{"item":{"sample":"b"}},{"item":{"n":1e2,"sample":"a"}}]}',
            '{"sample":"b"}\n{"n":100.0,"sample":"a"}',
        ),
    ],
)
def test_rewritten_lines_mean_the_same(text: str, line: str) -> None:
    out = BytesIO()
    plan_rerun([[row(text)]], out)
    assert out.getvalue().decode() == line + "\n"


def test_batches_are_flattened_and_what_is_done_is_left_out() -> None:
    asked: list[list[str]] = []

    def done(names: Sequence[str]) -> set[str]:
        asked.append(list(names))
        return {"a", "c", "e"}

    rows = [
        batch(sample("a"), sample("b"), sample("c"), cause="x"),
        batch(sample("e"), cause="x"),
        one(sample("a2"), cause="x"),
    ]
    names, counts = plan(rows, [batch(sample("f"), sample("g"))], done=done)
    assert names == ["b", "e", "a2", "f", "g"]
    assert counts == RerunCounts(items=5, done=2)
    assert asked == [["a", "b", "c"], ["f", "g"]]  # a child of one item failed with it


def test_classes() -> None:
    failed = [
        one(sample("m"), cause=OUT_OF_MEMORY),
        one(sample("t"), cause=TIMEOUT),
        batch(sample("m1"), sample("m2"), cause=OUT_OF_MEMORY),
        one(sample("x"), status="ABORTED", error=None),
        one(sample("late"), status="TIMED_OUT", error=None),
    ]
    pending = [one(sample("p"))]
    every = {"out_of_memory": 3, "timeout": 2, "cancelled": 1, PENDING: 1}
    names, counts = plan(failed, pending, labels=LABELS)
    assert (names, counts) == (["m", "t", "m1", "m2", "x", "late", "p"], RerunCounts(items=7, by_class=counts.by_class))
    assert counts.by_class == every
    names, counts = plan(failed, pending, labels=LABELS, selects_class=lambda label: label == "out_of_memory")
    assert names == ["m", "m1", "m2"]
    assert (counts.items, dict(counts.by_class), counts.filtered) == (3, {"out_of_memory": 3}, 4)
    names, counts = plan(failed, pending, labels=LABELS, selects_class=lambda label: label == PENDING)
    assert (names, dict(counts.by_class), counts.filtered) == (["p"], {PENDING: 1}, 6)


def test_no_cause_is_read_where_no_class_is_asked_for() -> None:
    broken = ResultRow("f", 1, one(sample("a"), cause="here").line.replace(b'"here"', b'"\\x"'))
    assert plan([broken])[0] == ["a"]
    with pytest.raises(DataError, match=r"^f:1: expected a child execution's row"):
        plan([ResultRow("f", 1, broken.line)], labels=LABELS)


def test_names() -> None:
    rows = [one(sample("a"), cause="x"), batch(sample("b"), sample("c"), cause="x")]
    names, counts = plan(rows, selects_name={"b", "z"}.__contains__)
    assert (names, counts) == (["b"], RerunCounts(items=1, filtered=2))


def test_an_item_that_comes_again_is_written_once() -> None:
    first = [batch(sample("a"), sample("b"), cause="x"), one(sample("c"), cause="x")]
    second = [one(sample("d")), one(sample("b")), batch(sample("c"), sample("e")), one(sample("e")), one(sample("f"))]
    names, counts = plan(first, second)
    assert names == ["a", "b", "c", "d", "e", "f"]
    assert counts == RerunCounts(items=6, repeated=3)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"item":{"sample":"../a"}}', "expected a sample's name of letters, digits, '.', '_' and '-', found '../a'"),
        ('{"item":{"sample":7}}', "expected a sample's name of letters, digits, '.', '_' and '-', found 7"),
        ('{"item":{"name":"a"}}', "expected an item with one of sample, interval, cohort, found ['name']"),
        ('{"item":7}', "expected a child's items in Input, found '{\"item\":7}'"),
        ('{"Items":[7]}', "expected a child's items in Input, found '{\"Items\":[7]}'"),
        ('{"Items":7}', "expected a child's items in Input, found '{\"Items\":7}'"),
        ("[]", "expected a child's items in Input, found '[]'"),
    ],
)
@pytest.mark.parametrize("learned", [[], ['{"item":{"sample":"z"}}']])
def test_items_that_are_not_ours(text: str, problem: str, learned: list[str]) -> None:
    with pytest.raises(DataError) as error:
        plan([row(item_text, number) for number, item_text in enumerate([*learned, text], 5)])
    assert str(error.value) == f"f:{5 + len(learned)}: {problem}"


def test_children_of_other_shapes_between_those_of_one() -> None:
    rows = [
        one(sample("a")),
        row('{"item":{"sample":"b"},"run":{}}'),
        batch(sample("c")),
        one(sample("d")),
        row('{"run":{},"item":{"sample":"e"}}'),
        row('{"copy":{"sample":"f"},"item":{"sample":"f"}}'),
        row('{"copy":{"sample":"g"},"item":{"sample":"h"}}'),
        one(sample("i")),
    ]
    assert plan(rows)[0] == ["a", "b", "c", "d", "e", "f", "h", "i"]


@pytest.mark.parametrize("every", [3, 50, 1])
def test_children_of_another_shape_among_many(every: int) -> None:
    """Rows of another shape are read in order, also where they are most, or as many as are read at a time."""
    names = [f"s{number}" for number in range(5 * PORTION)]
    rows = [
        batch(sample(name)) if number % every == every - 1 else one(sample(name)) for number, name in enumerate(names)
    ]
    assert plan(rows) == (names, RerunCounts(items=len(names)))


@pytest.mark.parametrize("among", [0, 1, PORTION - 1, PORTION, 3 * PORTION - 1])
@pytest.mark.parametrize(
    "broken", ['{"sample":"b"},{"sample":"c"}', '{"sample":"b"', '{"sample":7}', '{"sample":"/b"}']
)
def test_a_broken_item_among_many_is_reported_with_its_place(among: int, broken: str) -> None:
    texts = [f'{{"sample":"a{number}"}}' for number in range(3 * PORTION)]
    texts[among] = broken
    rows = [row(f'{{"item":{text},"run":{{}}}}', number) for number, text in enumerate(texts, 1)]
    out = BytesIO()
    with pytest.raises(DataError, match=rf"^f:{among + 1}: "):
        plan_rerun([rows], out)
    assert set(out.getvalue().splitlines()) <= {text.encode() for text in texts}


@pytest.mark.parametrize("found", FailureClass)
def test_the_class_that_a_definition_found_needs_no_reading(found: FailureClass) -> None:
    fields = {"stage": "alignment", "class": found, "error": "E", "tried": [], "cause": "no JSON"}
    child = one(sample("a"), cause=dumps(fields).decode())
    cut = ResultRow("f", 1, child.line[: child.line.index(b"no JSON")])
    assert row_label(child) == row_label(cut) == found


@pytest.mark.parametrize("fields", [{"class": "none"}, {}])
def test_else_the_cause_is_read(fields: dict[str, str]) -> None:
    cause = dumps({"stage": "alignment", **fields, "error": "States.Timeout", "cause": "too slow"}).decode()
    assert row_label(one(sample("a"), cause=cause)) == "timeout"
    assert row_label(ResultRow("f", 1, b'{"Status":"PENDING","Input":"{}"}')) == PENDING


LADDERS = {"alignment": (1000, 2000, 4000)}


@pytest.mark.parametrize(
    ("tried", "expected"),
    {
        "had all": ([("out_of_memory", 500), ("out_of_memory", 4000)], {"memory_mib": 4000, "timeout_s": 60}),
        "an entry is left": ([("out_of_memory", 1000)], {"memory_mib": 2000, "timeout_s": 60}),
        "failed otherwise after it": (
            [("out_of_memory", 500), ("tool_error", 1000)],
            {"memory_mib": 1000, "timeout_s": 60},
        ),
        "timed out": ([("timeout", 500)], {"memory_mib": 500}),
        "neither": ([("tool_error", 500)], {"memory_mib": 500, "timeout_s": 60}),
    }.values(),
)
@pytest.mark.parametrize("make", [one, batch])
def test_a_first_attempt_that_was_not_enough_is_raised(
    make: Any, tried: list[tuple[str, int]], expected: dict[str, int]
) -> None:
    attempts = [{"class": name, "memory_mib": mib, "job_id": str(mib)} for name, mib in tried]
    failure = {"stage": "alignment", "class": tried[-1][0], "error": "E", "tried": attempts, "cause": "no"}
    own = {"alignment": {"memory_mib": 500, "timeout_s": 60}, "calling": {"memory_mib": 1, "timeout_s": 1}}
    item, out = sample("a", first_attempts=own), BytesIO()
    plan_rerun([[make(item, cause=dumps(failure).decode())]], out, ladders=LADDERS)
    assert json.loads(out.getvalue()) == {**item, "first_attempts": {**own, "alignment": expected}}


def test_an_item_without_first_attempts_stays_as_it_is() -> None:
    failure = {"stage": "alignment", "class": "out_of_memory", "error": "E", "tried": [], "cause": "no"}
    out = BytesIO()
    plan_rerun([[one(sample("a"), cause=dumps(failure).decode())]], out, ladders=LADDERS)
    assert json.loads(out.getvalue()) == sample("a")
