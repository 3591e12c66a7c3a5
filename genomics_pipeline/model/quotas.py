"""AWS's limits, each defined here once.

Import the module, not its names, as in ``quotas.PAYLOAD.value``. Sizes that AWS gives in "GB" are decimal, because a
file below that is within the limit by both readings; others are binary, as the recorded 262,144 and 1,048,576 are.
Rates are the documented ones; Service Quotas has the current rates of an account.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

_STATES = "https://docs.aws.amazon.com/step-functions/latest/dg/"
QUOTAS_PAGE = f"{_STATES}service-quotas.html"
WAIT_PAGE = f"{_STATES}state-wait.html"
ERRORS_PAGE = f"{_STATES}concepts-error-handling.html"
MAP_PAGE = f"{_STATES}state-map-distributed.html"
READER_PAGE = f"{_STATES}input-output-itemreader.html"
WRITER_PAGE = f"{_STATES}input-output-resultwriter.html"
INTRINSICS_PAGE = f"{_STATES}intrinsic-functions.html"
VARIABLES_PAGE = f"{_STATES}workflow-variables.html"
REDRIVE_PAGE = f"{_STATES}redrive-executions.html"
BATCH_PAGE = "https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html"
ECS_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html"
RUN_TASK_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html"
CLOUDFORMATION_PAGE = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"
EC2_PAGE = "https://docs.aws.amazon.com/general/latest/gr/ec2-service.html"
EC2_RATES_PAGE = "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
ECS_QUOTAS_PAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html"
EBS_QUOTAS_PAGE = "https://docs.aws.amazon.com/general/latest/gr/ebs-service.html"
S3_RATES_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html"
EBS_PAGE = "https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html"
S3_KEYS_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"
S3_PAGE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"
LAMBDA_PAGE = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
EVENTS_PAGE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html"
SQS_PAGE = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html"
SNS_PAGE = "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"
MODEL = "botocore 1.44.5, service model"
SERVICE_QUOTAS = "list-service-quotas, recorded in 2026-09: radkawar/stackd, api_throttling.json"
STACKD = "radkawar/stackd, testdata/aws/stepfunctions/expression_limits.json, measured with TestState"
FLOCI = "floci-io/floci, docs/services/step-functions.md and JsonataEvaluatorTest.java, measured with TestState"


@dataclass(frozen=True, slots=True)
class Quota:
    """A limit of an AWS service.

    Attributes:
        value: The limit itself is allowed, one more is refused.
        unit: What is counted: bytes, characters, items, seconds; of a rate, calls or children a second.
        operation: The API operation, state or field that it limits.
        source: Where it is documented or recorded.
        date_read: Year and month in which the source was read.
        service: The service's code in Service Quotas.
        adjustable: AWS raises it on request.
        code: Its code in Service Quotas; empty where it is not listed there.
        burst: Of a rate: how many calls may come at once before it holds; 0 where AWS gives no number.
    """

    value: int
    unit: str
    operation: str
    source: str
    date_read: str = "2026-11"
    service: str = "states"
    adjustable: bool = False
    code: str = ""
    burst: int = 0

    def __str__(self) -> str:
        """Return value and unit, as they stand in messages.

        >>> f"AWS allows {SUBMIT_JOB}"
        'AWS allows 30720 bytes'
        """
        return f"{self.value} {self.unit}"


_batch = partial(Quota, service="batch")
_KIB, _MIB, _GB = 1024, 1024**2, 10**9

# Refused in names and Labels, as a set of a regular expression. AWS does not list the slash, which would end a name in
# an ARN.
NOT_IN_NAMES = r"""\s?*<>{}\[\]"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f"""

# Names and texts.
STATE_NAME = Quota(80, "characters", "name of a state", QUOTAS_PAGE)
STATE_MACHINE_NAME = Quota(80, "characters", "CreateStateMachine, name", QUOTAS_PAGE)
EXECUTION_NAME = Quota(80, "characters", "StartExecution, name", QUOTAS_PAGE)
LABEL = Quota(40, "characters", "Map, Label", MAP_PAGE)
VARIABLE_NAME = Quota(80, "characters", "Assign", VARIABLES_PAGE)
ERROR = Quota(256, "characters", "Error", MODEL)
CAUSE = Quota(32_768, "characters", "Cause", MODEL)
DEFINITION = Quota(1_048_576, "characters", "CreateStateMachine, definition", MODEL)

# Sizes.
PAYLOAD = Quota(262_144, "bytes", "input or output of a state", QUOTAS_PAGE, code="L-8FEC45E4")
ASSIGN = Quota(262_144, "bytes", "Assign: a variable, and all that one state assigns", VARIABLES_PAGE)
VARIABLES = Quota(10 * _MIB, "bytes", "all variables of an execution", VARIABLES_PAGE)

# Executions.
HISTORY = Quota(25_000, "events", "history of a STANDARD execution", QUOTAS_PAGE, code="L-CE44C76B")
STANDARD_SECONDS = Quota(365 * 86_400, "seconds", "a STANDARD execution", QUOTAS_PAGE, code="L-3F41C9CA")
EXPRESS_SECONDS = Quota(300, "seconds", "an EXPRESS execution", QUOTAS_PAGE)
RETENTION_DAYS = Quota(90, "days", "a closed execution and its name are kept", QUOTAS_PAGE)
REDRIVE_DAYS = Quota(14, "days", "RedriveExecution, after the execution closed", REDRIVE_PAGE)
REDRIVE_HISTORY = Quota(24_998, "events", "RedriveExecution, history", REDRIVE_PAGE)
REDRIVE_TOKENS = Quota(10, "tokens", "RedriveExecution, the latest clientTokens that are recognised", MODEL)
PAGE = Quota(1_000, "results", "ListExecutions, maxResults", MODEL)

# Fields of states.
SECONDS = Quota(99_999_999, "seconds", "Seconds, TimeoutSeconds, HeartbeatSeconds, IntervalSeconds", WAIT_PAGE)
MAX_ATTEMPTS = Quota(99_999_999, "attempts", "Retry, MaxAttempts", ERRORS_PAGE)
MAX_DELAY = Quota(31_622_400, "seconds", "Retry, MaxDelaySeconds", ERRORS_PAGE)
INLINE_CONCURRENCY = Quota(40, "iterations", "an inline Map without MaxConcurrency", MAP_PAGE)

# Distributed Map.
MAP_RUN_CONCURRENCY = Quota(10_000, "children", "Map Run", QUOTAS_PAGE, code="L-3586FBF7")
MAP_RUN_ITEMS = Quota(100_000_000, "items", "Map Run", READER_PAGE, code="L-47716EBC")
OPEN_MAP_RUNS = Quota(1_000, "Map Runs", "open Map Runs of an account and Region", QUOTAS_PAGE, code="L-15D902EC")
CHILD_STARTS = Quota(100, "STANDARD children a second", "Map Run", QUOTAS_PAGE)
EXPRESS_CHILD_STARTS = Quota(1_000, "EXPRESS children a second", "Map Run", QUOTAS_PAGE)
READER_OBJECT = Quota(10 * _GB, "bytes", "ItemReader, one S3 object", READER_PAGE, code="L-2CDE2B0A")
READER_ITEM = Quota(8 * _MIB, "bytes", "ItemReader, one item before ItemSelector", READER_PAGE)
CSV_HEADERS = Quota(10 * _KIB, "bytes", "ReaderConfig, CSVHeaders", READER_PAGE, code="L-752E372A")
ITEMS_POINTER = Quota(1_999, "characters", "ReaderConfig, ItemsPointer", READER_PAGE)
BYTES_BEFORE_ITEMS = Quota(16 * _MIB, "bytes", "ReaderConfig, ItemsPointer: before the array begins", READER_PAGE)
PARQUET_ROW_GROUP = Quota(256 * _MIB, "bytes", "ItemReader, a row group of a Parquet file", READER_PAGE)
PARQUET_FOOTER = Quota(5 * _MIB, "bytes", "ItemReader, the footer of a Parquet file", READER_PAGE)
RESULT_FILE = Quota(5 * _GB, "bytes", "ResultWriter, one file", WRITER_PAGE)

# Intrinsic functions and JSONata.
INTRINSIC_CALLS = Quota(10, "functions", "intrinsic functions in one field", INTRINSICS_PAGE)
INTRINSIC_TEXT = Quota(10_000, "characters", "States.Base64Encode, States.Base64Decode, States.Hash", INTRINSICS_PAGE)
INTRINSIC_RANGE = Quota(1_000, "elements", "States.ArrayRange", INTRINSICS_PAGE)
JSONATA_DEPTH = Quota(100, "nested evaluations", "JSONata expression", FLOCI)
JSONATA_SEQUENCE = Quota(873_782, "elements", "JSONata expression, [1..n]", FLOCI)
JSONATA_RANGE = Quota(360_145, "elements", "JSONata expression, $range", FLOCI)
JSONATA_TEXT = Quota(6_990_256, "characters", "JSONata expression, strings that are joined", FLOCI)
JSONATA_PADDING = Quota(262_144, "characters", "JSONata expression, $pad", STACKD)

# Calls of Step Functions a second, in the Regions with the highest limits: us-east-1, us-west-2, eu-west-1.
START_EXECUTION = Quota(300, "calls a second", "StartExecution", QUOTAS_PAGE, adjustable=True, burst=1_300)
START_MAP_RUN = Quota(25, "Map Runs a second", "StartMapRun, by Step Functions itself", SERVICE_QUOTAS, burst=25)
STATE_TRANSITIONS = Quota(
    5_000, "transitions a second", "StateTransition, STANDARD", QUOTAS_PAGE, adjustable=True, burst=5_000
)
STOP_EXECUTION = Quota(200, "calls a second", "StopExecution", QUOTAS_PAGE, adjustable=True, burst=1_000)
REDRIVE_EXECUTION = Quota(300, "calls a second", "RedriveExecution", QUOTAS_PAGE, adjustable=True, burst=1_300)
DESCRIBE_EXECUTION = Quota(15, "calls a second", "DescribeExecution", QUOTAS_PAGE, adjustable=True, burst=300)
LIST_EXECUTIONS = Quota(5, "calls a second", "ListExecutions", QUOTAS_PAGE, adjustable=True, burst=200)
GET_EXECUTION_HISTORY = Quota(20, "calls a second", "GetExecutionHistory", QUOTAS_PAGE, adjustable=True, burst=400)
DESCRIBE_MAP_RUN = Quota(1, "calls a second", "DescribeMapRun", SERVICE_QUOTAS, adjustable=True, burst=200)
LIST_MAP_RUNS = Quota(1, "calls a second", "ListMapRuns", SERVICE_QUOTAS, adjustable=True, burst=100)
CREATE_STATE_MACHINE = Quota(1, "calls a second", "CreateStateMachine", SERVICE_QUOTAS, adjustable=True, burst=100)
VALIDATE_DEFINITION = Quota(
    1, "calls a second", "ValidateStateMachineDefinition", SERVICE_QUOTAS, adjustable=True, burst=100
)
DIAGNOSTICS = Quota(100, "diagnostics", "ValidateStateMachineDefinition, maxResults", MODEL)
DESCRIBE_STATE_MACHINE = Quota(20, "calls a second", "DescribeStateMachine", QUOTAS_PAGE, adjustable=True, burst=200)

# AWS Batch.
SUBMIT_JOB = _batch(30 * _KIB, "bytes", "SubmitJob, request", BATCH_PAGE)
SUBMIT_JOB_RATE = _batch(50, "calls a second", "SubmitJob", BATCH_PAGE)
BATCH_RATE = _batch(50, "calls a second", "all operations but SubmitJob together", "AWS re:Post, Batch throttling")
DESCRIBE_JOBS = _batch(100, "jobs", "DescribeJobs, jobs", MODEL)
TERMINATE_JOBS = _batch(50, "jobs", "TerminateJobs, jobs", MODEL)
FRONT_OF_QUEUE = _batch(100, "jobs", "GetJobQueueSnapshot, frontOfQueue", MODEL)
JOB_NAME = _batch(128, "characters", "SubmitJob, jobName", MODEL)
JOB_QUEUE_NAME = _batch(128, "characters", "CreateJobQueue, jobQueueName", MODEL)

# Of an account, where AWS allows more than at first. Service Quotas has the present value.
SPOT_VCPUS = Quota(
    5,
    "vCPUs",
    "Spot hosts of standard families (A, C, D, H, I, M, R, T, Z)",
    EC2_PAGE,
    service="ec2",
    adjustable=True,
    code="L-34B43A08",
)
ON_DEMAND_VCPUS = Quota(
    5,
    "vCPUs",
    "On-Demand hosts of standard families (A, C, D, H, I, M, R, T, Z)",
    EC2_PAGE,
    service="ec2",
    adjustable=True,
    code="L-1216C47A",
)
OPEN_MAP_RUNS = Quota(1_000, "Map Runs", "open Map Runs", QUOTAS_PAGE, code="L-15D902EC")
OPEN_EXECUTIONS = Quota(
    1_000_000, "executions", "open executions, children included", QUOTAS_PAGE, adjustable=True, code="L-B8A5B662"
)

# Resource tokens of RunInstances: one for each host.
RUN_INSTANCES = Quota(2, "hosts a second", "RunInstances", EC2_RATES_PAGE, service="ec2", adjustable=True, burst=1_000)
CLUSTER_HOSTS = Quota(5_000, "hosts", "container instances of a cluster", ECS_QUOTAS_PAGE, service="ecs")
GP3_TIB = Quota(
    50, "TiB", "all gp3 volumes of a Region", EBS_QUOTAS_PAGE, service="ebs", adjustable=True, code="L-7A658B76"
)
S3_PUT_RATE = Quota(3_500, "requests a second", "PUT, COPY, POST, DELETE of a prefix", S3_RATES_PAGE, service="s3")
S3_GET_RATE = Quota(5_500, "requests a second", "GET, HEAD of a prefix", S3_RATES_PAGE, service="s3")

# Other services.
# Batch passes a job's overrides on to ECS when the job starts; SubmitJob accepts more, and the job then fails:
# Netflix/metaflow issues 977 and 1482, ASFHyP3/hyp3 issue 3041.
CONTAINER_OVERRIDES = Quota(8_192, "characters", "RunTask, overrides as JSON text", RUN_TASK_PAGE, service="ecs")
STOP_TIMEOUT = Quota(30, "seconds", "stopTimeout: between SIGTERM and SIGKILL", ECS_PAGE, service="ecs")
TEMPLATE_BODY = Quota(51_200, "bytes", "TemplateBody", CLOUDFORMATION_PAGE, service="cloudformation")
TEMPLATE_OBJECT = Quota(1_000_000, "bytes", "TemplateURL, 1 MB", CLOUDFORMATION_PAGE, service="cloudformation")
JOB_DEFINITION = Quota(24_576, "bytes", "RegisterJobDefinition, size", BATCH_PAGE, service="batch")
VOLUME_GIB = Quota(16_384, "GiB", "CreateVolume, gp3", EBS_PAGE, service="ebs")
OBJECT_KEY = Quota(1024, "bytes", "PutObject, Key", S3_KEYS_PAGE, service="s3")
LIST_KEYS = Quota(1_000, "keys", "ListObjectsV2, MaxKeys", S3_PAGE, service="s3")
MESSAGE_SUBJECT = Quota(99, "characters", "Publish, Subject: fewer than 100", SNS_PAGE, service="sns")
EVENT_AGE_S = Quota(86_400, "seconds", "an event is delivered again", EVENTS_PAGE, service="events")
EVENT_RETRIES = Quota(185, "times", "an event is delivered again", EVENTS_PAGE, service="events")
EVENT_PATTERN = Quota(2_048, "characters", "the pattern of a rule", EVENTS_PAGE, service="events")
QUEUE_RETENTION_S = Quota(1_209_600, "seconds", "a message is kept", SQS_PAGE, service="sqs")
FUNCTION_SECONDS = Quota(900, "seconds", "Invoke", LAMBDA_PAGE, service="lambda")
FUNCTION_CONCURRENCY = Quota(
    1_000,
    "concurrent executions",
    "Invoke, all functions of an account and Region",
    LAMBDA_PAGE,
    service="lambda",
    adjustable=True,
    code="L-B99A9384",
)
FUNCTION_MEMORY = Quota(128, "MiB", "CreateFunction, MemorySize by default", LAMBDA_PAGE, service="lambda")
FUNCTION_MEMORY_MOST = Quota(10_240, "MiB", "CreateFunction, MemorySize", LAMBDA_PAGE, service="lambda")
FUNCTION_STORAGE = Quota(512, "MiB", "CreateFunction, EphemeralStorage by default", LAMBDA_PAGE, service="lambda")
FUNCTION_STORAGE_MOST = Quota(10_240, "MiB", "CreateFunction, EphemeralStorage", LAMBDA_PAGE, service="lambda")
FUNCTION_PAYLOAD = Quota(6 * _MIB, "bytes", "Invoke, request and response each", LAMBDA_PAGE, service="lambda")
FUNCTION_NAME = Quota(64, "characters", "CreateFunction, FunctionName", MODEL, service="lambda")
