"""Many requests: at a limited rate, in parallel, and retried when AWS throttles them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from botocore.exceptions import ClientError

from genomics_pipeline.aws import patience
from genomics_pipeline.aws.clients import CONNECTIONS
from genomics_pipeline.aws.objects import Head
from genomics_pipeline.aws.patience import ROUNDS, in_parallel, retry_throttled
from genomics_pipeline.cli.adapters import aws_clients
from genomics_pipeline.model.sample import Lane, Sample
from genomics_pipeline.runs.aws import files as aws_files
from genomics_pipeline.runs.given_files import reads
from tests.fakes.loopback_server import LoopbackServer


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "ListJobs")


@pytest.mark.parametrize("code", ["503", "SlowDown", "TooManyRequestsException", "ThrottlingException"])
def test_throttled_requests_are_retried(code: str) -> None:
    answers: list[object] = [client_error(code), client_error(code), "there"]
    pauses: list[float] = []

    def request() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert retry_throttled(request, pauses.append) == "there"
    assert [0 <= pause <= most for pause, most in zip(pauses, (1, 2), strict=True)] == [True, True]


def test_other_errors_and_the_last_round_are_not_retried() -> None:
    pauses: list[float] = []

    def refuse(code: str) -> None:
        raise client_error(code)

    with pytest.raises(ClientError):
        retry_throttled(lambda: refuse("AccessDenied"), pauses.append)
    assert pauses == []
    with pytest.raises(ClientError):
        retry_throttled(lambda: refuse("503"), pauses.append)
    assert len(pauses) == ROUNDS - 1
    assert max(pauses) <= patience.LONGEST_PAUSE_S


def test_answers_are_in_order_and_requests_are_limited() -> None:
    count = 0

    def numbers() -> Iterator[int]:
        nonlocal count
        while count < 4999:
            count += 1
            yield count

    answers = in_parallel(lambda number: 2 * number, numbers())
    assert next(answers) == 2
    assert count <= patience.AT_ONCE
    assert list(answers) == [2 * number for number in range(2, 5000)]


class Throttled(BaseHTTPRequestHandler):
    """A server that answers every second HEAD with 503, without a body."""

    protocol_version = "HTTP/1.1"
    requests = 0
    lock = threading.Lock()

    def do_HEAD(self) -> None:  # http.server's name
        with self.lock:
            Throttled.requests += 1
            odd = Throttled.requests % 2
        self.send_response(503 if odd else 200)
        self.send_header("Content-Length", "10")
        self.send_header("Last-Modified", "Tue, 24 Nov 2026 10:00:00 GMT")
        self.send_header("ETag", '"e"')
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Print nothing."""


def test_many_heads_against_a_throttled_s3_finish(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    pair = [Lane("L1", f"s3://reads/{number}_1.fastq", f"s3://reads/{number}_2.fastq") for number in range(50)]
    samples = [Sample(f"S{number}", "P", "NA", 0, (lane,)) for number, lane in enumerate(pair)]
    with LoopbackServer(Throttled) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        assert list(aws_files.file_problems(reads(samples), "bucket", aws_clients())) == []
    assert Throttled.requests > 150


def test_a_client_has_a_connection_for_each_thread(aws: str) -> None:
    config: Any = aws_clients().s3.meta.config  # the stubs leave out its options
    assert config.max_pool_connections == CONNECTIONS
    assert Head(1).archive is None
