"""Genomes: references that users and sites give a short name, such as GRCh38, in a TOML file."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass

from genomics_pipeline.model.parameters import absolute_uri
from genomics_pipeline.model.toml_file import TomlFile


@dataclass(frozen=True, slots=True)
class Genome:
    """A reference with a short name.

    Attributes:
        name: The short name.
        reference: The path or URI of the FASTA file.
        on_aws: The URI for runs on AWS; None for `reference`.
        summary: What it is; empty if the file does not say.
        file: The file that declares it.
    """

    name: str
    reference: str
    on_aws: str | None
    summary: str
    file: str


def parse_genomes(text: str, *, file: str) -> dict[str, Genome]:
    r"""Return the genomes that a TOML file declares, by name.

    Args:
        text: The file's text.
        file: Its path, for messages; paths in it are relative to its folder.

    Raises:
        DataError: with all problems, in source order.

    >>> parse_genomes('[GRCh38]\nreference = "hg38.fa"', file="/site/genomes.toml")["GRCh38"].reference
    '/site/hg38.fa'
    """
    folder = posixpath.dirname(file)
    return {
        name: Genome(name, absolute_uri(raw["reference"], folder), raw.get("on_aws"), raw.get("summary", ""), file)
        for name, raw in TomlFile(text, file=file, schema="genomes").data.items()
    }
