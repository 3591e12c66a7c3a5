"""The profiles of a project, of a user and of a site: where they are, and which one a name stands for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from genomics_pipeline.model import budgets
from genomics_pipeline.model.errors import DataError, PipelineError, UsageError, did_you_mean
from genomics_pipeline.model.profile import SiteProfile, parse_profile
from genomics_pipeline.stores.bounded_file import read_bounded_text
from genomics_pipeline.stores.config_folders import config_folders

FOLDER = "profiles"
ENDING = ".toml"


def profile_folders(environment: Mapping[str, str], home: Path | None) -> list[Path]:
    """Return the folders of profiles, of which the first that has a name decides: the project's, user's and site's.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    >>> [str(folder) for folder in profile_folders({"XDG_CONFIG_DIRS": "/a"}, Path("/home/ann"))]
    ['profiles', '/home/ann/.config/genomics-pipeline/profiles', '/a/genomics-pipeline/profiles']
    """
    return [Path(FOLDER), *(folder / FOLDER for folder in config_folders(environment, home))]


def profile_files(environment: Mapping[str, str], home: Path | None) -> dict[str, Path]:
    """Return the files of all profiles by name.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.
    """
    found: dict[str, Path] = {}
    for folder in profile_folders(environment, home):
        for file in sorted(folder.glob(f"*{ENDING}")):
            found.setdefault(file.stem, file)
    return found


def find_profile(name: str, environment: Mapping[str, str], home: Path | None) -> SiteProfile:
    """Return the profile that a name stands for, or that is in a file.

    Args:
        name: The name; or the path of a file, which has a ``/`` or ends in ``.toml``.
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.

    Raises:
        UsageError: for a name that no folder has.
        DataError: for a file that cannot be read, or whose content is wrong.
    """
    if "/" in name or name.endswith(ENDING):
        return read_profile(Path(name), home)
    files = profile_files(environment, home)
    if name in files:
        return read_profile(files[name], home)
    places = ", ".join(map(str, profile_folders(environment, home)))
    hint = did_you_mean(name, list(files)) if files else f"write {FOLDER}/{name}{ENDING}: docs/profiles.md"
    raise UsageError(f"--profile {name}: expected a profile of {places}, found none of that name; {hint}")


def read_profile(file: Path, home: Path | None) -> SiteProfile:
    """Return the profile in a file.

    Args:
        file: The file.
        home: The user's home folder; None for a user id without one.

    Raises:
        DataError: for a file that cannot be read, or whose content is wrong.
    """
    try:
        text = read_bounded_text(file, budgets.TOML_SIZE)
    except OSError as error:
        raise DataError(f"{file}: expected the file of a profile: {error.strerror}") from None
    return parse_profile(text, file=str(file), home=str(home or ""))


def list_profiles(environment: Mapping[str, str], home: Path | None) -> Iterator[tuple[str, Path, str]]:
    """Yield the name, the file and the summary, or what is wrong, of each profile.

    Args:
        environment: The environment variables.
        home: The user's home folder; None for a user id without one.
    """
    for name, file in sorted(profile_files(environment, home).items()):
        try:
            yield name, file, read_profile(file, home).summary
        except PipelineError as error:
            yield name, file, str(error.problems[0])
