"""The genomes of a user and of a site: where their files are, and which reference a name stands for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, UsageError, did_you_mean
from genomics_pipeline.model.genome import Genome, parse_genomes
from genomics_pipeline.stores.bounded_file import read_bounded_text
from genomics_pipeline.stores.config_folders import config_folders

VARIABLE = "GENOMICS_PIPELINE_GENOMES"
FILE = "genomes.toml"  # in each of the folders for configuration


def genome_files(environment: Mapping[str, str], home: Path | None) -> list[Path]:
    """Return the places of files of genomes, of which the first that declares a name decides.

    They are the one that the environment names, the user's, and the site's.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    >>> [str(file) for file in genome_files({"XDG_CONFIG_DIRS": "/a"}, Path("/home/ann"))]
    ['/home/ann/.config/genomics-pipeline/genomes.toml', '/a/genomics-pipeline/genomes.toml']
    """
    named = [Path(environment[VARIABLE])] if environment.get(VARIABLE) else []
    return [*named, *(folder / FILE for folder in config_folders(environment, home))]


def read_genomes(environment: Mapping[str, str], home: Path | None) -> dict[str, Genome]:
    """Return the genomes that the files declare, by name.

    Raises:
        DataError: for a file that cannot be read, or whose content is wrong.
    """
    genomes: dict[str, Genome] = {}
    for file in genome_files(environment, home):
        try:
            text = read_bounded_text(file, budgets.TOML_SIZE)
        except (FileNotFoundError, NotADirectoryError):
            if environment.get(VARIABLE) == str(file):
                raise DataError(f"{VARIABLE}: expected a file of genomes, found none: {file}") from None
            continue
        except OSError as error:
            raise DataError(f"{file}: expected a file of genomes that can be read: {error.strerror}") from None
        genomes = {**parse_genomes(text, file=str(file.absolute())), **genomes}
    return genomes


def genome_reference(name: str, on_aws: bool, environment: Mapping[str, str], home: Path | None) -> str:
    """Return the path or URI of the reference that a name stands for.

    Args:
        name: The short name.
        on_aws: Whether the run is on AWS.
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    Raises:
        UsageError: for a name that no file declares.
        DataError: see `read_genomes`.
    """
    genomes = read_genomes(environment, home)
    if name in genomes:
        return (on_aws and genomes[name].on_aws) or genomes[name].reference
    if genomes:
        declared = ", ".join(dict.fromkeys(genome.file for genome in genomes.values()))
        raise UsageError(
            f"--genome {name}: unknown genome; {did_you_mean(name, list(genomes))}; declared in {declared}"
        )
    places = " or ".join(map(str, genome_files(environment, home)))
    raise UsageError(f"--genome {name}: no genome is declared; write {places}: docs/references.md, or give --reference")
