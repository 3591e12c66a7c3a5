"""A program that runs commands of this package in forks of itself, for `watch`: no fork imports anything again.

Its arguments are the command that it will run, as far as it is known, and the socket of its client; the protocol is
that of `worker.interpreter_server`. A fork has the standard output of the client, and its output is its standard error.
It reports its end itself, so that its exit code is known also if this server was killed meanwhile.
"""

from __future__ import annotations

import gc
import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from genomics_pipeline.cli.main import main
from genomics_pipeline.model.errors import PipelineError
from genomics_pipeline.worker.interpreter_server import ForkLoop

# The packages and modules that a `run` imports piece by piece. None of them starts a thread, which a fork would lack.
_PACKAGES = ("asl", "engine", "language", "records", "runs.functions", "runs.local.records", "stores")
_MODULES = ("cli.adapters", "cli.joined_samples", "report.progress", "runs.local.run", "runs.truth")


def preload(command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Import what a command will import, and read and check its pipeline.

    Args:
        command: The command and its options, without its sheet.
        environment: The environment variables.
    """
    import_module(f"genomics_pipeline.cli.{command[0]}")
    if command[0] != "run":
        return
    for package in _PACKAGES:
        for module in _modules(import_module(f"genomics_pipeline.{package}")):
            import_module(module)
    for module in _MODULES:
        import_module(f"genomics_pipeline.{module}")
    with suppress(PipelineError, OSError):  # the run reports it
        _prepare_functions(command[1:], environment)


def _prepare_functions(options: Sequence[str], environment: Mapping[str, str]) -> None:
    """Read the pipeline of a `run` over records, and start what its functions are forked from."""
    from genomics_pipeline.cli.intake import SHEET, given_options
    from genomics_pipeline.runs.catalog import load_pipeline
    from genomics_pipeline.runs.local.records.functions import prepare_functions
    from genomics_pipeline.runs.plan import RunRequest, given_overrides

    given = given_options("run", options, "after --")
    pipeline, _ = load_pipeline(given["pipeline"])
    if pipeline.over_records and not given["containers"]:
        request = RunRequest(SHEET, "", parameters=given["parameters"], params_file=given["params_file"])
        prepare_functions(pipeline, given_overrides(request, pipeline).values, environment)


def _renew_environments() -> None:
    """Start what environments are forked from anew if it was killed, for all later commands rather than for each."""
    if functions := sys.modules.get("genomics_pipeline.runs.functions.process"):
        with suppress(OSError):  # the command tries again
            functions.renew_environments()


def _modules(package: ModuleType) -> Iterator[str]:
    yield package.__name__
    yield from (module.name for module in walk_packages(package.__path__, f"{package.__name__}."))


if __name__ == "__main__":
    *arguments, descriptor = sys.argv[1:]
    preload(arguments, os.environ)
    gc.freeze()
    client = socket.socket(fileno=int(descriptor))
    request = ForkLoop(client, streams=(2,), before_fork=_renew_environments, reports=True).serve()
    try:
        main(request["argv"])
    except SystemExit as end:
        with suppress(OSError):  # the watcher is gone
            request["end"].sendall(b"%d 0 0\n" % (int(end.code or 0) << 8))  # as `os.wait4` has the status
        raise
    finally:
        gc.freeze()  # the end of the interpreter visits no object
