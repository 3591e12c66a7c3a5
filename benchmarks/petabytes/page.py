"""`docs/petabytes.md`: ten petabytes of genomes a month, from plans.

make petabytes                                   # a minute or two
python -m benchmarks.petabytes.page --scale 100  # seconds: a hundredth of the genomes and of the vCPUs
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from itertools import repeat
from pathlib import Path
from typing import Any

from benchmarks.petabytes.plans import (
    AMPLE_VCPUS,
    DAYS,
    PIPELINE,
    Planner,
    Volume,
    dollars,
    scratch_planner,
    usage,
    vcpu_hours,
)
from genomics_pipeline.aws.template.parameters import PARAMETERS
from genomics_pipeline.model import quotas
from genomics_pipeline.model.tolerance import parse_most_failures
from genomics_pipeline.planning.limits import REFUSES
from genomics_pipeline.planning.plan import Plan
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.estimate import HOST_VCPUS

ROOT = Path(__file__).parents[2]
RATES = ROOT / "genomics_pipeline/planning/calibration.toml"
VOLUMES = (Volume(100_000, 100), Volume(167_000, 60))
BATCH = VOLUMES[0]
SMALL = Volume(100_000, 0.05)  # panels, whose jobs take seconds
HAND = (12_300, 20_600)  # vCPUs by a hand calculation with bwa
MOST = quotas.MAP_RUN_CONCURRENCY.value
DEFAULT_VCPUS = int(PARAMETERS["MaxVcpus"]["Default"])
USED = (
    quotas.CHILD_STARTS,
    quotas.CLUSTER_HOSTS,
    quotas.GP3_TIB,
    quotas.MAP_RUN_CONCURRENCY,
    quotas.OPEN_EXECUTIONS,
    quotas.OPEN_MAP_RUNS,
    quotas.RUN_INSTANCES,
    quotas.SPOT_VCPUS,
    quotas.STATE_TRANSITIONS,
    quotas.SUBMIT_JOB_RATE,
)
Row = Sequence[object]


def fingerprint() -> str:
    """Return the digest of the data that the numbers rest on: rates, quotas, prices, resources of steps."""
    prices = sorted((ROOT / "genomics_pipeline/prices").rglob("*.json")) + sorted(
        (ROOT / "genomics_pipeline/prices").rglob("*.csv")
    )
    pipeline, _ = load_pipeline(PIPELINE)
    settings = {name: value for name, value in asdict(pipeline.maps["sample"]).items() if name != "source"}
    limits = [(one.operation, one.value, one.burst) for one in USED]
    digest = sha256(repr([limits, settings, [one.step.resources for one in pipeline.stages]]).encode())
    rates = tomllib.loads(RATES.read_text())["steps"]
    own = {one.step.name: {**rates[one.step.name], "version": ""} for one in pipeline.stages}
    digest.update(json.dumps(own, sort_keys=True).encode())
    for file in prices:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def page(scale: int = 1) -> str:
    """Return the page; with a scale, of a part of the genomes and vCPUs.

    Args:
        scale: By what they are divided.
    """
    with ProcessPoolExecutor() as processes:
        sections = dict(zip(SECTIONS, processes.map(section, SECTIONS, repeat(scale)), strict=True))  # longest first
    head, foot = _HEAD.format(digest=fingerprint(), days=DAYS), _FOOT
    return "\n".join([head, *(sections[name] for name in ORDER), foot])


def section(name: str, scale: int) -> str:
    """Return a section of the page.

    Args:
        name: A name of `SECTIONS`.
        scale: See `page`.
    """
    planner, folder = scratch_planner(scale)
    with folder:
        return "\n".join(SECTIONS[name](planner))


def _text(text: str) -> Iterator[str]:
    yield from text.splitlines()
    yield ""


def _table(head: Row, rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(map(str, head))} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |"
    yield ""


def _days(seconds: float) -> str:
    return f"{seconds / 86_400:,.1f} d" if seconds >= 86_400 else f"{seconds / 3600:,.1f} h"


def _each(plan: Plan) -> str:
    return f"${dollars(plan) / plan.samples:,.2f}"


def _continuous(planner: Planner) -> Iterator[str]:
    yield from _text(_CONTINUOUS)
    plans = [planner.plan(volume, AMPLE_VCPUS, arriving_days=DAYS) for volume in VOLUMES]
    rows: list[Row] = []
    for volume, plan in zip(VOLUMES, plans, strict=True):
        assert plan.sample_s is not None
        hours = vcpu_hours(plan, planner.vcpus)
        orchestration = dollars(plan, "transitions") / dollars(plan)
        rows.append(
            (
                volume,
                f"{hours / plan.samples:,.1f}",
                f"{hours / DAYS / 24:,.0f}",
                f"{usage(plan, 'Spot vCPUs').used:,.0f}",
                f"{usage(plan, 'open executions').used:,.0f}",
                f"{_days(plan.sample_s.p50)}, {_days(plan.sample_s.p90)}",
                _each(plan),
                f"${dollars(plan, 'compute') / plan.samples:,.2f}",
                f"{orchestration:.3%}",
            )
        )
    head = (
        "a month",
        "vCPU hours each",
        "vCPUs on average",
        "at most",
        "open executions",
        "a sample takes p50, p90",
        "a genome",
        "of it hosts",
        "transitions",
    )
    yield from _table(head, rows)
    low, high = HAND
    yield f"A hand calculation with bwa gave {low:,} to {high:,} vCPUs: {low * DAYS * 24 // 100_000:,} to " + (
        f"{high * DAYS * 24 // 100_000:,} vCPU hours a genome. The rates of the model are those of"
    )
    yield "`planning/calibration.toml`, with the default aligner; its `basis` says how much of them is measured."
    yield ""
    yield from _quotas(plans[0])


def _quotas(plan: Plan) -> Iterator[str]:
    """Yield the limits as they are at first, and which part of the month each carries."""
    yield from _text(_QUOTAS)
    vcpus = usage(plan, "Spot vCPUs").used
    open_children = usage(plan, "open executions").used
    hosts = usage(plan, "hosts of the cluster")
    volumes = usage(plan, "gp3 volumes")
    found: list[tuple[str, float, float, str, str]] = [
        ("Spot vCPUs of a new account", quotas.SPOT_VCPUS.value, vcpus, "vCPUs", "Service Quotas, `L-34B43A08`"),
        ("`MaxVcpus` of the stack", DEFAULT_VCPUS, vcpus, "vCPUs", "`deploy --max-vcpus`"),
        ("`max_concurrency` of one run", 1000, open_children, "children", "`submit --max-concurrency`"),
        ("children of a Map Run", MOST, open_children, "children", "`map_runs`"),
        ("gp3 volumes of a Region", volumes.limit, volumes.used, "TiB", "Service Quotas, `L-7A658B76`; `VolumeGiB`"),
        ("hosts of an ECS cluster", hosts.limit, hosts.used, "hosts", "larger hosts; a second stack"),
    ]
    for name, unit in (("SubmitJob", "calls a second"), ("state transitions", "a second")):
        one = usage(plan, name)
        found.append((name, one.limit, one.used, unit, "a request to AWS"))
    one = usage(plan, "open executions")
    found.append(("open executions", one.limit, one.used, "executions", "Service Quotas, `L-B8A5B662`"))
    found.sort(key=lambda row: row[1] / max(row[2], 1e-9))
    rows = [
        (name, f"{limit:,.0f} {unit}", f"{used:,.0f}" if used >= 10 else f"{used:,.1f}", _carries(limit / used), by)
        for name, limit, used, unit, by in found
    ]
    yield from _table(("limit", "at first", f"{BATCH} need", "carries, of 10 PB a month", "raised by"), rows)


def _carries(share: float) -> str:
    return f"{share:.1%}" if share < 1 else f"{share:,.1f} times"


def _batch(planner: Planner) -> Iterator[str]:
    yield from _text(_BATCH)
    rows: list[Row] = []
    for vcpus in (DEFAULT_VCPUS, *HAND, 80_000, 400_000):
        children = max(planner.vcpus.values())
        wanted = -(-vcpus // children)
        parts = -(-wanted // MOST)
        plan = planner.plan(BATCH, vcpus, max_concurrency=min(MOST, wanted), map_runs=parts)
        exceeded = [one.name for one in plan.usages if one.exceeded and one.effect == REFUSES]
        hosts = usage(plan, "hosts of the cluster").used
        rows.append(
            (
                f"{vcpus:,}",
                f"{parts} × {min(MOST, wanted):,}",
                _days(plan.duration_s.p50),
                f"{_days(plan.duration_s.p10)} to {_days(plan.duration_s.p90)}",
                f"{hosts:,.0f}",
                f"{-(-int(hosts) // quotas.CLUSTER_HOSTS.value)}",
                ", ".join(exceeded) or "–",
                _each(plan),
            )
        )
    head = (
        "`MaxVcpus`",
        "Map Runs × `max_concurrency`",
        "drained in",
        "p10 to p90",
        "hosts",
        "clusters",
        "exceeded",
        "a genome",
    )
    yield from _table(head, rows)
    yield f"{BATCH}. Hosts have {HOST_VCPUS} vCPUs, an assumption; jobs run on Spot hosts, and on On-Demand"
    yield "hosts where these do not suffice."
    yield ""


def _several_map_runs(planner: Planner) -> Iterator[str]:
    yield from _text(_MAP_RUNS)
    rows: list[Row] = []
    for vcpus in (HAND[1], 400_000):
        for parts in (1, 2, 5):
            plan = planner.plan(BATCH, vcpus, max_concurrency=MOST, map_runs=parts)
            children = usage(plan, "open executions").used - 1
            rows.append(
                (
                    f"{vcpus:,}",
                    parts,
                    f"{children:,.0f}",
                    _days(plan.duration_s.p50),
                    f"{plan.counts.transitions:,}",
                    f"{usage(plan, 'open Map Runs').used:,.0f} of {quotas.OPEN_MAP_RUNS.value:,}",
                )
            )
    head = ("`MaxVcpus`", "`map_runs`", "children at a time", "drained in", "transitions", "open Map Runs")
    yield from _table(head, rows)


def _bad_days(planner: Planner) -> Iterator[str]:
    yield from _text(_BAD_DAYS)
    half = planner.pipeline("half", "tolerated_failure_percentage = 50")
    cases: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("a usual day", {}),
        ("Spot storm: half of the jobs lose their hosts twice", {"inject": planner.faults("storm")}),
        ("throttled account: each first submission is refused five times", {"inject": planner.faults("throttled")}),
        ("no Spot hosts at all", {"quotas": (f"spot_vcpus={max(planner.vcpus.values())}",)}),
        ("bad reference, half of the samples tolerated", {"inject": planner.faults("reference"), "pipeline": half}),
        ("bad reference, as shipped: 1 % of so many samples", {"inject": planner.faults("reference")}),
        (
            "bad reference, `--max-failures 100`",
            {"inject": planner.faults("reference"), "most_failures": parse_most_failures("100")},
        ),
    )
    rows: list[Row] = []
    for name, options in cases:
        plan = planner.plan(BATCH, HAND[1], max_concurrency=-(-HAND[1] // max(planner.vcpus.values())), **options)
        ends = "fails after" if plan.stopped else "drained in"
        attempts = sum(one.attempts for one in plan.timeline) if not plan.stopped else None
        rows.append(
            (
                name,
                f"{ends} {_days(plan.duration_s.p50)}",
                "–" if attempts is None else f"{sum(plan.counts.attempts.values()):,}",
                f"${dollars(plan, 'compute'):,.0f}",
            )
        )
    yield from _table(("day", "one batch", "attempts", "hosts"), rows)
    storm = planner.plan(BATCH, AMPLE_VCPUS, arriving_days=DAYS, inject=planner.faults("storm"))
    assert storm.sample_s is not None
    yield (
        f"Arriving continuously, a month of such a storm needs {usage(storm, 'Spot vCPUs').used:,.0f} vCPUs at most, "
        f"and a sample takes {_days(storm.sample_s.p50)} (p90 {_days(storm.sample_s.p90)}), for {_each(storm)}."
    )
    yield ""


def _patterns(planner: Planner) -> Iterator[str]:
    yield from _text(_PATTERNS.format(vcpus=f"{HAND[1]:,}"))
    rows: list[Row] = []
    for size in (1, 10, 50):
        settings = "tolerated_failure_percentage = 50" + (f"\nitems_per_batch = {size}" if size > 1 else "")
        for volume in (SMALL, BATCH):
            name = planner.pipeline(f"batch{size}", settings)
            plan = planner.plan(volume, HAND[1], max_concurrency=MOST, pipeline=name)
            longest = max(one.job_s for one in plan.timeline)
            rows.append(
                (
                    volume,
                    size,
                    f"{plan.jobs:,}",
                    f"{longest / 3600:,.2f} h" if longest >= 360 else f"{longest:,.0f} s",
                    _days(plan.duration_s.p50),
                    f"{plan.counts.transitions:,}",
                    f"${dollars(plan, 'transitions'):,.2f}",
                    _each(plan) if volume is BATCH else f"${dollars(plan) / plan.samples:,.4f}",
                )
            )
    rows.sort(key=lambda row: str(row[0]))
    head = (
        "samples",
        "a batch",
        "jobs",
        "an attempt of the longest stage",
        "drained in",
        "transitions",
        "cost of them",
        "a sample",
    )
    yield from _table(head, rows)


SECTIONS: Mapping[str, Callable[[Planner], Iterator[str]]] = {
    "patterns": _patterns,
    "map runs": _several_map_runs,
    "bad days": _bad_days,
    "batch": _batch,
    "continuous": _continuous,
}
ORDER = ("continuous", "batch", "map runs", "bad days", "patterns")


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--scale", type=int, default=1, help="divide the genomes and the vCPUs by this number")
    sys.stdout.write(page(parser.parse_args().scale))


_HEAD = """\
# Ten petabytes a month

100,000 genomes of 100 GB of FASTQ files, or 167,000 of 60 GB, in {days} days, by the pipeline `germline-single`:
what they need, which limit breaks first, and what a bad day costs. Every number is of `genomics-pipeline plan`:
counts are those of the definition, executed; times are simulated; quotas, rates and prices are data with dates.
[plan.md](plan.md) says what each rests on and what is not simulated.

This page is made by `make petabytes` and compared with a new one in CI. Do not edit it: its text is in
`benchmarks/petabytes/page.py`. It is of the data <!-- data -->`{digest}`<!-- /data -->.
"""

_CONTINUOUS = """\
## Arriving continuously

`plan --samples N --gigabytes G --pipeline germline-single --arriving-days 30`. Each sample is a run of its own, which
[`watch`](watch.md) starts as it arrives, and begins at once.
"""

_QUOTAS = """\
## Which limit breaks first

The limits as they are before anything is raised, the one that breaks first above.
"""

_BATCH = """\
## As one batch

All samples at once, in one run: `submit --max-concurrency`, and `map_runs` of the pipeline file where one Map Run
does not hold the children.
"""

_MAP_RUNS = """\
## Several Map Runs, queues and clusters

An inline Map around the Distributed Map starts a Map Run for each part of the manifest:
[aws.md](aws.md#several-map-runs). It pays where more than 10,000 jobs run at a time, and not before: SubmitJob,
transitions, vCPUs and hosts are of the account. It is validated by tests: the same results as of one Map Run, byte
for byte, and the counts of transitions and events equal those of the engine that executes it.
"""

_BAD_DAYS = """\
A queue of a stack has one compute environment, and so one ECS cluster of at most 5,000 hosts. Where the table above
has more than one cluster, divide the cohort among as many stacks, or use larger hosts: 5,000 hosts of 96 vCPUs have
480,000.

## A bad day

The file of `run --inject` ([faults.md](faults.md)) is that of `plan --inject`. An attempt that a fault ends has run
for a part of its time. Of a run that fails, hosts are those until then.
"""

_PATTERNS = """\
The tolerance decides what a bad reference costs: Step Functions ends a Map Run when *more* than the tolerated items
have failed, by a percentage of all items or by a number of them. A percentage alone lets half of a large cohort run in
vain; so the shipped pipelines also have a number, 100 or 1 % of the samples if that is more, which `submit` computes
and `--max-failures` replaces: [ledger.md](ledger.md#when-a-run-stops). Single bad samples are far fewer, and what one
mistake costs is about a hundredth of the samples at most.

## Batches and nested maps

A batch is one child and one job a stage for several samples (`items_per_batch`). Here as many children run at a time as
one Map Run has, up to 10,000, with {vcpus} vCPUs of Spot hosts and as many of On-Demand hosts. What the Spot hosts do
not hold is on On-Demand hosts: so a sample costs more than above, and less where there are few batches. An attempt that
lost its host has run for a part of its time, which the mean counts.
"""

_FOOT = """\
*Batches* pay for samples of seconds or minutes: fewer submissions, which the account's 50 a second delay, and fewer
transitions. They do not pay for genomes: a batch fails as a whole in its first stage that fails, its job takes the
time of all of its samples (`timeout_s` is multiplied), and all of it is lost with a host. The job's overrides hold
8,192 characters.

*Nested maps*, as above: at most 40 parts, since an inline Map has no more iterations at a time, and one history of
25,000 events for all of them, of which each part takes ten. If one part fails, Step Functions aborts the others;
`rerun` runs what is missing. A Distributed Map in the children of another is not generated: its open Map Runs would
count against the 1,000 of the account, one for each child.
"""

if __name__ == "__main__":
    main()
