"""Recording of a run for the picture of the dashboard: `submit` on the project's fakes, with real workers.

A cohort is simulated and submitted. The fakes of Step Functions and Batch run the definition; each job is a process of
the worker with the shipped steps, as in a container, two at a time. One in nine of the jobs' attempts loses its host,
two samples have truncated files, and one is encrypted with a key that the jobs may not use. What cannot be counted
here, such as vCPUs, is not recorded.

    python -m benchmarks.dashboard.record
"""

from __future__ import annotations

import csv
import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.dashboard.counts import Attempt, service_metrics
from benchmarks.dashboard.recording import FILE
from genomics_pipeline.engine.tasks.job import Job, JobEnd
from genomics_pipeline.model.batch_retry import SIGTERM_EXIT_CODE, STACK_RETRY_STRATEGY
from genomics_pipeline.model.task import HOST_FILE
from genomics_pipeline.runs.catalog import load_step
from tests.conftest import AWS_ENVIRONMENT
from tests.fakes.aws import FakeAws
from tests.fakes.batch import Log
from tests.fakes.batch_job import AnyDefinition
from tests.fakes.deployed import Deployed, deployed
from tests.fakes.job_queues import NO_CAPACITY
from tests.fakes.jobs import payload_of
from tests.faults.proxy import DENIED, FaultyS3

SAMPLES, HOSTS, PERIOD_S = 40, 2, 10
TRUNCATED, ENCRYPTED = ("sample07", "sample23"), "sample31"
LOST_ONE_IN = 9
HOST = {"instance_type": "m6id.2xlarge", "zone": "us-east-1a", "market": "spot"}
DECRYPT = (
    "User: arn:aws:sts::000000000000:assumed-role/JobRole/6f1c is not authorized to perform: kms:Decrypt on resource: "
    "arn:aws:kms:us-east-1:000000000000:key/of-reads because no identity-based policy allows it"
)


@dataclass
class Hosts:
    """A few hosts, each of which runs one job at a time, and what their jobs leave behind."""

    fake: FakeAws
    scratch: Path
    s3: str
    free: int = HOSTS
    attempts: list[Attempt] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def admit(self, job: Job) -> str:
        """Give a host to a job, or return why there is none."""
        if not self.free:
            return NO_CAPACITY
        self.free -= 1
        return ""

    def run(self, job: Job, log: Log) -> JobEnd:
        """Run an attempt of a job; the host is free again once no attempt follows."""
        began = time.time()
        with self.lock:
            self.attempts.append(Attempt(job.job_id, job.queue, job.attempt, began))
            number = len(self.attempts)
        end = JobEnd(SIGTERM_EXIT_CODE) if number % LOST_ONE_IN == 0 else JobEnd(self._work(job))
        with self.lock:
            self.attempts[number - 1].end(time.time(), end.exit_code or 0)
        if end.exit_code != SIGTERM_EXIT_CODE:
            self.free += 1
            self.fake.batch.queues.review()
        return end

    def _work(self, job: Job) -> int:
        scratch = self.scratch / f"{job.job_id}-{job.attempt}"
        scratch.mkdir(parents=True)
        (scratch / HOST_FILE).write_text(json.dumps(HOST))  # as user data writes it
        environment = {
            **os.environ,
            **job.environment,
            "AWS_ENDPOINT_URL_S3": self.s3,
            "GENOMICS_PIPELINE_STEP": str(load_step(payload_of(job).step).path),
            "GENOMICS_PIPELINE_SCRATCH": str(scratch),
            "GENOMICS_PIPELINE_VCPUS": "1",
            "AWS_BATCH_JOB_ID": job.job_id,
            "AWS_BATCH_JOB_ATTEMPT": str(job.attempt),
        }
        command = [sys.executable, "-m", "genomics_pipeline.worker"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        stream = f"{job.definition}/default/{job.job_id.replace('-', '')}"
        lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"_aws"')]
        self.log += [{**line, "@logStream": stream} for line in lines]
        return ended.returncode


@contextmanager
def fakes(folder: Path) -> Iterator[tuple[FakeAws, str]]:
    """Serve the fakes beside moto, and point boto3 in this process and its children to them."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # which would print each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    os.environ.update({**AWS_ENVIRONMENT, "AWS_ENDPOINT_URL": url})
    fake = FakeAws(folder / "step-functions", url)
    os.environ.update(fake.environment)
    with fake.serving():
        yield fake, url
    server.stop()


def command(*arguments: str | Path) -> str:
    """Run a command of the package and return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-m", "genomics_pipeline", *map(str, arguments)], stdout=subprocess.PIPE, text=True, check=True
    )
    return ended.stdout


def upload(cohort: Path, stack: Deployed) -> Path:
    """Upload the FASTQ files of a cohort, some of them damaged, and return a sheet of them."""
    stack.s3.create_bucket(Bucket="encrypted")
    with (cohort / "cohort.csv").open() as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        for column in ("fastq_1", "fastq_2"):
            data = (cohort / row[column]).read_bytes()
            bucket = "encrypted" if row["sample"] == ENCRYPTED else stack.bucket
            row[column] = stack.put(f"reads/{row[column]}", data[:-40] if row["sample"] in TRUNCATED else data, bucket)
    with (cohort / "dashboard.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return cohort / "dashboard.csv"


def deny(method: str, path: str) -> str | None:
    """Refuse to read what is encrypted with a foreign key."""
    return f"{DENIED}{DECRYPT}" if method in ("HEAD", "GET") and path.startswith("/encrypted/reads/") else None


def record(folder: Path) -> dict[str, Any]:
    """Run the cohort and return what the picture needs."""
    cohort = folder / "cohort"
    command("simulate", "--out", cohort, "--samples", str(SAMPLES), "--length", "20000", "--depth", "20")
    with fakes(folder) as (fake, moto), deployed(moto) as stack, FaultyS3(moto, deny) as s3:
        hosts = Hosts(fake, folder / "scratch", s3.url)
        fake.batch.definitions = AnyDefinition(STACK_RETRY_STRATEGY)
        fake.batch.run_job, fake.batch.queues.block = hosts.run, hosts.admit
        sheet = upload(cohort, stack)
        run = json.loads(command("submit", sheet, "--reference", cohort / "reference.fa", "--json"))["run"]
        execution = fake.execution(run)
        execution.wait(timeout=3600)
        began, ended = execution.started, execution.stopped or time.time()
        log = [{"@timestamp": round(line["_aws"].pop("Timestamp") / 1000 - began, 3), **line} for line in hosts.log]
        submitted = {job.job.job_id: job.created for job in fake.batch.jobs.values()}
        series = service_metrics(execution, hosts.attempts, submitted)
    return {
        "seconds": round(ended - began, 3),
        "period_s": PERIOD_S,
        "log": log,
        "series": [
            {**one, "points": [[round(at - began, 3), round(value, 3)] for at, value in sorted(one["points"])]}
            for one in series
        ],
    }


def write(recorded: dict[str, Any], file: Path) -> None:
    """Write a recording, one line for each line of the log and each metric."""
    lists = {
        name: "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in recorded[name]) + "\n]"
        for name in ("log", "series")
    }
    numbers = (f'"{name}": {recorded[name]}' for name in ("seconds", "period_s"))
    members = [*numbers, *(f'"{name}": {text}' for name, text in lists.items())]
    file.write_text("{\n" + ",\n".join(members) + "\n}\n", "utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        write(record(Path(temporary)), FILE)
    print(f"recorded: {FILE.relative_to(Path.cwd())}")
