"""Where the emulators are not AWS: (case, emulator) -> what it says, and why that is wrong.

A case's own source says what AWS does; the reasons name the emulator's gap. moto 5.2.5, ministack 1.5.33.
"""

from __future__ import annotations

_NO_JSONATA = "its JSONata needs a Java library that is not installed; AWS evaluates it"
_PERCENTAGE = "its grammar takes no integer as a percentage; developer guide, state-map-distributed"
_TOLERATES_ALL = "it ignores the tolerated failure thresholds; AWS fails the Map Run above them"
_QUOTES = "its Choice leads to a Pass whose text Result it prints without quotes; an output is JSON"
_NO_SOURCE = "it has no Map.Item.Source; developer guide, input-output-contextobject"
_NO_WRITER = "it ignores ResultWriter; developer guide, input-output-resultwriter"
_NO_LIMIT = "it has no limit of 256 KiB; developer guide, service-quotas"

MOTO = {
    "distributed_map/csv_pipe_quoting_max_items": (
        "refused",
        "its grammar has no CSVDelimiter; developer guide, input-output-itemreader",
    ),
    "distributed_map/json_items_pointer_batched": (
        "refused",
        "its grammar has no ItemsPointer; developer guide, input-output-itemreader",
    ),
    "distributed_map/jsonl": (
        "refused",
        "its grammar has no InputType JSONL; developer guide, input-output-itemreader",
    ),
    "distributed_map/load_and_flatten": (
        "refused",
        "its grammar has no Transformation; developer guide, input-output-itemreader",
    ),
    "distributed_map/missing_object_is_caught": (
        "FAILED States.Runtime",
        "a missing object is States.ItemReaderFailed, which can be caught; developer guide, concepts-error-handling",
    ),
    "distributed_map/source_of_state_data": ("output [null]", f"every child fails: {_NO_SOURCE}"),
    "jsonata/assign_sees_values_of_before": ("FAILED States.Runtime", _NO_JSONATA),
    "jsonata/choice_condition": ("FAILED States.Runtime", _NO_JSONATA),
    "jsonata/map_items": ("FAILED States.Runtime", _NO_JSONATA),
    "jsonata/one_state_of_a_jsonpath_machine": ("FAILED States.Runtime", _NO_JSONATA),
    "jsonata/output_and_assign": ("FAILED States.Runtime", _NO_JSONATA),
    "language/choice_and": ('output {"text": "ValueInTwenties"}', _QUOTES),
    "language/choice_default": ('output {"text": "DefaultState"}', _QUOTES),
    "language/choice_in_order": ('output {"text": "Public"}', _QUOTES),
    "limits/bytes_not_characters": (
        'error "States.Runtime"; cause "TypeError(\'NoneType\' object is not callable)"',
        _NO_JSONATA,
    ),
    "limits/output_of_262144_bytes": ("FAILED States.Runtime", _NO_JSONATA),
    "limits/output_of_262145_bytes": (
        'error "States.Runtime"; cause "TypeError(\'NoneType\' object is not callable)"',
        _NO_JSONATA,
    ),
    "result_writer/compact_jsonl": (
        "refused",
        "its grammar has no WriterConfig; developer guide, input-output-resultwriter",
    ),
    "result_writer/flatten_jsonl_jsonata": (
        "refused",
        "its grammar has no Arguments of a ResultWriter; developer guide, input-output-resultwriter",
    ),
    "result_writer/none_json": (
        "object manifest.json; object SUCCEEDED_0.json; object FAILED_0.json",
        "it writes an empty manifest and no result files; developer guide, input-output-resultwriter",
    ),
    "tolerated_failures/count_exceeded": ("SUCCEEDED", _TOLERATES_ALL),
    "tolerated_failures/count_not_exceeded": (
        "executionCounts.running: expected 0, found 1",
        "it counts a failed child as running for ever; radkawar/stackd distributed_map.json, tolerated_failure",
    ),
    "tolerated_failures/either_threshold_fails_the_run": ("refused", _PERCENTAGE),
    "tolerated_failures/none_by_default": ("SUCCEEDED", _TOLERATES_ALL),
    "tolerated_failures/percentage_path": ("SUCCEEDED", _TOLERATES_ALL),
    "tolerated_failures/percentage_reached_is_not_exceeded": ("refused", _PERCENTAGE),
}
MINISTACK = {
    "distributed_map/csv_pipe_quoting_max_items": (
        "output [null, null, null, null]; executionCounts.succeeded: expected 2, found 4; "
        "executionCounts.total: expected 2, found 4",
        "it ignores ItemBatcher; developer guide, input-output-itembatcher",
    ),
    "distributed_map/json_items_pointer_batched": (
        'output [{"index": 0, "value": {"n": 0, "text": "zero"}, "source": null}, {"index": 1, "value": {"n": 1, "te',
        f"it ignores ItemBatcher, and {_NO_SOURCE}",
    ),
    "distributed_map/load_and_flatten": (
        'output [{"value": {"n": 10}, "source": null}, {"value": {"n": 11}, "source": null}]',
        _NO_SOURCE,
    ),
    "distributed_map/source_of_state_data": ('output [{"source": null, "value": 1}]', _NO_SOURCE),
    "jsonata/assign_sees_values_of_before": (
        'output {"x": 6, "nextX": 6}',
        "it sets one variable after the other; developer guide, workflow-variables",
    ),
    "language/parameters_payload_template": (
        'output {"flagged": true, "parts": {"first": 0, "last3": null}}',
        "its paths know no slice from the end, [-3:]; the specification's own example",
    ),
    "limits/bytes_not_characters": ("SUCCEEDED", _NO_LIMIT),
    "limits/output_of_262145_bytes": ("SUCCEEDED", _NO_LIMIT),
    "result_writer/compact_jsonl": (
        'output [[1, 2], "three"]; object manifest.json; object SUCCEEDED_0.jsonl',
        _NO_WRITER,
    ),
    "result_writer/flatten_jsonl_jsonata": (
        'output [[{"items": [10, 20]}, {"copy": {"items": [10, 20]}}]]; object SUCCEEDED_0.jsonl',
        f"it leaves Items of JSONata aside, and {_NO_WRITER}",
    ),
    "result_writer/none_json": (
        'output [null, {"n": 1, "fail": false}]; object manifest.json; object SUCCEEDED_0.json; object FAILED_0.json',
        _NO_WRITER,
    ),
}
DIFFERENCES = {
    **{(case, "moto"): told for case, told in MOTO.items()},
    **{(case, "ministack"): told for case, told in MINISTACK.items()},
}
