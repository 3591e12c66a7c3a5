"""The name of a stage's job as an expression: see `model.job_name`."""

from __future__ import annotations

from genomics_pipeline.language.jsonata.text import literal
from genomics_pipeline.model import quotas
from genomics_pipeline.model.pipeline import Stage


def job_name(stage: Stage, run: str, first: str, count: str | None) -> str:
    """Return the JSONata of a job's name: run, stage, item; of a batch the first item and the number of the others.

    It is cut at the end of the run's name, since people look for samples.

    Args:
        stage: The stage.
        run: The JSONata of the run's name.
        first: The JSONata of its first item.
        count: The JSONata of the number of items; None for one.
    """
    left = quotas.JOB_NAME.value - len(f"-{stage.name}")
    if stage.scope == "cohort":
        return f'$replace($substring({run},0,{left})&{literal(f"-{stage.name}")},".","-")'
    item = f'"-"&{first}.{stage.scope}'
    if count:
        item += f'&({count}>1?"-and-"&$string({count}-1)&"-more":"")'
    cut = f"$substring({run},0,{left}-$length($item))"
    return f'($item:={item};$replace({cut}&{literal(f"-{stage.name}")}&$item,".","-"))'
