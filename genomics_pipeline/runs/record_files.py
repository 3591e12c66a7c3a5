"""Files that the parameters of a pipeline over records name, compared with each other and with a VCF to annotate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from genomics_pipeline.model.errors import DataError, Problem
from genomics_pipeline.model.parameters import Value
from genomics_pipeline.model.pipeline import Pipeline
from genomics_pipeline.runs.given_files import RequiredFile, file_misfit, parameter_files, parameter_problems
from genomics_pipeline.stores.protocol import Store

FAI = "fai"
SHOWN = 3  # contigs in a message
_GZIP = b"\x1f\x8b"


def record_file_problems(
    pipeline: Pipeline, overrides: Mapping[str, Mapping[str, Value]], vcf: str, contigs: Sequence[str], store: Store
) -> Iterator[Problem]:
    """Yield the problems of files that parameters name; their content is compared with a reference that is among them.

    Args:
        pipeline: The pipeline.
        overrides: The parameters of the run by stage and name.
        vcf: The VCF of the run, for messages.
        contigs: The contigs with records of it; none where the records are no VCF.
        store: The store of the files.
    """
    files = list(parameter_files(pipeline, overrides))
    reference = next((file for file, spec in files if spec.indexes == (FAI,)), None)
    lengths: dict[str, int] = {}
    if reference is not None and not file_misfit(reference.uri, store):
        try:
            lengths = _lengths(reference, store)
        except DataError as error:
            yield from error.problems
            return
    yield from parameter_problems(files, store, lengths)
    if lengths and reference and (unknown := [name for name in contigs if name not in lengths]):
        more = f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else ""
        found = f"found records on {', '.join(unknown[:SHOWN])}{more}, which {reference.uri}.{FAI} does not have"
        yield Problem(f"expected contigs of the reference, {found}; give the reference of the VCF", vcf)


def _lengths(reference: RequiredFile, store: Store) -> dict[str, int]:
    """Return the length of each contig of a reference; none where its index is missing, which is another problem.

    Raises:
        DataError: for a reference that is compressed, and an index that is none.
    """
    if store.read_part(reference.uri, 0, len(_GZIP)).data == _GZIP:
        expected = "expected a FASTA file that is not compressed, of which parts are read; found gzip"
        raise DataError(f"{reference.user}: {reference.uri}: {expected}; decompress it, then run `samtools faidx`")
    index = f"{reference.uri}.{FAI}"
    if store.stat(index) is None:
        return {}
    try:
        rows = [line.split("\t") for line in store.read(index).decode().splitlines()]
        return {name: int(length) for name, length, _, _, _ in rows}
    except ValueError:
        expected = "expected an index as `samtools faidx` writes it, found another file"
        raise DataError(f"{reference.user}: {index}: {expected}; make it again") from None
