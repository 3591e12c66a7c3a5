"""`genomics-pipeline cache`: the copies of references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.reference.cache_content import CachedReference


@click.group(short_help="List or remove the copies of references.")
def cache() -> None:
    """List or remove the copies of references that were compressed, remote, or in a folder without permission to write.

    The cache is in XDG_CACHE_HOME, else in ~/.cache. A user without a home folder that can be written to has it in
    TMPDIR. `doctor` shows its place and size.

    \b
    Example:
      genomics-pipeline cache list
    """


@cache.command("list", short_help="List the references in the cache.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per reference and line.")
def list_(as_json: bool) -> None:
    """List the references in the cache, the one that was not used for the longest time first.

    \b
    Example:
      genomics-pipeline cache list
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.reference.cache_content import cached_references

    for reference in cached_references(adapters().cache):
        if as_json:
            echo_json(_json(reference), indent=None)
        else:
            echo_line(_text(reference))


@cache.command(short_help="Remove references from the cache.")
@click.option(
    "--unused-for", "unused_days", type=click.FloatRange(min=0), default=0, metavar="DAYS", help="Keep newer ones."
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed; remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per reference and line.")
def clean(unused_days: float, dry_run: bool, as_json: bool) -> None:
    """Remove the references that no run uses now; a later run copies and indexes what it needs again.

    \b
    Examples:
      genomics-pipeline cache clean
      genomics-pipeline cache clean --unused-for 30 --dry-run
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.cache import clean_cache

    for reference, removed in clean_cache(adapters().cache, unused_days, dry_run):
        if as_json:
            echo_json({**_json(reference), "removed": removed and not dry_run}, indent=None)
        else:
            state = "in use" if not removed else "would be removed" if dry_run else "removed"
            echo_line(f"{state}: {_text(reference)}")


def _json(reference: CachedReference) -> dict[str, Any]:
    return {
        "source": reference.source,
        "folder": str(reference.folder),
        "size_bytes": reference.size_bytes,
        "used": _time(reference.used),
        "in_use": reference.in_use,
    }


def _text(reference: CachedReference) -> str:
    state = ", in use" if reference.in_use else ""
    size_mib = reference.size_bytes / (1 << 20)
    return f"{reference.source}  {size_mib:,.1f} MiB, last used {_time(reference.used)}{state}  {reference.folder}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
