"""The order to build the indexes of a reference, which a job on AWS gets in place of a task's payload."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from genomics_pipeline.model.bounded_json import parse_json
from genomics_pipeline.model.errors import DataError
from genomics_pipeline.model.json_text import compact
from genomics_pipeline.model.web_uri import file_path

INDEX_VARIABLE = "GENOMICS_PIPELINE_INDEX"  # in place of the payload of a task


@dataclass(frozen=True, slots=True)
class IndexOrder:
    """The indexes that are wanted, and where.

    Attributes:
        reference: The path or URI of a FASTA file, plain or gzip.
        kinds: The names of the kinds of index, without those that they need.
        out: The folder or prefix that gets the reference, plain, and its indexes; None for indexes beside the file.
    """

    reference: str
    kinds: tuple[str, ...]
    out: str | None = None

    @property
    def fasta(self) -> str:
        """Return the path or URI of the FASTA file that the indexes lie beside.

        >>> IndexOrder("https://host/hg38.fa.gz?a=1", ("fai",), "s3://b/refs/").fasta
        's3://b/refs/hg38.fa'
        """
        if self.out is None:
            return self.reference
        name = file_path(self.reference).rpartition("/")[2].removesuffix(".gz")
        return f"{self.out.rstrip('/')}/{name}"

    def to_text(self) -> str:
        """Return the value of `INDEX_VARIABLE`."""
        return compact(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> IndexOrder:
        """Read the value of `INDEX_VARIABLE`.

        Raises:
            DataError: for anything else.
        """
        try:
            value = parse_json(text)
            out = value["out"]
            return cls(str(value["reference"]), tuple(map(str, value["kinds"])), None if out is None else str(out))
        except (ValueError, LookupError, TypeError):
            raise DataError(
                f"{INDEX_VARIABLE}: expected a JSON object with reference, kinds and out, found {text!r}"
            ) from None
