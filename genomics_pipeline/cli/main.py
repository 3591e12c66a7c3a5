"""The entry point of the command line: `genomics-pipeline COMMAND`."""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from genomics_pipeline import __version__
from genomics_pipeline.cli.environment import prepare_environment, use_utf8
from genomics_pipeline.cli.streams import flush_streams, secure_streams
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.report.output import echo, echo_error, echo_line

HELP_OPTIONS = ["-h", "--help"]

# Command name -> module of genomics_pipeline.cli and object in it. Modules are imported on demand, for a fast start.
COMMANDS = {
    "advise": ("advise", "advise"),
    "cache": ("cache", "cache"),
    "cancel": ("cancel", "cancel"),
    "containers": ("containers", "containers"),
    "cost": ("cost", "cost"),
    "definition": ("definition", "definition"),
    "delete": ("delete", "delete"),
    "deploy": ("deploy", "deploy"),
    "destroy": ("destroy", "destroy"),
    "diff": ("diff", "diff"),
    "doctor": ("doctor", "doctor"),
    "execute": ("execute", "execute"),
    "explain": ("explain", "explain"),
    "index": ("index", "index"),
    "logs": ("logs", "logs"),
    "manifest": ("manifest", "manifest"),
    "pipeline": ("pipeline", "pipeline"),
    "pipelines": ("pipelines", "pipelines"),
    "plan": ("plan", "plan"),
    "prices": ("prices", "prices"),
    "profile": ("profile", "profile"),
    "redrive": ("redrive", "redrive"),
    "replay": ("replay", "replay"),
    "report": ("report", "report"),
    "rerun": ("rerun", "rerun"),
    "results": ("results", "results"),
    "rocrate": ("rocrate", "rocrate"),
    "run": ("run", "run"),
    "runs": ("runs", "runs"),
    "simulate": ("simulate", "simulate"),
    "status": ("status", "status"),
    "step": ("step", "step"),
    "submit": ("submit", "submit"),
    "template": ("template", "template"),
    "trace": ("trace", "trace"),
    "verify": ("verify", "verify"),
    "watch": ("watch", "watch"),
    "why": ("why", "why"),
}

# Those that make nothing but what they print.
PRINTERS = frozenset(
    {
        "advise",
        "cost",
        "definition",
        "diff",
        "explain",
        "logs",
        "pipeline",
        "pipelines",
        "plan",
        "prices",
        "profile",
        "results",
        "rocrate",
        "runs",
        "status",
        "template",
        "trace",
        "verify",
        "why",
    }
)


GARBAGE = 20_000  # new objects between two collections: with Python's 700, they take an eighth of the time of a start


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called or described."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command with a name and return it; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f"genomics_pipeline.cli.{module}"), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": HELP_OPTIONS})
@click.version_option(__version__, prog_name="genomics-pipeline")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Batch genomics at any scale: one definition, from a laptop to AWS.

    \b
    Example:
      genomics-pipeline run cohort.csv --reference hg38.fa.gz --out my-run

    \b
    Shell completion (bash; zsh and fish likewise):
      eval "$(_GENOMICS_PIPELINE_COMPLETE=bash_source genomics-pipeline)"
    """
    # https://no-color.org, and terminals that cannot show colours; rich obeys both by itself.
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False


def main(argv: list[str] | None = None) -> None:
    """Run the command line, and exit with 0, 1 (wrong data or a failed run), 2 (wrong usage) or 130 (interrupted).

    Raises:
        SystemExit: always.
    """
    if argv is None:
        use_utf8(os.environ)
    gc.set_threshold(GARBAGE)
    secure_streams()
    prepare_environment(os.environ)
    arguments = sys.argv[1:] if argv is None else argv
    code = _run(arguments, debug="--debug" in arguments)
    if argv is None:
        gc.freeze()  # the end of the interpreter visits no object, which would take a tenth of a second
    sys.exit(flush_streams(code or 0, is_product=_command(arguments) in PRINTERS))


def _command(arguments: list[str]) -> str | None:
    """Return the first argument that is a command."""
    return next((argument for argument in arguments if argument in COMMANDS), None)


def _run(arguments: list[str], debug: bool) -> Any:
    try:
        return cli.main(arguments, prog_name="genomics-pipeline", standalone_mode=False, obj=arguments)
    except SystemExit as end:  # of a command
        return end.code
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.NoSuchOption as error:
        from genomics_pipeline.cli.unknown_option import unknown_option

        return _show_usage(error, unknown_option(error))
    except click.ClickException as error:
        return _show_usage(error)
    except (click.Abort, KeyboardInterrupt):
        echo_line("interrupted", err=True)
        return 130
    except PipelineError as error:
        if debug:
            return _show_traceback(error.exit_code)
        for problem in error.problems:
            echo_error(problem)
        return error.exit_code
    except OSError as error:  # an error of the machine: a full disk, an unreadable folder
        if debug:
            return _show_traceback(1)
        from genomics_pipeline.worker.failure import os_error_message

        echo_error(os_error_message(error))
        return 1
    except MemoryError:
        if debug:
            return _show_traceback(1)
        echo_error("out of memory in genomics-pipeline itself: give it more (ulimit -v, its container or its job)")
        return 1
    except Exception as error:
        if debug:
            return _show_traceback(1)
        echo_error(f"{type(error).__name__}: {error} (unexpected; --debug shows the traceback)")
        return 1


def _show_usage(error: click.ClickException, message: str | None = None) -> int:
    """Print a message, by default that of click, and return the exit code."""
    if message is not None:
        echo_error(message)
        return error.exit_code
    shown = io.StringIO()
    error.show(shown)
    echo(shown.getvalue(), err=True, nl=False)
    return error.exit_code


def _show_traceback(exit_code: int) -> int:
    """Print the traceback of the current exception, and return the exit code."""
    echo(traceback.format_exc(), err=True, nl=False)
    return exit_code
