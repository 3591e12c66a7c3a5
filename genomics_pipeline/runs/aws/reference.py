"""The reference of a run on AWS: on S3 with its indexes beside it, or of this machine and uploaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from genomics_pipeline.aws.clients import Clients, calling
from genomics_pipeline.aws.objects import head
from genomics_pipeline.model import run_layout
from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.reference.intervals import contigs
from genomics_pipeline.reference.prepare import INDEXES, needed, prepare
from genomics_pipeline.stores.protocol import Store
from genomics_pipeline.stores.routed import RoutedStore

DIGEST = 32  # hexadecimal digits in the name of an uploaded reference
MADE_BY = {"fai": "samtools faidx {0}", "bwa": "bwa index {0}", "dict": "samtools dict -o {1} {0}"}


@dataclass(frozen=True, slots=True)
class CloudReference:
    """A reference that can be used on AWS, or will be when it is uploaded.

    Attributes:
        uri: Of its FASTA file on S3.
        sizes: Name and length of each contig.
        local: The FASTA file on this machine that is to lie there; None where it lies there already.
    """

    uri: str
    sizes: Sequence[tuple[str, int]]
    local: Path | None = None


def indexes_of(pipeline: Pipeline) -> list[str]:
    """The indexes that the pipeline's steps need."""
    inputs = [spec for stage in pipeline.stages for spec in stage.step.inputs.values() if spec.type == "reference"]
    return sorted(needed(index for spec in inputs for index in spec.indexes))


def find_reference(given: str, indexes: Sequence[str], bucket: str, store: Store, clients: Clients) -> CloudReference:
    """The reference that is meant; nothing is uploaded yet.

    Args:
        given: A path or an ``s3://`` URI.
        indexes: Names of `reference.prepare.INDEXES`.
        bucket: The stack's.
        store: Where it is read.
        clients: boto3's.

    Raises:
        DataError: if it cannot be used; all that is missing beside it.
    """
    if not given.startswith("s3://"):
        return _on_this_machine(given, bucket)
    if given.endswith(".gz"):
        advice = "decompress and index it, or give a file of this machine: submit prepares and uploads it"
        raise DataError(Problem(f"expected a plain FASTA file with its indexes beside it, found .gz; {advice}", given))
    if head(given, clients) is None:
        raise DataError(Problem("expected a FASTA file, found no such file", given))
    missing = list(_missing(given, indexes, clients))
    if missing:
        raise DataError(missing)
    fai = f"{given}.fai"
    with calling(f"read {fai}"):
        text = store.read(fai).decode()
    return CloudReference(given, contigs(text, file=fai))


def _missing(uri: str, indexes: Sequence[str], clients: Clients) -> list[Problem]:
    name = PurePosixPath(uri).name
    problems = []
    for index in indexes:
        absent = [found for found in _beside(uri, index) if head(found, clients) is None]
        if absent:
            made = MADE_BY[index].format(name, PurePosixPath(name).with_suffix(".dict"))
            files = ", ".join(PurePosixPath(found).name for found in absent)
            problems.append(Problem(f"expected {files} beside it, found none; make it: {made}", uri))
    return problems


def _beside(uri: str, index: str) -> list[str]:
    """The URIs of an index's files."""
    scheme, _, path = uri.rpartition("://")
    plain = f"{scheme}://{PurePosixPath(path).with_suffix('')}"
    return [f"{uri}{ending}" if ending.startswith(".") else f"{plain}.{ending}" for ending in INDEXES[index]]


def _on_this_machine(given: str, bucket: str) -> CloudReference:
    fasta = prepare(given, ["fai"], RoutedStore(), None)
    with fasta.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()[:DIGEST]
    fai = f"{fasta}.fai"
    sizes = contigs(Path(fai).read_text(), file=fai)
    return CloudReference(f"s3://{bucket}/{run_layout.REFERENCES}{digest}/{fasta.name}", sizes, fasta)


def upload_reference(
    reference: CloudReference, indexes: Sequence[str], store: Store, clients: Clients, note: Callable[[str], None]
) -> None:
    """Put a reference of this machine, and its indexes, where it is not there yet; the FASTA file last.

    Raises:
        DataError: if it cannot be indexed or uploaded.
    """
    if reference.local is None:
        return
    targets = [uri for index in indexes for uri in _beside(reference.uri, index)] + [reference.uri]
    if all(head(uri, clients) is not None for uri in targets):
        note(f"reference: already at {reference.uri}")
        return
    note(f"reference: indexing {reference.local}")
    prepare(str(reference.local), indexes, RoutedStore(), None)
    with TemporaryDirectory() as folder:
        for uri in targets:
            if head(uri, clients) is None:
                name = PurePosixPath(uri).name
                link = Path(folder) / name  # publishing takes a file away: this one, not the user's
                link.symlink_to(reference.local.with_name(name))
                note(f"reference: uploading {name}")
                store.publish(link, uri)
