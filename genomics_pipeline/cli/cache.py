"""`genomics-pipeline cache`: the copies of references."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from genomics_pipeline.cli.options import FiniteRange
from genomics_pipeline.cli.profile_options import profile_options
from genomics_pipeline.report.output import echo_json, echo_line

if TYPE_CHECKING:
    from genomics_pipeline.reference.cache_content import CachedItem


@click.group(short_help="List or remove the copies of references.")
def cache() -> None:
    """List or remove the copies of references that were compressed, remote, or in a folder without permission to write.

    The cache also holds what tasks of earlier runs on this machine needed, from which the time left of `run` and the
    figures of `plan --here` start. GENOMICS_PIPELINE_KEEP_TASKS=no neither keeps nor reads them.

    The cache is the folder of --cache, or in XDG_CACHE_HOME, or in ~/.cache. A user without a home folder that can be
    written to has it in TMPDIR. `doctor` shows its place and size.

    \b
    Example:
      genomics-pipeline cache list
    """


@cache.command("list", short_help="List the references in the cache.")
@profile_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per reference and line.")
def list_(as_json: bool) -> None:
    """List the references in the cache, the one that was not used for the longest time first, and the kept tasks.

    \b
    Example:
      genomics-pipeline cache list
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.cache import cached_items

    for item in cached_items(adapters().cache):
        if as_json:
            echo_json(_json(item), indent=None)
        else:
            echo_line(_text(item))


@cache.command(short_help="Remove references from the cache.")
@profile_options
@click.option(
    "--unused-for", "unused_days", type=FiniteRange(min=0), default=0, metavar="DAYS", help="Keep newer ones."
)
@click.option("--dry-run", is_flag=True, help="Print what would be removed; remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per reference and line.")
def clean(unused_days: float, dry_run: bool, as_json: bool) -> None:
    """Remove the kept tasks, and the references that no run uses now; a later run copies and indexes what it needs.

    \b
    Examples:
      genomics-pipeline cache clean
      genomics-pipeline cache clean --unused-for 30 --dry-run
    """
    from genomics_pipeline.cli.adapters import adapters
    from genomics_pipeline.runs.cache import clean_cache

    for item, removed in clean_cache(adapters().cache, unused_days, dry_run):
        if as_json:
            echo_json({**_json(item), "removed": removed and not dry_run}, indent=None)
        else:
            state = "in use" if not removed else "would be removed" if dry_run else "removed"
            echo_line(f"{state}: {_text(item)}")


def _json(item: CachedItem) -> dict[str, Any]:
    return {
        "source": item.source,
        "folder": str(item.folder),
        "size_bytes": item.size_bytes,
        "used": _time(item.used),
        "in_use": item.in_use,
    }


def _text(item: CachedItem) -> str:
    state = ", in use" if item.in_use else ""
    size_mib = item.size_bytes / (1 << 20)
    return f"{item.source}  {size_mib:,.1f} MiB, last used {_time(item.used)}{state}  {item.folder}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
