"""The reference of a run on AWS: on S3 with its indexes beside it, or on this machine and uploaded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.objects import head
from genomics_pipeline.model import budgets, run_layout
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline, Stage
from genomics_pipeline.model.step import with_indexes
from genomics_pipeline.reference.alternate_contigs import alt_file
from genomics_pipeline.reference.copies import is_gzip
from genomics_pipeline.reference.fai import Contig, parse_fai, read_contigs
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, IndexKind, required_kinds
from genomics_pipeline.reference.names import index_problems
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters
from genomics_pipeline.runs.reference_indexes import Obstacle, alternate_contigs_obstacle, local_obstacle
from genomics_pipeline.stores.checksum import file_sha256

DIGEST = 32  # hexadecimal digits in the name of an uploaded reference


@dataclass(frozen=True, slots=True)
class AwsReference:
    """A reference on S3, uploaded or to be uploaded.

    Attributes:
        uri: The URI of the FASTA file on S3.
        contigs: The contigs, in order.
        local: The FASTA file on this machine that is to be uploaded; None for a reference that was given on S3.
        alt: The version of the file beside it that names alternate contigs; empty without one.
    """

    uri: str
    contigs: Sequence[Contig]
    local: Path | None = None
    alt: str = ""


def indexes_of(pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]]) -> list[str]:
    """Return the names of the index kinds that the steps of a pipeline need, sorted.

    Args:
        pipeline: The pipeline.
        overrides: The overridden parameters by stage and name.
    """
    specs = [
        with_indexes(stage.step, {**pipeline.parameters.get(stage.name, {}), **overrides.get(stage.name, {})})
        for stage in pipeline.stages
    ]
    inputs = [one for spec in specs for one in spec.inputs.values() if one.type == "reference"]
    return sorted(kind.name for kind in required_kinds(index for spec in inputs for index in spec.indexes))


def find_reference(
    fasta: str, indexes: Sequence[str], bucket: str, adapters: Adapters, note: Callable[[str], None]
) -> AwsReference:
    """Return the reference in a FASTA file, without uploading anything.

    Args:
        fasta: The path or the ``s3://`` URI of the file.
        indexes: The names of the index kinds that are needed.
        bucket: The bucket of the stack.
        adapters: The store and the clients that read it, and the cache for its index.
        note: Shows a line of progress.

    Raises:
        DataError: if it cannot be used; with all indexes that are missing beside it.
    """
    if not fasta.startswith("s3://"):
        return _local_reference(fasta, bucket, adapters, note)
    clients = adapters.clients
    if head(fasta, clients) is None:
        raise DataError(Problem("expected a FASTA file, found no such file", fasta))
    with aws_call(f"read {fasta}"):
        compressed = is_gzip(fasta, adapters.store)
    if compressed:
        advice = "decompress and index it, or name a file of this machine, which submit prepares and uploads"
        raise DataError(Problem(f"expected a plain FASTA file with its indexes beside it, found gzip; {advice}", fasta))
    missing = list(_missing_indexes(fasta, indexes, clients))
    if missing:
        raise DataError(missing)
    (fai,) = INDEX_KINDS["fai"].beside(fasta)
    with aws_call(f"read {fai}"):
        text = adapters.store.read(fai).decode("utf-8", "backslashreplace")
    contigs = [record.contig for record in parse_fai(text, file=fai)]
    if problems := list(index_problems(contigs, fai)):
        raise DataError(problems[: budgets.FASTA_ERRORS.value])
    alt = adapters.store.stat(alt_file(fasta))
    return AwsReference(fasta, contigs, alt=alt.version if alt else "")


def aws_obstacle(fasta: str, adapters: Adapters, note: Callable[[str], None]) -> Obstacle:
    """Return the obstacles to the indexes of the reference of a run on AWS, where those on S3 are used as they are.

    Args:
        fasta: The path or the ``s3://`` URI of the FASTA file.
        adapters: The store and the clients that read it, and the cache.
        note: Shows a line of progress.
    """
    if not fasta.startswith("s3://"):
        return local_obstacle(fasta, adapters.store, adapters, None, note)

    def obstacle(stage: Stage, kind: IndexKind) -> str | None:
        if missing := list(_missing_indexes(fasta, [kind.name], adapters.clients)):
            return missing[0].message
        return alternate_contigs_obstacle(kind, adapters.store.stat(alt_file(fasta)) is not None)

    return obstacle


def _missing_indexes(uri: str, indexes: Sequence[str], clients: Clients) -> list[Problem]:
    problems = []
    for kind in map(INDEX_KINDS.__getitem__, indexes):
        absent = [file for file in kind.beside(uri) if head(file, clients) is None]
        if absent:
            names = ", ".join(PurePosixPath(file).name for file in absent)
            problems.append(Problem(f"expected {names} beside it, found none; to create it: {kind.advice(uri)}", uri))
    return problems


def _local_reference(path: str, bucket: str, adapters: Adapters, note: Callable[[str], None]) -> AwsReference:
    fasta = prepare(path, ["fai"], adapters.store, adapters.cache, note)
    alt = Path(alt_file(str(fasta)))
    digest = file_sha256(fasta)
    version = file_sha256(alt) if alt.is_file() else ""
    if version:  # the same bases with other alternate contigs are another reference
        digest = sha256(f"{digest}{version}".encode()).hexdigest()
    uri = f"s3://{bucket}/{run_layout.REFERENCES}{digest[:DIGEST]}/{fasta.name}"
    return AwsReference(uri, read_contigs(fasta), fasta, version)


def upload_reference(
    reference: AwsReference,
    indexes: Sequence[str],
    adapters: Adapters,
    note: Callable[[str], None],
) -> None:
    """Upload the missing files of a reference of this machine: first its indexes, last the FASTA file.

    Args:
        reference: The reference.
        indexes: The names of the index kinds that are needed.
        adapters: The store and the clients that upload it, and the cache for its indexes.
        note: Shows a line of progress.

    Raises:
        DataError: if it cannot be indexed or uploaded.
    """
    if reference.local is None:
        return
    clients = adapters.clients
    targets = [uri for name in indexes for uri in INDEX_KINDS[name].beside(reference.uri)]
    targets += [*([alt_file(reference.uri)] if reference.alt else []), reference.uri]
    if all(head(uri, clients) is not None for uri in targets):
        note(f"reference: already at {reference.uri}")
        return
    fasta = prepare(str(reference.local), indexes, adapters.store, adapters.cache, note)
    with TemporaryDirectory() as folder:
        for uri in targets:
            if head(uri, clients) is None:
                name = PurePosixPath(uri).name
                link = (
                    Path(folder) / name
                )  # `publish` removes the file that it uploads: so it gets a link, not the user's file
                link.symlink_to(fasta.with_name(name))
                note(f"reference: uploading {name}")
                adapters.store.publish(link, uri)
