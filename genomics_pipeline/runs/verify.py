"""The verification of a run: its definition, its items, its files and its joint VCF are those of its records."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from genomics_pipeline.aws.patience import in_parallel
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError, PipelineError, Problem
from genomics_pipeline.model.quantity import quantity
from genomics_pipeline.model.step import StepSpec
from genomics_pipeline.records.completion import CompletionRecord, FileRecord
from genomics_pipeline.records.definition import read_run_definition
from genomics_pipeline.records.given_gvcfs import read_given_gvcfs
from genomics_pipeline.reference.panel_vcf import panel_people
from genomics_pipeline.report.planned_tasks import item_names
from genomics_pipeline.report.verification import Verification
from genomics_pipeline.runs.catalog import load_pipeline
from genomics_pipeline.runs.own_definition import is_generated_here
from genomics_pipeline.runs.readable_run import VerifiableRun
from genomics_pipeline.runs.run_files import RunFiles
from genomics_pipeline.runs.stage_groups import COHORT, StageGroup

PIECE_BYTES = 1 << 20
SHORT = 12  # of a digest
OTHER_DEFINITION = "the definition is not the one that this installation generates; it is as recorded"
VCF, GVCF = ".vcf.gz", ".g.vcf.gz"
ItemRecords = tuple[str, Mapping[str, CompletionRecord | None]]


def verify(run: VerifiableRun, quick: bool) -> Verification:
    """Compare a run with its records.

    Args:
        run: The run.
        quick: Compare only the sizes of files, not their digests.

    Raises:
        RunError: for a run without a definition or an execution; if AWS cannot be reached.
    """
    files, state = run.files, run.state()
    found = _Deviations(files, quick, {}, state.is_accepted)
    found.deviations += run.definition_problems()
    if state.status != "SUCCEEDED":
        found.deviations.append(Problem(f"expected a run that SUCCEEDED, found {state.status}", files.shown))
    notes: list[str] = []
    try:
        pipeline, steps = load_pipeline(run.requested_pipeline)
        found.specs = {stage.name: stage.step for stage in pipeline.stages}
        found.programs = {stage.name: steps[stage.step.name].digest for stage in pipeline.stages}
        if not files.is_on_aws:
            definition = read_run_definition(files.store, files.place.uri(run_layout.DEFINITION))
            notes += [] if is_generated_here(definition, pipeline) else [OTHER_DEFINITION]
    except DataError as error:  # the file of the pipeline is on another machine
        notes.append(f"definition and programs are not compared with this installation: {error.problems[0]}")
    groups = files.groups()
    for group in groups:
        for item, records in _records(files, group):
            found.add_item(group, item, records)
    found.add_programs()
    joint = found.joint_samples(groups)
    return Verification(
        run=files.shown,
        deviations=found.deviations,
        records=found.records,
        files=found.files_compared,
        size_bytes=found.size_bytes,
        missing=found.missing,
        expired=found.expired,
        quick=quick,
        joint_samples=joint,
        unchecked=run.unchecked,
        notes=tuple(notes),
    )


def _records(files: RunFiles, group: StageGroup) -> Iterator[ItemRecords]:
    """Yield each item of a group with the record of each of its stages."""

    def read(item: str) -> ItemRecords:
        return item, {stage: files.record(stage, item) for stage in group.stages}

    return in_parallel(read, files.items(group.scope))


@dataclass(slots=True)
class _Deviations:
    """The deviations and the counts so far.

    Attributes:
        files: The files of the run.
        quick: Whether only sizes are compared.
        specs: The declaration of each stage's step, where they are known here.
        accepts: Whether the user accepts the items that are missing.
        programs: The sha256 of the program of each stage's step, where it is compared.
        others: The number of records by stage that another program of the step has made.
        deviations: The deviations.
        records: The number of records.
        files_compared: The number of files.
        size_bytes: Their size.
        missing: The number of missing items that are accepted.
        expired: The number of files that have expired.
        done_samples: The samples whose stages are all done.
        vcfs: The VCF files of the cohort.
    """

    files: RunFiles
    quick: bool
    specs: Mapping[str, StepSpec]
    accepts: bool
    programs: Mapping[str, str] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    deviations: list[Problem] = field(default_factory=list)
    records: int = 0
    files_compared: int = 0
    size_bytes: int = 0
    missing: int = 0
    expired: int = 0
    done_samples: dict[str, bool] = field(default_factory=dict)
    vcfs: list[FileRecord] = field(default_factory=list)

    def add_item(self, group: StageGroup, item: str, records: Mapping[str, CompletionRecord | None]) -> None:
        """Verify the records of an item.

        Args:
            group: The group of its stages.
            item: The item.
            records: Its record of each stage; None of a stage that is not done.
        """
        lacking = [stage for stage, record in records.items() if record is None]
        if group.scope == "sample":
            self.done_samples[item] = self.done_samples.get(item, True) and not lacking
        if lacking and self.accepts:
            self.missing += 1
        elif lacking:
            message = f"{lacking[0]} of {item}: expected a completion record, found none that can be read"
            self._deviate(message, self.files.shown_key(run_layout.completion_record(lacking[0], item)))
        for record in filter(None, records.values()):
            self._add_record(record, group.scope)

    def _add_record(self, record: CompletionRecord, scope: str) -> None:
        self.records += 1
        name = f"{record.stage} of {record.item}"
        if record.provenance.program != self.programs.get(record.stage, record.provenance.program):
            self.others[record.stage] += 1
        spec = self.specs.get(record.stage)
        if spec is not None and spec.name == record.step and spec.version == record.provenance.version:
            for output in spec.lacking(record.outputs):
                self._deviate(f"{name}: expected the output {output}, which is not recorded")
            for output, one in record.outputs.items():
                if output in spec.outputs and spec.outputs[output].indexes and not one.indexes:
                    self._deviate(f"{name}: expected an index of it, none is recorded", self.files.shown_key(one.key))
        for source, sha256 in record.sources.items():
            stage, _, output = source.partition(".")
            made = self.files.record(stage, record.item)
            if made is not None and (made.outputs[output].sha256 if output in made.outputs else "") != sha256:
                self._deviate(f"{name}: made of another {source} than there is now")
        if scope == COHORT:
            self.vcfs += [
                one for one in record.outputs.values() if one.key.endswith(VCF) and not one.key.endswith(GVCF)
            ]
        compared = [file for output in record.outputs.values() for file in output.files]
        may_expire = record.intermediate and self.files.is_on_aws
        for file, deviation in zip(compared, in_parallel(partial(self._deviation, name), compared), strict=True):
            if deviation is None:
                self.files_compared += 1
                self.size_bytes += file.size_bytes
            elif may_expire and deviation.endswith(" found none"):
                self.expired += 1
            else:
                self._deviate(deviation, self.files.shown_key(file.key))

    def add_programs(self) -> None:
        """Add a deviation for each stage of which another program has made outputs."""
        for stage, count in self.others.items():
            made = f"expected outputs of this installation's program of the step ({self.programs[stage][:SHORT]})"
            self._deviate(f"{stage}: {made}, found {quantity(count, 'record', ',')} of another one")

    def _deviation(self, name: str, file: FileRecord) -> str | None:
        """Return how a file differs from its record; None if it does not."""
        store, uri = self.files.store, self.files.place.uri(file.key)
        try:
            info = store.stat(uri)
            if info is None:
                return f"{name}: expected a file of {file.size_bytes:,} bytes, found none"
            if info.size_bytes != file.size_bytes:
                return f"{name}: expected {file.size_bytes:,} bytes, found {info.size_bytes:,}"
            if self.quick:
                return None
            digest = hashlib.sha256()
            with store.open(uri) as content:
                while piece := content.read(PIECE_BYTES):
                    digest.update(piece)
        except (PipelineError, OSError) as error:
            return f"{name}: expected a file that can be read: {error}"
        if digest.hexdigest() == file.sha256:
            return None
        return f"{name}: expected the sha256 {file.sha256}, found {digest.hexdigest()}"

    def joint_samples(self, groups: Sequence[StageGroup]) -> int | None:
        """Verify the samples of the cohort's VCF files, and return their number; None where there are no such files."""
        if not self.vcfs or (not any(group.scope == "sample" for group in groups) and not self._given()):
            return None
        expected = {name for name, is_done in self.done_samples.items() if is_done} | self._given()
        for vcf in self.vcfs:
            place = self.files.shown_key(vcf.key)
            try:
                there = Counter(panel_people(self.files.place.uri(vcf.key), self.files.store))
            except (PipelineError, OSError):
                continue  # reported above
            for words, names in (
                ("lacks", [name for name in sorted(expected) if name not in there]),
                ("has, and no sample that is done is named so,", [name for name in there if name not in expected]),
                ("has more than once", [name for name, times in there.items() if times > 1]),
            ):
                if names:
                    self._deviate(f"expected exactly the samples that are done; it {words} {item_names(names)}", place)
        return len(expected)

    def _given(self) -> set[str]:
        return {one.sample for one in read_given_gvcfs(self.files.store, self.files.place)}

    def _deviate(self, message: str, place: str | None = None) -> None:
        self.deviations.append(Problem(message, place))
