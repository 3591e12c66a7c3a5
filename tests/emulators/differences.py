"""Known differences between emulators and AWS: (case, emulator) -> the emulator's result, and why it is wrong.

The behaviour of AWS is in each case's own source; the reasons describe the emulator's. Features that an emulator lacks
altogether are in `features`. The versions are moto 5.2.5 and ministack 1.5.33.
"""

from __future__ import annotations

_RANGE_BACK = "its ArrayRange does not go downwards, or not to the end; developer guide, intrinsic-functions"
_UNIQUE = "its ArrayUnique takes no objects; developer guide, intrinsic-functions"
_ASCII = "its Base64Encode takes only ASCII; see the case's source"
_HASH = "its Hash of text beyond ASCII is not that of its UTF-8; see the case's source"
_FORMAT = "its Format loses quotes, or prints Python's True and None; developer guide, intrinsic-functions"
_CONTAINS = "its ArrayContains takes false for 0; developer guide, intrinsic-functions"
_ADD = "its MathAdd truncates fractions instead of rounding them; developer guide, intrinsic-functions"
_EMPTY = "its StringToJson fails for the empty text; see the case's source"
_CAUSE = "the right error, but another cause than AWS's, which is in the case's source"
_PATH_NULL = "a path that finds nothing is null, or no match; AWS: States.Runtime, guide, concepts-error-handling"
_NOT_CHECKED = "it does not check this argument or value; AWS fails, see the case's source"
_TIMESTAMPS = "it reads timestamps in UTC without fractions only; RFC 3339, as the specification says"
_ESCAPES = "its StringMatches has no escaped asterisk; developer guide, state-choice"
_PATH_OF_RULE = "it has no comparison with another path for this type; developer guide, state-choice"
_TYPES = "its Choice takes true for 1 and null for absent; the specification, Choice State"
_CHOICE_ERROR = "no rule matches: AWS fails with States.Runtime and its own cause, see the case's source"
_VARIABLES = "it has no variables in JSONPath states, or none here; developer guide, workflow-variables"
_SCOPE = "a variable is seen where it is out of scope; developer guide, workflow-variables"
_ONE_BY_ONE = "it assigns variables one after the other; developer guide, workflow-variables"
_ASSIGN_MOTO = "its variables need the Java library of its JSONata; developer guide, workflow-variables"
_MAP_FIELDS = "it evaluates no JSONata in the fields of a Map; developer guide, transforming-data"
_STATE_FIELDS = "it ignores Output and Assign of this kind of state; developer guide, transforming-data"
_RUNTIME_READER = (
    "an unreadable source is States.ItemReaderFailed, which can be caught; developer guide, concepts-error-handling"
)
_DECOMPRESS = "it does not decompress objects; developer guide, input-output-itemreader"
_BOM = "it takes the byte order mark for part of the first header; see the case's source"
_CSV = "it does not check the headers of a CSV file; developer guide, input-output-itemreader"
_ITEMS = "it accepts items that are no array; developer guide, state-map"
_ARRAY_ERROR = "a value that is no array is States.Runtime with AWS's cause, see the case's source"
_OBJECT = "its Map over an object fails, or gives the iteration another value; see the case's source"
_TEXT = "it does not read or print this text as AWS does; see the case's source"
_ABORTED = "a Map Run that is cut short is not listed, or not as ABORTED; see the case's source"
_POINTER = "its ItemsPointer is no complete JSON Pointer; developer guide, input-output-itemreader"
_MAP_RUN_ABSENT = "a Map Run whose reader fails is not listed; AWS lists it as FAILED, see the case's source"
_NO_LIMIT = "it has no such limit; developer guide, service-quotas"
_GRAMMAR = "its grammar of intrinsic functions does not take these arguments; developer guide, intrinsic-functions"
_JSONATA_FUNCTION = "its own function of JSONata is not AWS's; developer guide, transforming-data"
_QUOTES = "it prints a Pass state's Result that is a string without quotes; an output is JSON"
_PATHS = "its JSONPath is incomplete: no slices, filters or descent; the specification's examples"
_FILTER = "a filter that finds nothing is an empty array; see the case's source"
_CONTEXT = (
    "it describes no child execution: the context is the parent's or null; developer guide, input-output-contextobject"
)
_FAILED_CHILD = "the result has null for a child that failed; AWS leaves it out, see the case's source"
_HISTORY = "it records fewer events, or others; recorded histories are in the case's source"
_PARALLEL = "a failed branch is States.BranchFailed, with the error in its output; see the case's source"
_FIELDS = "it ignores ResultSelector of a Parallel; see the case's source"
_RESULT_PATH = "AWS cannot put a result into a scalar and fails with its own cause; see the case's source"
_NO_ERROR = "a Fail state without Error has none; developer guide, state-fail"
_EVENT = "it ignores the paths of a Wait state; developer guide, state-wait"
_TASK = "it has no such optimised integration; developer guide, integrate-optimized"
_S3_ERROR = "the error of an AWS SDK integration is not named or reported as AWS does; see the case's source"
_TOLERATES = "it tolerates every failure; AWS fails the Map Run, developer guide, state-map-distributed"
_NESTED = "it lists no Map Runs of child executions; see the case's source"
_NESTED_LABEL = "it has the outer Map's label for an inner Map Run; see the case's source"
_PENDING = "it starts every child of a run whose threshold is exceeded; developer guide, state-map-distributed"
_TIMEOUT = "it ignores TimeoutSeconds of a machine or of express children; developer guide, statemachine-structure"
_LANGUAGE = "it takes the query language of the whole Parallel for its branches; developer guide, transforming-data"
_MAX = "it does not check the value at the path; developer guide, state-map"
_CRASH = "it cannot describe such an execution; botocore's model of DescribeExecution"

MOTO = {
    "child_executions/context_object": ("DescribeExecution 500", _CRASH),
    "choice/assign_of_the_rule_and_of_the_state": ("FAILED States.Runtime", _ASSIGN_MOTO),
    "choice/missing_path_of_the_right_operand": (
        "cause \"An error occurred while executing the state 'Check' (entere",
        _CAUSE,
    ),
    "choice/missing_variable_is_null": ("SUCCEEDED", _PATH_NULL),
    "choice/missing_variable_is_timestamp": ("SUCCEEDED", _PATH_NULL),
    "choice/missing_variable_numeric_equals": ("SUCCEEDED", _PATH_NULL),
    "choice/no_match_and_no_default": (
        "cause \"RuntimeError(('No branching option reached in state %s', 'C",
        _CHOICE_ERROR,
    ),
    "choice/string_matches_escaped": ("output [false, false]", _ESCAPES),
    "choice/timestamp_equals": ("output [false, true, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_equals_path": ("output [false, true, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_greater_than": ("output [false, false, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_greater_than_equals": ("output [false, true, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_greater_than_equals_path": ("output [false, true, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_greater_than_path": ("output [false, false, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_less_than_equals": ("output [true, true, false, false, false, false]", _TIMESTAMPS),
    "choice/timestamp_less_than_equals_path": ("output [true, true, false, false, false, false]", _TIMESTAMPS),
    "choice/assigned_variable": ("FAILED States.Runtime", _ASSIGN_MOTO),
    "distributed_map/items_path_to_another_type": (
        'error "States.QueryEvaluationError"; cause "An error occurred while executing the state \'Map\' (entered ',
        _ARRAY_ERROR,
    ),
    "history/no_choice_matches": ("cause \"RuntimeError(('No branching option reached in state %s', 'C", _CHOICE_ERROR),
    "intrinsic_functions/array_contains": ("refused", _GRAMMAR),
    "intrinsic_functions/array_contains_in_text": (
        'cause "TypeError(Expected an array type as first argument, but got',
        _CAUSE,
    ),
    "intrinsic_functions/array_get_item_with_a_negative_index": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/array_get_item_beyond_the_end": ('cause "IndexError(list index out of range)"', _CAUSE),
    "intrinsic_functions/array_get_item_truncates_the_index": ("refused", _GRAMMAR),
    "intrinsic_functions/array_length_of_an_object": (
        "cause \"TypeError(Expected an array type, but got '{}'.)\"",
        _CAUSE,
    ),
    "intrinsic_functions/array_of_everything": ("refused", _GRAMMAR),
    "intrinsic_functions/array_partition": ("refused", _GRAMMAR),
    "intrinsic_functions/array_partition_truncates_the_size": ("refused", _GRAMMAR),
    "intrinsic_functions/array_partition_by_0": ('cause "ValueError(range() arg 3 must not be zero)"', _CAUSE),
    "intrinsic_functions/array_partition_without_a_size": ("refused", _GRAMMAR),
    "intrinsic_functions/array_range": ("FAILED States.Runtime", _RANGE_BACK),
    "intrinsic_functions/array_range_beyond_64_bits": ("refused", _GRAMMAR),
    "intrinsic_functions/array_range_by_0": (
        'cause "ValueError(Expected step argument to be non negative, but g',
        _CAUSE,
    ),
    "intrinsic_functions/array_range_truncates_its_arguments": ("refused", _GRAMMAR),
    "intrinsic_functions/array_range_of_1001": (
        'cause "ValueError(Arrays cannot contain more than 1000 items, size',
        _CAUSE,
    ),
    "intrinsic_functions/array_unique": ("FAILED States.Runtime", _UNIQUE),
    "intrinsic_functions/base64": ("FAILED States.Runtime", _ASCII),
    "intrinsic_functions/base64_decode_of_10001_characters": (
        "cause \"ValueError(Maximum input string for function type '<class '",
        _CAUSE,
    ),
    "intrinsic_functions/base64_encode_of_10001_characters": (
        "cause \"ValueError(Maximum input string for function type '<class '",
        _CAUSE,
    ),
    "intrinsic_functions/format": ('output {"mixed": "x 2 true", "quotes": "\\\\\\\\", "template": "is x", ', _FORMAT),
    "intrinsic_functions/format_of_context_values": ("FAILED States.Runtime", _TEXT),
    "intrinsic_functions/format_with_an_unmatched_brace": (
        "cause \"ValueError(Single '{' encountered in format string)\"",
        _CAUSE,
    ),
    "intrinsic_functions/format_with_too_few_arguments": (
        'cause "IndexError(Replacement index 1 out of range for positional ',
        _CAUSE,
    ),
    "intrinsic_functions/hash": ('output {"md5": "5d41402abc4b2a76b9719d911017c592", "sha1": "aaf4c61', _HASH),
    "intrinsic_functions/hash_with_an_unknown_algorithm": (
        "cause \"ValueError(Unknown hash function 'sha-256'.)\"",
        _CAUSE,
    ),
    "intrinsic_functions/hash_of_10001_characters": (
        'cause "ValueError(Maximum character input length for  for function',
        _CAUSE,
    ),
    "intrinsic_functions/json_merge_deep": (
        'cause "NotImplementedError(Currently, Step Functions only supports',
        _CAUSE,
    ),
    "intrinsic_functions/math_add_beyond_32_bits": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/math_add_of_text": ("cause \"TypeError(Expected integer value, but got: '-1'.)\"", _CAUSE),
    "intrinsic_functions/missing_argument_path": (
        "cause \"An error occurred while executing the state 'A' (entered at",
        _CAUSE,
    ),
    "intrinsic_functions/string_split_of_a_number": (
        "cause \"TypeError(expected string or bytes-like object, got 'int')\"",
        _CAUSE,
    ),
    "intrinsic_functions/string_to_json_malformed": (
        'cause "JSONDecodeError(Expecting property name enclosed in double ',
        _CAUSE,
    ),
    "intrinsic_functions/string_to_json_of_a_number": (
        "cause \"AttributeError('int' object has no attribute 'strip')\"",
        _CAUSE,
    ),
    "intrinsic_functions/string_to_json_of_a_number_that_is_too_large": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/too_many_arguments": ("refused", _GRAMMAR),
    "intrinsic_functions/uuid_ignores_arguments": ("refused", _GRAMMAR),
    "item_reader/csv_byte_order_mark": ('output [{"\ufeffa": "1", "b": "2"}]', _BOM),
    "item_reader/csv_headers_above_10_kib": ("SUCCEEDED", _CSV),
    "item_reader/gzip_csv": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/gzip_json": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/gzip_of_invalid_data": ("SUCCEEDED", _DECOMPRESS),
    "item_reader/json_truncated": ('error "States.Runtime"', _RUNTIME_READER),
    "item_reader/max_items_path_of_a_fraction": ('error "States.ItemReaderFailed"', _MAX),
    "item_reader/missing_bucket": ('error "States.Runtime"', _RUNTIME_READER),
    "item_reader/missing_key": ('error "States.Runtime"', _RUNTIME_READER),
    "item_reader/missing_key_caught_by_all": ('output {"error": "States.Runtime"}', _RUNTIME_READER),
    "item_reader/missing_key_caught_by_task_failed": ("FAILED States.Runtime", _RUNTIME_READER),
    "item_reader/missing_object_is_caught": ("FAILED States.Runtime", _RUNTIME_READER),
    "item_reader/zstd_csv": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/zstd_json": ("FAILED States.Runtime", _DECOMPRESS),
    "language/assign_jsonpath": ("FAILED States.Runtime", _ASSIGN_MOTO),
    "language/choice_and": ('output {"text": "ValueInTwenties"}', _QUOTES),
    "language/choice_default": ('output {"text": "DefaultState"}', _QUOTES),
    "language/choice_in_order": ('output {"text": "Public"}', _QUOTES),
    "language/escapes_in_bracketed_names": ("FAILED States.Runtime", _PATHS),
    "language/filter_of_unquoted_text": ("FAILED States.Runtime", _PATHS),
    "language/filter_without_matches": ("FAILED States.Runtime", _FILTER),
    "language/indefinite_path_without_a_parent": ("FAILED States.Runtime", _FILTER),
    "language/map_of_null": (
        'error "States.QueryEvaluationError"; cause "An error occurred while executing the state \'A\' (entered at',
        _ARRAY_ERROR,
    ),
    "language/map_over_a_number_jsonpath": (
        'error "States.QueryEvaluationError"; cause "An error occurred while executing the state \'A\' (entered at',
        _ARRAY_ERROR,
    ),
    "language/map_over_an_object_jsonpath": ("FAILED States.QueryEvaluationError", _OBJECT),
    "language/parallel_failure_is_a_branch_failure": ("FAILED E", _PARALLEL),
    "language/parallel_fields": ('output {"x": [1], "y": [2]}', _FIELDS),
    "language/parameters_path_without_a_value": (
        "cause \"An error occurred while executing the state 'A' (entered at",
        _CAUSE,
    ),
    "language/result_path_into_a_scalar": ("cause \"TypeError(argument of type 'int' is not iterable)\"", _CAUSE),
    "language/undefined_variable": ("cause \"TypeError('NoneType' object is not callable)\"", _ASSIGN_MOTO),
    "language/variables_of_an_iteration": ("FAILED States.Runtime", _ASSIGN_MOTO),
    "language/variables_of_an_iteration_end_with_the_iteration": (
        "cause \"TypeError('NoneType' object is not callable)\"",
        _ASSIGN_MOTO,
    ),
    "language/wait_seconds_path_to_an_object": (
        "cause \"An error occurred while executing the state 'A' (entered at",
        _CAUSE,
    ),
    "language/wait_timestamp_path_to_a_number": (
        "cause \"TypeError(expected string or bytes-like object, got 'int')\"",
        _CAUSE,
    ),
    "limits/variable_of_262145_bytes_jsonpath": ("SUCCEEDED", _NO_LIMIT),
    "map_run/catch_with_result_path_and_assign": (
        'output [null]; status: expected "FAILED", found "SUCCEEDED"',
        _TOLERATES,
    ),
    "map_run/label_absent_is_a_uuid": ('output [{"id": "arn:aws:states:us-east-1:000000000000:execution:mac', _CONTEXT),
    "map_run/reader_failure_is_a_failed_map_run_without_items": ('error "States.Runtime"', _RUNTIME_READER),
    "nested_maps/distributed_in_distributed": (
        "mapRunArn: expected text like arn:aws:states:[a-z0-9-]+:[0-9",
        _NESTED_LABEL,
    ),
    "nested_maps/item_selector_inside_sees_the_child": (
        'output [[{"of": "arn:aws:states:us-east-1:000000000000:execution:ma',
        _CONTEXT,
    ),
    "tasks/batch_submit_job_of_a_missing_definition": ("FAILED States.Runtime", _TASK),
    "tasks/s3_no_such_bucket": ("FAILED s3.NoSuchBucketException", _S3_ERROR),
    "tolerated_failures/exceeded_is_caught_by_all": ("output [null]", _TOLERATES),
    "tolerated_failures/exceeded_is_caught_by_its_name": ("output [null]", _TOLERATES),
    "tolerated_failures/exceeded_is_caught_by_task_failed": ("output [null]", _TOLERATES),
    "tolerated_failures/none_by_default": ("SUCCEEDED", _TOLERATES),
    "tolerated_failures/the_rest_stays_pending": ("SUCCEEDED", _TOLERATES),
}

MINISTACK = {
    "child_executions/context_object": ('output [{"context": null}]', _CONTEXT),
    "child_executions/express_context_object": (
        'output [{"id": "arn:aws:states:us-east-1:000000000000:execution:mac',
        _CONTEXT,
    ),
    "child_executions/express_goes_on_when_the_threshold_is_exceeded": (
        "itemCounts.pending: expected 1, found 0",
        _PENDING,
    ),
    "child_executions/express_timed_out_counts_against_the_threshold": ("SUCCEEDED", _TIMEOUT),
    "child_executions/no_choice_matched_fails_the_child": ("output [1, null]", _FAILED_CHILD),
    "child_executions/variables_are_passed_by_item_selector": ('output [{"n": "{% $n %}"}]', _MAP_FIELDS),
    "child_executions/variables_end_with_their_child": ("output [false]", _STATE_FIELDS),
    "child_executions/outer_variables_are_not_visible": ("output [true]", _SCOPE),
    "choice/assign_of_the_rule_and_of_the_state": ('output [{"by": null}, {"by": null}]', _STATE_FIELDS),
    "choice/boolean_equals": ("output [true, false, false, true]", _TYPES),
    "choice/boolean_equals_path": ("output [true, false, false, true]", _TYPES),
    "choice/condition_that_is_not_a_boolean": ("SUCCEEDED", _NOT_CHECKED),
    "choice/default_output_jsonata": ('output "{} state"', _STATE_FIELDS),
    "choice/is_numeric": ("output [false, true, true, false, false, false, false]", _TYPES),
    "choice/is_present": ("output [false, false, true]", _TYPES),
    "choice/is_present_false": ("output [true, true]", _TYPES),
    "choice/missing_path_of_the_right_operand": ("SUCCEEDED", _PATH_NULL),
    "choice/missing_variable_is_null": ("SUCCEEDED", _PATH_NULL),
    "choice/missing_variable_is_timestamp": ("SUCCEEDED", _PATH_NULL),
    "choice/missing_variable_numeric_equals": ("SUCCEEDED", _PATH_NULL),
    "choice/no_match_and_no_default": (
        'error "States.NoChoiceMatched"; cause "No choice rule matched and no Default"',
        _CHOICE_ERROR,
    ),
    "choice/no_match_and_no_default_jsonata": (
        'error "States.NoChoiceMatched"; cause "No choice rule matched and no Default"',
        _CHOICE_ERROR,
    ),
    "choice/string_greater_than_equals_path": ("output [false, false, false, false, false]", _PATH_OF_RULE),
    "choice/string_greater_than_path": ("output [false, false, false, false, false]", _PATH_OF_RULE),
    "choice/string_less_than_equals_path": ("output [false, false, false, false, false]", _PATH_OF_RULE),
    "choice/string_less_than_path": ("output [false, false, false, false, false]", _PATH_OF_RULE),
    "choice/string_matches_escaped": ("output [false, false]", _ESCAPES),
    "choice/timestamp_equals_path": ("output [false, false, false, false, false, false]", _PATH_OF_RULE),
    "choice/timestamp_greater_than_equals_path": ("output [false, false, false, false, false, false]", _PATH_OF_RULE),
    "choice/timestamp_greater_than_path": ("output [false, false, false, false, false, false]", _PATH_OF_RULE),
    "choice/timestamp_less_than_equals_path": ("output [false, false, false, false, false, false]", _PATH_OF_RULE),
    "choice/timestamp_less_than_path": ("output [false, false, false, false, false, false]", _PATH_OF_RULE),
    "choice/assigned_variable": ("FAILED States.NoChoiceMatched", _VARIABLES),
    "distributed_map/assign_and_output_of_the_result": ("output [{}]", _STATE_FIELDS),
    "distributed_map/item_selector_key_of_an_object": ("FAILED States.QueryEvaluationError", _MAP_FIELDS),
    "distributed_map/item_selector_has_no_key_for_an_array": (
        'output [{"has": "{% $exists($states.context.Map.Item.Key) %}"}]',
        _MAP_FIELDS,
    ),
    "distributed_map/items_of_a_literal": ('output [{"two": 2}]', _MAP_FIELDS),
    "distributed_map/items_path_to_another_type": ("SUCCEEDED", _ITEMS),
    "history/evaluation_failed": ('history[2]: expected "EvaluationFailed", found "ExecutionFailed"', _HISTORY),
    "history/map_inline": ('history[2]: expected "MapStateStarted", found "MapStateExited"', _HISTORY),
    "history/map_inline_without_items": ('history[2]: expected "MapStateStarted", found "MapStateExited"', _HISTORY),
    "history/map_inline_with_catch": ('history[2]: expected "MapStateStarted", found "MapStateExited"', _HISTORY),
    "history/map_run": ('history[2]: expected "MapStateStarted", found "MapStateExited"', _HISTORY),
    "history/no_choice_matches": (
        'error "States.NoChoiceMatched"; cause "No choice rule matched and no Default"',
        _CHOICE_ERROR,
    ),
    "history/parallel": ('history[2]: expected "ParallelStateStarted", found "ParallelStateExited"', _HISTORY),
    "history/parallel_that_fails": ('history[2]: expected "ParallelStateStarted", found "ExecutionFailed"', _HISTORY),
    "intrinsic_functions/array_contains": (
        'output {"number": true, "null": true, "object": true, "more": false',
        _CONTAINS,
    ),
    "intrinsic_functions/array_contains_in_text": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/array_get_item_with_a_negative_index": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/array_get_item_beyond_the_end": ('cause "list index out of range"', _CAUSE),
    "intrinsic_functions/array_length_of_an_object": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/array_partition_by_0": ('cause "range() arg 3 must not be zero"', _CAUSE),
    "intrinsic_functions/array_partition_without_a_size": ('cause "list index out of range"', _CAUSE),
    "intrinsic_functions/array_range": (
        'output {"up": [-2, 0, 2], "down": [5, 3], "one": [], "none": []}',
        _RANGE_BACK,
    ),
    "intrinsic_functions/array_range_beyond_64_bits": (
        "cause \"invalid literal for int() with base 10: '1e300'\"",
        _CAUSE,
    ),
    "intrinsic_functions/array_range_by_0": ('cause "range() arg 3 must not be zero"', _CAUSE),
    "intrinsic_functions/array_range_truncates_its_arguments": (
        'output {"a": [1, 3, 5], "b": [1], "c": [5, 3]}',
        _RANGE_BACK,
    ),
    "intrinsic_functions/array_range_of_1001": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/format": ('output {"mixed": "x 2 True", "quotes": "\'x\' \\"2\\" {}", "template": ', _FORMAT),
    "intrinsic_functions/format_of_context_values": (
        'output {"name": "machine", "count": "None", "number": "1.1", "text"',
        _FORMAT,
    ),
    "intrinsic_functions/format_of_null": ('output {"v": "None|3.5"}', _FORMAT),
    "intrinsic_functions/format_with_an_unmatched_brace": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/format_with_too_few_arguments": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/json_merge_deep": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/math_add": ('output {"ints": -2, "rounded": 3, "most": 2147483647, "least": -214', _ADD),
    "intrinsic_functions/math_add_beyond_32_bits": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/math_add_of_text": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/missing_argument_path": ("cause \"object of type 'NoneType' has no len()\"", _CAUSE),
    "intrinsic_functions/string_split_of_a_number": ("cause \"'int' object is not iterable\"", _CAUSE),
    "intrinsic_functions/string_to_json_malformed": (
        'cause "Expecting property name enclosed in double quotes: line 1 c',
        _CAUSE,
    ),
    "intrinsic_functions/string_to_json_of_a_blank_text": ("FAILED States.Runtime", _EMPTY),
    "intrinsic_functions/string_to_json_of_a_number": (
        'cause "the JSON object must be str, bytes or bytearray, not int"',
        _CAUSE,
    ),
    "intrinsic_functions/string_to_json_of_a_number_that_is_too_large": ("SUCCEEDED", _NOT_CHECKED),
    "intrinsic_functions/string_to_json_of_an_empty_text": ("FAILED States.Runtime", _EMPTY),
    "intrinsic_functions/too_many_arguments": ("SUCCEEDED", _NOT_CHECKED),
    "item_reader/bucket_and_key_of_expressions": ("FAILED States.ItemReaderFailed", _MAP_FIELDS),
    "item_reader/csv_byte_order_mark": ('output [{"\ufeffa": "1", "b": "2"}]', _BOM),
    "item_reader/csv_duplicate_headers": ("SUCCEEDED", _CSV),
    "item_reader/csv_duplicate_headers_in_the_first_row": ("SUCCEEDED", _CSV),
    "item_reader/csv_headers_above_10_kib": ("SUCCEEDED", _CSV),
    "item_reader/gzip_csv": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/gzip_json": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/gzip_jsonl_of_two_members": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/gzip_of_invalid_data": ("SUCCEEDED", _DECOMPRESS),
    "item_reader/json_object_instead_of_an_array": ("SUCCEEDED", _ITEMS),
    "item_reader/json_pointer_escapes": ("FAILED States.Runtime", _POINTER),
    "item_reader/json_pointer_missing": ('error "States.Runtime"', _POINTER),
    "item_reader/json_pointer_to_another_type": ("SUCCEEDED", _ITEMS),
    "item_reader/json_truncated": ('error "States.Runtime"', _RUNTIME_READER),
    "item_reader/jsonl_bad_line": ('error "States.Runtime"; map_runs: expected 1, found 0', _RUNTIME_READER),
    "item_reader/load_and_flatten_bad_object": ('error "States.Runtime"', _RUNTIME_READER),
    "item_reader/max_items_of_an_expression": ("FAILED States.Runtime", _MAP_FIELDS),
    "item_reader/max_items_path_negative": ("SUCCEEDED", _MAX),
    "item_reader/max_items_path_of_a_fraction": ("SUCCEEDED", _MAX),
    "item_reader/missing_key": ("map_runs: expected 1, found 0", _MAP_RUN_ABSENT),
    "item_reader/zstd_csv": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/zstd_json": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/zstd_jsonl": ("FAILED States.Runtime", _DECOMPRESS),
    "item_reader/zstd_truncated": ('error "States.Runtime"', _RUNTIME_READER),
    "jsonata/assign_reads_the_values_before_it": ('output {"x": 6, "nextX": 6}', _ONE_BY_ONE),
    "jsonata/hash_with_an_unknown_algorithm": (
        'cause "$hash algorithm must be one of MD5, SHA-1, SHA-256, SHA-384',
        _CAUSE,
    ),
    "jsonata/items_of_an_object": ("FAILED States.QueryEvaluationError", _MAP_FIELDS),
    "jsonata/parallel_result": ("output [1, 1]", _STATE_FIELDS),
    "jsonata/parse_of_an_object": ('cause "the JSON object must be str, bytes or bytearray, not dict"', _CAUSE),
    "jsonata/parse_of_invalid_json": ('cause "Expecting property name enclosed in double quotes: line 1 c', _CAUSE),
    "jsonata/partition": ("FAILED States.QueryEvaluationError", _JSONATA_FUNCTION),
    "jsonata/partition_with_three_arguments": (
        'cause "_sfn_jsonata_partition() takes 2 positional arguments but 3',
        _CAUSE,
    ),
    "jsonata/partition_by_0": ('cause "$partition chunk size must be a positive integer"', _CAUSE),
    "jsonata/partition_of_text": ("SUCCEEDED", _NOT_CHECKED),
    "jsonata/random_with_a_text_as_seed": ('cause "must be real number, not str"', _CAUSE),
    "jsonata/range_by_0": ('cause "$range delta must not be zero"', _CAUSE),
    "jsonata/range_without_a_step": ('cause "_sfn_jsonata_range() missing 1 required positional argument', _CAUSE),
    "jsonata/text_and_number_added": ('cause "T2001: The left side of the + operator must evaluate to a n', _CAUSE),
    "jsonata/undefined_output": ('cause "JSONata expression did not return a result: $states.input.n', _CAUSE),
    "jsonata/uuid_with_arguments": ('cause "_sfn_jsonata_uuid() takes 0 positional arguments but 2 were', _CAUSE),
    "jsonata/variables_are_not_in_a_distributed_child": ('output [{"given": "{% $x %}", "seen": true}]', _MAP_FIELDS),
    "jsonata/variables_of_a_branch_end_with_the_branch": ("SUCCEEDED", _SCOPE),
    "language/assign_jsonpath": ('output {"x": null, "deep": null, "sum": null, "whole": null, "text"', _VARIABLES),
    "language/context_object_path_without_a_value": ("SUCCEEDED", _PATH_NULL),
    "language/definite_path_without_a_parent": ("SUCCEEDED", _PATH_NULL),
    "language/fail_without_error_and_cause": ('error "States.Fail"', _NO_ERROR),
    "language/filter_of_unquoted_text": ('output {"equal": null, "path": null, "other": null, "both": null, "', _PATHS),
    "language/filter_without_matches": ('output {"v": null}', _FILTER),
    "language/indefinite_path_without_a_parent": (
        'output {"wildcard": [], "descent": null, "slice": null, "filter": n',
        _PATHS,
    ),
    "language/input_path_without_a_value": ("SUCCEEDED", _PATH_NULL),
    "language/json_path_forms": ('output {"wild": ["x", "y", "z"], "last": null, "slice": null, "deep', _PATHS),
    "language/jsonata_state_after_jsonpath_with_variables": ("FAILED States.QueryEvaluationError", _VARIABLES),
    "language/map_of_null": ("SUCCEEDED", _ITEMS),
    "language/map_over_a_number_jsonpath": ("SUCCEEDED", _ITEMS),
    "language/map_over_an_object_jsonpath": ('output [{"k": null, "v": {"a": 1, "b": 2}}]', _OBJECT),
    "language/parallel_failure_is_a_branch_failure": ("FAILED E", _PARALLEL),
    "language/parameters_path_without_a_value": ("SUCCEEDED", _PATH_NULL),
    "language/parameters_payload_template": ('output {"flagged": true, "parts": {"first": 0, "last3": null}}', _PATHS),
    "language/query_language_of_a_parallel_does_not_apply_to_its_branches": ('output [{"n": 1}]', _LANGUAGE),
    "language/result_path_into_a_scalar": ("SUCCEEDED", _RESULT_PATH),
    "language/undefined_variable": ("SUCCEEDED", _VARIABLES),
    "language/variables_in_every_path_field": ("output null", _VARIABLES),
    "language/variables_of_an_iteration": (
        'output [{"outer": null, "inner": null}, {"outer": null, "inner": nu',
        _VARIABLES,
    ),
    "language/variables_of_an_iteration_end_with_the_iteration": ("SUCCEEDED", _VARIABLES),
    "language/wait_seconds_path_beyond_64_bits": ("SUCCEEDED", _NOT_CHECKED),
    "language/wait_seconds_path_to_an_object": ("SUCCEEDED", _EVENT),
    "language/wait_seconds_path_without_a_value": ("SUCCEEDED", _EVENT),
    "language/wait_timestamp_path_to_a_number": ("SUCCEEDED", _EVENT),
    "limits/bytes_not_characters": ("SUCCEEDED", _NO_LIMIT),
    "limits/history_of_25000_events": ("SUCCEEDED", _NO_LIMIT),
    "limits/output_of_262145_bytes": ("SUCCEEDED", _NO_LIMIT),
    "limits/padding_of_262145_characters": ("SUCCEEDED", _NO_LIMIT),
    "limits/variable_of_262145_bytes": ("SUCCEEDED", _NO_LIMIT),
    "limits/variable_of_262145_bytes_jsonpath": ("SUCCEEDED", _NO_LIMIT),
    "limits/variables_of_10_mebibytes": ("SUCCEEDED", _NO_LIMIT),
    "limits/variables_of_one_assign_of_262146_bytes": ("SUCCEEDED", _NO_LIMIT),
    "map_run/aborted_by_another_branch": ('status: expected "ABORTED", found "SUCCEEDED"', _ABORTED),
    "map_run/aborted_by_another_iteration": ('status: expected "ABORTED", found "SUCCEEDED"', _ABORTED),
    "map_run/aborted_by_the_timeout": ("SUCCEEDED", _TIMEOUT),
    "map_run/catch_with_result_path_and_assign": ('output {"why": null, "kept": 1}', _STATE_FIELDS),
    "map_run/described": (
        'output [null, {"fail": false}]; toleratedFailurePercentage: expected 60, found 60.0',
        _FAILED_CHILD,
    ),
    "map_run/label_absent_is_a_uuid": ('output [{"id": "arn:aws:states:us-east-1:000000000000:execution:mac', _CONTEXT),
    "map_run/reader_failure_is_a_failed_map_run_without_items": ("map_runs: expected 1, found 0", _MAP_RUN_ABSENT),
    "map_run/results_above_256_kib": ("SUCCEEDED", _NO_LIMIT),
    "map_run/results_above_256_kib_are_caught_by_name": (
        'output ["xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
        _NO_LIMIT,
    ),
    "map_run/results_above_256_kib_are_not_caught_by_all": ("SUCCEEDED", _NO_LIMIT),
    "map_run/two_runs_of_one_state": ('output {"items": [null]}', _PATHS),
    "max_concurrency/of_a_path_to_text": ("SUCCEEDED", _MAX),
    "max_concurrency/of_an_expression": ("FAILED States.Runtime", _MAP_FIELDS),
    "nested_maps/distributed_in_distributed": ("map_runs: expected 3, found 1", _NESTED),
    "nested_maps/failure_inside_fails_the_child": (
        'output [null, [{"fail": false}]]; map_runs: expected 3, found 1',
        _FAILED_CHILD,
    ),
    "nested_maps/item_selector_inside_sees_the_child": (
        'output [[{"of": "arn:aws:states:us-east-1:000000000000:execution:ma',
        _CONTEXT,
    ),
    "nested_maps/variables_of_the_child_are_seen_by_its_item_selector": (
        "FAILED States.ExceedToleratedFailureThreshold",
        _MAP_FIELDS,
    ),
    "result_writer/failed_children_are_left_out_of_the_output": ('output [null, {"fail": false}]', _FAILED_CHILD),
    "tasks/batch_submit_job_of_a_missing_definition": ("FAILED States.Runtime", _TASK),
    "tasks/s3_no_such_bucket": ('output "The specified bucket does not exist"', _S3_ERROR),
    "tasks/task_token_only_in_tasks_that_wait_for_it": ("SUCCEEDED", _PATH_NULL),
    "timeouts/after_one_year": ("SUCCEEDED", _NO_LIMIT),
    "timeouts/of_the_state_machine_while_it_waits": ("SUCCEEDED", _TIMEOUT),
    "tolerated_failures/all_may_fail": ("output [null, null, null]", _FAILED_CHILD),
    "tolerated_failures/both_within": ('output [null, {"fail": false}]', _FAILED_CHILD),
    "tolerated_failures/count_of_an_expression": ("FAILED States.Runtime", _MAP_FIELDS),
    "tolerated_failures/expressions_in_a_branch": ("FAILED States.BranchFailed", _MAP_FIELDS),
    "tolerated_failures/percentage_of_an_expression": ("FAILED States.Runtime", _MAP_FIELDS),
    "tolerated_failures/percentage_with_a_fraction_not_exceeded": (
        'output [null, {"fail": false}, {"fail": false}]',
        _FAILED_CHILD,
    ),
    "tolerated_failures/the_rest_stays_pending": ("itemCounts.pending: expected 2, found 0", _PENDING),
}
DIFFERENCES = {
    **{(case, "moto"): end for case, end in MOTO.items()},
    **{(case, "ministack"): end for case, end in MINISTACK.items()},
}
