"""Injected faults, declared in a TOML file: which pairs of stage and item each applies to, and how often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from genomics_pipeline.model.errors import Problem, did_you_mean
from genomics_pipeline.model.failure import FailureClass
from genomics_pipeline.model.toml_file import TomlFile

ENGINE_KILLED = "engine_killed"  # not a class of failures: the whole process is killed
_UNITS = {
    ENGINE_KILLED: "time",
    FailureClass.THROTTLED: "submission",
}  # of `Fault.times`; else attempts


@dataclass(frozen=True, slots=True)
class Fault:
    """One injected fault.

    Attributes:
        number: Its position in the file, counted from 1.
        kind: A `FailureClass`, or `ENGINE_KILLED`.
        stage: The stage it applies to; None for any.
        samples: The samples it applies to; empty for any item.
        share: The fraction of those pairs of stage and item that it applies to.
        times: The number of attempts of each that it fails, from the first one; None for all.
        below_mib: The memory below which a job is killed; None if memory does not matter.
    """

    number: int
    kind: str
    stage: str | None = None
    samples: tuple[str, ...] = ()
    share: float = 1.0
    times: int | None = 1
    below_mib: int | None = None

    def strikes(self, seed: int, stage: str, scope: str, item: str) -> bool:
        """Tell whether the fault applies to an item of a stage; the answer depends on the seed only."""
        if self.stage not in (None, stage) or (self.samples and (scope != "sample" or item not in self.samples)):
            return False
        return _chance(seed, self.number, self.kind, stage, item) < self.share

    def asks_less(self, mib: int) -> bool:
        """Tell whether a job with this much memory is killed."""
        return self.below_mib is None or mib < self.below_mib

    def __str__(self) -> str:
        """Return a description of one line.

        >>> str(Fault(1, "host_lost", "alignment", ("a", "b"), share=0.3, times=2))
        '1. host_lost: alignment of a, b, 30 % of them, the first 2 attempts'
        """
        whom = ", ".join(self.samples) or "any item"
        part = f", {self.share * 100:g} % of them" if self.share < 1 else ""
        return f"{self.number}. {self.kind}: {self.stage or 'any stage'} of {whom}{part}, {self._often()}"

    def _often(self) -> str:
        if self.below_mib is not None:
            return f"until it requests {self.below_mib} MiB"
        if self.times is None:
            return "always"
        unit = _UNITS.get(self.kind, "attempt")
        return f"the first {unit}" if self.times == 1 else f"the first {self.times} {unit}s"


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of a file, and the seed that selects the items they apply to."""

    file: str
    seed: int
    faults: tuple[Fault, ...]

    def of(self, stage: str, scope: str, item: str) -> Iterator[Fault]:
        """Return the faults that apply to an item of a stage, in the file's order."""
        return (fault for fault in self.faults if fault.strikes(self.seed, stage, scope, item))

    def __str__(self) -> str:
        """Return a description of one line for each fault."""
        return "\n  ".join([f"injected faults: {self.file}, seed {self.seed}", *map(str, self.faults)])


def parse_faults(text: str, *, file: str, stages: Mapping[str, str], samples: Sequence[str]) -> Faults:
    """Return the faults that a TOML file declares.

    Args:
        text: The file's text.
        file: Its name, for messages.
        stages: The scope of each stage of the pipeline.
        samples: The samples of the run.

    Raises:
        DataError: with all problems, in source order.
    """
    toml = TomlFile(text, file=file, schema="faults")
    raws = toml.data["faults"]
    toml.refuse([problem for index in range(len(raws)) for problem in _problems(toml, index, stages, samples)])
    return Faults(file, toml.data.get("seed", 0), tuple(_fault(number, raw) for number, raw in enumerate(raws, 1)))


def _fault(number: int, raw: Mapping[str, Any]) -> Fault:
    return Fault(
        number=number,
        kind=raw["class"],
        stage=raw.get("stage"),
        samples=tuple(raw.get("samples", ())),
        share=float(raw.get("share", 1)),
        times=None if raw.get("always") or "below_mib" in raw else raw.get("times", 1),
        below_mib=raw.get("below_mib"),
    )


def _problems(toml: TomlFile, index: int, stages: Mapping[str, str], samples: Sequence[str]) -> Iterator[Problem]:
    path, raw = ("faults", index), toml.data["faults"][index]
    stage = raw.get("stage")
    if stage is not None and stage not in stages:
        yield toml.problem((*path, "stage"), f"unknown stage {stage!r}; {did_you_mean(stage, list(stages))}")
    for name in raw.get("samples", ()):
        if name not in samples:
            yield toml.problem((*path, "samples"), f"unknown sample {name!r}; {did_you_mean(name, samples)}")
    if "samples" in raw and stages.get(stage, "sample") != "sample":
        message = f"expected a stage of scope sample, found {stage!r}, whose scope is {stages[stage]}"
        yield toml.problem((*path, "samples"), message)
    if "below_mib" in raw and raw["class"] != FailureClass.OUT_OF_MEMORY:
        message = f"expected below_mib in faults of class out_of_memory only, found it in {raw['class']}"
        yield toml.problem((*path, "below_mib"), message)
    limits = [key for key in ("times", "always", "below_mib") if raw.get(key)]
    if len(limits) > 1:
        message = f"expected one of times, always and below_mib, found {' and '.join(limits)}"
        yield toml.problem((*path, limits[1]), message)
    if raw["class"] == ENGINE_KILLED and raw.get("always"):
        yield toml.problem((*path, "always"), "expected times: a run that is always killed would never end")


def _chance(*parts: object) -> float:
    """Return a number in [0, 1) that depends on the arguments only."""
    digest = sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
