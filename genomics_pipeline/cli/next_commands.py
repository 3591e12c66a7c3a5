"""The commands to use after `submit` and `rerun`."""

from __future__ import annotations

from genomics_pipeline.model.resource_names import DEFAULT_STACK
from genomics_pipeline.report.command_line import command_line
from genomics_pipeline.report.output import echo_line

COMMANDS = (("status", "--watch"), ("logs", "--failed"), ("results",), ("cancel",))


def show_next_commands(run: str, stack: str) -> None:
    """Print the commands to use after an execution on AWS has been started."""
    option = [] if stack == DEFAULT_STACK else ["--stack", stack]
    echo_line("next:")
    for command, *options in COMMANDS:
        echo_line(f"  {command_line(command, run, *options, *option)}")
