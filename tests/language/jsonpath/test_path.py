"""Paths: their values, and AWS's causes if there is none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genomics_pipeline.language.errors import StatesError
from genomics_pipeline.language.jsonpath.path import check, find
from genomics_pipeline.language.jsonpath.scope import PathScope

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_-]{0,5}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
USERS = {"users": [{"name": "a", "year": 1998}, {"name": "b", "year": 1999}, {"name": "c"}], "list": [1, 2, 3]}


def scope(value: Any, context: Any = None, **variables: Any) -> PathScope:
    return PathScope(value, lambda: context, variables)


def failure(text: str, data: PathScope, field: str) -> StatesError:
    with pytest.raises(StatesError) as raised:
        find(text, data, field)
    return raised.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$", USERS),
        ("$.list", [1, 2, 3]),
        ("$.list[0]", 1),
        ("$.list[-1]", 3),
        ("$['list'][1]", 2),
        ('$["list"][ 1 ]', 2),
        ("$.['list'][1]", 2),  # developer guide, "Paths": $.abc.['def ghi']
        ("$.users[0].name", "a"),
    ],
)
def test_paths_to_one_value(text: str, expected: Any) -> None:
    assert find(text, scope(USERS), "InputPath") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$.users[*].name", ["a", "b", "c"]),
        ("$.users[*].year", [1998, 1999]),
        ("$.users[*].none", []),  # floci-io/floci AslExecutorIntrinsicMissingArgumentTest, captured from AWS
        ("$..name", ["a", "b", "c"]),
        ("$.list[-1:]", [3]),
        ("$.list[:2]", [1, 2]),
        ("$.list[1:]", [2, 3]),
        ("$.list[0,2]", [1, 3]),
        ("$.list[0,9]", [1]),
        ("$.users[?(@.year <= 1998)].name", ["a"]),
        ("$.users[?(@.year)].name", ["a", "b"]),
        ("$.users[?(!@.year)].name", ["c"]),
        ("$.users[?(@.name == 'a' && @.year)].name", ["a"]),
        ("$.users[?(@.name == 'a' || @.name == 'c')].name", ["a", "c"]),
        ("$.users[?(@.year == 5)]", []),
        ("$.users.[?(@.year < 1999)].name", ["a"]),  # localstack base/pass_result_regex_json_path.json5
        ("$.*", [USERS["users"], USERS["list"]]),
    ],
)
def test_paths_to_several_values(text: str, expected: Any) -> None:
    assert find(text, scope(USERS), "InputPath") == expected


def test_a_filter_selects_no_scalars() -> None:
    # Developer guide, "Paths": the @ operator in a filter matches objects only.
    assert find("$.list[?(@ > 1)]", scope(USERS), "InputPath") == []


def test_a_filter_of_an_object_applies_to_the_object() -> None:
    # As Jayway's JsonPath, which AWS uses; in RFC 9535, it applies to the object's members.
    data = scope({"one": {"n": 1, "m": {"n": 1}}})
    assert find("$.one[?(@.n == 1)]", data, "InputPath") == [{"n": 1, "m": {"n": 1}}]
    assert find("$.one[?(@.n == 2)]", data, "InputPath") == []


def test_a_filter_of_a_descent_selects_each_object_once() -> None:
    users = find("$..[?(@.year == 1998)]", scope(USERS), "InputPath")
    assert users == [{"name": "a", "year": 1998}]


def test_several_names_select_one_object() -> None:
    data = scope({"a": 1, "b": 2, "c": 3, "rows": [{"a": 4}, {"a": 5, "b": 6}]})
    assert find("$['a','b']", data, "InputPath") == {"a": 1, "b": 2}
    assert find("$.rows[*]['a','b']", data, "InputPath") == [{"a": 4}, {"a": 5, "b": 6}]
    assert find("$['rows','c'][*].a", data, "InputPath") == [4, 5]


def test_strings_are_neither_sliced_nor_parsed() -> None:
    data = scope({"a": "[1,2]", "rows": [{"text": "abc"}]})
    assert find("$.a[*]", data, "InputPath") == []
    assert find("$.rows[*].text[0:2]", data, "InputPath") == []


def test_context_and_variables() -> None:
    data = scope({}, {"Map": {"Item": {"Value": 5}}}, order={"lines": [{"n": 1}]}, größe=2)
    assert find("$$.Map.Item.Value", data, "x.$") == 5
    assert find("$$", data, "x.$") == {"Map": {"Item": {"Value": 5}}}
    assert find("$order.lines[0].n", data, "x.$") == 1
    assert find("$order.lines[*].n", data, "x.$") == [1]
    assert find("$größe", data, "x.$") == 2


def test_the_context_object_is_built_only_for_its_own_paths() -> None:
    calls: list[int] = []

    def context() -> dict[str, Any]:
        calls.append(1)
        return {"State": {"Name": "S"}}

    data = PathScope({"a": 1}, context, {"v": 1})
    find("$.a", data, "x.$")
    find("$v", data, "x.$")
    assert calls == []
    assert find("$$.State.Name", data, "x.$") == "S"
    assert calls == [1]


@pytest.mark.parametrize("text", ["$.list[3]", "$.list[-4]"])
def test_an_index_beyond_the_end_of_an_array_is_null(text: str) -> None:
    # floci-io/floci AslExecutorIntrinsicMissingArgumentTest: "$.items[5]" run against AWS in us-east-1.
    assert find(text, scope(USERS), "x.$") is None


@pytest.mark.parametrize(
    ("text", "field", "value", "cause"),
    [
        # radkawar/stackd dataflow_execution.json: test-pass-missing-parameters-path
        (
            "$.missing",
            "missing.$",
            {},
            "The JSONPath '$.missing' specified for the field 'missing.$' could not be found in the input '{}'",
        ),
        # localstack scenarios: test_invalid_jsonpath[INVALID_JSONPATH_IN_ERRORPATH]
        (
            "$.ErrorX",
            "ErrorPath",
            {"Error": "error-value"},
            "The JSONPath '$.ErrorX' specified for the field 'ErrorPath' could not be found in the input "
            '\'{"Error":"error-value"}\'',
        ),
        # re:Post "sum() function returns error about not finding path": AWS has no functions
        (
            "$.Jobs.sum()",
            "Jobs.$",
            {"Jobs": [0, 1]},
            "The JSONPath '$.Jobs.sum()' specified for the field 'Jobs.$' could not be found in the input "
            "'{\"Jobs\":[0,1]}'",
        ),
        # stackd: test-pass-missing-input-path, test-pass-missing-output-path
        ("$.missing", "InputPath", {}, "Invalid path '$.missing' : No results for path: $['missing']"),
        ("$.missing", "OutputPath", {}, "Invalid path '$.missing' : No results for path: $['missing']"),
        # localstack scenarios: test_invalid_jsonpath[ST.INVALID_JSONPATH_IN_TIMEOUTSECONDSPATH]
        (
            "$.NoSuchTimeoutSecondsPath",
            "TimeoutSecondsPath",
            {},
            "Invalid path '$.NoSuchTimeoutSecondsPath' : No results for path: $['NoSuchTimeoutSecondsPath']",
        ),
        # awsdocs/aws-step-functions-developer-guide pull request 5
        (
            "$.list.length()",
            "InputPath",
            {"list": []},
            "Invalid path '$.list.length()' : Property ['length()'] not found in path $['list']",
        ),
        # Jayway's JsonPath
        ("$.a.b.c", "InputPath", {"a": {}}, "Invalid path '$.a.b.c' : Missing property in path $['a']['b']"),
        ("$.a[9].b", "InputPath", {"a": [1]}, "Invalid path '$.a[9].b' : Missing property in path $['a'][9]"),
        (
            "$.a[0]",
            "InputPath",
            {"a": 1},
            "Invalid path '$.a[0]' : Filter: [0] can only be applied to arrays. Current context is: 1",
        ),
        (
            "$.a[1:]",
            "InputPath",
            {"a": {}},
            "Invalid path '$.a[1:]' : Filter: [1:] can only be applied to arrays. Current context is: {}",
        ),
        (
            "$.a[?(@.b)]",
            "InputPath",
            {"a": 1},
            "Invalid path '$.a[?(@.b)]' : Filter: [?(@.b)] can not be applied to primitives. Current context is: 1",
        ),
        # stackd: test-choice-unguarded-missing
        (
            "$.missing",
            "Choices[0]/Variable",
            {},
            "Invalid path '$.missing': The choice state's condition path references an invalid value.",
        ),
        # gabrielmoreira/tiny-asl-machine Feature.WaitValidation 008 and 009, run on AWS
        ("$.wait", "SecondsPath", {}, "The SecondsPath parameter does not reference an input value: $.wait"),
        ("$.at", "TimestampPath", {}, "The TimestampPath parameter does not reference an input value: $.at"),
        # gabrielmoreira/tiny-asl-machine Choice.TimestampLessThanPath, run on AWS
        (
            "$.right",
            "Choices[0]/And[1]/TimestampLessThanPath",
            {},
            "Invalid path '$.right': The choice state's condition path references an invalid value.",
        ),
    ],
)
def test_the_cause_of_a_path_without_a_value(text: str, field: str, value: Any, cause: str) -> None:
    raised = failure(text, scope(value), field)
    assert (raised.error, raised.cause) == ("States.Runtime", cause)


def test_a_context_path_names_the_context_object() -> None:
    # stackd dataflow_execution.json, nested-branches-first: $$.Map.Item.Source of an inline Map
    raised = failure("$$.Map.Item.Source", scope({}, {"Map": {"Item": {"Index": 0}}}), "source.$")
    assert raised.cause == (
        "The JSONPath '$$.Map.Item.Source' specified for the field 'source.$' could not be found in the input "
        '\'{"Map":{"Item":{"Index":0}}}\''
    )


def test_items_path_is_a_reference_path() -> None:
    # Reported from AWS: `States.ReferencePathConflict: Unable to apply step "chunks" to input {...}`
    raised = failure("$.discovery.objects", scope({"discovery": {"statusCode": 500}}), "ItemsPath")
    assert raised.error == "States.ReferencePathConflict"
    assert raised.cause == 'Unable to apply step "objects" to input {"discovery":{"statusCode":500}}'


def test_an_undefined_variable() -> None:
    raised = failure("$x.y", scope({}, z=1), "a.$")
    assert (
        raised.cause == "The JSONPath '$x.y' specified for the field 'a.$' could not be found in the input '{\"z\":1}'"
    )


def test_an_invalid_path_fails_the_state() -> None:
    raised = failure("$.a[", scope({}), "InputPath")
    assert (raised.error, raised.cause) == (
        "States.Runtime",
        "Invalid path '$.a[' : unexpected end of query in '['",
    )


@given(DOCUMENTS, st.data())
def test_definite_paths_agree_with_navigation(document: Any, data: st.DataObject) -> None:
    text, node = "$", document
    while isinstance(node, dict | list) and node and data.draw(st.booleans()):
        if isinstance(node, dict):
            key = data.draw(st.sampled_from(sorted(node)))
            text += "['" + key.replace("\\", "\\\\").replace("'", "\\'") + "']"
            node = node[key]
        else:
            place = data.draw(st.integers(-len(node), len(node) - 1))
            text += f"[{place}]"
            node = node[place]
    assert find(text, scope(document), "InputPath") == node
    assert check(text) is None


@given(st.lists(NAMES, min_size=1, max_size=5), SCALARS)
def test_dotted_paths(names: list[str], value: Any) -> None:
    document = value
    for name in reversed(names):
        document = {name: document}
    assert find("$." + ".".join(names), scope(document), "x.$") == value
    assert find("$v." + ".".join(names), scope(None, v=document), "x.$") == value
