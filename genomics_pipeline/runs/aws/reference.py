"""The reference of a run on AWS: on S3 with its indexes beside it, or of this machine and uploaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from genomics_pipeline.aws.clients import Clients, aws_call
from genomics_pipeline.aws.objects import head
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.reference.fai import Contig, parse_fai, read_contigs
from genomics_pipeline.reference.index_kinds import INDEX_KINDS, required_kinds
from genomics_pipeline.reference.prepare import prepare
from genomics_pipeline.runs.adapters import Adapters

DIGEST = 32  # hexadecimal digits in the name of an uploaded reference


@dataclass(frozen=True, slots=True)
class AwsReference:
    """A reference that can be used on AWS, or will be when it is uploaded.

    Attributes:
        uri: Of its FASTA file on S3.
        contigs: Its sequences, in order.
        local: The FASTA file on this machine that is to lie there; None where it lies there already.
    """

    uri: str
    contigs: Sequence[Contig]
    local: Path | None = None


def indexes_of(pipeline: Pipeline) -> list[str]:
    """Return the names of the indexes that the pipeline's steps need."""
    inputs = [spec for stage in pipeline.stages for spec in stage.step.inputs.values() if spec.type == "reference"]
    return sorted(kind.name for kind in required_kinds(index for spec in inputs for index in spec.indexes))


def find_reference(given: str, indexes: Sequence[str], bucket: str, adapters: Adapters) -> AwsReference:
    """Find the reference that is meant, without uploading anything.

    Args:
        given: A path or an ``s3://`` URI.
        indexes: Names of kinds of index.
        bucket: The stack's.
        adapters: Where it is read, and indexed.

    Raises:
        DataError: if it cannot be used; all that is missing beside it.
    """
    if not given.startswith("s3://"):
        return _on_this_machine(given, bucket, adapters)
    clients = adapters.clients
    if given.endswith(".gz"):
        advice = "decompress and index it, or give a file of this machine: submit prepares and uploads it"
        raise DataError(Problem(f"expected a plain FASTA file with its indexes beside it, found .gz; {advice}", given))
    if head(given, clients) is None:
        raise DataError(Problem("expected a FASTA file, found no such file", given))
    missing = list(_missing(given, indexes, clients))
    if missing:
        raise DataError(missing)
    (fai,) = INDEX_KINDS["fai"].beside(given)
    with aws_call(f"read {fai}"):
        text = adapters.store.read(fai).decode()
    return AwsReference(given, [record.contig for record in parse_fai(text, file=fai)])


def _missing(uri: str, indexes: Sequence[str], clients: Clients) -> list[Problem]:
    problems = []
    for kind in map(INDEX_KINDS.__getitem__, indexes):
        absent = [file for file in kind.beside(uri) if head(file, clients) is None]
        if absent:
            names = ", ".join(PurePosixPath(file).name for file in absent)
            problems.append(Problem(f"expected {names} beside it, found none; make it: {kind.advice(uri)}", uri))
    return problems


def _on_this_machine(given: str, bucket: str, adapters: Adapters) -> AwsReference:
    fasta = prepare(given, ["fai"], adapters.store, adapters.cache)
    with fasta.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:DIGEST]
    return AwsReference(f"s3://{bucket}/{run_layout.REFERENCES}{digest}/{fasta.name}", read_contigs(fasta), fasta)


def upload_reference(
    reference: AwsReference,
    indexes: Sequence[str],
    adapters: Adapters,
    note: Callable[[str], None],
) -> None:
    """Upload a reference of this machine and its indexes, those that are not there yet; the FASTA file last.

    Args:
        reference: The reference.
        indexes: Names of kinds of index.
        adapters: Where it is indexed, and put.
        note: Called with each step, in words.

    Raises:
        DataError: if it cannot be indexed or uploaded.
    """
    if reference.local is None:
        return
    clients = adapters.clients
    targets = [uri for name in indexes for uri in INDEX_KINDS[name].beside(reference.uri)] + [reference.uri]
    if all(head(uri, clients) is not None for uri in targets):
        note(f"reference: already at {reference.uri}")
        return
    note(f"reference: indexing {reference.local}")
    prepare(str(reference.local), indexes, adapters.store, adapters.cache)
    with TemporaryDirectory() as folder:
        for uri in targets:
            if head(uri, clients) is None:
                name = PurePosixPath(uri).name
                link = Path(folder) / name  # publishing takes a file away: this one, not the user's
                link.symlink_to(reference.local.with_name(name))
                note(f"reference: uploading {name}")
                adapters.store.publish(link, uri)
