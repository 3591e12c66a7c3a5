"""The ploidy that a sample is called with: by parameters, or by its sex and the contigs of the reference."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.ploidy import EVERYONE, XX, XY, Ploidy, Rules, bare_name, known_rules, read_rules
from common.variants import PLOIDY_KEY

UNKNOWN, SHEET = "NA", "sheet"


@dataclass(frozen=True, slots=True)
class CalledPloidy:
    """The ploidy of a sample.

    Attributes:
        copies: The copies of the reference.
        sex: XX or XY; NA where neither the sheet nor the reads say it.
        source: Where the sex is from: sheet, reads, or nothing.
        doubt: Why copies may not be as they are called; empty where nothing speaks against them.
        options: The options of `bcftools call`.
        header: The header lines of the gVCF, for the steps that join the cohort.
    """

    copies: Ploidy
    sex: str
    source: str
    doubt: str
    options: tuple[str, ...]
    header: str

    @property
    def words(self) -> str:
        """The ploidy in words, for the log."""
        sex = f"sex {self.sex} (from the {self.source}), " if self.source else ""
        return f"{sex}ploidy {self.copies.text()}{f': {self.doubt}' if self.doubt else ''}"

    def metrics(self) -> dict[str, Any]:
        """Return the metrics, with a verdict where there is doubt."""
        sex: Any = self.sex if self.source else None
        if self.doubt and not self.source:
            sex = {"value": self.sex, "verdict": "warn", "reason": self.doubt}
        return {"called_sex": sex, "called_sex_from": self.source or None}


def called_ploidy(task: Mapping[str, Any], contigs: Mapping[str, int], called: Collection[str]) -> CalledPloidy:
    """Return the ploidy of the sample of a task, with the files of `bcftools call` for it.

    The sex is the sample sheet's, or, where it has none, that of the depths of X and Y in quality control.

    Args:
        task: The task.
        contigs: The length of each contig in bp, by name.
        called: The contigs that are called.

    Raises:
        BadInput: for a ploidy file that cannot be used.
    """
    parameters, sample = task["parameters"], task["item"]["sample"]
    of_reads = sex_of_reads(task)
    sex, source = sex_of(task, of_reads)
    given, file = parameters.get("ploidy"), parameters.get("ploidy_file")
    doubt = ""
    if given is not None:
        copies = Ploidy(given)
    else:
        rules = read_rules(file, contigs) if file else known_rules(contigs)
        copies, doubt = rules.of(sex), "" if file else unknown_assembly(contigs)
        doubt = doubt or doubt_of(rules, sex, called)
    entries = [("Patient", task["item"].get("patient")), *((("Sex", sex), ("SexFrom", source)) if source else ())]
    entries += [("SexOfReads", of_reads)] if source == SHEET else []
    entries += [("Absent", f'"{copies.absent()}"')] if copies.absent() else []
    more = "".join(f",{name}={value}" for name, value in entries if value)
    header = f"##{PLOIDY_KEY}={copies.text()}\n" + (f"##SAMPLE=<ID={sample}{more}>\n" if more else "")
    return CalledPloidy(copies, sex, source, doubt, call_options(task, copies, sex), header)


def sex_of(task: Mapping[str, Any], of_reads: str | None) -> tuple[str, str]:
    """Return the sex of the sample and where it is from; NA and nothing where it is not known.

    Args:
        task: The task.
        of_reads: The sex by the reads; None where they do not tell.
    """
    given = task["item"].get("sex")
    if given in EVERYONE:
        return given, SHEET
    return (of_reads, "reads") if of_reads else (UNKNOWN, "")


def sex_of_reads(task: Mapping[str, Any]) -> str | None:
    """Return the sex by the depths of X and Y, from the metrics of quality control; None where they do not tell."""
    quality = task["inputs"].get("quality")
    found = json.loads(Path(quality).read_text()).get("sex") if quality else None
    found = found.get("value") if isinstance(found, dict) else found
    return found if found in EVERYONE else None


def unknown_assembly(contigs: Mapping[str, int]) -> str:
    """Return what is unknown of a reference with sex chromosomes of no known assembly; else nothing."""
    names = {bare_name(name): name for name in contigs}
    sexual = [names[name] for name in ("X", "Y") if name in names]
    if not sexual or known_rules({name: contigs[name] for name in sexual}).depend_on_sex:
        return ""
    words = f"{' and '.join(sexual)} of no known assembly (by length)"
    return f"{words}: two copies of everything; name others in a ploidy_file"


def doubt_of(rules: Rules, sex: str, called: Collection[str]) -> str:
    """Return why the copies of sex chromosomes are not known; nothing where they are."""
    contigs = sorted({one.contig for one in rules.stretches[XX] ^ rules.stretches[XY]} & set(called))
    if sex in EVERYONE or not contigs:
        return ""
    words = f"expected {XX} or {XY} in the sample sheet or from the depths of X and Y, found neither"
    return f"{words}: {', '.join(contigs)} called as of two copies"


def call_options(task: Mapping[str, Any], copies: Ploidy, sex: str) -> tuple[str, ...]:
    """Return the options of `bcftools call` for a ploidy, after writing the files that they name."""
    if not copies.stretches:
        return ("--ploidy", str(copies.others))
    table, samples = (Path(task["scratch"]) / name for name in ("ploidy.txt", "samples.txt"))
    table.write_text(copies.table(sex))
    samples.write_text(f"{task['item']['sample']}\t{sex}\n")
    return ("--ploidy-file", str(table), "--samples-file", str(samples))
