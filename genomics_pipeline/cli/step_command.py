"""The command `step`, whose help also describes the step that it names."""

from __future__ import annotations

import click

_WORDS = f"{__name__}.words"  # the key of the command's arguments in click's `Context.meta`


class StepCommand(click.Command):
    """A command whose first argument is the name of a step.

    ``--help`` is evaluated by click before any other argument, so the name is looked up in the arguments themselves.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments, which are kept for the help."""
        ctx.meta[_WORDS] = list(args)
        return super().parse_args(ctx, args)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the named step is; without a name, what the command does, and which steps are shipped."""
        from genomics_pipeline.report.step_help import write_step, write_wrapped
        from genomics_pipeline.runs.catalog import load_step, step_names

        name = self._step_name(ctx)
        if name is not None:
            spec = load_step(name).spec
            formatter.write_paragraph()
            with formatter.indentation():
                write_wrapped(formatter, f"{spec.name} {spec.version}: {spec.summary}")
            write_step(formatter, spec)
            return
        super().format_help_text(ctx, formatter)
        with formatter.section("Shipped steps"):
            formatter.write_dl([(name, load_step(name).spec.summary) for name in step_names()])

    def _step_name(self, ctx: click.Context) -> str | None:
        """Return the first argument that is no option or an option's value; None where there is none."""
        options, _, _ = self.make_parser(ctx).parse_args(list(ctx.meta.get(_WORDS, ())))
        name = options.get("step")
        return name if isinstance(name, str) else None
