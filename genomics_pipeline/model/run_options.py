"""Options of a run that are handed to every stage with the parameter of that name: ``--regions``, ``--subsample``."""

from __future__ import annotations

from dataclasses import dataclass

from genomics_pipeline.model.errors import UsageError
from genomics_pipeline.model.parameters import Value, parse_value
from genomics_pipeline.model.pipeline import Pipeline, Stage


@dataclass(frozen=True, slots=True)
class RunOption:
    """An option of a run.

    Attributes:
        name: The name of the option, without its dashes, and of the parameter.
        type: The type of the parameter.
        format: The format of its file; None for any.
    """

    name: str
    type: str
    format: str | None = None

    def is_taken(self, stage: Stage) -> bool:
        """Return whether a stage has the parameter."""
        spec = stage.step.parameters.get(self.name)
        return spec is not None and (spec.type, spec.format) == (self.type, self.format)

    def overrides(self, text: str, pipeline: Pipeline, base: str) -> dict[str, dict[str, Value]]:
        """Return the overrides that hand the option's value to every stage that has the parameter.

        Args:
            text: The value, as on the command line.
            pipeline: The pipeline.
            base: The folder of relative paths.

        Raises:
            UsageError: if no stage has the parameter, or for a value that cannot be used.
        """
        stages = [stage for stage in pipeline.stages if self.is_taken(stage)]
        if not stages:
            names = ", ".join(stage.step.name for stage in pipeline.stages)
            kind = f"type {self.type}" + (f", format {self.format}" if self.format else "")
            expected = f"expected a step with a parameter `{self.name}` ({kind})"
            raise UsageError(f"--{self.name}: {expected} of the pipeline {pipeline.name}, found {names}")
        try:
            return {
                stage.name: {self.name: parse_value(stage.step.parameters[self.name], text, base)} for stage in stages
            }
        except ValueError as error:
            raise UsageError(f"--{self.name}: {error}") from None


REGIONS = RunOption("regions", "file", "bed")
SUBSAMPLE = RunOption("subsample", "number")
